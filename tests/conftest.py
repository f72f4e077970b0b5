"""What many tests need: a port nobody uses, a data directory, the store on both databases, the installed browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ports import low_port
from tests.postgres import Postgres, postgres, programs
from zhongshu.kernel.store import Store


@pytest.fixture
def free_port() -> int:
    """One port."""
    return low_port()


@pytest.fixture
def free_ports() -> Callable[[], int]:
    """Another port at every call."""
    return low_port


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory, as `--data` would name it."""
    path = tmp_path / "data"
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; the test is skipped where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on the PATH: apt-get install chromium fonts-noto-cjk")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server, started by the first test that asks for it; skipped only where no wheel of it exists."""
    if programs() is None:
        pytest.skip("no PostgreSQL server: the dev group brings one as a wheel")
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres_server: Postgres) -> str:
    """The name of a database with our tables, to be copied."""
    store = Store(postgres_server.url())
    store.migrate()
    store.close()
    return store.url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    url = server.url()
    yield url
    server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The store on each kind of database, with its tables and no rows."""
    if request.param == "sqlite":
        made = Store(f"sqlite:///{tmp_path / 'store.db'}")
        made.migrate()
        yield made
        made.close()
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    url = server.url(template=request.getfixturevalue("migrated"))
    made = Store(url)
    yield made
    made.close()
    server.drop(url)
