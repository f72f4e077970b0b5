"""The store on a real PostgreSQL, where its programs and a driver are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from tests.kernel.plants import plant_of
from tests.ports import low_port
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Base, Command, Lot, WorkOrder

pytest.importorskip("psycopg", reason="no PostgreSQL driver: pip install psycopg[binary]")


def programs() -> Path:
    """The folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    folders = (
        [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    if not folders:
        pytest.skip("no PostgreSQL server: apt-get install postgresql")
    return folders[0]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of our own in a folder of its own."""
    bin_, port = programs(), low_port()
    # It refuses to run as root, and its user must be able to get at the folder.
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with TemporaryDirectory(prefix="zs", dir="/tmp") as folder:
        if user:
            shutil.chown(folder, "postgres")

        def run(*argv: str) -> None:
            subprocess.run(argv, check=True, capture_output=True, cwd=folder, timeout=60, **user)  # type: ignore[call-overload]

        run(str(bin_ / "initdb"), "-D", f"{folder}/db", "-A", "trust", "-U", "zs", "--no-sync")
        control = (str(bin_ / "pg_ctl"), "-D", f"{folder}/db", "-w", "-l", f"{folder}/log")
        run(*control, "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
        try:
            yield f"postgresql+psycopg://zs@127.0.0.1:{port}/postgres"
        finally:
            run(*control, "-m", "immediate", "stop")


def test_the_same_tables_and_promises(url: str) -> None:
    store = Store(url)
    store.migrate()
    store.migrate()
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    lot = Lot(plant="p", order_id="W", product="h", quantity=1, status="new")
    with store.begin() as session:  # in any order: references are checked at the end
        session.add(lot)
        session.flush()
        session.add(
            WorkOrder(plant="p", id="W", product="h", quantity=1, due_ns=10**18, status="new", created_ns=1)
        )
    with store.read() as session:
        assert session.get_one(WorkOrder, ("p", "W")).due_ns == 10**18
        assert session.get_one(Lot, lot.id).order_id == "W"
    for row in (
        Lot(plant="p", order_id="nobody", product="h", quantity=1, status="new"),
        Command(plant="p", key=-1, proposal="x", unit="u", verb="STOP", status="proposed", created_ns=1),
    ):
        with pytest.raises(IntegrityError), store.begin() as session:
            session.add(row)
    assert [p.id for p in assign_ids(plant_of(["a", "b"]), store).points] == [0, 1]
    assert [p.id for p in assign_ids(plant_of(["b", "c"]), store).points] == [1, 2]
    store.close()
