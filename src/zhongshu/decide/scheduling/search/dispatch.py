"""Dispatching rules: at every step the unit that can begin first takes, of what can begin there, what the rule prefers.

Rules and their names as in Pinedo, *Scheduling*, ch. 14; ATCS: Lee, Bhaskaran & Pinedo 1997; MDD: Baker & Bertrand 1982.
"""

from __future__ import annotations

import math
from typing import Any

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.choose import arrival, choose_mode
from zhongshu.decide.scheduling.search.closure import place_all
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin_at, finish_all
from zhongshu.decide.scheduling.search.flat import address

RULES = ("FIFO", "EDD", "ODD", "MST", "CR", "SPT", "WSPT", "ATC", "ATCS", "MDD", "MWKR", "SETUP-ODD")
FIFO, EDD, ODD, MST, CR, SPT, WSPT, ATC, ATCS, MDD, MWKR, SETUP_ODD = range(12)


@kernel
def dispatch(array: Any, urgent: Any) -> int:
    """Build a whole schedule; returns its cost. HOW: rule, window (ticks that may be waited for a task the rule
    prefers), patience (ticks an oven may wait for another lot), scale of ATC in tenths, mean duration.

    The state is empty before, MISSING holds how many predecessors each task has; ``urgent`` tasks are placed first. The
    order in which tasks were placed is in LOG.
    """
    d = address(array)
    begin_at(d)
    for task in urgent:
        if not place_all(d, task):
            return IMPOSSIBLE
    count, seen = (0, 0)
    for task in range(d[at.TASKS]):
        d[d[at.ASIDE] + task] = 0
        if d[d[at.MISSING] + task] == 0 and (not d[d[at.DONE] + task]):
            d[d[at.ABLE] + count] = task
            count += 1
    while d[d[at.COUNT_PLACED]] < d[at.TASKS]:
        count = refresh(d, count, seen)
        seen = d[d[at.COUNT_PLACED]]
        chosen = select(d, count)
        if chosen < 0:
            return IMPOSSIBLE
        group(d, count, chosen, d[d[at.HOW] + 2])
        if not place_all(d, chosen):
            part(d, chosen)
            if not place_all(d, chosen):
                d[d[at.ASIDE] + chosen] = 1
                continue
        if d[d[at.COUNT_PLACED]] > seen:
            for k in range(count):
                d[d[at.ASIDE] + d[d[at.ABLE] + k]] = 0
    return finish_all(d)


@kernel
def refresh(d: at.Flat, count: int, seen: int) -> int:
    """Drop what was placed, add what it made possible."""
    for k in range(seen, d[d[at.COUNT_PLACED]]):
        task = d[d[at.LOG] + k]
        for n in range(d[d[at.OUT_PTR] + task], d[d[at.OUT_PTR] + (task + 1)]):
            after = d[d[at.AFTER] + d[d[at.OUT_ARC] + n]]
            d[d[at.MISSING] + after] -= 1
            if d[d[at.MISSING] + after] == 0:
                d[d[at.ABLE] + count] = after
                count += 1
    kept = 0
    for k in range(count):
        if not d[d[at.DONE] + d[d[at.ABLE] + k]]:
            d[d[at.ABLE] + kept] = d[d[at.ABLE] + k]
            kept += 1
    return kept


@kernel
def select(d: at.Flat, count: int) -> int:
    """The task to place next, -1 when nothing can be."""
    first, unit = (NEVER, -1)
    for k in range(count):
        task = d[d[at.ABLE] + k]
        if d[d[at.ASIDE] + task]:
            continue
        start, _, _ = choose_mode(d, task)
        if start < first:
            first, unit = (start, d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task])])
    if unit < 0:
        return -1
    best, best_value = (-1, 1e300)
    for k in range(count):
        task = d[d[at.ABLE] + k]
        mode = d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task]
        if d[d[at.ASIDE] + task] or d[d[at.MODE_UNIT] + mode] != unit:
            continue
        start, end, setup = choose_mode(d, task)
        if (
            d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task])] != unit
            or start > first + d[d[at.HOW] + 1]
        ):
            continue
        value = preference(d, task, first, start, end, setup)
        if value < best_value:
            best, best_value = (task, value)
    return best


