"""From a decoded schedule back to a solution in plain values."""

from __future__ import annotations

from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


def solution_of(memory: Memory) -> Solution:
    """The solution that the memory holds; every task is placed."""
    block, first = memory.block, _first_of_batch(memory)
    starts, ends, lefts, modes = (block(b).tolist() for b in (at.START, at.END, at.LEFT, at.MODE))
    pointers, units, capacity = (block(b) for b in (at.MODE_PTR, at.MODE_UNIT, at.CAPACITY))
    ovens = (capacity[units[pointers[:-1] + block(at.MODE)]] > 0).tolist() if modes else []
    placed = tuple(
        Placed(t, modes[t], starts[t], ends[t], lefts[t], first[t] if ovens[t] else -1)
        for t in range(len(modes))
    )
    pickups, drops, vehicles = (block(b).tolist() for b in (at.PICKUP, at.DROP, at.VEHICLE))
    wanted = (block(at.MOVES) > 0) & (block(at.STARTED)[block(at.AFTER)] == 0)
    moved = {arc: Moved(arc, vehicles[arc], pickups[arc], drops[arc]) for arc in wanted.nonzero()[0].tolist()}
    return Solution(placed, moved)


def _first_of_batch(memory: Memory) -> list[int]:
    """For each task the lowest task of its batch: a number for the batch."""
    mates = memory.block(at.MATE).tolist()
    first = list(range(len(mates)))
    for task, mate in enumerate(mates):
        while mate != task:
            first[mate] = min(first[mate], task)
            mate = mates[mate]
    return first
