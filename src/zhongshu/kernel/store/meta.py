"""Small facts of a plant by key: positions on the bus, saved states; read and written inside a transaction."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.store.tables import Meta
from zhongshu.kernel.store.upsert import upsert


def get_meta(session: Session, plant: str, key: str) -> str | None:
    """The value, or None where none was ever set."""
    return session.scalar(select(Meta.value).where(Meta.plant == plant, Meta.key == key))


def set_meta(session: Session, plant: str, key: str, value: str) -> None:
    """Set or replace the value."""
    upsert(session, Meta, [{"plant": plant, "key": key, "value": value}])
