"""The conflict finder: among all constraints of a problem it names a smallest set that cannot hold together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decide.scheduling.check.planted import problem, task, unit
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.conflicts import explain
from zhongshu.decide.scheduling.conflicts.smallest import OutOfQuestions, smallest_conflict
from zhongshu.decide.scheduling.problem import Arc, Closed, Job, Material, Pin, Pool, Problem
from zhongshu.decide.scheduling.solution import Placed, Solution

HORIZON = 12


def solvable(asked: Problem) -> bool:
    """Every start of every task is tried."""
    spans = [range(HORIZON) for _ in asked.tasks]
    return any(not violations(asked, _at(asked, starts)) for starts in itertools.product(*spans))


def _at(asked: Problem, starts: Sequence[int]) -> Solution:
    placed = []
    for index, start in enumerate(starts):
        end = start + asked.tasks[index].modes[0].duration
        placed.append(Placed(index, 0, start, end, end))
    return Solution(tuple(placed))


def clashing(**values: object) -> Problem:
    """A then B with at most 2 ticks between; whatever else is given."""
    units = [unit("A"), unit("B", closed=(Closed(20, 25),))]
    tasks = [task((0, 2), name="T2"), task((1, 3), name="T3")]
    return problem(units, tasks, arcs=(Arc(0, 1, lag_max=2),), **values)


def test_the_smallest_clash_is_told_by_name() -> None:
    pins = (Pin(0, start=0), Pin(1, start=8))
    (fault,) = explain(clashing(pins=pins, jobs=(Job(release=0),)), solvable)
    assert set(fault.constraints) == {"pin", "lag_max"} and not fault.invalid
    assert "pin of T2" in fault.text and "pin of T3" in fault.text and "T2 → T3" in fault.text
    assert "固定" in fault.text_zh and "closed times" not in fault.text


def test_what_has_nothing_to_do_with_it_is_not_named() -> None:
    pools = (Pool("crew", ((0, 1),)),)
    asked = clashing(pins=(Pin(1, start=1),), pools=pools, materials=(Material("steel", 5),))
    (fault,) = explain(asked, solvable)
    assert fault.constraints == ("pin",) and "pin of T3" in fault.text


def test_what_can_be_solved_is_not_explained() -> None:
    assert explain(clashing(), solvable) == ()


def test_what_no_giving_way_can_mend_is_said() -> None:
    (fault,) = explain(clashing(), lambda _: False)
    assert "every constraint let go" in fault.text


def test_out_of_questions_the_kinds_are_told() -> None:
    pins = (Pin(0, start=0), Pin(1, start=8))
    (fault,) = explain(clashing(pins=pins), solvable, questions=1)
    assert set(fault.constraints) == {"pin", "lag_max"}


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 30), min_size=1, max_size=5), st.integers(31, 40))
def test_exactly_the_planted_clash_is_found(planted: set[int], count: int) -> None:
    found = smallest_conflict(range(count), lambda kept: not planted <= set(kept), 500)
    assert sorted(found) == sorted(planted)


def test_questions_are_counted() -> None:
    with pytest.raises(OutOfQuestions):
        smallest_conflict(range(100), lambda kept: not {3, 97} <= set(kept), 4)
