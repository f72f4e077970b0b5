"""The compiled search alone (no CP-SAT) against optima known by enumeration, the checker, and itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings

from tests.decide.scheduling.cases import CASES, problems
from tests.decide.scheduling.enumerate import optimum
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.cp.solve import solve_cp
from zhongshu.decide.scheduling.engine import Limits, Result, solve
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.validate import problems_of


def searched(problem: Problem, work: int, seed: int = 1) -> Result:
    """With a work limit CP-SAT takes no part."""
    return solve(problem, Limits(seconds=0, workers=1, seed=seed, work_limit=work))


@cache
def best_of(name: str) -> float:
    return optimum(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_every_constraint_alone_is_solved_to_its_optimum(name: str) -> None:
    result = searched(CASES[name], 1500)
    assert result.solution is not None
    assert not violations(CASES[name], result.solution)
    assert result.objective == kpis(CASES[name], result.solution).objective
    assert result.objective == pytest.approx(best_of(name))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_whatever_constraints_meet_each_schedule_is_valid_and_none_beats_the_optimum(
    problem: Problem,
) -> None:
    if problems_of(problem):
        return
    told = []
    limits = Limits(seconds=0, workers=1, seed=3, work_limit=300)
    result = solve(problem, limits, on_better=lambda solution, objective, bound: told.append(objective))
    exact = solve_cp(problem, seconds=20, workers=1)
    if result.solution is None:
        return
    assert not violations(problem, result.solution)
    assert told == sorted(told, reverse=True)
    assert result.bound <= result.objective + 1e-6
    assert exact.status != "infeasible"
    if exact.status == "optimal" and exact.objective is not None:
        assert result.objective >= exact.objective - 1e-6


def test_a_seed_and_a_work_limit_give_the_same_schedule_again() -> None:
    problem = CASES["one place before a unit"]
    first, again, other = searched(problem, 200), searched(problem, 200), searched(problem, 200, seed=2)
    assert first.solution == again.solution
    assert first.work == again.work == other.work


def test_an_empty_problem_has_an_empty_schedule() -> None:
    empty = Problem((), (), ())
    result = solve(empty, Limits(0.1))
    assert result.solution is not None
    assert result.solution.placed == ()


def test_a_plan_in_force_is_improved_and_never_worsened() -> None:
    problem = CASES["frozen oven"]
    poor = searched(problem, 1)
    assert poor.solution is not None
    better = solve(replace(problem), Limits(0, 1, 1, 600), start=poor.solution)
    assert better.objective <= poor.objective
