"""Decisions on record: what the planner wrote is what it did, option by option, job by job, order by order."""

from __future__ import annotations

import copy
from typing import Any

from tests.decide.planner.desks import ask, desk_of, events, orders_for, start_ns, two_lines, unit_of
from tests.decide.planning.plants import NOW, lot
from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.record import rerouted
from zhongshu.decide.planner.trigger import Trigger
from zhongshu.decide.work import LotStatus
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import decisions
from zhongshu.kernel.store.tables import Decision

REPAIR = Pace(improve_s=0.0)


def rows(store: Store) -> list[Decision]:
    """The newest first."""
    with store.read() as session:
        return decisions(session, "small")


def broken(desk: Desk, unit: str, state: str = "ABORTED") -> Trigger:
    """The unit is down on the floor; the trigger says so."""
    desk.floor["states"][unit] = (state, "PRODUCTION")
    fact = {"unit": unit, "state": state, "previous_state": "EXECUTE", "t_ns": desk.clock.now_ns()}
    return Trigger("breakdown", unit, fact, {"measured": 5, "heard": 7})


def busy_desk(store: Store) -> Desk:
    desk = desk_of(store, orders_for(two_lines(), 8, due_ns=NOW + 300 * NS))
    desk.replan("first", "", 0.5)
    return desk


def options(row: Decision) -> dict[str, dict[str, Any]]:
    return {option["name"]: option for option in row.facts["options"]}


def test_a_breakdown_is_on_record_with_its_fact_its_options_and_what_moved(store: Store) -> None:
    desk = busy_desk(store)
    before = desk.now.document  # type: ignore[union-attr]
    trigger = broken(desk, "coat-1")
    desk.replan(trigger, "coat-1", REPAIR)
    after = desk.now.document  # type: ignore[union-attr]
    row, *earlier = rows(store)
    assert earlier[-1].rule == "first"
    assert (row.rule, row.subject) == ("breakdown", "coat-1")
    assert row.id == f"plan-{after['version']}"
    assert row.facts["trigger"]["state"] == "ABORTED"
    assert row.facts["trigger"]["t_ns"] == NOW
    carried, repaired = options(row)["carried_on"], options(row)["repaired"]
    waited = after["kpis"]["without_replan"]["weighted_tardiness_s"]
    assert carried["weighted_tardiness_s"] == waited
    assert not carried["chosen"]
    assert repaired["chosen"]
    for part in ("objective", "weighted_tardiness_s", "late", "setups", "energy_cost", "moved"):
        assert repaired[part] == after["kpis"][part]
    assert repaired["objective"] < carried["objective"]
    gone = {t for t in before["tasks"]["id"] if unit_of(before, t) != unit_of(after, t)}
    moved = row.facts["moved"]
    assert {job["task"] for job in moved["list"]} == gone
    assert moved["jobs"] == len(gone) == sum(moved["to"].values())
    assert moved["to"].keys() <= {"coat-2"}
    for job in moved["list"]:
        assert job["to"] == unit_of(after, job["task"])
        assert job["start_ns"] == start_ns(after, job["task"])
        assert job["was_ns"] == start_ns(before, job["task"])


def test_what_lies_more_than_two_hours_ahead_is_not_told_of(store: Store) -> None:
    desk = busy_desk(store)
    before = copy.deepcopy(dict(desk.now.document))  # type: ignore[union-attr]
    desk.replan(broken(desk, "coat-1"), "coat-1", REPAIR)
    after = desk.now.document  # type: ignore[union-attr]
    near = {row["task"] for row in rerouted(before, after, {})}
    assert near
    later = copy.deepcopy(dict(after))
    for plan in (before, later):
        plan["tasks"]["start"] = [start + 7200 for start in plan["tasks"]["start"]]
    assert rerouted(before, later, {}) == []


def test_what_is_expected_of_each_order_is_what_the_plan_says(store: Store) -> None:
    desk = busy_desk(store)
    before = desk.now.document  # type: ignore[union-attr]
    desk.replan(broken(desk, "coat-1"), "coat-1", REPAIR)
    after = desk.now.document  # type: ignore[union-attr]
    row = rows(store)[0]
    ends = {o["id"]: after["origin_ns"] + o["end"] * NS for o in after["orders"]}
    was = {o["id"]: before["origin_ns"] + o["end"] * NS for o in before["orders"]}
    assert row.facts["orders"]
    for order in row.facts["orders"]:
        assert order["expected_ns"] == ends[order["id"]]
        assert order["was_ns"] == was[order["id"]]
        assert order["status"] == "open"
    told = {order["id"] for order in row.facts["orders"]}
    concerned = {job["order"] for job in row.facts["moved"]["list"]}
    assert concerned <= told
    assert {o for o in ends if abs(ends[o] - was[o]) >= 300 * NS} <= told


