"""Small facts of a plant by key: positions on the bus, saved states; read and written inside a transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from zhongshu.kernel.store.tables import Meta


def get_meta(session: Session, plant: str, key: str) -> str | None:
    """The value, or None where none was ever set."""
    row = session.get(Meta, (plant, key))
    return None if row is None else row.value


def set_meta(session: Session, plant: str, key: str, value: str) -> None:
    """Set or replace the value."""
    session.merge(Meta(plant=plant, key=key, value=value))
