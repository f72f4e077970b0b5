"""Whole-problem CP-SAT against the oracle: the same optimum, and schedules with which the checker finds nothing wrong."""

from __future__ import annotations

from functools import cache
from math import inf

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.decide.scheduling.cases import CASES, WITHOUT, problems
from tests.decide.scheduling.enumerate import optimum
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.cp import solve
from zhongshu.decide.scheduling.cp.bounds import lower_bound
from zhongshu.decide.scheduling.cp.solve import CpResult, solve_cp
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Problem, Task, Unit, Vehicle
from zhongshu.decide.scheduling.solution import Solution

LATEST = 14


@cache
def solved(name: str) -> CpResult:
    return solve_cp(CASES[name], seconds=10, workers=1)


@pytest.mark.parametrize("name", CASES)
def test_optimum_is_the_oracle_s(name: str) -> None:
    problem = CASES[name]
    found = solved(name)
    assert found.status == "optimal" and found.solution is not None
    assert violations(problem, found.solution) == ()
    assert found.objective == pytest.approx(optimum(problem))
    assert found.bound == pytest.approx(found.objective)
    assert kpis(problem, found.solution).objective == pytest.approx(found.objective)


@pytest.mark.parametrize("name", CASES)
def test_the_constraint_binds(name: str) -> None:
    with_it = solved(name)
    without = solve_cp(WITHOUT[name], seconds=10, workers=1)
    assert without.objective is not None and with_it.objective != pytest.approx(without.objective)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(problems())
def test_random_problems(problem: Problem) -> None:
    same_as_oracle(problem)


def same_as_oracle(problem: Problem) -> None:
    """One optimum, or no schedule at all for both."""
    found = solve_cp(problem, seconds=10, workers=1)
    assert found.status in ("optimal", "infeasible")
    if found.solution is None:
        assert optimum(problem, 8) == inf
        return
    assert violations(problem, found.solution) == ()
    assert found.objective == pytest.approx(found.bound)
    assume(max(p.end for p in found.solution.placed) <= LATEST)
    assert optimum(problem, max(p.end for p in found.solution.placed) + 1) == pytest.approx(found.objective)
    again = solve_cp(problem, seconds=10, workers=1, hint=found.solution)
    assert again.objective == pytest.approx(found.objective)


def test_tasks_of_no_ticks_do_not_escape_their_setup() -> None:
    unit = Unit("A", setups=0, family=1)
    tasks = (Task(0, (Mode(0, 0),)), Task(0, (Mode(0, 0), Mode(1, 9))))
    problem = Problem((unit, Unit("B")), (Job(),), tasks, setups=(((0, 1), (2, 0)),))
    free = Problem((unit, Unit("B")), (Job(),), (tasks[1], tasks[1]), setups=problem.setups)
    assert [solve_cp(p, seconds=5, workers=1).objective for p in (problem, free)] == [2, 2]


def test_nobody_needs_a_vehicle() -> None:
    tasks = (Task(0, (Mode(0, 1),)), Task(0, (Mode(0, 1), Mode(1, 0))))
    units, there = (Unit("A"), Unit("B", station=1)), ((0, 1), (1, 0))
    arcs = (Arc(0, 1, lag_max=0, moves=True),)
    problem = Problem(units, (Job(),), tasks, arcs, vehicles=(Vehicle("v"),), travel=there, empty=there)
    found = solve_cp(problem, seconds=5, workers=1)
    assert (found.status, found.objective) == ("optimal", 2)


def test_a_plan_that_nothing_allows() -> None:
    problem = Problem(
        (Unit("A"),), (Job(),), (Task(0, (Mode(0, 2),)),) * 2, (Arc(0, 1, lag_max=-1, lag_min=-1),)
    )
    assert solve_cp(problem, seconds=5, workers=1).status == "infeasible"


@pytest.mark.parametrize("name", ["setups by colour", "one vehicle", "empty travel", "oven temperature"])
def test_too_many_arcs_thin_the_circuits_and_keep_the_bound_honest(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = CASES[name]
    best = solve_cp(problem, seconds=5, workers=1)
    monkeypatch.setattr(solve, "ARCS", 1)
    thin = solve_cp(problem, seconds=5, workers=1, hint=best.solution)
    assert thin.status == "feasible" and thin.solution is not None
    assert violations(problem, thin.solution) == ()
    assert thin.objective == best.objective and thin.bound == lower_bound(problem)


@pytest.mark.parametrize("name", CASES)
def test_the_plain_bound_holds(name: str) -> None:
    assert lower_bound(CASES[name]) <= (solved(name).objective or 0) + 1e-9


def test_better_solutions_are_told_and_the_hint_is_the_first() -> None:
    problem = CASES["due dates and weights"]
    told: list[tuple[Solution, float]] = []
    found = solve_cp(problem, seconds=5, workers=1, on_better=lambda s, worth: told.append((s, worth)))
    assert found.objective is not None
    assert all(violations(problem, s) == () and kpis(problem, s).objective == worth for s, worth in told)
    assert told[-1][1] == pytest.approx(found.objective)
    again: list[float] = []
    solve_cp(
        problem,
        seconds=5,
        workers=1,
        hint=found.solution,
        presolve=False,
        on_better=lambda s, w: again.append(w),
    )
    assert again == [found.objective]
