"""Chains and quotes are true: the constraint that is named is taken away and the optimum, by enumeration, gets better."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.decide.planner.desks import ask, desk_of, orders_for, two_lines
from tests.decide.planning.plants import NOW, plant_of
from tests.decide.scheduling.enumerate import best
from zhongshu.decide.planner import why
from zhongshu.decide.planner.binding import chain_of, gravest
from zhongshu.decide.planner.quote import quoted
from zhongshu.decide.planning.build import Built, TaskRef
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import (
    Arc,
    Closed,
    Job,
    Material,
    Mode,
    Pin,
    Pool,
    Problem,
    Task,
    Unit,
    Vehicle,
    Weights,
)
from zhongshu.decide.work import Lot
from zhongshu.kernel.store import Store

PLANT = plant_of()
#: Job 1 is the order that is asked about: it alone has a due date that is missed.
FLOW = Weights(tardiness=1, makespan=0, flow=1)
ASKED = (Job(due=99, weight=1), Job(due=0, weight=9))
FIRST = (Job(due=0, weight=99), Job(due=0, weight=1))
A, B = Unit("cut-1"), Unit("coat-1", station=1)
PAINT = (((0, 3), (3, 0)),)


def one(job: int, unit: int, ticks: int, **more: object) -> Task:
    return Task(job, (Mode(unit, ticks, **more.pop("mode", {})),), **more)  # type: ignore[arg-type]


def case(kind: str) -> tuple[Problem, Problem]:
    """A problem in which ``kind`` holds job 1 up, and the same without just that."""
    both, paint = (one(0, 0, 3), one(1, 0, 2)), replace(A, setups=0, family=0)
    need = {"mode": {"demands": ((0, 1),)}}
    made = {
        "unit": (
            Problem((A, B), FIRST, both),
            {"tasks": (both[0], replace(both[1], modes=(Mode(0, 2), Mode(1, 2))))},
        ),
        "setup": (
            Problem((paint,), FIRST, (both[0], replace(both[1], family=1)), setups=PAINT),
            {"setups": (((0, 0), (0, 0)),)},
        ),
        "calendar": (
            Problem((replace(A, closed=(Closed(0, 4),)),), ASKED, (one(1, 0, 2),)),
            {"units": (A,)},
        ),
        "release": (
            Problem((A,), (ASKED[0], replace(ASKED[1], release=3)), (one(1, 0, 2),)),
            {"jobs": ASKED},
        ),
        "pin": (Problem((A,), ASKED, (one(1, 0, 2),), pins=(Pin(0, 0, 5),)), {"pins": ()}),
        "pool": (
            Problem((A, B), FIRST, (one(0, 0, 3, **need), one(1, 1, 2, **need)), pools=(Pool("die", ((0, 1),)),)),
            {"pools": (Pool("die", ((0, 2),)),)},
        ),
        "material": (
            Problem((A,), ASKED, (one(1, 0, 2, consumes=((0, 1),)),), materials=(Material("tin", 0, ((4, 5),)),)),
            {"materials": (Material("tin", 5),)},
        ),
        "before": (
            Problem((A, B), ASKED, (one(1, 0, 4), one(1, 1, 2)), (Arc(0, 1),)),
            {"arcs": ()},
        ),
        "arrival": (
            Problem((A, B), ASKED, (one(1, 0, 2), one(1, 1, 2)), (Arc(0, 1, moves=True),),
                    vehicles=(Vehicle("agv"),), travel=((0, 3), (3, 0)), empty=((0, 1), (1, 0))),
            {"travel": ((0, 1), (1, 0))},
        ),
        "vehicle": (
            Problem((A, B), ASKED, (one(1, 0, 1), one(1, 1, 2)), (Arc(0, 1, moves=True),),
                    vehicles=(Vehicle("agv", ready=5),), travel=((0, 1), (1, 0)), empty=((0, 1), (1, 0))),
            {"vehicles": (Vehicle("agv"),)},
        ),
    }  # fmt: skip
    problem, without = made[kind]
    problem = replace(problem, weights=FLOW)
    return problem, replace(problem, **without)  # type: ignore[arg-type]


def built_of(problem: Problem) -> Built:
    """As the builder would hand it over: lots of the small plant's product."""
    refs = tuple(TaskRef(k + 1, 0, f"{k + 1}:0") for k in range(len(problem.tasks)))
    lots = {k + 1: Lot(k + 1, f"W-{t.job}", "hood", 5) for k, t in enumerate(problem.tasks)}
    units = tuple(u.name for u in problem.units)
    vehicles = tuple(v.name for v in problem.vehicles)
    return Built(problem, refs, NOW, ("W-0", "W-1"), units, vehicles, lots, {})


