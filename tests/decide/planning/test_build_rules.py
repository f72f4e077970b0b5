"""What people decided, and the plan in force: pins, holds, the frozen window, the plan before; and what cannot hold any more."""

from __future__ import annotations

from dataclasses import replace

from tests.decide.planning.plants import NOW, built, idle, lot, order, plant_of, product, step, waiting
from zhongshu.decide.planning.build import PlanRule
from zhongshu.decide.planning.build_lots import numbers
from zhongshu.decide.scheduling.problem import Before, Pin
from zhongshu.decide.work import LotStatus, Work
from zhongshu.kernel.clock import NS

CHAIN = product("hood", 1, step(10, "a-cut"), step(20, "b-coat"), step(30, "c-cure"), step(40, "d-pack"))


def two_lots() -> Work:
    """Lot 7 lies before coat-1, lot 8 behind cut-1."""
    work = idle(plant_of(CHAIN))
    order(work, "A")
    waiting(work, 7, "A", "coat-1", 1)
    waiting(work, 8, "A", "cut-1", 1, at_output=True)
    return work


def plan(*rows: tuple[str, str, int], origin_s: int = 0) -> dict[str, object]:
    """The part of a plan document that binds the next one."""
    units = sorted({unit for _, unit, _ in rows})
    return {
        "origin_ns": NOW + origin_s * NS,
        "units": [{"id": u} for u in units],
        "tasks": {
            "id": [task for task, _, _ in rows],
            "unit": [units.index(unit) for _, unit, _ in rows],
            "start": [start for _, _, start in rows],
        },
    }


def test_pins_of_people_hold_and_those_that_cannot_are_told() -> None:
    work = two_lots()
    lot(work, 9, "A", status=LotStatus.RUNNING, place="cut-2", target="cut-2")
    rules = [
        PlanRule(1, "pin", "7:2", args={"unit": "oven-1"}),
        PlanRule(2, "pin", "8:1", args={"unit": "coat-1", "start_ns": NOW + 90 * NS}),
        PlanRule(3, "pin", "8:2", args={"unit": "pack-1"}),
        PlanRule(4, "pin", "9:0", args={"unit": "cut-2"}),
        PlanRule(5, "pin", "99:0", args={"unit": "cut-2"}),
        PlanRule(6, "pin", "8:3", args={"start_ns": NOW - 90 * NS}),
    ]
    made = built(work, rules)
    index, at = made.index, made.units.index
    mine = [p for p in made.problem.pins if not p.started]
    assert mine == [
        Pin(index["7:2"], at("oven-1")), Pin(index["8:1"], at("coat-1"), 90), Pin(index["8:3"]),
    ]  # fmt: skip
    assert made.broken_rules == (3, 4, 5), "another machine, begun, gone"


def test_a_held_order_waits_or_is_left_out() -> None:
    work = two_lots()
    order(work, "B")
    until = [PlanRule(1, "hold", "A", end_ns=NOW + 500 * NS)]
    assert [j.release for j in built(work, until).problem.jobs] == [500, 0]
    open_ended = [PlanRule(1, "hold", "A")]
    assert {ref.lot for ref in built(work, open_ended).tasks} == {numbers("B")()}


def test_the_plan_in_force_is_the_one_before() -> None:
    work = two_lots()
    made = built(
        work,
        previous=plan(("7:1", "coat-1", 400), ("8:1", "coat-1", 5000), ("5:0", "cut-1", 0), origin_s=-100),
    )
    coat = made.units.index("coat-1")
    assert made.problem.previous == (
        Before(made.index["7:1"], coat, 300),
        Before(made.index["8:1"], coat, 4900),
    )
    assert made.problem.frozen == ((coat, (made.index["7:1"],)),), "only what begins within ten minutes"
    assert made.problem.moved_tolerance == 60


def test_the_frozen_order_is_that_of_the_plan() -> None:
    work = two_lots()
    made = built(work, previous=plan(("7:1", "coat-1", 300), ("8:1", "coat-1", 10)))
    assert [ref for _, tasks in made.problem.frozen for ref in tasks] == [
        made.index["8:1"],
        made.index["7:1"],
    ]


def test_what_waits_for_something_that_is_not_frozen_is_not_frozen() -> None:
    work = two_lots()
    made = built(work, previous=plan(("8:2", "oven-1", 300), ("7:1", "coat-1", 20)))
    assert made.problem.frozen == ((made.units.index("coat-1"), (made.index["7:1"],)),)


def test_nothing_is_frozen_on_a_broken_unit_or_on_one_that_cannot_be_commanded() -> None:
    work = two_lots()
    before = plan(("7:1", "coat-1", 20))
    for state in (("ABORTED", "PRODUCTION"), ("IDLE", "LOCAL")):
        work.states["coat-1"] = state
        assert built(work, previous=before).problem.frozen == ()


def test_a_pin_is_stronger_than_the_frozen_window() -> None:
    work = two_lots()
    before = plan(("7:1", "coat-1", 20), ("8:1", "coat-1", 300))
    made = built(work, [PlanRule(1, "pin", "8:1", args={"unit": "coat-1"})], before)
    assert made.problem.frozen == ((made.units.index("coat-1"), (made.index["7:1"],)),)


def test_a_released_order_is_the_same_work_as_before() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A", quantity=10)
    first = built(work)
    rows = [
        (ref.id, "cut-1" if ref.step == 0 else "coat-1", 50 * i)
        for i, ref in enumerate(first.tasks)
        if ref.step < 2
    ]
    lot(work, 41, "A")
    lot(work, 42, "A")
    second = built(work, previous=plan(*rows))
    assert {b.task for b in second.problem.previous} == {
        second.index[name] for name in ("41:0", "41:1", "42:0", "42:1")
    }


def test_churn_is_limited_only_against_a_plan() -> None:
    work = two_lots()
    work.plant = replace(work.plant, planning=replace(work.plant.planning, churn=5))
    assert built(work, previous=plan(("7:1", "coat-1", 20))).problem.churn == 5
    assert built(work).problem.churn is None
