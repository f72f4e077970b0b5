"""While dispatching, which of a task's modes ends it first as things stand."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.hours import after_open, fit


@kernel
def free_from(d: at.Flat, unit: int, family: int) -> tuple[int, int]:
    """(when the unit could start a task of this family, ticks of set-up before it), blocking left aside."""
    last, free, came_from = (
        d[d[at.LAST] + unit],
        max(0, d[d[at.UNIT_READY] + unit]),
        d[d[at.UNIT_FAMILY] + unit],
    )
    if last >= 0:
        free, came_from = (max(free, d[d[at.END] + last], d[d[at.LEFT] + last]), d[d[at.FAMILY] + last])
    k, setup = (d[d[at.UNIT_SETUPS] + unit], 0)
    if k >= 0 and came_from >= 0:
        setup = d[d[at.SETUP] + (d[d[at.SETUP_PTR] + k] + came_from * d[d[at.SETUP_WIDTH] + k] + family)]
    return (after_open(d, unit, free, setup), setup)


@kernel
def arrival(d: at.Flat, task: int, unit: int) -> int:
    """When all that the task needs could be at the unit, if a vehicle stood ready."""
    ready = max(0, d[d[at.RELEASE] + d[d[at.JOB] + task]])
    for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + (task + 1)]):
        arc = d[d[at.IN_ARC] + k]
        before = d[d[at.BEFORE] + arc]
        if before >= 0 and (not d[d[at.DONE] + before]):
            continue
        if before < 0:
            tick, start = (d[d[at.ARC_READY] + arc] + d[d[at.LAG_MIN] + arc], d[d[at.ORIGIN] + arc])
        else:
            tick = (d[d[at.START] + before] if d[d[at.OVERLAP] + arc] >= 0 else d[d[at.END] + before]) + d[
                d[at.LAG_MIN] + arc
            ]
            start = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + before] + d[d[at.MODE] + before])]
        if d[d[at.MOVES] + arc]:
            if d[d[at.DROP] + arc] != at.UNKNOWN:
                tick = max(tick, d[d[at.DROP] + arc])
            elif d[d[at.STATION] + start] != d[d[at.STATION] + unit]:
                tick += d[d[at.TRAVEL] + d[d[at.STATION] + start] * d[at.STATIONS] + d[d[at.STATION] + unit]]
        ready = max(ready, tick)
    return ready


@kernel
def choose_mode(d: at.Flat, task: int) -> tuple[int, int, int]:
    """(start, end, set-up) expected of the best mode, which is written into the genes unless it is fixed."""
    best_start, best_end, best_setup, best = (NEVER, NEVER, 0, d[d[at.MODE] + task])
    first, stop = (d[d[at.MODE_PTR] + task], d[d[at.MODE_PTR] + (task + 1)])
    if d[d[at.FIXED] + task]:
        first, stop = (first + d[d[at.MODE] + task], first + d[d[at.MODE] + task] + 1)
    for mode in range(first, stop):
        unit = d[d[at.MODE_UNIT] + mode]
        if d[d[at.PIN_UNIT] + task] >= 0 and d[d[at.PIN_UNIT] + task] != unit:
            continue
        free, setup = free_from(d, unit, d[d[at.FAMILY] + task])
        tick = max(free, arrival(d, task, unit), d[d[at.PIN_START] + task])
        start, end = fit(d, unit, tick, d[d[at.MODE_DURATION] + mode], d[d[at.INTERRUPTIBLE] + task])
        if end < best_end or (end == best_end and setup < best_setup):
            best_start, best_end, best_setup, best = (start, end, setup, mode - d[d[at.MODE_PTR] + task])
    d[d[at.MODE] + task] = best
    return (best_start, best_end, best_setup)
