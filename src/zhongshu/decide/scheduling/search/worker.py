"""One worker of the local search: a memory with the current schedule, and the best it has found."""

from __future__ import annotations

import numpy as np

from zhongshu.decide.chance import seeded
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.improve import BEST, CURRENT, EVALUATED, adopt, improve
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.solution import Solution


class Worker:
    """Not shared between threads; what it gives out are copies."""

    def __init__(self, problem: Problem, seed: int, memory: Memory | None = None) -> None:
        self.memory = memory or Memory(problem)
        self._chance = seeded(seed)
        self._current = np.zeros_like(self.memory.genes)
        self._best = np.zeros(len(self.memory.genes) + len(self.memory.state), np.int64)
        self._log = np.zeros(8, np.int64)
        self._log[BEST] = IMPOSSIBLE

    def take(self, genes: Ints) -> bool:
        """Go on from these genes; False when they can't be decoded."""
        memory = self.memory
        memory.genes[:] = genes
        memory.clear()
        begin(memory.d)
        cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
        if cost >= IMPOSSIBLE:
            return False
        adopt(memory.d, self._log)
        self._current[:], self._log[CURRENT] = genes, cost
        if cost < self._log[BEST]:
            self._log[BEST] = cost
            self._keep_best()
        return True

    def work(self, heat: float, evaluations: int) -> None:
        """So many evaluations more; other threads run meanwhile."""
        improve(
            self.memory.d,
            self._current,
            self._best,
            self._log,
            self._chance,
            heat,
            evaluations,
        )
        if self.memory.d[at.OVERFLOWN]:
            self.take(self._current.copy())  # the state could not be taken back

    def back_to_best(self) -> bool:
        """Go on from the best."""
        return self.take(self.best_genes)

    @property
    def cost(self) -> int:
        """Of the best, in thousandths of the objective."""
        return int(self._log[BEST])

    @property
    def current(self) -> int:
        """Of the schedule that is being changed."""
        return int(self._log[CURRENT])

    @property
    def evaluated(self) -> int:
        """Schedules looked at."""
        return int(self._log[EVALUATED])

    @property
    def current_genes(self) -> Ints:
        """A copy: of the schedule that is being changed."""
        return self._current.copy()

    @property
    def best_genes(self) -> Ints:
        """A copy."""
        return self._best[: len(self.memory.genes)].copy()

    def best_solution(self) -> Solution:
        """The best schedule; leaves the search where it was."""
        memory, now = self.memory, np.concatenate([self.memory.genes, self.memory.state])
        memory.genes[:], memory.state[:] = self._best[: len(memory.genes)], self._best[len(memory.genes) :]
        solution = solution_of(memory)
        memory.genes[:], memory.state[:] = now[: len(memory.genes)], now[len(memory.genes) :]
        return solution

    def _keep_best(self) -> None:
        self._best[: len(self.memory.genes)] = self.memory.genes
        self._best[len(self.memory.genes) :] = self.memory.state
