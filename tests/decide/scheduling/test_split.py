"""Splitting a lot: parts that add up, arcs for each of them, and plans that gain from it."""

from __future__ import annotations

import pytest

from tests.decide.scheduling.enumerate import optimum
from zhongshu.decide.scheduling.cp.solve import solve_cp
from zhongshu.decide.scheduling.problem import (
    AT_HAND,
    Arc,
    Before,
    Job,
    Material,
    Mode,
    Pin,
    Problem,
    Task,
    Unit,
    Weights,
)
from zhongshu.decide.scheduling.split import split

A, B = Unit("A"), Unit("B")


def both(duration: int, **rest: object) -> Task:
    return Task(0, (Mode(0, duration), Mode(1, duration)), **rest)  # type: ignore[arg-type]


def test_parts_add_up() -> None:
    task = both(5, size=3, consumes=((0, 5), (1, 1)), produces=((0, 4),), name="cut")
    problem = Problem((A, B), (Job(),), (task,), materials=(Material("m", 9), Material("n", 9)))
    made = split(problem, 0, 3).tasks
    assert [t.name for t in made] == ["cut/1", "cut/2", "cut/3"]
    assert {m.duration for t in made for m in t.modes} == {2} and {t.size for t in made} == {1}
    assert [t.consumes for t in made] == [((0, 2), (1, 1)), ((0, 2),), ((0, 1),)]
    assert sum(q for t in made for _, q in t.produces) == 4


def test_every_part_has_every_arc() -> None:
    tasks = (both(2), both(4), both(2))
    arcs = (Arc(0, 1, moves=True), Arc(1, 2, lag_max=9), Arc(AT_HAND, 1, origin=0, moves=True))
    made = split(Problem((A, B), (Job(),), tasks, arcs), 1, 2)
    assert made.arcs[:3] == arcs
    assert set(made.arcs[3:]) == {
        Arc(0, 3, moves=True),
        Arc(3, 2, lag_max=9),
        Arc(AT_HAND, 3, origin=0, moves=True),
    }
    chain = split(split(Problem((A, B), (Job(),), tasks[:2], arcs[:1]), 0, 2), 1, 2)
    assert {(a.before, a.after) for a in chain.arcs} == {(0, 1), (2, 1), (0, 3), (2, 3)}


def test_decisions_hold_for_every_part() -> None:
    problem = Problem((A, B), (Job(),), (both(2), both(4)), pins=(Pin(1, unit=0),), frozen=((0, (1,)),))
    made = split(Problem(**{**vars_of(problem), "previous": (Before(1, 0, 0),)}), 1, 2)
    assert made.pins == (Pin(1, unit=0), Pin(2, unit=0))
    assert made.frozen == ((0, (1, 2)),)
    assert made.previous == (Before(1, 0, 0), Before(2, 0, 0))


def vars_of(problem: Problem) -> dict[str, object]:
    return {name: getattr(problem, name) for name in problem.__dataclass_fields__}


def test_two_units_share_a_split_lot() -> None:
    problem = Problem((A, B), (Job(),), (both(6), both(2)), (Arc(0, 1),), weights=Weights(makespan=1))
    parted = split(problem, 0, 2)
    assert (optimum(problem), optimum(parted)) == (8, 5)
    assert solve_cp(parted, seconds=10, workers=1).objective == 5


@pytest.mark.parametrize(("task", "parts"), [(0, 1), (5, 2), (-1, 2), (1, 2)])
def test_what_cannot_be_split_is_refused(task: int, parts: int) -> None:
    problem = Problem((A, B), (Job(),), (both(2), both(4)), pins=(Pin(1, start=0),))
    with pytest.raises(ValueError, match=r"parts|task"):
        split(problem, task, parts)
