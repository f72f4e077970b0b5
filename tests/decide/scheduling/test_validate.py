"""Problems that cannot be: malformed ones, contradictory ones, and the smallest set of constraints that clash in the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.decide.scheduling.check.imagined import problems, problems_and_solutions
from tests.decide.scheduling.check.planted import problem, task, unit
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.problem import (
    AT_HAND,
    NEVER,
    Arc,
    Before,
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
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.decide.scheduling.validate import Fault, problems_of

AB = [unit("A"), unit("B")]
TWO = [task((0, 4)), task((0, 4), (1, 6))]


def faults(asked: Problem) -> tuple[Fault, ...]:
    found = problems_of(asked)
    assert all(f.constraints and f.text and f.text_zh and f.text != f.text_zh for f in found)
    return found


def two(**values: Any) -> Problem:
    return problem(values.pop("units", AB), values.pop("tasks", TWO), **values)


def started(index: int, on: int, start: int, end: int) -> Pin:
    return Pin(index, unit=on, start=start, end=end, started=True)


MALFORMED: dict[str, Problem] = {
    "no mode": two(tasks=[Task(0, ())]),
    "unknown unit": two(tasks=[task((2, 4))]),
    "negative unit": two(tasks=[task((-1, 4))]),
    "unknown job": two(tasks=[replace(TWO[0], job=3)], jobs=(Job(),)),
    "negative duration": two(tasks=[task((0, -4))]),
    "negative power": two(tasks=[Task(0, (Mode(0, 4, power=-1),))]),
    "unknown pool": two(tasks=[Task(0, (Mode(0, 4, ((0, 1),)),))]),
    "negative demand": two(tasks=[Task(0, (Mode(0, 4, ((0, -1),)),))], pools=(Pool("p", ((0, 1),)),)),
    "unknown material": two(tasks=[task((0, 4), consumes=((0, 1),))]),
    "negative quantity": two(tasks=[task((0, 4), produces=((0, -1),))], materials=(Material("m", 0),)),
    "negative size": two(tasks=[task((0, 4), size=-1)]),
    "unknown task in arc": two(arcs=(Arc(0, 7),)),
    "unknown before": two(arcs=(Arc(-2, 1),)),
    "waits for itself": two(arcs=(Arc(1, 1),)),
    "ring": two(arcs=(Arc(0, 1), Arc(1, 0))),
    "ring of overlaps": two(arcs=(Arc(0, 1, overlap=0), Arc(1, 0, lag_min=-99))),
    "overlap that moves": two(arcs=(Arc(0, 1, overlap=0, moves=True),)),
    "negative overlap": two(arcs=(Arc(0, 1, overlap=-1),)),
    "overlap with what lies ready": two(arcs=(Arc(AT_HAND, 1, overlap=1),)),
    "moves from nowhere": two(arcs=(Arc(AT_HAND, 1, moves=True),)),
    "unknown origin": two(arcs=(Arc(AT_HAND, 1, origin=2),)),
    "ragged set-ups": two(setups=(((0, 1), (2,)),)),
    "negative set-up": two(setups=(((0, -1), (2, 0)),)),
    "unknown set-ups": two(units=[unit("A", setups=0), unit("B")]),
    "unknown family of a unit": two(units=[unit("A", setups=0, family=1), unit("B")], setups=(((0,),),)),
    "unknown family of a task": two(
        units=[unit("A", setups=0), unit("B")], setups=(((0,),),), tasks=[task((0, 4), family=1)]
    ),
    "closed backwards": two(units=[unit("A", closed=(Closed(5, 5),)), unit("B")]),
    "closed twice": two(units=[unit("A", closed=(Closed(0, 5), Closed(4, 9))), unit("B")]),
    "negative capacity": two(units=[unit("A", capacity=-1), unit("B")]),
    "negative buffer": two(units=[unit("A", buffer_in=-1), unit("B")]),
    "pool without levels": two(pools=(Pool("p", ()),)),
    "pool from later": two(pools=(Pool("p", ((3, 1),)),)),
    "pool falls": two(pools=(Pool("p", ((0, 1), (0, 2))),)),
    "negative level": two(pools=(Pool("p", ((0, -1),)),)),
    "negative stock": two(materials=(Material("m", -1),)),
    "arrivals out of order": two(materials=(Material("m", 0, ((5, 1), (2, 1))),)),
    "no way": two(units=[unit("A"), unit("B", station=1)], arcs=(Arc(0, 1, moves=True),)),
    "no empty way": two(
        units=[unit("A"), unit("B", station=1)],
        arcs=(Arc(0, 1, moves=True),),
        travel=((0, 1), (1, 0)),
        vehicles=(Vehicle("v"),),
    ),
    "negative way": two(travel=((-1,),)),
    "prices out of order": two(prices=((5, 1), (2, 1))),
    "negative weight": two(weights=Weights(setup=-1)),
    "negative weight of a job": two(jobs=(Job(weight=-1),)),
    "negative churn": two(churn=-1),
    "unknown pin": two(pins=(Pin(9),)),
    "two pins": two(pins=(Pin(0), Pin(0, start=3))),
    "pinned where it cannot be": two(pins=(Pin(0, unit=1),)),
    "pinned nowhere": two(pins=(Pin(0, unit=9),)),
    "pinned backwards": two(pins=(Pin(0, start=5, end=3),)),
    "started without an end": two(pins=(Pin(0, unit=0, start=-1, started=True),)),
    "started later": two(pins=(started(0, 0, 1, 5),)),
    "frozen nowhere": two(frozen=((2, (0,)),)),
    "frozen where it cannot be": two(frozen=((1, (0,)),)),
    "frozen twice": two(frozen=((0, (0, 0)),)),
    "two windows": two(frozen=((0, (0,)), (0, (1,)))),
    "frozen unknown": two(frozen=((0, (5,)),)),
    "previous unknown": two(previous=(Before(5, 0, 0),)),
    "previous twice": two(previous=(Before(0, 0, 0), Before(0, 0, 1))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    assert problems_of(two()) == ()
    found = faults(MALFORMED[name])
    assert found and all(f.invalid for f in found)


BREAK = unit("A", closed=(Closed(10, 15),))
CREW = (Pool("crew", ((0, 2), (50, 1))),)
CONFLICTS: dict[str, tuple[Problem, set[str]]] = {
    "lags": (two(arcs=(Arc(0, 1, lag_min=5, lag_max=4),)), {"lag_min", "lag_max"}),
    "never open": (problem([unit(closed=(Closed(0, NEVER),))], [task((0, 1))]), {"calendar"}),
    "too large": (problem([unit(capacity=2)], [task((0, 4), size=3)]), {"batch"}),
    "too greedy": (problem(AB, [Task(0, (Mode(0, 4, ((0, 3),)),))], pools=CREW), {"pool"}),
    "not for long enough": (problem(AB, [Task(0, (Mode(0, 51, ((0, 2),)),))], pools=CREW), {"pool"}),
    "too little": (
        problem(AB, [task((0, 4), consumes=((0, 5),))], materials=(Material("m", 2, ((9, 2),)),)),
        {"material"},
    ),
    "origin": (two(arcs=(Arc(AT_HAND, 0, origin=1),)), {"origin"}),
    "pinned into the past": (two(pins=(Pin(0, start=-1),)), {"pin", "release"}),
    "pinned before release": (two(pins=(Pin(0, start=3),), jobs=(Job(release=5),)), {"pin", "release"}),
    "pinned before ready": (
        two(units=[unit("A", ready=9), unit("B")], pins=(Pin(0, start=3),)),
        {"pin", "ready"},
    ),
    "pinned into a break": (problem([BREAK], [task((0, 4))], pins=(Pin(0, start=8),)), {"pin", "calendar"}),
    "pinned too short": (two(pins=(Pin(0, start=3, end=5),)), {"pin", "duration"}),
    "pinned before its turn": (two(arcs=(Arc(0, 1),), pins=(Pin(1, start=3),)), {"pin", "lag_min"}),
    "pinned before it is brought": (
        problem(
            [unit("A"), unit("B", station=1)],
            [task((0, 4)), task((1, 4))],
            arcs=(Arc(0, 1, moves=True),),
            travel=((0, 9), (9, 0)),
            pins=(Pin(1, start=12),),
        ),
        {"pin", "move"},
    ),
    "pins overlap": (two(pins=(Pin(0, start=0), Pin(1, unit=0, start=3))), {"pin", "unit"}),
    "pinned onto what runs": (two(pins=(started(0, 0, -1, 3), Pin(1, unit=0, start=2))), {"pin", "unit"}),
    "pinned batch too large": (
        problem([unit(capacity=2)], [task((0, 4), size=2)] * 2, pins=(Pin(0, start=1), Pin(1, start=1))),
        {"pin", "batch"},
    ),
    "pinned apart for longer than may be waited": (
        two(arcs=(Arc(0, 1, lag_max=3),), pins=(Pin(0, end=4), Pin(1, start=8))),
        {"pin", "lag_max"},
    ),
    "what runs is done too early": (
        two(arcs=(Arc(0, 1, lag_max=2), Arc(AT_HAND, 1, ready=20)), pins=(started(0, 0, -1, 3),)),
        {"pin", "lag_max", "lag_min"},
    ),
    "no-wait past a longer way": (
        problem(
            AB, [task((0, 1)), task((1, 5)), task((0, 1))], arcs=(Arc(0, 1), Arc(1, 2), Arc(0, 2, lag_max=4))
        ),
        {"lag_min", "lag_max"},
    ),
    "no-wait over a way": (
        problem(
            [unit("A"), unit("B", station=1)],
            [task((0, 4)), task((1, 4))],
            arcs=(Arc(0, 1, moves=True, lag_max=8),),
            travel=((0, 9), (9, 0)),
        ),
        {"move", "lag_max"},
    ),
    "at hand for too long": (
        two(arcs=(Arc(AT_HAND, 0, lag_max=5),), jobs=(Job(release=6),)),
        {"lag_max", "release"},
    ),
    "frozen against the order": (two(arcs=(Arc(1, 0),), frozen=((0, (0, 1)),)), {"frozen", "lag_min"}),
    "frozen here, pinned there": (two(frozen=((0, (1,)),), pins=(Pin(1, unit=1),)), {"frozen", "pin"}),
    "frozen order against pins": (
        two(frozen=((0, (0, 1)),), pins=(Pin(0, start=9), Pin(1, start=3))),
        {"frozen", "pin"},
    ),
    "what runs demands too much": (
        problem(
            AB,
            [Task(0, (Mode(i, 4, ((0, 1),)),)) for i in range(2)],
            pools=(Pool("crew", ((0, 1),)),),
            pins=(started(0, 0, -1, 3), started(1, 1, -1, 3)),
        ),
        {"pool", "pin"},
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_conflicts_are_named(name: str) -> None:
    asked, wanted = CONFLICTS[name]
    (fault, *_) = faults(asked)
    assert set(fault.constraints) == wanted and not fault.invalid, fault


def test_the_text_tells_who_and_why() -> None:
    tasks = [task((0, 4), name="cut"), task((1, 6), name="bake")]
    asked = problem(
        AB, tasks, arcs=(Arc(0, 1),), pins=(Pin(1, start=3),), jobs=(Job(release=2, name="order 7"),)
    )
    (fault,) = faults(asked)
    for words in ("bake is pinned to start at 3", "after cut", "order 7 is released at 2"):
        assert words in fault.text
    ring = problem(
        AB, [replace(t, name=n) for t, n in zip(TWO, "xy", strict=True)], arcs=(Arc(0, 1), Arc(1, 0))
    )
    assert "x → y → x" in faults(ring)[0].text or "y → x → y" in faults(ring)[0].text


JUST_ALLOWED: dict[str, Problem] = {
    "nothing": Problem((), (), ()),
    "no task": problem(AB, [], jobs=(Job(),)),
    "a ring through what runs": two(arcs=(Arc(0, 1), Arc(1, 0)), pins=(started(0, 0, -1, 3),)),
    "one mode of two": problem([unit(closed=(Closed(0, NEVER),)), unit("B")], [task((0, 4), (1, 4))]),
    "pinned to its release": two(pins=(Pin(0, start=5),), jobs=(Job(release=5),)),
    "pinned right after": two(arcs=(Arc(0, 1),), pins=(Pin(1, start=4),)),
    "pinned one after the other": two(pins=(Pin(0, start=0), Pin(1, unit=0, start=4))),
    "pinned into one batch": problem(
        [unit(capacity=2)], [task((0, 4)), task((0, 6))], pins=(Pin(0, start=1, end=7), Pin(1, start=1))
    ),
    "just enough": problem(AB, [task((0, 4), consumes=((0, 4),))], materials=(Material("m", 2, ((9, 2),)),)),
    "for just long enough": problem(AB, [Task(0, (Mode(0, 50, ((0, 2),)),))], pools=CREW),
    "no-wait": problem(
        AB, [task((0, 1)), task((1, 5)), task((0, 1))], arcs=(Arc(0, 1), Arc(1, 2), Arc(0, 2, lag_max=5))
    ),
    "over a break": problem([BREAK], [task((0, 4), interruptible=True)], pins=(Pin(0, start=8, end=17),)),
    "up to maintenance": problem(
        [unit(closed=(Closed(9, 12, False),))], [task((0, 4))], pins=(Pin(0, start=5, end=9),)
    ),
}


@pytest.mark.parametrize("name", JUST_ALLOWED)
def test_just_allowed(name: str) -> None:
    assert problems_of(JUST_ALLOWED[name]) == ()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(problems_and_solutions())
def test_nothing_that_has_a_schedule_is_refused(drawn: tuple[Problem, Solution]) -> None:
    """Whatever the checker lets pass proves that its problem can be solved."""
    asked, answer = drawn
    if not violations(asked, answer):
        assert problems_of(asked) == ()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(problems())
def test_any_problem_is_judged_without_a_crash(asked: Problem) -> None:
    faults(asked)


def test_a_large_problem_is_judged_at_once() -> None:
    units = [Unit(f"U{i}", closed=(Closed(500, 600), Closed(1100, 1200))) for i in range(20)]
    tasks = [task((k % 20, 5), job=k // 10, interruptible=True) for k in range(2000)]
    arcs = tuple(Arc(k - 1, k, lag_max=5000) for k in range(2000) if k % 10)
    assert problems_of(problem(units, tasks, arcs=arcs)) == ()