KINDS = ("unit", "setup", "calendar", "release", "pin", "pool", "material", "before", "arrival", "vehicle")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_named_is_what_binds(kind: str) -> None:
    problem, without = case(kind)
    worth, solution = best(problem, 12)
    assert solution is not None
    chain = chain_of(PLANT, built_of(problem), solution, 1)
    assert kind in [link["kind"] for link in chain], chain
    link = next(link for link in chain if link["kind"] == kind)
    assert set(link["text"]) == {"zh", "en"}
    assert "12:00" in link["text"]["en"]
    if kind not in ("before", "arrival"):
        assert gravest(chain) == link
    better, freed = best(without, 12)
    assert freed is not None
    assert better < worth
    assert kpis(without, freed).job_ends[1] < kpis(problem, solution).job_ends[1], (
        "without it the order is earlier"
    )


def test_nothing_binds_an_order_that_begins_at_once() -> None:
    problem = Problem((A,), ASKED, (one(1, 0, 2),), weights=FLOW)
    _, solution = best(problem, 12)
    assert solution is not None
    assert chain_of(PLANT, built_of(problem), solution, 1) == []
    assert gravest([]) is None


def test_a_quote_makes_no_other_order_later(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 6))
    desk.replan("first", "", 0.3)
    desk.replan("time", "", 0.0)
    assert desk.now is not None
    was = dict(
        zip(desk.now.built.orders, kpis(desk.now.built.problem, desk.now.solution).job_ends, strict=True)
    )
    built, solution = quoted(desk.now, "hood", 5, 5)
    ends = dict(zip(built.orders, kpis(built.problem, solution).job_ends, strict=True))
    assert ends.keys() - was.keys() == {"?quote"}
    assert all(ends[order] <= was[order] for order in was)
    assert ends["?quote"] > 4 * 25, "others are in the way of its four operations, and stay there"
    said = ask(desk, "quote", product="hood", quantity=5)
    assert said["end_ns"] <= NOW + ends["?quote"] * 10**9
    assert said["time_s"] < 2
    assert said["reason"]["en"].startswith("bound by: ")
    assert said["reason"]["zh"]


def test_why_names_what_helps_and_only_that(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "HELP_S", 10)  # the whole plan takes minutes
    plant = two_lines()
    plant = replace(plant, planning=replace(plant.planning, frozen_s=0))
    desk = desk_of(store, orders_for(plant, 6, due_ns=NOW + 200 * 10**9))
    desk.replan("first", "", 0.3)
    desk.replan("time", "", 0.0)
    assert desk.now is not None
    late = [o for o in desk.now.document["orders"] if o["late_s"] > 0]
    assert late
    order = max(late, key=lambda o: o["late_s"])
    said = ask(desk, "why", order=order["id"])
    assert said["late_s"] == order["late_s"]
    assert said["chain"][-1]["end_ns"] == NOW + order["end"] * 10**9
    assert said["unlock"], "one of six alike can always go first"
    assert len(said["unlock"]) + len(said["vain"]) >= 2
    for remedy in said["unlock"]:
        assert remedy["late_s"] < order["late_s"]
        again = ask(desk, "try", base="live", scenario=None, edits=[remedy["edit"]], seconds=0.5)
        assert again["feasible"]


def test_an_order_in_time_needs_no_remedy(store: Store) -> None:
    desk = desk_of(store, orders_for(two_lines(), 2, due_ns=NOW + 86_400 * 10**9))
    desk.replan("first", "", 0.2)
    said = ask(desk, "why", order="W-1")
    assert (said["late_s"], said["unlock"]) == (0, [])
