"""One thread of local search: rules give it a start, it improves it until time or work is up."""

from __future__ import annotations

from collections.abc import Callable

from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.encode import genes_of
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.worker import Worker

#: Temperature at the beginning, as a share of the objective, for one task: a step of one of many changes little of the whole.
HEAT = 0.8
#: Evaluations between two looks at the clock, for a thousand tasks.
CHUNK_PER_1000 = 40
#: Without a better schedule for so many chunks, go on from the best there is.
PATIENCE = 60


class Annealer:
    """``progress`` tells from 0 to 1 how much of the time is gone; the search ends at 1."""

    def __init__(self, problem: Problem, seed: int, name: str, incumbent: Incumbent, memory: Memory) -> None:
        self._worker, self._name, self._incumbent = Worker(problem, seed, memory), name, incumbent
        tasks = max(1, len(problem.tasks))
        self._heat = HEAT / tasks
        self._chunk = max(5, CHUNK_PER_1000 * 1000 // tasks)
        self.evaluated = 0

    def run(self, starts: list[Ints], progress: Callable[[int], float], alone: bool) -> None:
        """``alone``: take nothing from the other workers, so that seed and work give the same path anywhere."""
        worker = self._worker
        if sum(worker.take(genes) for genes in starts) == 0:
            return  # each is taken, the best of them is kept
        worker.back_to_best()
        told, quiet = worker.cost, 0
        self._tell()
        while (gone := progress(worker.evaluated)) < 1 and not self._incumbent.proved:
            worker.work(self._heat * max(1, worker.cost) * (1 - gone) ** 2 + 1, self._chunk)
            self.evaluated = worker.evaluated
            if worker.cost < told:
                told, quiet = worker.cost, 0
                self._tell()
                continue
            quiet += 1
            if quiet >= PATIENCE:
                quiet = 0
                self._go_on_from_best(alone)
                told = worker.cost
        self._tell()

    def _tell(self) -> None:
        self._incumbent.offer(self._worker.best_solution(), self._name)

    def _go_on_from_best(self, alone: bool) -> None:
        """From the best of all workers, if it can be had as a list; else from the own best."""
        other, worker = self._incumbent.solution, self._worker
        if not alone and other is not None and self._incumbent.objective * 1000 < worker.cost - 1:
            fetch = bool(worker.best_genes[-4])
            if worker.take(genes_of(worker.memory, other, fetch)) and worker.current <= worker.cost * 1.002:
                return
        worker.back_to_best()
