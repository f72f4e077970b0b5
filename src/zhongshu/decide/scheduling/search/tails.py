"""How long it takes at the least from the start of a task to the end of all that depends on it."""

from __future__ import annotations

import numpy as np

from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints


def tails(arrays: dict[int, Ints]) -> Ints:
    """Ticks per task: its shortest mode, then the longest way on, a usual drive for each move."""
    pointers, duration = arrays[at.MODE_PTR], arrays[at.MODE_DURATION]
    count = len(pointers) - 1
    shortest = np.array(
        [duration[pointers[t] : pointers[t + 1]].min(initial=2**40) for t in range(count)], np.int64
    )
    travel = arrays[at.TRAVEL]
    drive = int(np.median(travel[travel > 0])) if (travel > 0).any() else 0
    before, after = arrays[at.BEFORE].tolist(), arrays[at.AFTER].tolist()
    steps = np.where(arrays[at.OVERLAP] >= 0, 0, shortest[before] if count else 0) + arrays[at.LAG_MIN]
    steps = (steps + np.where(arrays[at.MOVES] > 0, drive, 0)).tolist()
    into: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for arc, (start, end) in enumerate(zip(before, after, strict=True)):
        if start >= 0:
            into[end].append(arc)
            waiting[start] += 1
    tail, ready = shortest.tolist(), [t for t in range(count) if not waiting[t]]
    while ready:
        task = ready.pop()
        for arc in into[task]:
            start = before[arc]
            tail[start] = max(tail[start], tail[task] + steps[arc])
            waiting[start] -= 1
            if not waiting[start]:
                ready.append(start)
    return np.array(tail, np.int64)
