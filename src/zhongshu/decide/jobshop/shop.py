"""A plain problem as arrays for the kernels, and the way back from machine orders to a solution."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zhongshu.decide.jobshop.compiled import Indexes, Ints
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Placed, Solution


class Shop(NamedTuple):
    """What never changes. Task n is nobody: no duration, no neighbours; it stands at both ends of every chain.

    ``before``/``after``: a task's neighbours in its job (n + 1 each). Task t's modes are ``first[t]`` to ``first[t + 1]``
    in ``unit`` and ``ticks`` (all modes of all tasks). ``job`` of each task; ``heads``: each job's first task.
    ``units``: how many machines there are.
    """

    before: Indexes
    after: Indexes
    first: Indexes
    unit: Indexes
    ticks: Ints
    job: Indexes
    heads: Indexes
    units: int

    @property
    def tasks(self) -> int:
        """How many there are."""
        return len(self.before) - 1

    @property
    def flexible(self) -> bool:
        """Whether any task can choose."""
        return len(self.unit) > self.tasks


class Found(NamedTuple):
    """A schedule as a kernel leaves it: the tasks in an order that respects all arcs, and each one's mode."""

    order: Indexes
    mode: Indexes
    makespan: int


def shop_of(problem: Problem) -> Shop:
    """The arrays of a plain problem."""
    n = len(problem.tasks)
    before, after = np.full(n + 1, n, np.int32), np.full(n + 1, n, np.int32)
    for arc in problem.arcs:
        before[arc.after], after[arc.before] = arc.before, arc.after
    modes = [mode for task in problem.tasks for mode in task.modes]
    counts = [len(task.modes) for task in problem.tasks]
    return Shop(
        before=before,
        after=after,
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        unit=np.array([mode.unit for mode in modes], np.int32),
        ticks=np.array([mode.duration for mode in modes], np.int64),
        job=np.array([task.job for task in problem.tasks], np.int32),
        heads=np.array([tasks[0] for tasks in problem.tasks_of if tasks], np.int32),
        units=len(problem.units),
    )


def solution_of(shop: Shop, found: Found) -> Solution:
    """Every task as early as the order on its machine and in its job allows."""
    ends = [0] * (shop.tasks + 1)
    free = [0] * shop.units
    placed: list[Placed | None] = [None] * shop.tasks
    before, first = shop.before.tolist(), shop.first.tolist()
    unit, ticks, mode = shop.unit.tolist(), shop.ticks.tolist(), found.mode.tolist()
    for task in found.order.tolist():
        chosen = first[task] + mode[task]
        start = max(ends[before[task]], free[unit[chosen]])
        ends[task] = free[unit[chosen]] = start + ticks[chosen]
        placed[task] = Placed(task, mode[task], start, ends[task], ends[task])
    return Solution(tuple(p for p in placed if p is not None))
