"""Windows: what comes out is valid and strictly better, and nothing but the free tasks has moved."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from tests.decide.scheduling.cases import CASES, problems
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.incumbent import Incumbent
from zhongshu.decide.scheduling.cp.neighbourhoods import CHOOSERS, choose
from zhongshu.decide.scheduling.cp.solve import solve_cp, whole_draft
from zhongshu.decide.scheduling.cp.window import improve, window_draft
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Pin, Problem, Weights
from zhongshu.decide.scheduling.solution import Placed, Solution


def any_schedule(problem: Problem, seed: int = 0) -> Solution | None:
    """A valid schedule, usually a poor one: nothing has a price."""
    free = replace(problem, weights=Weights(makespan=0))
    found = solve_cp(free, seconds=10, workers=1, seed=seed, presolve=False)
    return found.solution


def checked(problem: Problem, plan: Solution, free: set[int] | frozenset[int]) -> Solution | None:
    """A window, with everything that must hold of its outcome."""
    better = improve(problem, plan, free, seconds=10, seed=1)
    if better is None:
        return None
    assert violations(problem, better) == ()
    assert kpis(problem, better).objective < kpis(problem, plan).objective
    index = Incumbent(problem, plan)
    may_move = {t for task in free for t in index.block(task).members}
    for old, new in zip(plan.placed, better.placed, strict=True):
        if old.task not in may_move:
            assert (old.mode, old.start, old.end, old.batch) == (new.mode, new.start, new.end, new.batch)
    for k, move in plan.moved.items():
        arc = problem.arcs[k]
        if arc.before not in may_move and arc.after not in may_move:
            assert (move.pickup, move.drop) == (better.moved[k].pickup, better.moved[k].drop)
    return better


@pytest.mark.parametrize("name", CASES)
def test_cases_reach_the_optimum_when_all_is_free(name: str) -> None:
    problem = CASES[name]
    plan, best = any_schedule(problem), solve_cp(problem, seconds=10, workers=1).objective
    assert plan is not None
    # A window reaches only half its length further; a plan that began very late comes in a few steps.
    while (better := checked(problem, plan, set(range(len(problem.tasks))))) is not None:
        plan = better
    assert kpis(problem, plan).objective == pytest.approx(best)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(problems(5), st.sets(st.integers(0, 4), min_size=1, max_size=4), st.integers(0, 9))
def test_windows_never_break_anything(problem: Problem, free: set[int], seed: int) -> None:
    plan = any_schedule(problem, seed)
    assume(plan is not None)
    assert plan is not None
    tasks = {t for t in free if t < len(problem.tasks)}
    better = checked(problem, plan, tasks)
    if better is not None:
        checked(problem, better, set(range(len(problem.tasks))))


def test_an_optimal_plan_is_left_alone() -> None:
    for name in ("one vehicle", "oven members differ", "setups by colour", "lot at hand fills the output"):
        best = solve_cp(CASES[name], seconds=10, workers=1).solution
        assert best is not None and improve(CASES[name], best, range(3), seconds=5, seed=0) is None


def test_started_tasks_are_never_free() -> None:
    problem = CASES["started"]
    plan = any_schedule(problem)
    assert plan is not None and improve(problem, plan, {0}, seconds=5, seed=0) is None


@pytest.mark.parametrize("chooser", [*CHOOSERS, choose])
def test_neighbourhoods_are_pure_and_keep_batches_whole(chooser: object) -> None:
    for name in ("oven families", "one vehicle", "due dates and weights", "assembly"):
        problem = replace(CASES[name], pins=(Pin(0, 0, 0, 2, started=True),))
        solution = any_schedule(problem)
        if solution is None:
            continue
        plan = Incumbent(problem, solution)
        found = chooser(plan, Random(3), 2)  # type: ignore[operator]
        assert found and found == chooser(plan, Random(3), 2)  # type: ignore[operator]
        assert 0 not in found
        assert all(set(plan.block(t).members) <= found for t in found)


def hint_holds(draft: Draft) -> bool:
    """Whether the hinted values, all of them, satisfy the model."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.fix_variables_to_their_hinted_value = True
    return solver.solve(draft.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)


@pytest.mark.parametrize("name", CASES)
def test_hints_are_complete_and_true(name: str) -> None:
    problem = CASES[name]
    plan = any_schedule(problem, 5)
    assert plan is not None
    late = replace(plan, placed=tuple(_leaves_late(problem, plan, p) for p in plan.placed))
    assert violations(problem, late) == ()
    for solution in (plan, late):
        assert hint_holds(whole_draft(problem, solution))
        window = window_draft(problem, solution, {1})
        assert window is None or hint_holds(window)


def _leaves_late(problem: Problem, plan: Solution, p: Placed) -> Placed:
    """The same with the lot on its unit for as long as nobody minds: a single mode, nobody behind it there."""
    pickups = [m.pickup for k, m in plan.moved.items() if problem.arcs[k].before == p.task]
    unit = problem.tasks[p.task].modes[p.mode].unit
    starts = [
        q.start for q in plan.placed if problem.tasks[q.task].modes[q.mode].unit == unit and q.start >= p.end
    ]
    if not pickups or starts or problem.units[unit].buffer_out is not None:
        return p
    return replace(p, left=min(pickups))
