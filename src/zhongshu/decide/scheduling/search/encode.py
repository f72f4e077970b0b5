"""From a solution back to genes: the plan in force, or one that CP-SAT improved, becomes a list that the search goes on from."""

from __future__ import annotations

import numpy as np

from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.solution import Solution


def genes_of(memory: Memory, solution: Solution, fetch: bool = False) -> Ints:
    """Tasks by their starts, units and batches as they are. Leaves the genes in the memory as well."""
    memory.reset_genes()
    block = memory.block
    starts = np.array([p.start for p in solution.placed], np.int64)
    ends = np.array([p.end for p in solution.placed], np.int64)
    memory.set_order(np.lexsort((block(at.PLACE), ends, starts)).astype(np.int64))
    block(at.MODE)[:] = [p.mode for p in solution.placed]
    mates, units = block(at.MATE), block(at.MODE_UNIT)[block(at.MODE_PTR)[:-1] + block(at.MODE)]
    together: dict[tuple[int, int], list[int]] = {}
    for placed in solution.placed:
        if placed.batch >= 0:
            together.setdefault((int(units[placed.task]), placed.batch), []).append(placed.task)
    for tasks in together.values():
        for task, following in zip(tasks, [*tasks[1:], tasks[0]], strict=True):
            mates[task] = following
    block(at.SETTINGS)[0] = fetch
    return memory.genes.copy()
