"""One order's tasks taken out of a plan's list and put in elsewhere: how soon can it be done, and at what price for others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.bounds import earliest_ends
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.kernel.clock import monotonic_s

#: Places that are tried at first, evenly over the plan; then the gap before the best is halved so often.
PLACES, HALVINGS = 8, 5


class Inserted(NamedTuple):
    """The list with the order in its best place, the state it decodes to, and the cost in thousandths."""

    cost: int
    genes: Ints
    state: Ints


class Insertion:
    """``genes``: the plan's list; ``tasks``: whose place is sought, each on any unit that can do it."""

    def __init__(self, problem: Problem, memory: Memory, genes: Ints, tasks: Sequence[int]) -> None:
        self._memory, self._genes = memory, genes
        mine = set(tasks)
        memory.genes[:] = genes
        order, mates = memory.block(at.ORDER).tolist(), memory.block(at.MATE)
        ends = earliest_ends(problem)
        shortest = {t: min(m.duration for m in problem.tasks[t].modes) for t in mine}
        self._tasks = sorted(mine, key=lambda t: (ends[t], t))
        self._heads = [max(0, ends[t] - shortest[t]) for t in self._tasks]
        self._others = [t for t in order if t not in mine]
        self._alone = [t for t in self._tasks if not memory.block(at.STUCK)[t]]
        # Whoever shared an oven with a task of the order goes on without it.
        self._mates = mates.copy()
        for task in self._tasks:
            if not memory.block(at.STARTED)[task]:
                before = int(np.flatnonzero(self._mates == task)[0])
                self._mates[before], self._mates[task] = self._mates[task], task

    def last(self) -> Inserted | None:
        """Behind everything else: nobody is in its way, and it in nobody's."""
        return self._decoded([*self._others, *self._tasks])

    def best(self, starts: Ints, seconds: float, tried: Sequence[Inserted] = ()) -> Inserted | None:
        """The cheapest place found; ``starts``: of all tasks as they lie now."""
        until_s, found = monotonic_s() + seconds, list(tried)
        horizon = int(starts[self._others].max(initial=0)) + 1
        step = max(1, horizon // PLACES)
        costs: dict[int, int] = {}

        def look(tick: int) -> int:
            if tick not in costs:
                made = self._decoded(self._placed(starts, tick)) if monotonic_s() < until_s else None
                costs[tick] = made.cost if made is not None else IMPOSSIBLE
                if made is not None:
                    found.append(made)
            return costs[tick]

        for k in range(PLACES):
            look(k * step)
        for _ in range(HALVINGS):
            centre = min(costs, key=lambda tick: (costs[tick], tick))
            step = max(1, step // 2)
            look(max(0, centre - step))
            look(centre + step)
        return min(found, key=lambda made: made.cost) if found else None

    def _placed(self, starts: Ints, tick: int) -> list[int]:
        """Each task before the first other one that begins later than it could if the order begins at ``tick``."""
        begun = np.maximum.accumulate(starts[self._others])
        places = np.searchsorted(begun, [tick + head for head in self._heads])
        return [int(t) for t in np.insert(np.array(self._others, np.int64), places, self._tasks)]

    def _decoded(self, order: Sequence[int]) -> Inserted | None:
        memory = self._memory
        memory.genes[:] = self._genes
        memory.block(at.MATE)[:] = self._mates
        memory.block(at.FIXED)[:] = 1
        memory.block(at.FIXED)[self._alone] = 0
        memory.set_order(np.array(order, np.int64))
        memory.block(at.SETTINGS)[1] = 1
        memory.clear()
        begin(memory.d)
        cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
        memory.block(at.SETTINGS)[1] = 0
        if cost >= IMPOSSIBLE:
            return None
        return Inserted(cost, memory.genes.copy(), memory.state.copy())
