"""The store on SQLite and PostgreSQL alike: tables equal migrations, transactions hold, a commit survives kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, inspect, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from zhongshu.kernel.store import Store, StoreError
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.store.migrate import config, head
from zhongshu.kernel.store.tables import Base, Command, CommandStep, Decision, Gap, Lot, Meta, Task, WorkOrder

NOW = 1_767_225_600_000_000_000


def order(number: str = "W1") -> WorkOrder:
    return WorkOrder(
        plant="p", id=number, product="hood", quantity=10, due_ns=NOW, status="new", created_ns=NOW
    )


def a_command(proposal: str = "x") -> Command:
    return Command(
        plant="p", proposal=proposal, unit="u", verb="START_JOB", status="proposed", created_ns=NOW
    )


def test_migrations_make_exactly_the_tables_of_the_program(store: Store) -> None:
    store.migrate()  # a second time changes nothing
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrations_go_back_and_forth(store: Store) -> None:
    with store.begin() as session:
        settings = config()
        settings.attributes["connection"] = session.connection()
        command.downgrade(settings, "base")
    assert inspect(store.engine).get_table_names() == ["alembic_version"]
    store.migrate()


def test_every_table_carries_the_plant() -> None:
    assert [table.name for table in Base.metadata.sorted_tables if "plant" not in table.columns] == []


def test_a_newer_database_is_refused(store: Store) -> None:
    with store.begin() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == head()
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        store.migrate()


def test_an_exception_rolls_back(store: Store) -> None:
    def fail_halfway() -> None:
        with store.begin() as session:
            session.add(order())
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    with store.read() as session:
        assert session.get(WorkOrder, ("p", "W1")) is None


def test_reading_changes_nothing_and_rows_stay_usable(store: Store) -> None:
    with store.begin() as session:
        session.add(order())
    with store.read() as session:
        found = session.get_one(WorkOrder, ("p", "W1"))
        found.quantity = 99
    assert found.product == "hood"
    with store.read() as session:
        assert session.get_one(WorkOrder, ("p", "W1")).quantity == 10


def test_numbers_are_never_given_twice(store: Store) -> None:
    with store.begin() as session:
        first = a_command()
        session.add(first)
    assert first.key == 1
    with store.begin() as session:
        session.delete(session.get_one(Command, 1))
    with store.begin() as session:
        second = a_command()
        session.add(second)
    assert second.key == 2


def test_references_and_uniqueness_hold(store: Store) -> None:
    with store.begin() as session:
        session.add_all([order(), a_command("once")])
    lost = Lot(plant="p", order_id="nobody", product="hood", quantity=1, status="waiting")
    twice, too_big = a_command("once"), a_command("big")
    too_big.key = 2**31
    step = CommandStep(plant="p", command=77, status="sent", t_ns=NOW, wall_ns=NOW)
    for row in (lost, twice, too_big, step):
        with pytest.raises((IntegrityError, DataError)), store.begin() as session:
            session.add(row)


def test_rows_round_trip(store: Store) -> None:
    with store.begin() as session:
        lot = Lot(plant="p", order_id="W1", product="hood", quantity=5, status="waiting")
        session.add_all([order(), lot])
        session.flush()
        session.add_all([
            Task(plant="p", lot=lot.id, step=0, operation=10, capability="press", status="planned"),
            Gap(plant="p", connection="c", points=[1, 2], start_ns=NOW, end_ns=NOW + 1, cause="overflow"),
            Decision(plant="p", t_ns=NOW, rule="starved", text_key="starved", facts={"单元": ["u", 1.5, None]}),
            Meta(plant="p", key="k", value="v"),
        ])  # fmt: skip
        made = a_command()
        made.args = {"lot": lot.id}
        session.add(made)
    with store.read() as session:
        assert session.scalars(select(Decision)).one().facts == {"单元": ["u", 1.5, None]}
        assert session.scalars(select(Gap)).one().points == [1, 2]
        assert session.scalars(select(Command)).one().args == {"lot": 1}
        assert session.scalars(select(Task)).one().unit is None
        assert session.scalars(select(WorkOrder)).one().due_ns == NOW


def test_text_of_a_device_is_stored_whatever_it_holds(store: Store) -> None:
    with store.begin() as session:
        session.add(Meta(plant="p", key="k", value="a\0b\ud800c 中"))
        session.add(Decision(plant="p", t_ns=NOW, rule="r", text_key="k", facts={"said": "x\0y"}))
    with store.read() as session:
        assert session.get_one(Meta, ("p", "k")).value == "a\ufffdb?c 中"
        assert session.scalars(select(Decision)).one().facts == {"said": "x\0y"}


def test_rows_may_come_before_what_they_refer_to(store: Store) -> None:
    with store.begin() as session:
        session.add(Lot(plant="p", order_id="W1", product="hood", quantity=5, status="waiting"))
        session.flush()
        session.add(order())
    with store.read() as session:
        assert session.scalars(select(Lot)).one().order_id == "W1"


def test_a_reading_is_of_one_moment(store: Store) -> None:
    with store.begin() as session:
        session.add(order())
    with store.read() as reading:
        assert len(reading.scalars(select(WorkOrder)).all()) == 1
        with store.begin() as session:
            session.add(order("W2"))
        assert len(reading.scalars(select(WorkOrder.id)).all()) == 1


def test_writers_queue_up(store: Store) -> None:
    def write(name: str) -> None:
        for i in range(25):
            with store.begin() as session:
                row = session.get(Meta, ("p", "count"))
                if row is None:
                    session.add(Meta(plant="p", key="count", value="1"))
                else:
                    row.value = str(int(row.value) + 1)
                session.add(Meta(plant="p", key=f"{name}{i}", value=""))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as session:
        assert session.get_one(Meta, ("p", "count")).value == "100"


def test_a_reader_waits_for_no_writer(store: Store) -> None:
    with store.begin() as writing:
        writing.add(order())
        writing.flush()
        with store.read() as session:
            assert session.scalars(select(WorkOrder)).all() == []


def _twice(store: Store, row: dict[str, str]) -> None:
    with store.write() as connection:
        connection.execute(update(Meta).values(value="2"))
        connection.execute(insert(Meta).values(row))


def test_plain_statements_are_written_whole_or_not_at_all_and_looking_writes_nothing(store: Store) -> None:
    row = {"plant": "p", "key": "k", "value": "1"}
    with store.write() as connection:
        connection.execute(insert(Meta).values(row))
    with pytest.raises(IntegrityError):
        _twice(store, row)
    with store.look() as connection:
        assert connection.scalars(select(Meta.value)).all() == ["1"]
        connection.execute(update(Meta).values(value="3"))
    with store.begin() as session:  # nobody holds the writers' lock
        assert get_meta(session, "p", "k") == "1"
        set_meta(session, "p", "k", "4")
    with store.look() as connection:
        assert get_meta(connection, "p", "k") == "4"


WRITER = """
import sys
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command, CommandStep
store = Store(sys.argv[1])
for i in range(100000):
    with store.begin() as session:
        command = Command(plant="p", proposal=str(i), unit="u", verb="STOP", status="proposed", created_ns=1)
        session.add(command)
        session.flush()
        session.add(CommandStep(plant="p", command=command.key, status="proposed", t_ns=1, wall_ns=1))
    print(i, flush=True)
"""


@pytest.mark.faults
def test_every_commit_survives_kill_9(store: Store) -> None:
    told = -1
    for _ in range(3):
        with store.begin() as session:  # the next writer begins anew
            for row in (CommandStep, Command):
                session.execute(row.__table__.delete())
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, store.url], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        told = -1
        while told < 60:
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.wait()
        told = int(rest[-1]) if rest else told
        with store.read() as session:
            commands = session.scalar(select(func.count()).select_from(Command)) or 0
            steps = session.scalar(select(func.count()).select_from(CommandStep)) or 0
        assert commands == steps  # whole transactions only
        assert told + 1 <= commands <= told + 2
        if store.engine.dialect.name == "sqlite":
            with store.engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
