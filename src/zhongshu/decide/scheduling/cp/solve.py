"""Whole-problem CP-SAT: takes a problem (and a hint), gives the best solution found and a proven bound.

Formulations, chosen to stay compact: units without set-ups are one no-overlap each; set-ups are a circuit per unit;
all vehicles share one multiple circuit; batches are named after their lowest member; pools and materials are cumulatives;
calendars are start domains, one literal for each different length a pause gives a task. Circuits whose arcs would go over
``ARCS`` keep only pairs that lie near each other in the hint (by earliest start without one): such a model restricts the
problem, so ``bound`` then is the plain longest-path bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from ortools.sat.python import cp_model

from zhongshu.decide.scheduling.cp.bounds import lower_bound
from zhongshu.decide.scheduling.cp.build import build
from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.extract import extract
from zhongshu.decide.scheduling.cp.facts import facts_of
from zhongshu.decide.scheduling.cp.incumbent import Incumbent
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

#: Sequence literals of one model; with more it would take more than a few seconds to build.
ARCS = 400_000
#: Whoever wants a running solver to stop waits about so long.
STOPPED_S = 0.05

STATUS = {
    cp_model.OPTIMAL: "optimal",
    cp_model.FEASIBLE: "feasible",
    cp_model.INFEASIBLE: "infeasible",
    cp_model.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class CpResult:
    """``status``: optimal, feasible, infeasible or unknown. ``objective`` is of ``solution``; nothing is below ``bound``."""

    solution: Solution | None
    objective: float | None
    bound: float
    status: str


def solve_cp(
    problem: Problem,
    *,
    seconds: float,
    workers: int = 2,
    seed: int = 0,
    hint: Solution | None = None,
    presolve: bool = True,
    deterministic: float | None = None,
    on_better: Callable[[Solution, float], None] | None = None,
    stop: Event | None = None,
) -> CpResult:
    """Solve the whole problem within ``seconds`` of wall time, model building included.

    ``hint``: a valid solution to start from; it is given back where nothing better was found. ``presolve``: off for models
    so large that presolving eats the time. ``deterministic``: a limit in CP-SAT's own deterministic time, for repeatable
    runs (with one worker). ``on_better``: called from a solver thread with each better solution and its objective. ``stop``
    ends it early, with what was found until then.
    """
    began = monotonic_s()
    draft = whole_draft(problem, hint)
    solver = cp_model.CpSolver()
    p = solver.parameters
    p.num_workers, p.random_seed, p.cp_model_presolve = workers, seed, presolve
    p.max_time_in_seconds = max(0.01, seconds - (monotonic_s() - began))
    if deterministic is not None:
        p.max_deterministic_time = deterministic
    told = _Told(draft, on_better) if on_better is not None else None
    with _ended_by(stop, solver):
        status = STATUS[solver.solve(draft.model, told)]
    bound = lower_bound(problem)
    if not draft.thinned and status != "infeasible":
        bound = max(bound, (solver.best_objective_bound + draft.offset) / draft.scale)
    return _result(problem, draft, solver, status, bound, hint)


@contextmanager
def _ended_by(stop: Event | None, solver: cp_model.CpSolver) -> Iterator[None]:
    """While the solver runs, watch whether it shall stop."""
    if stop is None:
        yield
        return
    over = Event()

    def watch() -> None:
        while not over.wait(STOPPED_S):
            if stop.is_set():
                solver.stop_search()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def whole_draft(problem: Problem, hint: Solution | None = None) -> Draft:
    """The model of a whole problem, not solved yet."""
    facts = facts_of(problem)
    guess = None if hint is None else Incumbent(problem, hint)
    horizon = facts.horizon
    if guess is not None:
        horizon = max(horizon, *(p.left for p in guess.placed), *(m.drop for m in guess.moved.values()), 0)
    return build(Draft(problem, facts, range(len(problem.tasks)), True, 0, horizon, guess, ARCS))


def _result(
    problem: Problem,
    draft: Draft,
    solver: cp_model.CpSolver,
    status: str,
    bound: float,
    hint: Solution | None,
) -> CpResult:
    """The better of what was found and the hint; a restricted model proves neither optimality nor the lack of a plan."""
    solution, objective = hint, None if hint is None else kpis(problem, hint).objective
    if status in ("optimal", "feasible"):
        found = extract(draft, solver.value)
        worth = kpis(problem, found).objective
        if objective is None or worth <= objective:
            solution, objective = found, worth
    if draft.thinned and status in ("optimal", "infeasible"):
        status = "feasible" if solution is not None else "unknown"
    elif status == "unknown" and solution is not None:
        status = "feasible"
    if objective is not None:
        bound = min(bound, objective)
    return CpResult(solution, objective, bound if status != "infeasible" else float("inf"), status)


class _Told(cp_model.CpSolverSolutionCallback):
    """Hands each better solution on while the solver goes on."""

    def __init__(self, draft: Draft, on_better: Callable[[Solution, float], None]) -> None:
        super().__init__()
        self._draft = draft
        self._on_better = on_better

    def on_solution_callback(self) -> None:
        """Called by the solver for every solution better than the last."""
        worth = (self.objective_value + self._draft.offset) / self._draft.scale
        self._on_better(extract(self._draft, self.value), worth)
