"""A critical path drawn at random out of a plan, and what a move along one of its blocks would lead to."""

from __future__ import annotations

from zhongshu.decide.jobshop.compiled import Indexes, Ints, Words, compiled, draw
from zhongshu.decide.jobshop.plan import AFTER, BEFORE, HEAD, HEADS, NEXT, POS, PREV, TAIL, TICKS

#: Worse than any makespan.
WORST = 2**62


@compiled
def critical_path(link: Indexes, time: Ints, makespan: int, path: Indexes, rng: Words) -> int:
    """Write one critical path into ``path``, every branch a throw of the dice; its length."""
    n = time.shape[1] - 1
    task = n
    seen = 0
    for row in range(n):
        one = link[HEADS, row]
        if one == n:
            break
        if time[HEAD, one] == 0 and time[TAIL, one] == makespan:
            seen += 1
            if draw(rng, seen) == 0:
                task = one
    length = 0
    while task != n:
        path[length] = task
        length += 1
        rest = time[TAIL, task] - time[TICKS, task]
        if rest == 0:
            break
        by_job, by_unit = link[AFTER, task], link[NEXT, task]
        if time[TAIL, by_job] != rest:
            task = by_unit
        elif time[TAIL, by_unit] != rest or draw(rng, 2) == 0:
            task = by_job
        else:
            task = by_unit
    return length


@compiled
def may_reach(link: Indexes, time: Ints, one: int, other: int) -> bool:
    """False where heads, tails or order prove that no path leads from one task to another."""
    if one == other:
        return True
    return (
        link[POS, one] < link[POS, other]
        and time[HEAD, other] >= time[HEAD, one] + time[TICKS, one]
        and time[TAIL, one] >= time[TICKS, one] + time[TAIL, other]
    )


@compiled
def forward_estimate(link: Indexes, time: Ints, task: int, last: int, most: int, room: Ints) -> int:
    """The longest path through what moves when ``task`` goes right behind ``last`` on its machine (Balas & Vazacopoulos).

    Both stand in one block of a critical path.

    WORST where that might close a cycle; some length above ``most`` where it is longer than that. ``room`` for as many values as the machine has tasks.
    """
    n = time.shape[1] - 1
    follower = link[AFTER, task]
    if follower != n and may_reach(link, time, follower, last):
        return WORST
    before = link[PREV, task]
    ready = time[HEAD, before] + time[TICKS, before]
    one = link[NEXT, task]
    rest = time[TICKS, task] + max(time[TAIL, follower], time[TAIL, link[NEXT, last]])
    # Within a block nothing waits, so that the work in between is a difference of heads.
    least = ready + time[HEAD, last] + time[TICKS, last] - time[HEAD, one] + rest
    if least > most:
        return least
    count = 0
    while True:
        by_job = link[BEFORE, one]
        start = max(ready, time[HEAD, by_job] + time[TICKS, by_job])
        room[count] = start
        ready = start + time[TICKS, one]
        count += 1
        if one == last:
            break
        one = link[NEXT, one]
    by_job = link[BEFORE, task]
    longest = max(ready, time[HEAD, by_job] + time[TICKS, by_job]) + rest
    while count > 0 and longest <= most:
        count -= 1
        rest = time[TICKS, one] + max(rest, time[TAIL, link[AFTER, one]])
        longest = max(longest, room[count] + rest)
        one = link[PREV, one]
    return longest


@compiled
def backward_estimate(link: Indexes, time: Ints, task: int, first: int, most: int, room: Ints) -> int:
    """The same for ``task`` going right before ``first``."""
    n = time.shape[1] - 1
    leader = link[BEFORE, task]
    if leader != n and may_reach(link, time, first, leader):
        return WORST
    before = link[PREV, first]
    start = max(time[HEAD, leader] + time[TICKS, leader], time[HEAD, before] + time[TICKS, before])
    rest = time[TAIL, link[NEXT, task]]
    least = start + time[TICKS, task] + time[HEAD, task] - time[HEAD, first] + rest
    if least > most:
        return least
    one = link[PREV, task]
    count = 0
    while True:
        rest = time[TICKS, one] + max(rest, time[TAIL, link[AFTER, one]])
        room[count] = rest
        count += 1
        if one == first:
            break
        one = link[PREV, one]
    ready = start + time[TICKS, task]
    longest = ready + max(rest, time[TAIL, link[AFTER, task]])
    while count > 0 and longest <= most:
        count -= 1
        by_job = link[BEFORE, one]
        start = max(ready, time[HEAD, by_job] + time[TICKS, by_job])
        longest = max(longest, start + room[count])
        ready = start + time[TICKS, one]
        one = link[NEXT, one]
    return longest
