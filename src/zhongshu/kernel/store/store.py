"""One database of a plant: SQLite in the data directory, or PostgreSQL by URL; sessions go out, commits come back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

BUSY_TIMEOUT_MS = 10_000
#: On PostgreSQL: whoever goes silent inside a transaction lets the others go on after so long.
IDLE_TIMEOUT_MS = 60_000
#: The name under which writers of the store queue up on PostgreSQL, among whatever else uses that server's locks.
WRITERS = "hashtextextended('zhongshu.store.' || current_schema(), 0)"


class StoreError(Exception):
    """The database is out of reach, or newer than this program."""


class Store:
    """``with store.begin() as session:`` is one transaction: committed at its end, rolled back on an exception.

    Safe for several threads and processes at once, alike on both: a commit is on disk when ``begin`` returns, writers
    wait for one another up to ten seconds (what one reads in ``begin`` nobody changes until it commits), and a reader
    waits for nobody. A URL that is none, or whose driver is not installed, raises StoreError.

    ``begin`` and ``read`` hand out sessions, for rows as objects; ``write`` and ``look`` the same transactions as connections, for
    plain statements. These cost a fraction, which is what decides where there are many of them.
    """

    def __init__(self, url: str) -> None:
        parts = _parsed(url)
        self.url = parts.render_as_string(hide_password=False)
        self.engine = _engine(parts)
        sqlite = self.engine.dialect.name == "sqlite"
        # Taking the write lock at the start makes writers queue up; taking it later makes one of them fail.
        self._take = "BEGIN IMMEDIATE" if sqlite else f"SELECT pg_advisory_xact_lock({WRITERS})"
        self._one_moment = "BEGIN" if sqlite else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction that may write."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection().exec_driver_sql(self._take)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that waits for no writer; whatever is changed in it is thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection().exec_driver_sql(self._one_moment)
            yield session
            session.expunge_all()
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As ``begin``, for plain statements."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(self._take)
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """As ``read``, for plain statements."""
        with self.engine.connect() as connection:  # closing it rolls back
            connection.exec_driver_sql(self._one_moment)
            yield connection

    def migrate(self) -> None:
        """Bring the database to this program's tables, in one transaction; raises StoreError."""
        from zhongshu.kernel.store.migrate import upgrade

        try:
            upgrade(self)
        except (SQLAlchemyError, CommandError) as error:
            raise StoreError(f"{self.name}: {error}") from error

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @property
    def name(self) -> str:
        """The URL as people may see it: without its password."""
        return make_url(self.url).render_as_string()


def _parsed(url: str) -> URL:
    try:
        parts = make_url(url)
    except ArgumentError as error:  # without the URL: it may hold a password
        raise StoreError(
            "the store's URL is none; such as postgresql://user:password@host/database"
        ) from error
    if parts.drivername in ("postgresql", "postgres"):
        return parts.set(drivername="postgresql+psycopg")  # the one that our extra brings
    return parts


def _engine(url: URL) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = (
        {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}} if sqlite else {"pool_pre_ping": True}
    )
    try:
        engine = create_engine(url, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            f"{url.drivername}: {error}; the store is on SQLite or PostgreSQL (pip install 'zhongshu[postgresql]')"
        ) from error
    event.listen(engine, "connect", _pragmas if sqlite else _settings)
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


def _settings(connection: Any, _record: object) -> None:
    """The same promises on PostgreSQL: durable at every commit, and nobody waits for ever."""
    with connection.cursor() as cursor:
        for setting in (
            "synchronous_commit = on",
            "default_transaction_isolation = 'read committed'",  # else a writer that waited would read what was before
            f"lock_timeout = {BUSY_TIMEOUT_MS}",
            f"idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}",
        ):
            cursor.execute(f"SET {setting}")
    connection.commit()
