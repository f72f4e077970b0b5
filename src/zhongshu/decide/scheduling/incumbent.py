"""The best schedule known while several searches run: each hands in what it finds, and only what passes the checker counts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

log = logging.getLogger(__name__)
#: Called with each better schedule, its objective, and the bound known by then.
OnBetter = Callable[[Solution, float, float], None]


class Incumbent:
    """Shared by the threads of one search."""

    def __init__(self, problem: Problem, bound: float, on_better: OnBetter | None) -> None:
        self._problem, self._on_better, self._lock = problem, on_better, Lock()
        self._began_s = monotonic_s()
        self.bound = bound
        self.solution: Solution | None = None
        self.objective = float("inf")
        self.first_s: float | None = None
        self.found_by = ""
        self.refused = 0  # schedules of ours that the checker did not let pass: faults of the engine

    def offer(self, solution: Solution, by: str) -> bool:
        """True when it is valid and better than all before."""
        figures = kpis(self._problem, solution)
        if figures.objective >= self.objective:
            return False
        broken = violations(self._problem, solution)
        with self._lock:
            if broken:
                self.refused += 1
                log.error("a schedule of %s was refused by the checker: %s", by, broken[0].text)
                return False
            if figures.objective >= self.objective:
                return False
            self.solution, self.objective, self.found_by = solution, figures.objective, by
            if self.first_s is None:
                self.first_s = monotonic_s() - self._began_s
            if self._on_better is not None:
                self._on_better(solution, self.objective, self.bound)
        return True

    def raise_bound(self, bound: float) -> None:
        """Nothing better than ``bound`` exists."""
        with self._lock:
            self.bound = max(self.bound, bound)

    @property
    def proved(self) -> bool:
        """Nothing better can be found."""
        return self.solution is not None and self.objective <= self.bound + 1e-6