@kernel
def preference(d: at.Flat, task: int, now: int, start: int, end: int, setup: int) -> float:
    """What the rule makes of a task: smaller goes first."""
    job, duration, rule = (d[d[at.JOB] + task], max(1, end - start), d[d[at.HOW] + 0])
    due, weight = (d[d[at.DUE] + job], max(1, d[d[at.WEIGHT] + job]))
    slack = due - now - d[d[at.REMAINING] + task]
    if rule == FIFO:
        return float(start)
    if rule == EDD:
        return due - weight * 0.001
    if rule == ODD:
        return float(d[d[at.WANTED] + task])
    if rule == MST:
        return slack / weight if slack > 0 else float(slack * weight)
    if rule == CR:
        return (due - now) / max(1, d[d[at.REMAINING] + task])
    if rule == SPT:
        return float(duration)
    if rule == WSPT:
        return duration / weight
    if rule == MDD:
        return float(max(now + d[d[at.REMAINING] + task], due))
    if rule == MWKR:
        return float(-d[d[at.REMAINING] + task])
    if rule == SETUP_ODD:
        return float(due - d[d[at.REMAINING] + task] + setup * 20)
    urgent = (
        math.exp(-max(0.0, float(slack)) / (d[d[at.HOW] + 3] * 0.1 * d[d[at.HOW] + 4]))
        * weight
        / (duration + setup)
    )
    if rule == ATCS:
        urgent *= math.exp(-setup / (0.5 * d[d[at.HOW] + 4]))
    return -urgent


@kernel
def group(d: at.Flat, count: int, task: int, patience: int) -> None:
    """Let others share the oven batch of the task, or of the task behind it that can't wait (maximum lag)."""
    oven = oven_task(d, task)
    if oven < 0 or d[d[at.MATE] + oven] != oven or d[d[at.STARTED] + oven]:
        return
    choose_mode(d, oven)
    unit = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + oven] + d[d[at.MODE] + oven])]
    room, latest = (d[d[at.CAPACITY] + unit] - d[d[at.SIZE] + oven], arrival(d, task, unit) + patience)
    for k in range(count):
        other = d[d[at.ABLE] + k]
        if other == task or room <= 0 or d[d[at.ASIDE] + other]:
            continue
        mate = oven_task(d, other)
        if mate < 0 or mate == oven or (mate == other) != (oven == task) or (d[d[at.MATE] + mate] != mate):
            continue
        if (
            d[d[at.FAMILY] + mate] != d[d[at.FAMILY] + oven]
            or d[d[at.SIZE] + mate] > room
            or d[d[at.PIN_START] + mate] > -NEVER
        ):
            continue
        mode = mode_on(d, mate, unit)
        if (
            mode < 0
            or (d[d[at.FIXED] + mate] and d[d[at.MODE] + mate] != mode)
            or arrival(d, other, unit) > latest
        ):
            continue
        d[d[at.MODE] + mate] = mode
        d[d[at.MATE] + mate] = d[d[at.MATE] + oven]
        d[d[at.MATE] + oven] = mate
        room -= d[d[at.SIZE] + mate]


@kernel
def oven_task(d: at.Flat, task: int) -> int:
    """The task itself if it goes into an oven, else the one behind it that goes there and may wait only so long."""
    if d[d[at.CAPACITY] + d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + task]]] > 0:
        return task
    for n in range(d[d[at.OUT_PTR] + task], d[d[at.OUT_PTR] + (task + 1)]):
        arc = d[d[at.OUT_ARC] + n]
        after = d[d[at.AFTER] + arc]
        if (
            d[d[at.LAG_MAX] + arc] < NEVER
            and (not d[d[at.DONE] + after])
            and (d[d[at.CAPACITY] + d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + after]]] > 0)
        ):
            return after
    return -1


@kernel
def mode_on(d: at.Flat, task: int, unit: int) -> int:
    """The task's mode on that unit, -1 for none."""
    for mode in range(d[d[at.MODE_PTR] + task], d[d[at.MODE_PTR] + (task + 1)]):
        if d[d[at.MODE_UNIT] + mode] == unit:
            return mode - d[d[at.MODE_PTR] + task]
    return -1


@kernel
def part(d: at.Flat, task: int) -> None:
    """Take a batch apart that could not be placed as a whole."""
    oven = oven_task(d, task)
    if oven < 0 or d[d[at.DONE] + oven]:
        return
    mate = d[d[at.MATE] + oven]
    while mate != oven:
        following = d[d[at.MATE] + mate]
        d[d[at.MATE] + mate] = mate
        mate = following
    d[d[at.MATE] + oven] = oven
