"""The planner keeps a valid plan in force: first plan, unchanged plan, breakdown, begun work, restart, what people released."""

from __future__ import annotations

import logging

import pytest

from tests.decide.planner.desks import (
    desk_of,
    events,
    keep,
    orders_for,
    start_ns,
    two_lines,
    unit_of,
    valid,
)
from tests.decide.planning.plants import NOW, changed_type, lot, plant_of
from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.work import LotStatus
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import live_plan, unpack

COLUMNS_ALIKE = (
    "id",
    "order",
    "lot",
    "product",
    "operation",
    "unit",
    "start",
    "end",
    "left",
    "batch",
    "moved",
)


def test_a_plan_comes_into_force_and_out_as_an_event(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 4))
    assert desk.replan("first", "", 0.2)
    built = valid(desk)
    with store.read() as session:
        row = live_plan(session, "small")
        assert row is not None
        document = unpack(row.content)
    assert len(document["tasks"]["id"]) == len(built.tasks) == 16
    assert {len(document["tasks"][name]) for name in COLUMNS_ALIKE} == {16}
    assert events(store)[-1]["version"] == document["version"] == row.version
    assert document["kpis"]["orders"] == 4
    assert desk.times is not None
    assert desk.times.tasks == 16


def test_nothing_to_plan_is_no_plan(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 0))
    assert not desk.replan("first", "", 0.0)
    assert desk.now is None
    assert events(store) == []


def test_an_unchanged_plan_stays_to_the_second(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 6))
    desk.replan("first", "", 0.3)
    desk.replan("time", "", 0.0)
    assert desk.now is not None
    before = desk.now.document
    desk.replan("time", "", 0.0)
    after = desk.now.document
    assert after["version"] == before["version"] + 1
    assert after["kpis"]["moved"] == after["kpis"]["rerouted"] == 0
    assert [after["tasks"][k] for k in ("id", "unit", "start")] == [
        before["tasks"][k] for k in ("id", "unit", "start")
    ]
    assert after["moves"] == before["moves"], "vehicles drive as planned"


def test_a_floor_that_is_behind_moves_nobody(store: Store) -> None:
    """100 s later nothing has begun: everything is later, on the same units, in the same order."""
    desk = desk_of(store, orders_for(two_lines(), 6))
    desk.replan("first", "", 0.3)
    assert desk.now is not None
    before = desk.now.document
    desk.clock.put_forward(100 * NS)  # type: ignore[attr-defined]
    desk.replan("time", "", 0.0)
    after = desk.now.document
    assert after["kpis"]["moved"] == 0
    assert all(unit_of(after, t) == unit_of(before, t) for t in before["tasks"]["id"])
    first = before["tasks"]["id"][before["tasks"]["start"].index(min(before["tasks"]["start"]))]
    assert start_ns(after, first) - start_ns(before, first) >= 60 * NS
    valid(desk)


def test_after_a_breakdown_work_goes_elsewhere_and_no_plan_is_worse_than_waiting(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 8, due_ns=NOW + 300 * NS))
    desk.replan("first", "", 0.5)
    assert desk.now is not None
    before = desk.now.document
    mine = [t for t in before["tasks"]["id"] if unit_of(before, t) == "coat-1"]
    assert mine
    desk.floor["states"]["coat-1"] = ("ABORTED", "PRODUCTION")
    desk.replan("breakdown", "coat-1", 0.0)
    after = desk.now.document
    gone = [t for t in mine if unit_of(after, t) == "coat-2"]
    assert gone, "the other coater can do it"
    waited = after["kpis"]["without_replan"]["weighted_tardiness_s"]
    assert after["kpis"]["weighted_tardiness_s"] < waited
    assert 0 < after["kpis"]["rerouted"] <= after["kpis"]["moved"] <= after["kpis"]["near"]
    assert after["cause"]["kind"] == "breakdown"
    valid(desk)


def test_what_has_begun_stays_and_an_oven_load_stays_together(store: Store) -> None:
    plant = changed_type(two_lines(), "c-cure", {"load_s": 600.0}, batch=3)
    work = orders_for(plant, 3)
    for k in range(3):
        lot(work, k + 1, f"W-{k}", status=LotStatus.WAITING, place="oven-1", next_step=2)
    begun = lot(
        work, 9, "W-0", status=LotStatus.RUNNING, place="cut-1", target="cut-1", started_ns=NOW - 5 * NS
    )
    desk = desk_of(store, work)
    desk.replan("first", "", 0.3)
    assert desk.now is not None
    before = desk.now.document
    loads = [before["tasks"]["batch"][before["tasks"]["id"].index(f"{k}:2")] for k in (1, 2, 3)]
    assert len(set(loads)) == 1, "three lots, one load"
    desk.clock.put_forward(10 * NS)  # type: ignore[attr-defined]
    keep(store, work, [begun])
    desk.replan("time", "", 0.0)
    after = desk.now.document
    row = after["tasks"]["id"].index("9:0")
    assert after["tasks"]["status"][row] == "running"
    assert unit_of(after, "9:0") == "cut-1"
    assert len({after["tasks"]["batch"][after["tasks"]["id"].index(f"{k}:2")] for k in (1, 2, 3)}) == 1


def test_a_desk_after_a_restart_goes_on_with_the_plan_in_the_store(store: Store) -> None:
    first = desk_of(store, orders_for(two_lines(), 6))
    first.replan("first", "", 0.3)
    first.replan("time", "", 0.0)
    assert first.now is not None
    second = Desk(first.plant, store, first.clock)
    second.floor = first.floor
    assert second.now is None
    second.replan("first", "", 0.0)
    assert second.now is not None
    assert second.now.document["tasks"]["start"] == first.now.document["tasks"]["start"]
    assert second.now.document["kpis"]["moved"] == 0


def test_a_plan_from_before_lists_were_kept_is_carried_on_too(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 5))
    desk.replan("first", "", 0.2)
    assert desk.now is not None
    with store.begin() as session:
        row = live_plan(session, "small")
        assert row is not None
        from zhongshu.kernel.store.plans import pack

        row.content = pack({k: v for k, v in unpack(row.content).items() if k not in ("course", "gave_way")})
    assert desk.replan("time", "", 0.0)
    valid(desk)


def test_a_plan_that_a_person_released_is_not_swept_away_by_an_older_search(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(store, orders_for(two_lines(), 4))
    desk.replan("first", "", 0.2)
    situation, plan = desk.now.situation, desk.now.plan  # type: ignore[union-attr]
    desk.replan("time", "", 0.0)
    newest = desk.now.document["version"]  # type: ignore[union-attr]
    assert desk._put_in_force(situation, plan, desk.cause("time", ""), after=newest - 1) is None
    with store.read() as session:
        row = live_plan(session, "small")
        assert row is not None
        assert row.version == newest


def test_a_pin_that_cannot_hold_any_more_gives_way_instead_of_stopping_the_plan(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    from zhongshu.kernel.store.rules import lay_down
    from zhongshu.kernel.store.signed import Signed

    work = orders_for(plant_of(), 1)
    lot(work, 1, "W-0", status=LotStatus.PLANNED)
    desk = desk_of(store, work)
    with store.begin() as session:
        args = {"unit": "pack-1", "start_ns": NOW + 5 * NS}
        lay_down(session, desk.plant, Signed("Li", NOW), kind="pin", subject="1:3", args=args)
    with caplog.at_level(logging.WARNING):
        assert desk.replan("people", "Li", 0.0)
    assert desk.now is not None
    assert desk.now.document["gave_way"], "and the plan says so"
    assert "pinned start times" in caplog.text
    valid(desk)
