"""How long things still take after a task: about, for the rules; at the least, to give up poor schedules early."""

from __future__ import annotations

import itertools

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


def afterwards(arrays: dict[int, Ints]) -> Ints:
    """Ticks per task that pass at the least from its end to the end of its order, whatever the plan."""
    pointers, job = arrays[at.MODE_PTR].tolist(), arrays[at.JOB].tolist()
    started, count = arrays[at.STARTED].tolist(), len(job)
    shortest = [
        int(arrays[at.MODE_DURATION][pointers[t] : pointers[t + 1]].min(initial=2**40)) for t in range(count)
    ]
    drives = _shortest_drives(arrays)
    into: list[list[int]] = [[] for _ in range(count)]
    waiting, least = [0] * count, [0] * count
    arcs = list(
        zip(*(arrays[b].tolist() for b in (at.BEFORE, at.AFTER, at.LAG_MIN, at.OVERLAP)), strict=True)
    )
    for arc, (before, after, _, _) in enumerate(arcs):
        if before >= 0:
            into[after].append(arc)
            waiting[before] += 1
    ready = [t for t in range(count) if not waiting[t]]
    while ready:
        task = ready.pop()
        for arc in into[task]:
            before, _, lag, overlap = arcs[arc]
            if not started[task] and job[before] == job[task]:
                step = overlap if overlap >= 0 else max(lag, drives[arc]) + shortest[task]
                least[before] = max(least[before], step + least[task])
            waiting[before] -= 1
            if not waiting[before]:
                ready.append(before)
    return np.array(least, np.int64)


def _shortest_drives(arrays: dict[int, Ints]) -> list[int]:
    """Per arc the least a vehicle needs between any two units of its tasks."""
    pointers, units, station = (arrays[b] for b in (at.MODE_PTR, at.MODE_UNIT, at.STATION))
    size = int(np.sqrt(len(arrays[at.TRAVEL])))
    travel = arrays[at.TRAVEL].reshape(size, size)
    places = [np.unique(station[units[a:b]]) for a, b in itertools.pairwise(pointers.tolist())]
    known: dict[tuple[bytes, bytes], int] = {}
    drives = []
    for before, after, moves in zip(
        *(arrays[b].tolist() for b in (at.BEFORE, at.AFTER, at.MOVES)), strict=True
    ):
        if before < 0 or not moves:
            drives.append(0)
            continue
        since, to = places[before], places[after]
        key = (since.tobytes(), to.tobytes())
        if key not in known:
            apart = len(since) and len(to) and not np.intersect1d(since, to).size
            known[key] = int(travel[np.ix_(since, to)].min()) if apart else 0
        drives.append(known[key])
    return drives
