"""Scenarios, pins, exclusions, splits, release and undo: against a desk on a real store."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.decide.planner.desks import ask, desk_of, orders_for, start_ns, two_lines, unit_of, valid
from tests.decide.planning.plants import NOW, lot
from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.work import LotStatus
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import live_plan, plan, unpack
from zhongshu.kernel.store.rules import rules_in_force
from zhongshu.kernel.store.tables import WorkOrder


@pytest.fixture
def desk(store: Store) -> Desk:
    """Six released orders of one lot each: W-0 is lot 1, and so on; a plan is in force."""
    work = orders_for(two_lines(), 6)
    for k in range(6):
        lot(work, k + 1, f"W-{k}", status=LotStatus.PLANNED)
    made = desk_of(store, work)
    made.replan("first", "", 0.3)
    made.replan("time", "", 0.0)
    return made


def live(desk: Desk) -> Any:
    with desk.store.read() as session:
        row = live_plan(session, "small")
        assert row is not None
        return unpack(row.content) | {"version": row.version}


def pins(desk: Desk) -> list[str]:
    with desk.store.read() as session:
        return [rule.subject for rule in rules_in_force(session, "small") if rule.kind == "pin"]


def tried(desk: Desk, *edits: dict[str, Any], **more: Any) -> dict[str, Any]:
    values = {"base": "live", "scenario": None, "seconds": 0.3} | more
    return ask(desk, "try", edits=list(edits), **values)


def place(desk: Desk, task: str, later_s: int, unit: str | None = None) -> dict[str, Any]:
    plan_ = live(desk)
    return {
        "kind": "place",
        "task": task,
        "unit": unit or unit_of(plan_, task),
        "start_ns": start_ns(plan_, task) + later_s * NS,
    }


def test_a_dragged_task_is_where_it_was_dropped_and_stays_there(desk: Desk) -> None:
    edit, before = place(desk, "6:3", 600), live(desk)["version"]
    made = tried(desk, edit, {"kind": "name", "name": "later"})
    assert made["feasible"]
    assert made["problems"] == []
    assert live(desk)["version"] == before, "trying changes nothing"
    released = ask(desk, "release", version=made["version"])
    assert any(row["task"] == "6:3" for row in released["difference"])
    assert released["moved"] == len(released["difference"])
    assert live(desk)["version"] == made["version"]
    assert pins(desk) == ["6:3"]
    desk.clock.put_forward(60 * NS)  # type: ignore[attr-defined]
    desk.replan("people", "Li", 0.2)
    assert start_ns(live(desk), "6:3") == edit["start_ns"]
    assert live(desk)["gave_way"] == []
    valid(desk)


def test_undo_takes_the_rules_of_the_release_back_whatever_was_planned_since(desk: Desk) -> None:
    before = live(desk)
    made = tried(desk, place(desk, "6:3", 900))
    ask(desk, "release", version=made["version"])
    desk.replan("people", "Li", 0.0)
    desk.replan("time", "", 0.0)
    undone = ask(desk, "undo")
    assert undone["version"] == before["version"] == live(desk)["version"]
    assert pins(desk) == []
    desk.replan("people", "Li", 0.0)
    assert start_ns(live(desk), "6:3") == start_ns(before, "6:3")


def test_undo_gives_orders_their_terms_back(desk: Desk) -> None:
    made = tried(desk, {"kind": "order", "order": "W-3", "priority": 1, "due_ns": NOW + 60 * NS})
    ask(desk, "release", version=made["version"])

    def terms() -> tuple[int, int]:
        with desk.store.read() as session:
            row = session.scalars(select(WorkOrder).where(WorkOrder.id == "W-3")).one()
            return row.priority, row.due_ns

    assert terms() == (1, NOW + 60 * NS)
    ask(desk, "undo")
    assert terms() == (5, NOW + 3600 * NS)


def test_unpin_ends_the_rule_and_undo_brings_it_back(desk: Desk) -> None:
    ask(desk, "release", version=tried(desk, place(desk, "5:3", 300))["version"])
    assert pins(desk) == ["5:3"]
    ask(desk, "release", version=tried(desk, {"kind": "unpin", "task": "5:3"})["version"])
    assert pins(desk) == []
    ask(desk, "undo")
    assert pins(desk) == ["5:3"]
    ask(desk, "undo")
    assert pins(desk) == []


def test_a_pin_keeps_a_task_where_it_lies(desk: Desk) -> None:
    where = start_ns(live(desk), "4:2")
    made = tried(desk, {"kind": "pin", "task": "4:2"})
    with desk.store.read() as session:
        row = plan(session, "small", made["version"])
        assert row is not None
        document = unpack(row.content)
    assert start_ns(document, "4:2") == where
    assert document["tasks"]["pinned"][document["tasks"]["id"].index("4:2")] == 1


def test_nothing_is_planned_on_an_excluded_unit(desk: Desk) -> None:
    edit = {"kind": "exclude", "unit": "cut-1", "start_ns": NOW, "end_ns": NOW + 7200 * NS}
    made = tried(desk, edit)
    ask(desk, "release", version=made["version"])
    desk.replan("people", "Li", 0.2)
    document = live(desk)
    on_it = [t for t in document["tasks"]["id"] if unit_of(document, t) == "cut-1"]
    assert all(start_ns(document, t) >= NOW + 7200 * NS for t in on_it)
    valid(desk)


def test_a_scenario_grows_edit_by_edit_and_from_another(desk: Desk) -> None:
    first = tried(desk, place(desk, "6:3", 600))
    second = tried(desk, {"kind": "order", "order": "W-2", "priority": 1}, scenario=first["version"])
    third = tried(desk, place(desk, "5:3", 1200), base=first["version"])
    with desk.store.read() as session:
        rows = [plan(session, "small", made["version"]) for made in (second, third)]
        assert [[e["kind"] for e in row.edits] for row in rows if row] == [["place", "order"], ["place"]]
        assert rows[1] is not None
        assert rows[1].base == first["version"]


def test_what_cannot_be_is_told_with_what_can(desk: Desk) -> None:
    now = {**place(desk, "6:3", 0), "start_ns": NOW + 5 * NS}
    made = tried(desk, now)
    assert not made["feasible"]
    assert made["version"] is None
    assert "W-5" in made["problems"][0]["en"]
    assert "earliest found there is 12:" in made["problems"][0]["en"]
    wrong = tried(desk, {**place(desk, "6:3", 0), "unit": "cut-1"})
    assert "can't work on" in wrong["problems"][0]["en"]
    assert all(problem["zh"] for problem in (*made["problems"], *wrong["problems"]))


def test_a_lot_is_split_in_a_scenario_but_that_is_not_released(desk: Desk) -> None:
    made = tried(desk, {"kind": "split", "task": "6:1", "parts": 2})
    with desk.store.read() as session:
        row = plan(session, "small", made["version"])
        assert row is not None
        tasks = unpack(row.content)["tasks"]
    assert {"6:1/1", "6:1/2"} <= set(tasks["id"])
    assert "6:1" not in tasks["id"]
    parts = [tasks["id"].index(f"6:1/{k}") for k in (1, 2)]
    after = tasks["id"].index("6:2")
    assert all(tasks["end"][k] <= tasks["start"][after] for k in parts)
    with pytest.raises(Refusal):
        ask(desk, "release", version=made["version"])
    assert live(desk)["version"] != made["version"]


@pytest.mark.parametrize(
    "values",
    [
        {"what": "try", "edits": [{"kind": "dance"}]},
        {"what": "try", "edits": [{"kind": "place", "task": "99:9", "unit": "cut-1", "start_ns": 1}]},
        {"what": "try", "edits": [{"kind": "exclude", "unit": "cut-9", "start_ns": 1, "end_ns": 2}]},
        {"what": "try", "edits": [{"kind": "split", "task": "6:1", "parts": 1}]},
        {"what": "try", "edits": [{"kind": "order", "order": "nobody", "priority": 1}]},
        {"what": "try"},
        {"what": "release", "version": 999},
        {"what": "discard", "version": 999},
        {"what": "why", "order": "nobody"},
        {"what": "quote", "product": "gold", "quantity": 1},
        {"what": "quote", "product": "hood", "quantity": 0},
        {"what": "sing"},
    ],
)
def test_nonsense_is_refused_in_both_languages(desk: Desk, values: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        ask(desk, **values)
    assert set(refused.value.words) == {"zh", "en"}
    assert all(refused.value.words.values())


def test_a_discarded_scenario_is_not_released(desk: Desk) -> None:
    made = tried(desk, place(desk, "6:3", 600))
    ask(desk, "discard", version=made["version"])
    with pytest.raises(Refusal):
        ask(desk, "release", version=made["version"])