def test_waiting_is_named_where_waiting_was_chosen(store: Store) -> None:
    """A unit without work breaks down: nothing moves, and nothing else is claimed."""
    desk = desk_of(store, orders_for(two_lines(), 1))
    desk.replan("first", "", 0.2)
    idle = next(
        u for u in ("coat-1", "coat-2") if u not in {unit_of(desk.now.document, t) for t in task_ids(desk)}
    )  # type: ignore[union-attr]
    desk.replan(broken(desk, idle), idle, REPAIR)
    row = rows(store)[0]
    assert row.rule == "breakdown"
    assert list(options(row)) == ["carried_on"]
    assert options(row)["carried_on"]["chosen"]
    assert row.facts["moved"]["jobs"] == 0


def test_time_passing_is_no_decision_while_nobody_moves(store: Store) -> None:
    desk = busy_desk(store)
    count = len(rows(store))
    desk.replan("time", "", REPAIR)
    assert len(rows(store)) == count
    assert desk.now.decided is None  # type: ignore[union-attr]


def test_an_improvement_is_a_decision_of_its_own_and_an_option_of_the_one_before(store: Store) -> None:
    """So many evaluations instead of seconds: the same on any machine."""
    desk = desk_of(store, orders_for(two_lines(), 8, due_ns=NOW + 300 * NS))
    desk.replan("first", "", Pace(work=2000))
    better, first = rows(store)
    assert (first.rule, better.rule, better.facts["of"]) == ("first", "improved", first.id)
    tried = options(first)["improved"]
    assert not tried["chosen"]
    assert tried["became"] == better.facts["version"] == desk.now.version  # type: ignore[union-attr]
    assert options(better)["repaired"]["objective"] == options(first)["rules"]["objective"]
    assert (
        tried["objective"] == options(better)["improved"]["objective"] < options(first)["rules"]["objective"]
    )


def test_a_search_that_found_nothing_better_says_so(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 1))
    desk.replan("first", "", REPAIR)
    desk.replan(broken(desk, "coat-1"), "coat-1", Pace(work=1))
    tried = options(rows(store)[0])["improved"]
    assert (tried["chosen"], tried["cut_short"]) == (False, False)
    assert "became" not in tried
    assert tried["seconds"] >= 0


def test_a_decision_goes_out_as_an_event_with_the_plan(store: Store) -> None:
    desk = busy_desk(store)
    desk.replan(broken(desk, "coat-1"), "coat-1", REPAIR)
    told = events(store, "DecisionMade")[-1]
    assert (told["rule"], told["subject"]) == ("breakdown", "coat-1")
    assert told["version"] == events(store)[-1]["version"]
    assert told["decision"] == rows(store)[0].id


def test_a_release_by_a_person_and_its_undo_are_on_record_with_the_name(store: Store) -> None:
    work = orders_for(two_lines(), 3)
    for k in range(3):
        lot(work, k + 1, f"W-{k}", status=LotStatus.PLANNED)
    desk = desk_of(store, work)
    desk.replan("first", "", 0.3)
    other = "coat-2" if unit_of(desk.now.document, "1:1") == "coat-1" else "coat-1"  # type: ignore[union-attr]
    place = {
        "kind": "place",
        "task": "1:1",
        "unit": other,
        "start_ns": start_ns(desk.now.document, "1:1") + 600 * NS,
    }  # type: ignore[union-attr]
    made = ask(desk, "try", base="live", scenario=None, seconds=0.2, edits=[place])
    assert made["feasible"], made
    ask(desk, "release", version=made["version"])
    row = rows(store)[0]
    assert (row.rule, row.subject, row.facts["by"]) == ("release", "Li", "Li")
    assert {"task": "1:1", "to": other}.items() <= row.facts["moved"]["list"][0].items()
    ask(desk, "undo")
    assert rows(store)[0].rule == "undo"


def task_ids(desk: Desk) -> list[str]:
    return list(desk.now.document["tasks"]["id"])  # type: ignore[union-attr]
