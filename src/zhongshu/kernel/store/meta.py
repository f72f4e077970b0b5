"""Small facts of a plant by key: positions on the bus, saved states; read and written inside a transaction."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from zhongshu.kernel.store.tables import Meta
from zhongshu.kernel.store.upsert import upsert
from zhongshu.kernel.store.within import Within, plain

_GET = select(Meta.value).where(Meta.plant == bindparam("of"), Meta.key == bindparam("named"))


def get_meta(within: Within, plant: str, key: str) -> str | None:
    """The value, or None where none was ever set."""
    value: str | None = plain(within).scalar(_GET, {"of": plant, "named": key})
    return value


def set_meta(within: Within, plant: str, key: str, value: str) -> None:
    """Set or replace the value."""
    upsert(within, Meta, [{"plant": plant, "key": key, "value": value}])
