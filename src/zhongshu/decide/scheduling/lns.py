"""Large-neighbourhood search: takes the best plan of all searches, lets CP-SAT plan a part of it anew, hands in what is better."""

from __future__ import annotations

from random import Random

from zhongshu.decide.scheduling.cp.incumbent import Incumbent as Indexed
from zhongshu.decide.scheduling.cp.neighbourhoods import choose
from zhongshu.decide.scheduling.cp.window import improve
from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.kernel.clock import monotonic_s

#: Tasks in a window: at the beginning, at the least, at the most.
SIZE, SIZE_MIN, SIZE_MAX = 16, 6, 60
#: Seconds for one window at the most.
WINDOW_S = 0.5


class Windows:
    """One worker's windows; ``turn`` is called between two stretches of its local search."""

    def __init__(self, problem: Problem, incumbent: Incumbent, seed: int) -> None:
        self._problem, self._incumbent, self._random = problem, incumbent, Random(seed)
        self._indexed: Indexed | None = None
        self._size = float(SIZE)

    def turn(self, left_s: float) -> bool:
        """Plan one window anew; True when the plan became better. ``left_s``: seconds left to the whole search."""
        plan = self._plan()
        seconds = min(WINDOW_S, left_s)
        if plan is None or seconds <= 0:
            return False
        free = choose(plan, self._random, round(self._size))
        if not free:
            return False
        began_s = monotonic_s()
        better = improve(self._problem, plan, free, seconds=seconds, seed=self._random.randrange(1 << 30))
        # Windows that are searched through at once may be larger, those that run out of time were too large.
        grow = 1.05 if monotonic_s() - began_s < seconds / 3 else 0.9
        self._size = min(SIZE_MAX, max(SIZE_MIN, self._size * grow))
        return better is not None and self._incumbent.offer(better, "CP-SAT windows")

    def _plan(self) -> Indexed | None:
        solution = self._incumbent.solution
        if solution is not None and (self._indexed is None or self._indexed.solution is not solution):
            self._indexed = Indexed(self._problem, solution)
        return self._indexed
