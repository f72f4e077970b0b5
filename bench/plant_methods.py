"""The ways to plan the kitchen's day that bench/plant_schedule.py sets side by side: a problem in, judged schedules out.

What CP-SAT needs to build its model is not counted, in its favour; ours counts everything after `warm_search`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ortools.sat.python import cp_model

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.cp.extract import extract
from zhongshu.decide.scheduling.cp.solve import whole_draft
from zhongshu.decide.scheduling.engine import Limits, solve
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.search.rules import manners, run_rule
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

WORKERS = 2
#: CP-SAT beside presolve off and the hint: what served it best on a day that is none of those measured.
PARAMETERS: dict[str, bool | int] = {"linearization_level": 0}


@dataclass(frozen=True, slots=True)
class Worth:
    """What a schedule that passed the checker is worth; ``on_time`` is a share of the orders, ``what`` how it was made."""

    objective: float
    tardiness: int
    on_time: float
    what: str = ""


@dataclass(frozen=True, slots=True)
class Anytime:
    """Each better schedule of one run, with the wall seconds since its begin."""

    told: tuple[tuple[float, Worth], ...]
    first: Solution
    last: Solution

    def at(self, seconds: float) -> Worth:
        """What there was by then; the first schedule if that came later."""
        by_then = [worth for since, worth in self.told if since <= seconds]
        return (by_then or [self.told[0][1]])[-1]


@dataclass(frozen=True, slots=True)
class Solved:
    """``worth`` None: no schedule within the limit, not even the hint. ``variables`` and ``build_s`` are of its model;
    ``thinned``: it leaves out set-ups and rides between tasks that lie far from each other in the hint."""

    worth: Worth | None
    build_s: float
    variables: int
    thinned: bool


def worth_of(problem: Problem, solution: Solution, what: str = "") -> Worth:
    """Judge a schedule; raises RuntimeError where the checker finds anything."""
    found = violations(problem, solution)
    if found:
        raise RuntimeError(f"{what}: an invalid schedule: {[v.text for v in found[:3]]}")
    of = kpis(problem, solution)
    return Worth(of.objective, of.weighted_tardiness, 1 - of.late_jobs / len(problem.jobs), what)


def best_rule(problem: Problem) -> Worth:
    """The best schedule of a dispatching rule, each in its own manner, over the same vehicles; every one is checked."""
    memory, made = Memory(problem), []
    for manner in manners():
        if run_rule(memory, manner).cost < IMPOSSIBLE:
            made.append(worth_of(problem, solution_of(memory), manner.name))
    return min(made, key=lambda worth: worth.objective)


def ours(problem: Problem, seconds: float, seed: int) -> Anytime:
    """One run of the engine, everything that it told."""
    told: list[tuple[float, Solution]] = []
    began_s = monotonic_s()
    solve(
        problem,
        Limits(seconds, WORKERS, seed),
        on_better=lambda solution, *_: told.append((monotonic_s() - began_s, solution)),
    )
    judged = tuple((since, worth_of(problem, solution, "zhongshu")) for since, solution in told)
    return Anytime(judged, told[0][1], told[-1][1])


def cp_sat(
    problem: Problem,
    hint: Solution | None,
    seconds: float,
    seed: int,
    parameters: dict[str, bool | int] = PARAMETERS,
) -> Solved:
    """CP-SAT on the whole problem for so many seconds of solving."""
    began_s = monotonic_s()
    draft = whole_draft(problem, hint)
    build_s = monotonic_s() - began_s
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = WORKERS
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = seed
    solver.parameters.cp_model_presolve = False
    for name, value in parameters.items():
        setattr(solver.parameters, name, value)
    status = solver.solve(draft.model)
    worth = None
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        worth = worth_of(problem, extract(draft, solver.value), "CP-SAT")
    return Solved(worth, build_s, len(draft.model.proto.variables), draft.thinned)
