"""Pools and materials: from when on there is enough."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.hours import works_in
from zhongshu.decide.scheduling.search.journal import add_run, put


@kernel
def pool_conflict(d: at.Flat, pool: int, amount: int, unit: int, span: tuple[int, int], pauses: int) -> int:
    """The earliest start worth trying next when the pool is short in ``span``, -1 when it is not, NEVER past the slices."""
    start, end = span
    ticks, since, base = (d[at.SLICE_TICKS], d[at.SLICE_SINCE], d[at.USAGE] + pool * d[at.SLICES])
    if start == end:
        return -1
    if (end - 1 + since) // ticks >= d[at.SLICES]:
        return NEVER
    for k in range((max(0, start) + since) // ticks, (end - 1 + since) // ticks + 1):
        if d[base + k] + amount > d[d[at.LEVEL] + pool * d[at.SLICES] + k]:
            low, high = (max(start, k * ticks - since), min(end, (k + 1) * ticks - since))
            if pauses == 0 or works_in(d, unit, low, high):
                return (k + 1) * ticks - since
    return -1


@kernel
def use_pool(d: at.Flat, pool: int, amount: int, unit: int, span: tuple[int, int], pauses: int) -> None:
    """Take the amount in every slice worked in."""
    start, end = span
    ticks, since, base = (d[at.SLICE_TICKS], d[at.SLICE_SINCE], d[at.USAGE] + pool * d[at.SLICES])
    if start == end:
        return
    first, stop = ((max(0, start) + since) // ticks, min((end - 1 + since) // ticks + 1, d[at.SLICES]))
    for k in range(first, stop if pauses else first):
        low, high = (max(start, k * ticks - since), min(end, (k + 1) * ticks - since))
        if not works_in(d, unit, low, high):
            if k > first:
                add_run(d, base + first, k - first, amount)
            first = k + 1
    if stop > first:
        add_run(d, base + first, stop - first, amount)


@kernel
def material_from(d: at.Flat, material: int, need: int) -> int:
    """The earliest tick with so much supplied in all, by stock, arrivals and what is made so far; NEVER if not yet."""
    k, stop = (d[d[at.SUPPLY_PTR] + material], d[d[at.SUPPLY_PTR] + (material + 1)])
    made, count = (d[at.MADE] + material * d[at.MADE_WIDTH] * 2, d[d[at.MADE_COUNT] + material])
    supplied, produced, m = (0, 0, 0)
    while k < stop or m < count:
        if k < stop and (m >= count or d[d[at.SUPPLY_AT] + k] <= d[made + 2 * m]):
            supplied, tick = (d[d[at.SUPPLY_TOTAL] + k], d[d[at.SUPPLY_AT] + k])
            k += 1
        else:
            produced, tick = (produced + d[made + 2 * m + 1], d[made + 2 * m])
            m += 1
        if supplied + produced >= need:
            return tick
    return NEVER


@kernel
def add_made(d: at.Flat, material: int, tick: int, quantity: int) -> None:
    """Keep what is made, sorted by tick."""
    made, count = (d[at.MADE] + material * d[at.MADE_WIDTH] * 2, d[d[at.MADE_COUNT] + material])
    k = count
    while k > 0 and d[made + 2 * (k - 1)] > tick:
        put(d, made + 2 * k, d[made + 2 * (k - 1)])
        put(d, made + 2 * k + 1, d[made + 2 * (k - 1) + 1])
        k -= 1
    put(d, made + 2 * k, tick)
    put(d, made + 2 * k + 1, quantity)
    put(d, d[at.MADE_COUNT] + material, count + 1)


@kernel
def demand_of(d: at.Flat, count: int) -> int:
    """(pool, amount) pairs of MEMBERS into DEMAND, for a batch the most that one member demands; returns how many."""
    n = 0
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        mode = d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task]
        for k in range(d[d[at.DEMAND_PTR] + mode], d[d[at.DEMAND_PTR] + mode + 1]):
            pool, e = d[d[at.DEMAND_POOL] + k], 0
            while e < n and d[d[at.DEMAND] + 2 * e] != pool:
                e += 1
            if e == n:
                d[d[at.DEMAND] + 2 * e], d[d[at.DEMAND] + 2 * e + 1] = pool, 0
                n += 1
            d[d[at.DEMAND] + 2 * e + 1] = max(d[d[at.DEMAND] + 2 * e + 1], d[d[at.DEMAND_AMOUNT] + k])
    return n
