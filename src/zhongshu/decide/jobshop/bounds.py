"""How short a schedule of a shop could be at best: the search stops there, and a plan is published with it."""

from __future__ import annotations

import numpy as np

from zhongshu.decide.jobshop.compiled import Indexes, Ints, compiled
from zhongshu.decide.jobshop.dispatch import remaining
from zhongshu.decide.jobshop.shop import Shop


def lower_bound(shop: Shop) -> int:
    """The largest of: each job's quickest way, each machine's preemptive schedule, all work over all machines."""
    if shop.tasks == 0:
        return 0
    tails = remaining(shop)[0]
    quickest = np.minimum.reduceat(shop.ticks, shop.first[:-1])
    heads = np.zeros(shop.tasks, np.int64)
    heads_of(shop.before, shop.after, quickest, heads)
    longest = int(np.max(heads + tails[:-1]))
    only = np.flatnonzero(np.diff(shop.first) == 1)
    for unit in range(shop.units):
        here = only[shop.unit[shop.first[only]] == unit]
        if here.size:
            longest = max(
                longest, _jackson_of(heads[here], quickest[here], tails[:-1][here] - quickest[here])
            )
    used = max(1, len(np.unique(shop.unit)))
    return max(longest, -(-int(quickest.sum()) // used))


def _jackson_of(heads: Ints, ticks: Ints, tails: Ints) -> int:
    by_head = np.argsort(heads, kind="stable")
    return jackson(heads[by_head], ticks[by_head], tails[by_head])


@compiled
def heads_of(before: Indexes, after: Indexes, quickest: Ints, heads: Ints) -> None:
    """Write the earliest start of each task in its job alone."""
    n = quickest.size
    for task in range(n):
        if before[task] == n:
            ready = 0
            one = np.int32(task)
            while one != n:
                heads[one] = ready
                ready += quickest[one]
                one = after[one]


@compiled
def jackson(heads: Ints, left: Ints, tails: Ints) -> int:
    """The shortest preemptive schedule of one machine: the longest tail that is there goes first (Carlier 1982).

    Tasks come by head; ``left`` is their time and is used up."""
    n = heads.size
    arrived = 0
    now = 0
    longest = 0
    while True:
        while arrived < n and heads[arrived] <= now:
            arrived += 1
        best = -1
        for index in range(arrived):
            one = index
            if left[one] > 0 and (best < 0 or tails[one] > tails[best]):
                best = one
        if best < 0:
            if arrived == n:
                return longest
            now = heads[arrived]
            continue
        stop = now + left[best]
        if arrived < n:
            stop = min(stop, heads[arrived])
        left[best] -= stop - now
        now = stop
        if left[best] == 0:
            longest = max(longest, now + tails[best])
