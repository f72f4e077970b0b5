"""A window of large-neighbourhood search: takes a solution and its free tasks, gives a strictly better solution.

Only the free tasks and their moves are variables. What they touch enters as constants: blocks of their units that reach
into the window, rides of the vehicles, levels of pools and materials, the ends of their jobs. Free tasks stay within a
window of time round their present place, so that the model grows with them and not with the plan. A window is a subset
of the problem: fixed lots leave their units no later than now, and of very many rides only near ones may follow each
other. So None says that this window was not good, never that the plan is optimal.
"""

from __future__ import annotations

from collections.abc import Collection

from ortools.sat.python import cp_model

from zhongshu.decide.scheduling.cp.build import build
from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.extract import extract
from zhongshu.decide.scheduling.cp.incumbent import Incumbent
from zhongshu.decide.scheduling.problem import NEVER, Closed, Problem
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

#: Sequence literals of one window.
ARCS = 40_000


def improve(
    problem: Problem,
    incumbent: Solution | Incumbent,
    free: Collection[int],
    *,
    seconds: float,
    seed: int,
    workers: int = 1,
    deterministic: float | None = None,
) -> Solution | None:
    """Re-plan the tasks in ``free`` round all others, which stay; None where nothing strictly better was found.

    ``incumbent`` must be valid; hand in an ``Incumbent`` to index one plan for many windows. Started tasks never move; the
    members of a batch with one free task are free together. ``deterministic``: a limit in CP-SAT's deterministic time.
    """
    began = monotonic_s()
    draft = window_draft(problem, incumbent, free)
    if draft is None:
        return None
    # Strictly better: everything is whole in units of the objective.
    value = sum(weight * expr for weight, expr in draft.prices)
    if isinstance(value, int):
        return None
    draft.model.add(value <= draft.hinted_price - 1)
    solver = cp_model.CpSolver()
    p = solver.parameters
    p.num_workers, p.random_seed = workers, seed
    # Small models: the long presolve, symmetry and probing would cost more than they bring.
    p.cp_model_probing_level, p.symmetry_level, p.linearization_level = 0, 0, 1
    p.max_presolve_iterations = 1
    p.max_time_in_seconds = max(0.005, seconds - (monotonic_s() - began))
    if deterministic is not None:
        p.max_deterministic_time = deterministic
    if solver.solve(draft.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return extract(draft, solver.value)


def window_draft(problem: Problem, incumbent: Solution | Incumbent, free: Collection[int]) -> Draft | None:
    """The model of a window, not solved yet; None where nothing in it may move."""
    plan = incumbent if isinstance(incumbent, Incumbent) else Incumbent(problem, incumbent)
    tasks = _whole_blocks(plan, free)
    if not tasks:
        return None
    first, last = _window(plan, tasks)
    draft = Draft(problem, plan.facts, tasks, False, first, last, plan, ARCS)
    return build(draft)


def _whole_blocks(plan: Incumbent, free: Collection[int]) -> list[int]:
    """The free tasks with all that share their batches, ascending, without the started ones."""
    tasks = {t for task in free for t in plan.block(task).members}
    return sorted(t for t in tasks if not plan.facts.started[t])


def _window(plan: Incumbent, tasks: list[int]) -> tuple[int, int]:
    """Times for the free tasks: where they are now, and on each side half as much or twice the longest stay of one,
    closed time not counted."""
    first = min(plan.placed[t].start for t in tasks)
    last = max(plan.placed[t].left for t in tasks)
    for t in tasks:
        for k in (*plan.facts.lots_in[t], *plan.facts.lots_out[t]):
            last = max(last, plan.moved[k].drop)
            first = min(first, plan.moved[k].pickup)
    longest = max(plan.placed[t].left - plan.placed[t].start for t in tasks)
    margin = max((last - first + 1) // 2, 2 * longest)
    units = {u for t in tasks for u in plan.facts.units_of(t)}
    first -= margin + _closed_within(plan, units, first - margin, first)
    last += margin + _closed_within(plan, units, last, last + margin)
    return max(0, first), last


def _closed_within(plan: Incumbent, units: set[int], since: int, until: int) -> int:
    """The most ticks that one of the units is closed for in a row of pauses that reach into [since, until)."""
    return max(
        (
            sum(c.end - c.start for c in plan.problem.units[u].closed if _reaches(c, since, until))
            for u in units
        ),
        default=0,
    )


def _reaches(closed: Closed, since: int, until: int) -> bool:
    return closed.start < until and closed.end > since and closed.end < NEVER
