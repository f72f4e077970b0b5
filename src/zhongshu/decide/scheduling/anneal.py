"""One thread of local search: rules give it a start, it improves it until time or work is up, with CP-SAT windows if given."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.encode import genes_of
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.worker import Worker
from zhongshu.decide.scheduling.shares import Shares
from zhongshu.kernel.clock import monotonic_s

if TYPE_CHECKING:
    from zhongshu.decide.scheduling.lns import Windows

#: Temperature at the beginning, as a share of the objective, for one task: a step of one of many changes little of the whole.
HEAT = 0.8
#: Evaluations between two looks at the clock, for a thousand tasks.
CHUNK_PER_1000 = 40
#: Checking and telling a better schedule takes at most about one in so many parts of the time.
TELL_SHARE = 8
#: Without a better schedule for so many chunks, go on from the best there is.
PATIENCE = 60


class Board:
    """The best list of all searches for one problem, for each to go on from."""

    def __init__(self) -> None:
        self._lock, self._best = Lock(), (IMPOSSIBLE, np.zeros(0, np.int64))

    def offer(self, cost: int, genes: Ints) -> None:
        """Kept if it is better than all before; ``cost`` in thousandths of the objective."""
        with self._lock:
            if cost < self._best[0]:
                self._best = (cost, genes)

    def best(self) -> tuple[int, Ints]:
        """Cost and list, not to be written to."""
        return self._best


class Annealer:
    """``progress`` tells from 0 to 1 how much of the time is gone; the search ends at 1."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        name: str,
        incumbent: Incumbent,
        memory: Memory,
        board: Board,
        windows: Windows | None = None,
    ) -> None:
        self._worker, self._name, self._incumbent = Worker(problem, seed, memory), name, incumbent
        self._board = board
        self._windows, self._shares = windows, Shares()
        tasks = max(1, len(problem.tasks))
        self._heat, self._free_s = HEAT / tasks, 0.0
        self._chunk = max(5, CHUNK_PER_1000 * 1000 // tasks)
        self.evaluated = 0

    def run(
        self, starts: list[Ints], progress: Callable[[int], float], alone: bool, seconds: float = 0.0
    ) -> None:
        """``alone``: take nothing from the other workers, so that seed and work give the same path anywhere. ``seconds``:
        the whole search's, for windows."""
        worker = self._worker
        if sum(worker.take(genes) for genes in starts) == 0:
            return  # each is taken, the best of them is kept
        worker.back_to_best()
        told, quiet = worker.cost, 0
        self._tell()
        while (gone := progress(worker.evaluated)) < 1 and not self._incumbent.proved:
            if self._windows is not None and self._shares.next():
                self._window(self._windows, (1 - gone) * seconds)
                continue
            began_s, before = monotonic_s(), worker.cost
            worker.work(self._heat * max(1, worker.cost) * (1 - gone) ** 2 + 1, self._chunk)
            self._shares.brought(0, (before - worker.cost) / 1000, monotonic_s() - began_s)
            self.evaluated = worker.evaluated
            if worker.cost < told:
                told, quiet = worker.cost, 0
                self._board.offer(told, worker.best_genes)
                self._tell_now_and_then()
                continue
            quiet += 1
            if quiet >= PATIENCE:
                quiet = 0
                self._go_on_from_best(alone)
                told = worker.cost
        self._tell()

    def _window(self, windows: Windows, left_s: float) -> None:
        """One window; what it finds is gone on from if it can be had as a list and is no worse so."""
        began_s = monotonic_s()
        if self._worker.cost < self._incumbent.objective * 1000 - 1:
            self._tell()
        before = self._incumbent.objective
        if windows.turn(left_s):
            self._shares.brought(1, before - self._incumbent.objective, monotonic_s() - began_s)
            self._go_on_from_best(alone=False)
        else:
            self._shares.brought(1, 0.0, monotonic_s() - began_s)

    def _tell_now_and_then(self) -> None:
        """Not when the last telling took long and was lately; the best is told in the end."""
        now_s = monotonic_s()
        if now_s >= self._free_s:
            self._tell()
            told_s = monotonic_s()
            self._free_s = told_s + TELL_SHARE * (told_s - now_s)

    def _tell(self) -> None:
        self._incumbent.offer(self._worker.best_solution(), self._name)

    def _go_on_from_best(self, alone: bool) -> None:
        """From the best of all workers, if it can be had as a list; else from the own best."""
        other, worker = self._incumbent.solution, self._worker
        cost, genes = self._board.best()
        if not alone and cost < worker.cost and worker.take(genes):
            return
        if not alone and other is not None and self._incumbent.objective * 1000 < worker.cost - 1:
            fetch = bool(worker.best_genes[-4])
            if worker.take(genes_of(worker.memory, other, fetch)) and worker.current <= worker.cost * 1.002:
                return
        worker.back_to_best()
