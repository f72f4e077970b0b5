"""One schedule as a graph: machine chains, heads, tails and a topological order, kept right through every move.

A plan is two arrays, because a kernel that is handed a dozen pays for each of them at every call. Task n is nobody: no
duration, no neighbours; it stands at both ends of every chain.
"""

from __future__ import annotations

import numpy as np

from zhongshu.decide.jobshop.compiled import Indexes, Ints, compiled
from zhongshu.decide.jobshop.shop import Found, Shop

#: Rows of ``link``, n + 1 columns or more: neighbours in the job and on the machine; a topological order and each task's
#: place in it; its unit and its mode; each machine's first task; the first tasks of the jobs; room for ``reorder``.
BEFORE, AFTER, PREV, NEXT, TOPO, POS, UNIT, MODE, OPENER, HEADS, LATE, SPARE = range(12)
#: Rows of ``time``: duration; earliest start; longest way from a task's start to the end of all.
TICKS, HEAD, TAIL = range(3)


def empty_plan(shop: Shop) -> tuple[Indexes, Ints]:
    """Room for one schedule: ``link`` and ``time``."""
    n = shop.tasks
    link = np.full((12, max(n, shop.units) + 1), n, np.int32)
    link[BEFORE, : n + 1] = shop.before
    link[AFTER, : n + 1] = shop.after
    link[HEADS, : len(shop.heads)] = shop.heads
    link[LATE] = 0
    return link, np.zeros((3, n + 1), np.int64)


@compiled
def load(
    link: Indexes, time: Ints, first: Indexes, unit: Indexes, ticks: Ints, order: Indexes, mode: Indexes
) -> int:
    """Make the plan the schedule with this order and these modes; its makespan."""
    n = order.size
    for at in range(link.shape[1]):
        link[OPENER, at] = n
        link[SPARE, at] = n
    for place in range(n):
        task = order[place]
        chosen = first[task] + mode[task]
        at = unit[chosen]
        link[MODE, task] = mode[task]
        link[TOPO, place] = task
        link[POS, task] = place
        link[UNIT, task] = at
        time[TICKS, task] = ticks[chosen]
        link[PREV, task] = link[SPARE, at]
        link[NEXT, task] = n
        if link[SPARE, at] == n:
            link[OPENER, at] = task
        else:
            link[NEXT, link[SPARE, at]] = task
        link[SPARE, at] = task
    scan_heads(link, time, 0)
    scan_tails(link, time, n - 1)
    return span(link, time)


@compiled
def scan_heads(link: Indexes, time: Ints, start: int) -> None:
    """Heads from this place of the topological order on."""
    for place in range(start, time.shape[1] - 1):
        task = link[TOPO, place]
        one, two = link[BEFORE, task], link[PREV, task]
        time[HEAD, task] = max(time[HEAD, one] + time[TICKS, one], time[HEAD, two] + time[TICKS, two])


@compiled
def scan_tails(link: Indexes, time: Ints, start: int) -> None:
    """Tails from this place of the topological order back."""
    for place in range(start, -1, -1):
        task = link[TOPO, place]
        rest = max(time[TAIL, link[AFTER, task]], time[TAIL, link[NEXT, task]])
        time[TAIL, task] = time[TICKS, task] + rest


@compiled
def span(link: Indexes, time: Ints) -> int:
    """The makespan: the longest tail among the first tasks of the jobs."""
    n = time.shape[1] - 1
    longest = 0
    for row in range(n):
        task = link[HEADS, row]
        if task == n:
            break
        longest = max(longest, time[TAIL, task])
    return longest


@compiled
def unlink(link: Indexes, task: int, nobody: int) -> None:
    """Take a task out of its machine's chain."""
    left, right = link[PREV, task], link[NEXT, task]
    if left == nobody:
        link[OPENER, link[UNIT, task]] = right
    else:
        link[NEXT, left] = right
    if right != nobody:
        link[PREV, right] = left


@compiled
def insert(link: Indexes, task: int, left: int, right: int, nobody: int) -> None:
    """Put a task between two neighbours of its machine's chain."""
    link[PREV, task] = left
    link[NEXT, task] = right
    if left == nobody:
        link[OPENER, link[UNIT, task]] = task
    else:
        link[NEXT, left] = task
    if right != nobody:
        link[PREV, right] = task


@compiled
def relocate(link: Indexes, time: Ints, task: int, left: int, right: int) -> int:
    """Put an unlinked task between two neighbours; order, heads and tails follow; the makespan.

    Its unit and ticks are set before; the move must not close a cycle.
    """
    nobody = time.shape[1] - 1
    was = link[POS, task]
    low, high = -1, nobody
    if left != nobody:
        low = link[POS, left]
    if link[BEFORE, task] != nobody:
        low = max(low, link[POS, link[BEFORE, task]])
    if right != nobody:
        high = link[POS, right]
    if link[AFTER, task] != nobody:
        high = min(high, link[POS, link[AFTER, task]])
    if low < high:
        first, last = _slide(link, task, was, low, high)
    else:
        first, last = min(was, high), max(was, low)
        _mark_late(link, task, right, low, high, nobody)
        _partition(link, task, first, low, last)
    insert(link, task, left, right, nobody)
    scan_heads(link, time, first)
    scan_tails(link, time, last)
    return span(link, time)


@compiled
def _slide(link: Indexes, task: int, was: int, low: int, high: int) -> tuple[int, int]:
    """There is room between low and high: the task goes there, what it passes moves by one; the range that changed."""
    if was < low:
        for place in range(was, low):
            link[TOPO, place] = link[TOPO, place + 1]
            link[POS, link[TOPO, place]] = place
        now = low
    elif was > high:
        for place in range(was, high, -1):
            link[TOPO, place] = link[TOPO, place - 1]
            link[POS, link[TOPO, place]] = place
        now = high
    else:
        now = was
    link[TOPO, now] = task
    link[POS, task] = now
    return min(was, now), max(was, now)


@compiled
def _mark_late(link: Indexes, task: int, right: int, low: int, high: int, nobody: int) -> None:
    """Mark whatever between high and low has to come after the task's successors."""
    follower = link[AFTER, task]
    if right != nobody and link[POS, right] <= low:
        link[LATE, right] = 1
    if follower != nobody and link[POS, follower] <= low:
        link[LATE, follower] = 1
    for place in range(high, low + 1):
        one = link[TOPO, place]
        if one != task and (link[LATE, link[BEFORE, one]] != 0 or link[LATE, link[PREV, one]] != 0):
            link[LATE, one] = 1


@compiled
def _partition(link: Indexes, task: int, first: int, low: int, last: int) -> None:
    """Within [first, last]: what is not late, the task, what is late, and what lay behind low as it was."""
    write, late = first, 0
    for place in range(first, low + 1):
        one = link[TOPO, place]
        if one == task:
            continue
        if link[LATE, one] != 0:
            link[LATE, one] = 0
            link[SPARE, late] = one
            late += 1
        else:
            link[TOPO, write] = one
            link[POS, one] = write
            write += 1
    for place in range(last, low + 1, -1):
        link[TOPO, place] = link[TOPO, place - 1]
        link[POS, link[TOPO, place]] = place
    link[TOPO, write] = task
    link[POS, task] = write
    for index in range(late):
        one = link[SPARE, index]
        link[TOPO, write + 1 + index] = one
        link[POS, one] = write + 1 + index


def found_of(link: Indexes, makespan: int, tasks: int) -> Found:
    """A copy of the plan's schedule."""
    return Found(link[TOPO, :tasks].copy(), link[MODE, :tasks].copy(), makespan)
