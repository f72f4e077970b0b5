"""Planted violations of what tasks share: pools over time, materials in and out; and solutions of the wrong shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.decide.scheduling.check.planted import found, plan, problem, task, unit
from zhongshu.decide.scheduling.check import CONSTRAINTS, violations
from zhongshu.decide.scheduling.problem import Arc, Closed, Material, Mode, Pin, Pool, Problem, Task, Vehicle
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


def sharing(levels: tuple[tuple[int, int], ...], *amounts: int, **values: Any) -> Problem:
    """One task of 4 ticks a unit, each demanding so much of one pool."""
    units = [unit(f"U{i}") for i in range(len(amounts))]
    tasks = [Task(0, (Mode(i, 4, ((0, amount),)),)) for i, amount in enumerate(amounts)]
    return problem(units, tasks, pools=(Pool("crew", levels),), **values)


@pytest.mark.parametrize(
    ("starts", "wanted"),
    [((0, 4), set()), ((0, 3), {"pool"}), ((0, 0), {"pool"}), ((4, 0), set()), ((9, 20), set())],
)
def test_pools(starts: tuple[int, int], wanted: set[str]) -> None:
    asked = sharing(((0, 3),), 2, 2)
    assert found(asked, plan(*((s, s + 4) for s in starts))) == wanted


def test_pool_levels_change() -> None:
    asked = sharing(((0, 1), (5, 2), (10, 0)), 2)
    assert found(asked, plan((5, 9))) == set()
    assert found(asked, plan((6, 10))) == set()
    assert found(asked, plan((4, 8))) == {"pool"}
    assert found(asked, plan((7, 11))) == {"pool"}, "the level falls under what runs"
    two = sharing(((0, 4), (5, 2)), 2, 2)
    assert found(two, plan((1, 5), (4, 8))) == set(), "one is done when the level falls"
    assert found(two, plan((2, 6), (4, 8))) == {"pool"}


def test_pools_are_free_while_closed_time_interrupts() -> None:
    units = [unit("A", closed=(Closed(2, 6),)), unit("B")]
    tasks = [Task(0, (Mode(0, 4, ((0, 1),)),), interruptible=True), Task(0, (Mode(1, 4, ((0, 1),)),))]
    asked = problem(units, tasks, pools=(Pool("crew", ((0, 1),)),))
    assert found(asked, plan((0, 8), (2, 6))) == set()
    assert found(asked, plan((0, 8), (1, 5))) == {"pool"}
    assert found(asked, plan((0, 8), (3, 7))) == {"pool"}


def test_a_batch_demands_what_its_greediest_member_does() -> None:
    tasks = [Task(0, (Mode(0, 4, ((0, amount),)),)) for amount in (1, 3)]
    for level, wanted in ((3, set()), (2, {"pool"})):
        asked = problem([unit(capacity=2)], tasks, pools=(Pool("power", ((0, level),)),))
        assert found(asked, plan((0, 4), (0, 4), batch={0: 0, 1: 0})) == wanted


def test_what_runs_already_holds_its_pools_from_now_on() -> None:
    runs = Pin(0, unit=0, start=-9, end=3, started=True)
    asked = sharing(((0, 1),), 1, 1, pins=(runs,))
    assert found(asked, plan((-9, 3), (3, 7))) == set()
    assert found(asked, plan((-9, 3), (2, 6))) == {"pool"}
    past = sharing(((-9, 0), (0, 1)), 1, pins=(runs,))
    assert found(past, plan((-9, 3))) == set(), "before now nobody counts"


def test_a_mode_may_name_a_pool_twice() -> None:
    tasks = [Task(0, (Mode(0, 4, ((0, 1), (0, 1))),))]
    for level, wanted in ((2, set()), (1, {"pool"})):
        assert found(problem([unit()], tasks, pools=(Pool("", ((0, level),)),)), plan((0, 4))) == wanted


def stocked(stock: int, *arrivals: tuple[int, int], **values: Any) -> Problem:
    """The first task makes 2 of the material that the second and third take 2 and 1 of."""
    units = [unit("A"), unit("B"), unit("C")]
    uses = [{"produces": ((0, 2),)}, {"consumes": ((0, 2),)}, {"consumes": ((0, 1),)}]
    tasks = [task((i, 4), **use) for i, use in enumerate(uses)]
    return problem(units, tasks, materials=(Material("steel", stock, arrivals),), **values)


@pytest.mark.parametrize(
    ("asked", "starts", "wanted"),
    [
        (stocked(3), (0, 0, 0), set()),
        (stocked(1), (0, 4, 0), set()),
        (stocked(1), (0, 3, 0), {"material"}),
        (stocked(1), (0, 4, 4), set()),
        (stocked(0), (0, 4, 4), {"material"}),
        (stocked(0, (7, 1)), (0, 4, 7), set()),
        (stocked(0, (7, 1)), (0, 4, 6), {"material"}),
        (stocked(0, (-7, 1)), (0, 4, 0), set()),
    ],
)
def test_materials(asked: Problem, starts: tuple[int, ...], wanted: set[str]) -> None:
    assert found(asked, plan(*((s, s + 4) for s in starts))) == wanted


def test_what_runs_already_has_taken_its_material() -> None:
    taken = stocked(1, pins=(Pin(1, unit=1, start=-1, end=3, started=True),))
    assert found(taken, plan((9, 13), (-1, 3), (0, 4))) == set()
    made = stocked(1, pins=(Pin(0, unit=0, start=-1, end=3, started=True),))
    assert found(made, plan((-1, 3), (3, 7), (0, 4))) == set()
    assert found(made, plan((-1, 3), (2, 6), (0, 4))) == {"material"}


CARRIED = problem(
    [unit("A"), unit("B", station=1)],
    [task((0, 4)), task((1, 6), (0, 9))],
    arcs=(Arc(0, 1, moves=True),),
    vehicles=(Vehicle("cart"),),
    travel=((0, 5), (5, 0)),
    empty=((0, 5), (5, 0)),
)
GOOD = plan((0, 4), (9, 15), moved=(Moved(0, 0, 4, 9),))


@pytest.mark.parametrize(
    "answer",
    [
        Solution(GOOD.placed[:1], GOOD.moved),
        Solution((*GOOD.placed, Placed(2, 0, 0, 0, 0)), GOOD.moved),
        Solution(GOOD.placed[::-1], GOOD.moved),
        Solution((GOOD.placed[0], replace(GOOD.placed[1], mode=2)), GOOD.moved),
        Solution((GOOD.placed[0], replace(GOOD.placed[1], mode=-1)), GOOD.moved),
        Solution((GOOD.placed[0], replace(GOOD.placed[1], end=15.0)), GOOD.moved),  # type: ignore[arg-type]
        Solution((GOOD.placed[0], replace(GOOD.placed[1], batch=True)), GOOD.moved),
        Solution(GOOD.placed, {1: Moved(1, 0, 4, 9)}),
        Solution(GOOD.placed, {0: Moved(1, 0, 4, 9)}),
        Solution(GOOD.placed, {0: Moved(0, 1, 4, 9)}),
        Solution(GOOD.placed, {0: Moved(0, -2, 4, 9)}),
        Solution(GOOD.placed, {0: Moved(0, 0, 4.5, 9)}),  # type: ignore[arg-type]
    ],
)
def test_shape(answer: Solution) -> None:
    assert found(CARRIED, GOOD) == set()
    assert found(CARRIED, answer) == {"shape"}


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    placed = tuple(
        Placed(p.task, *(np.int32(v) for v in (p.mode, p.start, p.end, p.left, p.batch))) for p in GOOD.placed
    )
    assert found(CARRIED, Solution(placed, GOOD.moved)) == set()


def test_nothing_to_do_is_a_valid_plan() -> None:
    assert violations(problem([], [], jobs=()), Solution(())) == ()
    assert violations(problem([unit()], []), Solution(())) == ()


def test_every_name_of_a_constraint_is_known() -> None:
    assert len(set(CONSTRAINTS)) == len(CONSTRAINTS)
    broken = violations(CARRIED, plan((1, 2), (3, 20)))
    assert {v.constraint for v in broken} <= set(CONSTRAINTS) and broken
