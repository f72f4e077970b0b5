"""One database of a plant: SQLite in the data directory, or PostgreSQL by URL; sessions go out, commits come back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

BUSY_TIMEOUT_MS = 10_000


class StoreError(Exception):
    """The database is out of reach, or newer than this program."""


class Store:
    """``with store.begin() as session:`` is one transaction: committed at its end, rolled back on an exception.

    Safe for several threads and processes at once. On SQLite a commit is on disk when ``begin`` returns (WAL with
    synchronous=FULL), and writers wait for one another up to ten seconds.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction that may write."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            if self._sqlite:
                # Taking the write lock at the start makes writers queue up; taking it later makes one of them fail.
                session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that waits for no writer; whatever is changed in it is thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            if self._sqlite:
                session.connection().exec_driver_sql("BEGIN")
            yield session
            session.expunge_all()
            session.rollback()

    def migrate(self) -> None:
        """Bring the database to this program's tables, in one transaction; raises StoreError."""
        from zhongshu.kernel.store.migrate import upgrade

        try:
            upgrade(self)
        except (SQLAlchemyError, CommandError) as error:
            raise StoreError(f"{make_url(self.url).render_as_string()}: {error}") from error

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @property
    def _sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"


def _engine(url: str) -> Engine:
    sqlite = make_url(url).get_backend_name() == "sqlite"
    options: dict[str, Any] = (
        {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}} if sqlite else {"pool_pre_ping": True}
    )
    engine = create_engine(url, **options)
    if sqlite:
        event.listen(engine, "connect", _pragmas)
    return engine


def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
    """Durable at every commit, readers beside a writer, references held; and BEGIN is ours, not the driver's."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
