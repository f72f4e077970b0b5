"""First schedules of a shop: one pass of a dispatching rule each, from non-delay to active (Giffler & Thompson 1960)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zhongshu.decide.jobshop.compiled import Indexes, Ints, Words, compiled, draw, seeded
from zhongshu.decide.jobshop.shop import Found, Shop

RULES = 7
#: Of the time between the earliest start and the earliest end on a machine, how much (in eighths) a machine may wait.
WAITS = (0, 8, 4, 2, 6, 1)


def schedules(shop: Shop, seed: int) -> Iterator[Found]:
    """42 schedules one after the other: seven rules, each from no waiting at all to as long as an active schedule may."""
    rng = seeded(seed)
    rest = remaining(shop)
    for wait in WAITS:
        for rule in range(RULES):
            yield dispatched(shop, rest, rule, wait, rng)


def dispatched(shop: Shop, rest: Ints, rule: int, wait: int, rng: Words) -> Found:
    """One schedule; ``rest`` as ``remaining`` gives it."""
    order, mode = np.empty(shop.tasks, np.int32), np.empty(shop.tasks, np.int32)
    free = np.zeros(shop.units, np.int64)
    ready, start = np.zeros((2, len(shop.heads)), np.int64)
    front, chosen = shop.heads.copy(), np.zeros(len(shop.heads), np.int32)
    modes = (shop.first, shop.unit, shop.ticks)
    made = dispatch(shop.after, *modes, rest, rule, wait, rng, free, front, chosen, ready, start, order, mode)
    return Found(order, mode, made)


def remaining(shop: Shop) -> Ints:
    """For each task the quickest time from its start to the end of its job; row 1: the number of tasks instead."""
    rest = np.zeros((2, shop.tasks + 1), np.int64)
    _remaining(shop.after, shop.before, shop.first, shop.ticks, rest)
    return rest


@compiled
def _remaining(after: Indexes, before: Indexes, first: Indexes, ticks: Ints, rest: Ints) -> None:
    """See ``remaining``."""
    n = before.size - 1
    for task in range(n):
        # From each job's last task back to its first.
        if after[task] != n:
            continue
        one = np.int32(task)
        while one != n:
            quickest = ticks[first[one]]
            for chosen in range(first[one], first[one + 1]):
                quickest = min(quickest, ticks[chosen])
            rest[0, one] = quickest + rest[0, after[one]]
            rest[1, one] = 1 + rest[1, after[one]]
            one = before[one]


@compiled
def dispatch(
    after: Indexes,
    first: Indexes,
    unit_of: Indexes,
    ticks_of: Ints,
    rest: Ints,
    rule: int,
    wait: int,
    rng: Words,
    free: Ints,
    front: Indexes,
    chosen: Indexes,
    ready: Ints,
    start: Ints,
    order: Indexes,
    mode: Indexes,
) -> int:
    """Write one schedule into ``order`` and ``mode``; its makespan. ``free``: zeros, one a machine.

    One a job: ``front``: first tasks; ``chosen``, ``ready``, ``start``: zeros."""
    n = order.size
    makespan = 0
    for row in range(front.size):
        chosen[row] = earliest_mode(first, unit_of, ticks_of, front[row], ready[row], free)
    for place in range(n):
        row = _next_row(unit_of, ticks_of, rest, rule, wait, rng, front, ready, free, start, chosen)
        task = front[row]
        unit = unit_of[chosen[row]]
        end = start[row] + ticks_of[chosen[row]]
        order[place] = task
        mode[task] = chosen[row] - first[task]
        ready[row] = end
        free[unit] = end
        makespan = max(makespan, end)
        front[row] = after[task]
        for other in range(front.size):
            if front[other] != n and (other == row or unit_of[chosen[other]] == unit):
                chosen[other] = earliest_mode(first, unit_of, ticks_of, front[other], ready[other], free)
    return makespan


@compiled
def earliest_mode(first: Indexes, unit_of: Indexes, ticks_of: Ints, task: int, ready: int, free: Ints) -> int:
    """The mode that ends first, the shorter among equals."""
    best = first[task]
    best_end = best_ticks = 2**62
    for one in range(first[task], first[task + 1]):
        ticks = ticks_of[one]
        end = max(ready, free[unit_of[one]]) + ticks
        if end < best_end or (end == best_end and ticks < best_ticks):
            best, best_end, best_ticks = one, end, ticks
    return best


@compiled
def _next_row(
    unit_of: Indexes,
    ticks_of: Ints,
    rest: Ints,
    rule: int,
    wait: int,
    rng: Words,
    front: Indexes,
    ready: Ints,
    free: Ints,
    start: Ints,
    chosen: Indexes,
) -> int:
    """The job whose next task is dispatched now; ``start`` says when each could begin."""
    n = rest.shape[1] - 1
    first_end = 2**62
    unit = 0
    for row in range(front.size):
        if front[row] == n:
            continue
        start[row] = max(ready[row], free[unit_of[chosen[row]]])
        end = start[row] + ticks_of[chosen[row]]
        if end < first_end:
            first_end, unit = end, unit_of[chosen[row]]
    first_start = first_end
    for row in range(front.size):
        if front[row] != n and unit_of[chosen[row]] == unit:
            first_start = min(first_start, start[row])
    latest = first_start + (first_end - first_start) * wait // 8
    best = -1
    best_rank = 0
    ties = 0
    for row in range(front.size):
        if front[row] == n or unit_of[chosen[row]] != unit or start[row] > latest:
            continue
        rank = _rank(rest, rule, front[row], ticks_of[chosen[row]], start[row], rng)
        if best < 0 or rank < best_rank:
            ties = 0
        if best < 0 or rank <= best_rank:
            ties += 1
            if draw(rng, ties) == 0:
                best, best_rank = row, rank
    return best


@compiled
def _rank(rest: Ints, rule: int, task: int, ticks: int, start: int, rng: Words) -> int:
    """Smaller goes first."""
    if rule == 0:  # most work remaining
        return -rest[0, task]
    if rule == 1:  # most work behind it, counted from when it can begin
        return -(start + rest[0, task])
    if rule == 2:  # shortest first
        return ticks
    if rule == 3:  # most tasks remaining
        return -rest[1, task]
    if rule == 4:  # first come
        return start
    if rule == 5:  # longest tail per own tick
        return -(rest[0, task] * 1024 // max(1, ticks))
    return draw(rng, 1 << 20)
