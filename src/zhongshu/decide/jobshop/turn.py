"""CP-SAT's turn on a small flexible shop: for a part of the time workers stand aside for a solver that also proves.

Tabu search comes within a percent of such shops' optimum at once and then seldom closes it; CP-SAT, given that schedule,
often does within seconds (la38-rdata: 961 → 954, proved, in 3 s on one worker).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

#: Shops with more modes than this take CP-SAT longer to read than it has; up to ``MODES_FEW`` all workers stand aside for
#: it, otherwise one does.
MODES_MOST, MODES_FEW = 2_000, 500
#: Of the limit, the turn lasts from the first share to the second, or the third where all stand aside; below the least
#: limit it does not pay.
BEGIN, END, END_ALL = 0.2, 0.7, 0.9
LEAST_S = 4.0
#: A hint lets a short turn begin where tabu search stands; a longer one of all workers gets further on its own: on seti5x
#: (proved in 25 s) with three seeds of three, with the hint one of three.
HINTED_S = 12.0


@dataclass(frozen=True, slots=True)
class Turn:
    """When it begins and ends, in seconds of the monotonic clock, and for how many ``workers``."""

    problem: Problem
    begin_s: float
    end_s: float
    workers: int
    seed: int

    def run(
        self,
        hint: Callable[[], Solution],
        better: Callable[[Solution], None],
        aside: threading.Event,
        over: threading.Event,
    ) -> None:
        """In a thread of its own. ``aside`` is set while the turn lasts; ``over`` ends it, and is set by it where the
        best is proved."""
        if over.wait(max(0.0, self.begin_s - monotonic_s())):
            return
        from zhongshu.decide.scheduling.cp.solve import solve_cp  # OR-tools takes a second to import

        seconds = self.end_s - monotonic_s()
        hinted = self.workers == 1 or seconds < HINTED_S
        aside.set()
        try:
            result = solve_cp(
                self.problem,
                seconds=seconds,
                workers=self.workers,
                seed=self.seed,
                hint=hint() if hinted else None,
                on_better=lambda solution, _: better(solution),
                stop=over,
            )
        finally:
            aside.clear()
        if result.status == "optimal" and result.solution is not None:
            better(result.solution)
            over.set()


def turn_of(problem: Problem, began_s: float, seconds: float, workers: int, seed: int) -> Turn | None:
    """None where a turn would not pay, or where there is nobody to stand aside."""
    modes = sum(len(task.modes) for task in problem.tasks)
    if workers < 2 or seconds < LEAST_S or not len(problem.tasks) < modes <= MODES_MOST:
        return None
    aside, end = (workers, END_ALL) if modes <= MODES_FEW else (1, END)
    return Turn(problem, began_s + BEGIN * seconds, began_s + end * seconds, aside, seed)
