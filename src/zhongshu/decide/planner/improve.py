"""A plan that is in force already and more wall time in, a better one out: local search that goes on from its list of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.worker import Worker
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

#: Temperature at the beginning, as a share of the objective for one task: a plan in force is polished, not melted.
HEAT = 0.1
#: Evaluations between two looks at the clock, for a thousand tasks.
CHUNK_PER_1000 = 20
#: So much worse than the best there is, the search goes back to that.
STRAYED = 1.01


class Improved(NamedTuple):
    """The better plan, its list, and the seconds it took."""

    solution: Solution
    genes: Ints
    time_s: float


def improve(
    problem: Problem,
    memory: Memory,
    starts: Sequence[Ints],
    seconds: float,
    *,
    work: int | None = None,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Improved | None:
    """From these lists on, each for its share of the time; None when nothing better than they are was found.

    ``work``: so many evaluations instead, whatever time they take. ``stop`` is asked several times a second. Unlike the engine's ``solve`` it takes nothing from dispatching rules: those
    know nothing of the plan that people follow. Ovens, vehicles and all else are as the list says; the checker is not asked.
    """
    began_s, best = monotonic_s(), None
    cost, first = IMPOSSIBLE, IMPOSSIBLE
    for number, genes in enumerate(starts):
        worker = Worker(problem, seed + number, memory)
        if not worker.take(genes):
            continue
        first = min(first, worker.cost)
        share = None if work is None else work // len(starts)
        _anneal(worker, len(problem.tasks), seconds / len(starts), share, stop)
        if worker.cost < cost:
            cost, best = worker.cost, worker
    if best is None or cost >= first:
        return None
    return Improved(best.best_solution(), best.best_genes, monotonic_s() - began_s)


def _anneal(worker: Worker, tasks: int, seconds: float, work: int | None, stop: Callable[[], bool]) -> None:
    began_s = monotonic_s()
    chunk = max(5, CHUNK_PER_1000 * 1000 // max(1, tasks))
    done = 0
    while not stop():
        gone = (monotonic_s() - began_s) / max(1e-3, seconds) if work is None else done / max(1, work)
        if gone >= 1:
            return
        done += chunk
        worker.work(HEAT / max(1, tasks) * max(1, worker.cost) * (1 - gone) ** 2 + 1, chunk)
        if worker.current > worker.cost * STRAYED:
            worker.back_to_best()
