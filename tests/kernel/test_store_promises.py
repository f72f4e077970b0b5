"""What the store promises beyond its tables: durable settings, processes that start at once, URLs that say nothing secret."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from tests.postgres import Postgres, postgres
from zhongshu.kernel.store import Store, StoreError
from zhongshu.kernel.store import store as module
from zhongshu.kernel.store.migrate import target_metadata
from zhongshu.kernel.store.tables import Meta

MIGRATE = """
import sys
from zhongshu.kernel.store import Store
sys.stdin.readline()
Store(sys.argv[1]).migrate()
"""


def test_sqlite_is_durable_and_strict(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    with store.begin() as session:
        asked = {name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar() for name in (
            "journal_mode", "synchronous", "foreign_keys", "busy_timeout",
        )}  # fmt: skip
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_postgresql_is_durable_and_strict_whatever_its_server_is_set_to(postgres_server: Postgres) -> None:
    url = postgres_server.url()
    careless = "-c synchronous_commit=off -c default_transaction_isolation=serializable"
    store = Store(f"{url}?options={careless.replace(' ', '%20').replace('=', '%3D')}")
    with store.begin() as session:
        asked = {name: session.connection().exec_driver_sql(f"SHOW {name}").scalar() for name in (
            "synchronous_commit", "transaction_isolation", "lock_timeout", "idle_in_transaction_session_timeout",
        )}  # fmt: skip
    assert list(asked.values()) == ["on", "read committed", "10s", "1min"]
    store.close()
    postgres_server.drop(url)


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    some = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, empty_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]  # fmt: skip
    for process in some:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in some]
    assert [process.returncode for process in some] == [0] * 4, said
    store = Store(empty_url)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), target_metadata()) == []
    store.close()


def test_a_writer_that_waits_too_long_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 200)
    other = Store(store.url)
    with store.begin(), pytest.raises(OperationalError), other.begin():
        pass
    other.close()


@pytest.mark.faults
def test_a_server_that_was_killed_comes_back_with_every_commit() -> None:
    with postgres() as server:
        store = Store(server.url())
        store.migrate()
        with store.begin() as session:
            session.add(Meta(plant="p", key="k", value="kept"))
        server.stop(signal.SIGKILL)
        with pytest.raises(SQLAlchemyError), store.begin():
            pass
        with pytest.raises(StoreError):
            store.migrate()
        server.start()
        with store.begin() as session:  # the same store, without anybody's help
            assert session.scalars(select(Meta.value)).all() == ["kept"]
        store.close()


def test_a_url_is_known_by_its_short_name_and_tells_no_password() -> None:
    store = Store("postgresql://zs:sesame@127.0.0.1:1/zs")
    assert store.engine.dialect.driver == "psycopg"
    assert store.name == "postgresql+psycopg://zs:***@127.0.0.1:1/zs"
    with pytest.raises(StoreError) as told:
        store.migrate()
    assert "sesame" not in str(told.value) and "127.0.0.1" in str(told.value)


@pytest.mark.parametrize(
    "url", ["", "somewhere:sesame", "mysql://zs:sesame@h/d", "postgresql+nope://zs:sesame@h/d"]
)
def test_what_is_no_url_of_ours_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StoreError) as told:
        Store(url)
    assert "sesame" not in str(told.value) and "postgresql" in str(told.value)
