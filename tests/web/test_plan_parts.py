"""Plans in the store, what became of their tasks, and their CSV, each without a server."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.web.lab import KITCHEN
from tests.web.plans import keep, kitchen_plan
from zhongshu.kernel.clock import VirtualClock
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Plan
from zhongshu.kernel.wire import publish_event
from zhongshu.model.messages import CommandChanged, JobProgressed, Proposed
from zhongshu.web.commands import CommandBoard
from zhongshu.web.plan_csv import as_csv
from zhongshu.web.plan_past import PlanPast
from zhongshu.web.plan_progress import PlanProgress
from zhongshu.web.plan_store import LIVE, PAST_SHOWN, Plans

MS = 1_000_000
T0 = 1_800_000_000_000 * MS
DOCUMENT = kitchen_plan(load_plant(KITCHEN), T0, tasks=600)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    yield store
    store.close()


def changed(store: Store, version: int, **values: Any) -> None:
    with store.begin() as session:
        row = session.get_one(Plan, ("kitchen", version))
        for name, value in values.items():
            setattr(row, name, value)


def test_the_made_up_plan_holds_together() -> None:
    tasks = DOCUMENT["tasks"]
    assert {len(column) for column in tasks.values()} == {600}
    by_unit: dict[int, list[tuple[int, int, int]]] = {}
    for unit, start, end, batch in zip(
        tasks["unit"], tasks["start"], tasks["end"], tasks["batch"], strict=True
    ):
        by_unit.setdefault(unit, []).append((start, end, batch))
    for spans in by_unit.values():
        spans.sort()
        for (_, end, batch), (start, _, other) in pairwise(spans):
            assert start >= end or (batch == other >= 0)
    assert json.dumps(kitchen_plan(load_plant(KITCHEN), T0, tasks=600)) == json.dumps(DOCUMENT)


def test_a_document_tells_the_status_of_now(store: Store) -> None:
    plans = Plans("kitchen", store)
    assert plans.packed(LIVE) is None and plans.rows() == []
    keep(store, "kitchen", DOCUMENT)
    first = plans.packed(LIVE)
    assert (
        first is not None
        and first.document()["status"] == "live"
        and first.document()["tasks"] == DOCUMENT["tasks"]
    )
    assert plans.packed(318) is first and plans.packed(LIVE) is first, "packed once for all"
    changed(store, 318, status="superseded", name="old", by="Li")
    later = plans.packed(318)
    assert plans.packed(LIVE) is None and later is not None and later.tag != first.tag
    assert (later.document()["status"], later.document()["name"], later.document()["by"]) == (
        "superseded",
        "old",
        "Li",
    )
    assert Plans("elsewhere", store).rows() == []


def test_the_list_holds_what_is_open_and_the_last_few_of_before(store: Store) -> None:
    for version in range(1, 12):
        keep(store, "kitchen", DOCUMENT | {"version": version, "status": "superseded"})
    keep(store, "kitchen", DOCUMENT | {"version": 12})
    keep(
        store,
        "kitchen",
        DOCUMENT | {"version": 13, "status": "scenario"},
        base=12,
        edits=[{"kind": "name", "name": "x"}],
    )
    keep(store, "kitchen", DOCUMENT | {"version": 14, "status": "discarded"})
    rows = Plans("kitchen", store).rows()
    assert [row["version"] for row in rows] == [13, 12, *range(11, 11 - PAST_SHOWN, -1)]
    assert (
        rows[0]["base"] == 12
        and rows[0]["edits"] == [{"kind": "name", "name": "x"}]
        and "content" not in rows[0]
    )


def test_the_csv_has_every_task_and_no_formula() -> None:
    document = DOCUMENT | {"orders": [dict(order) for order in DOCUMENT["orders"]]}
    document["orders"][0]["id"] = "=1+1"
    text = b"".join(as_csv(document)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 600
    assert rows[0]["order"] == "'=1+1" and not any(
        cell.startswith(("=", "@")) for row in rows for cell in row.values()
    )
    first = DOCUMENT["tasks"]
    assert rows[0]["task"] == first["id"][0] and rows[0]["unit"] == DOCUMENT["units"][first["unit"][0]]["id"]
    planned = next(row for row in rows if row["status"] == "planned")
    assert planned["actual_start"] == "" and planned["start"].startswith("2027-01-")


class Desk:
    """A board that knows one job order: key 5 is operation 40 on lot 1001."""

    def __init__(self) -> None:
        self.clock, self.bus = VirtualClock(), MemoryBus()
        self.board = CommandBoard("kitchen", self.clock)
        self.progress = PlanProgress("kitchen", self.bus, self.clock, self.board)

    def command(self, key: int = 5) -> None:
        args = json.dumps({"lot": 1001, "operation": 40, "product": 1, "quantity": 10})
        name = f"p{key}"
        self.board.take(
            Proposed("kitchen", "decide", T0, name, "stamp-01", "START_JOB", args, "", "", "", T0, "brain")
        )
        self.board.take(
            CommandChanged("kitchen", "act", T0, key, name, "stamp-01", "START_JOB", "sent", "", "")
        )

    def say(self, state: str, s: int, key: int = 5, good: int = 0) -> JobProgressed:
        return JobProgressed("kitchen", "understand", T0 + s * 1000 * MS, "stamp-01", key, state, good, 0)


def test_progress_follows_a_task_from_its_start_to_its_end() -> None:
    desk = Desk()
    desk.command()
    for state, s in (("SETUP", 1), ("RUNNING", 3), ("RUNNING", 9), ("DONE", 60)):
        desk.progress.take(desk.say(state, s, good=s))
    cursor, rows = desk.progress.since(0)
    ms = T0 // MS
    assert rows == [[1001, 40, "stamp-01", ms + 3000, ms + 60_000, "DONE", 60, 0]]
    assert desk.progress.since(cursor) == (cursor, [])
    desk.progress.take(desk.say("RUNNING", 2))  # read again from the bus, after what is newer
    _, rows = desk.progress.since(cursor)
    assert rows == [[1001, 40, "stamp-01", ms + 2000, ms + 60_000, "DONE", 60, 0]]


def test_progress_waits_for_a_command_that_is_told_later() -> None:
    desk = Desk()
    desk.progress.take(desk.say("RUNNING", 3))
    assert desk.progress.since(0)[1] == []
    desk.command()
    assert desk.progress.since(0)[1][0][:3] == [1001, 40, "stamp-01"]


async def test_progress_begins_with_what_was_said_before() -> None:
    desk = Desk()
    desk.command()
    await publish_event(desk.bus, desk.say("RUNNING", 3))
    running = asyncio.create_task(desk.progress.run())
    for _ in range(50):
        await asyncio.sleep(0.01)
        if desk.progress.since(0)[1]:
            break
    await publish_event(desk.bus, desk.say("DONE", 30))
    await asyncio.sleep(0.05)
    running.cancel()
    assert desk.progress.since(0)[1][0][5] == "DONE"


def test_what_is_over_is_told_with_what_was_planned(store: Store) -> None:
    """Finished tasks leave the plan; their past stays: measured times, and those of the last plan that still had them."""
    desk = Desk()
    plans = Plans("kitchen", store)
    past = PlanPast("kitchen", store, plans, desk.progress)
    tasks = {name: list(column) for name, column in DOCUMENT["tasks"].items()}
    i = tasks["status"].index("planned")
    tasks["lot"][i], tasks["operation"][i] = 1001, 40
    keep(store, "kitchen", DOCUMENT | {"version": 1, "status": "superseded", "tasks": tasks})
    keep(store, "kitchen", DOCUMENT | {"version": 2})
    desk.command()
    desk.progress.take(desk.say("RUNNING", 3))
    assert past.columns(0)["lot"] == [], "it runs still"
    desk.progress.take(desk.say("DONE", 60))
    found = past.columns(0)
    ms, order = T0 // MS, DOCUMENT["orders"][tasks["order"][i]]["id"]
    assert (found["lot"], found["operation"], found["unit"], found["order"]) == (
        [1001],
        [40],
        ["stamp-01"],
        [order],
    )
    assert found["start"] == [ms + tasks["start"][i] * 1000] and found["end"] == [ms + tasks["end"][i] * 1000]
    assert found["actual_start"] == [ms + 3000] and found["actual_end"] == [ms + 60_000]
    assert past.columns(ms + 61_000)["lot"] == [], "too long ago"
