"""The ways to plan the kitchen's day that bench/plant_schedule.py sets side by side: a problem in, judged schedules out.

What CP-SAT needs to build its model is not counted, in its favour; ours counts everything after `warm_search`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ortools.sat.python import cp_model

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.cp.build import build
from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.extract import extract
from zhongshu.decide.scheduling.cp.facts import facts_of
from zhongshu.decide.scheduling.cp.incumbent import Incumbent as Indexed
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
#: CP-SAT: its parameters, and the most literals for sequences in its model. Tuned on day 1, which is none of those measured,
#: 30 s each: with presolve, or with 100,000 literals, it did not take the hint at all; with LP it took it after 6 s and found
#: nothing better; only neighbourhoods, no symmetry, no probing, four workers: no better than this. `repair_hint` needs presolve.
PARAMETERS: dict[str, bool | int] = {"cp_model_presolve": False, "linearization_level": 0}
ARCS = 20_000


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

    def at(self, seconds: float) -> Worth | None:
        """What there was by then."""
        return _by_then(self.told, seconds)


@dataclass(frozen=True, slots=True)
class Solved:
    """Each better schedule with the seconds of solving until then, none where nothing was found, not even the hint.
    ``variables`` and ``build_s`` are of the model; ``thinned``: it has no sequences of what lies far apart in the hint."""

    told: tuple[tuple[float, Worth], ...]
    build_s: float
    variables: int
    thinned: bool

    def at(self, seconds: float) -> Worth | None:
        """What there was by then."""
        return _by_then(self.told, seconds)


def _by_then(told: tuple[tuple[float, Worth], ...], seconds: float) -> Worth | None:
    return next((worth for since, worth in reversed(told) if since <= seconds), None)


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


def cp_sat(problem: Problem, hint: Solution | None, seconds: float, seed: int) -> Solved:
    """CP-SAT on the whole problem for so many seconds of solving."""
    began_s = monotonic_s()
    draft = _draft(problem, hint)
    build_s = monotonic_s() - began_s
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = WORKERS
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = seed
    for name, value in PARAMETERS.items():
        setattr(solver.parameters, name, value)
    told = _Told(draft)
    solver.solve(draft.model, told)
    judged = tuple((since, worth_of(problem, solution, "CP-SAT")) for since, solution in told.found)
    return Solved(judged, build_s, len(draft.model.proto.variables), draft.thinned)


def _draft(problem: Problem, hint: Solution | None) -> Draft:
    """The engine's own model of the whole problem, with ``ARCS``."""
    facts = facts_of(problem)
    guess = None if hint is None else Indexed(problem, hint)
    ends = () if hint is None else (*(p.left for p in hint.placed), *(m.drop for m in hint.moved.values()))
    last = max((facts.horizon, *ends))
    return build(Draft(problem, facts, range(len(problem.tasks)), True, 0, last, guess, ARCS))


class _Told(cp_model.CpSolverSolutionCallback):
    """Keeps each better solution and when it came."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self._draft = draft
        self.found: list[tuple[float, Solution]] = []

    def on_solution_callback(self) -> None:
        """Called by the solver."""
        self.found.append((self.wall_time, extract(self._draft, self.value)))
