"""Rows that are new or replace what is there under the same key, many in one statement; SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from zhongshu.kernel.store.tables import Base
from zhongshu.kernel.store.within import Within, plain


def upsert(within: Within, kind: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``rows``, each with every column of ``kind``; whoever has their primary key is overwritten.

    A session's own objects are not told: read such rows anew.
    """
    if rows:
        connection = plain(within)
        connection.execute(_statement(kind, connection.dialect.name), list(rows))


@cache
def _statement(kind: type[Base], dialect: str) -> Insert:
    table = kind.__table__
    assert isinstance(table, Table)  # each of our classes maps a whole table
    made = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    keys = {column.name for column in table.primary_key}
    changed = {c.name: made.excluded[c.name] for c in table.columns if c.name not in keys}
    return made.on_conflict_do_update(index_elements=sorted(keys), set_=changed)
