"""How long things still take after a task: about, for the rules; at the least, to give up poor schedules early."""

from __future__ import annotations

import itertools

import numpy as np

from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints


def tails(arrays: dict[int, Ints]) -> Ints:
    """Ticks per task: its shortest mode, then the longest way on, a usual drive for each move."""
    shortest = _shortest(arrays)
    count = len(shortest)
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
    job, started = arrays[at.JOB].tolist(), arrays[at.STARTED].tolist()
    shortest, count = _shortest(arrays).tolist(), len(job)
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


def _shortest(arrays: dict[int, Ints]) -> Ints:
    """Per task the ticks of its fastest mode; a valid problem has no task without one."""
    starts = arrays[at.MODE_PTR][:-1]
    made: Ints = np.minimum.reduceat(arrays[at.MODE_DURATION], starts) if len(starts) else starts
    return made


def _shortest_drives(arrays: dict[int, Ints]) -> list[int]:
    """Per arc the least a vehicle needs between any two units of its tasks."""
    pointers, units, station = (arrays[b] for b in (at.MODE_PTR, at.MODE_UNIT, at.STATION))
    size = int(np.sqrt(len(arrays[at.TRAVEL])))
    travel = arrays[at.TRAVEL].reshape(size, size)
    seen: dict[bytes, Ints] = {}  # many tasks have the same units
    places = []
    for a, b in itertools.pairwise(pointers.tolist()):
        able = units[a:b]
        key = able.tobytes()
        if key not in seen:
            seen[key] = np.unique(station[able])
        places.append(seen[key])
    known: dict[tuple[int, int], int] = {}
    drives = []
    for before, after, moves in zip(
        *(arrays[b].tolist() for b in (at.BEFORE, at.AFTER, at.MOVES)), strict=True
    ):
        if before < 0 or not moves:
            drives.append(0)
            continue
        since, to = places[before], places[after]
        ends = (id(since), id(to))
        if ends not in known:
            apart = len(since) and len(to) and not np.intersect1d(since, to).size
            known[ends] = int(travel[np.ix_(since, to)].min()) if apart else 0
        drives.append(known[ends])
    return drives
