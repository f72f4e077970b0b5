"""Dispatch by a plan on an imaginary floor: orders get through whatever the plan says, and who comes early shuts nobody out."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decide.imaginary_floor import TURN_NS, ImaginaryFloor, tree_floor
from zhongshu.decide.follow import PATIENCE_NS, PlanInForce
from zhongshu.decide.work import Lot, LotStatus


def _plan(floor: ImaginaryFloor, tasks: dict[str, tuple[str, int]]) -> PlanInForce:
    """``tasks``: {lot:step: (unit, start in s from now)}; each is to last 10 s."""
    units = sorted({unit for unit, _ in tasks.values()})
    document: dict[str, Any] = {
        "version": 1,
        "origin_ns": floor.now_ns,
        "units": [{"id": unit} for unit in units],
        "orders": [{"id": "W-1"}],
        "tasks": {
            "id": list(tasks),
            "unit": [units.index(unit) for unit, _ in tasks.values()],
            "start": [start for _, start in tasks.values()],
            "end": [start + 10 for _, start in tasks.values()],
            "order": [0] * len(tasks),
        },
    }
    return PlanInForce(document)


def _any_plan(floor: ImaginaryFloor, chance: random.Random) -> PlanInForce:
    """Every operation that is left, anywhere at any time: no planner is as bad as that."""
    tasks = {}
    for lot in floor.work.lots.values():
        for k, step in enumerate(floor.work.product(lot).routing):
            unit = chance.choice(floor.work.plant.able[step.capability])
            tasks[f"{lot.number}:{k}"] = unit.id, chance.randint(-100, 600)
    return _plan(floor, tasks)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), orders=st.integers(1, 4), every=st.integers(40, 400))
def test_every_order_ends_whatever_plan_comes_next(seed: int, orders: int, every: int) -> None:
    floor, chance = tree_floor(seed), random.Random(seed)
    for i in range(orders):
        floor.order(f"W-{i}", chance.randint(1, 20))
    for turn in range(12_000):
        if turn % every == 1:
            floor.plan = _any_plan(floor, chance)
        floor.turn()
        if turn and all(order.status == "done" for order in floor.orders.values()):
            return
    left = [(n.number, n.status, n.place, n.target) for n in floor.work.lots.values()]
    pytest.fail(f"not all orders were done: {left}")


def _waiting(floor: ImaginaryFloor, number: int, place: str, target: str, *, at_output: bool) -> None:
    """A body whose next operation is to bend."""
    lot = Lot(
        number, "W-1", "body", 5, good=5, next_step=1, place=place, at_output=at_output, target=target,
        status=LotStatus.WAITING,
    )  # fmt: skip
    floor.work.lots[number] = lot


def _with_bodies() -> ImaginaryFloor:
    floor = tree_floor(1)
    floor.order("W-1", 5)
    floor.orders["W-1"].status = "released"
    return floor


def test_places_are_kept_for_those_whose_turn_comes_first() -> None:
    floor = _with_bodies()
    _waiting(floor, 1, "cut-1", "cut-1", at_output=False)
    first = floor.work.lots[1]
    first.next_step, first.status = 0, LotStatus.RUNNING
    for number in (2, 3, 4, 5):
        _waiting(floor, number, "cut-1", "", at_output=True)
    floor.plan = _plan(floor, {f"{n}:1": ("bend-1", 50 + 10 * n) for n in (1, 2, 3, 4, 5)})
    list(floor.dispatch(floor.work, floor.roads, floor.now_ns, floor.plan).choices())
    chosen = {n for n, lot in floor.work.lots.items() if lot.target == "bend-1"}
    assert chosen == {2, 3, 4}, (
        "the last of four places is for the first lot, which comes next but is still being cut"
    )


def test_a_unit_waits_for_whose_turn_it_is_but_not_for_ever_however_often_it_is_planned_anew() -> None:
    floor = _with_bodies()
    _waiting(floor, 1, "cut-1", "cut-1", at_output=False)
    first = floor.work.lots[1]
    first.next_step, first.status = 0, LotStatus.RUNNING
    floor.work.states["cut-1"] = ("SUSPENDED", "PRODUCTION")
    _waiting(floor, 2, "bend-1", "bend-1", at_output=False)
    began_ns = floor.now_ns
    while "bend-1" not in floor.jobs and floor.now_ns < began_ns + 2 * PATIENCE_NS:
        floor.plan = _plan(floor, {"1:1": ("bend-1", 5), "2:1": ("bend-1", 4_000)})
        floor.now_ns += 10 * TURN_NS
        floor.choose()
    assert "bend-1" in floor.jobs
    assert floor.now_ns - began_ns >= PATIENCE_NS


def test_places_are_given_away_by_due_dates_whatever_the_plan_builds_first() -> None:
    floor = tree_floor(1)
    for k in range(8):
        floor.order(f"W-{k}", 5)
        floor.orders[f"W-{k}"].due_ns -= k * TURN_NS  # the last is due first
    floor.release()
    built = [lot for lot in floor.work.lots.values() if not lot.parent]
    floor.plan = _plan(
        floor,
        {
            f"{lot.number}:{k}": (unit, 100 * n + 50 * k)
            for n, lot in enumerate(built)
            for k, unit in enumerate(("build-1", "mount-1"))
        },
    )
    list(floor.dispatch(floor.work, floor.roads, floor.now_ns, floor.plan).choices())
    reserved = [lot.order for lot in built if lot.build_at]
    assert reserved and len(reserved) < len(built), "there are places for some of them"
    assert reserved == [f"W-{k}" for k in range(8)][-len(reserved) :]
