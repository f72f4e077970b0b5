"""Open time of a unit: where work fits, and when so much open time has passed."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.flat import address


@kernel
def first_closed(d: at.Flat, unit: int, tick: int) -> int:
    """Index of the unit's first closed interval that ends after ``tick``."""
    low, high = (d[d[at.CLOSED_PTR] + unit], d[d[at.CLOSED_PTR] + (unit + 1)])
    while low < high:
        middle = (low + high) // 2
        if d[d[at.CLOSED_END] + middle] > tick:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def fit(d: at.Flat, unit: int, tick: int, duration: int, interruptible: int) -> tuple[int, int]:
    """Earliest (start, end) from ``tick`` on; start is NEVER where there is none."""
    stop = d[d[at.CLOSED_PTR] + (unit + 1)]
    if d[d[at.CLOSED_PTR] + unit] == stop:
        return (tick, tick + duration)
    k = first_closed(d, unit, tick)
    while True:
        while k < stop and d[d[at.CLOSED_START] + k] <= tick:
            tick = d[d[at.CLOSED_END] + k]
            k += 1
        if tick >= NEVER:
            return (NEVER, NEVER)
        done, left, m, fits = (tick, duration, k, True)
        while m < stop and d[d[at.CLOSED_START] + m] < done + left:
            if interruptible == 0 or d[d[at.CLOSED_RESUMABLE] + m] == 0:
                fits = False
                break
            left -= d[d[at.CLOSED_START] + m] - done
            done = d[d[at.CLOSED_END] + m]
            m += 1
        if fits:
            return (tick, done + left)
        tick = d[d[at.CLOSED_END] + m]
        k = m + 1


@kernel
def fits(array: Any, asked: Any, first: Any) -> None:
    """``fit`` for many at once: rows of (unit, tick, duration, interruptible) in, their earliest starts out."""
    d = address(array)
    for k in range(len(asked)):
        first[k], _ = fit(d, asked[k, 0], asked[k, 1], asked[k, 2], asked[k, 3])


@kernel
def after_open(d: at.Flat, unit: int, tick: int, need: int) -> int:
    """The earliest tick at which ``need`` open ticks have passed since ``tick``."""
    if need <= 0:
        return tick
    stop = d[d[at.CLOSED_PTR] + (unit + 1)]
    k = first_closed(d, unit, tick)
    while k < stop and d[d[at.CLOSED_START] + k] < tick + need:
        if d[d[at.CLOSED_START] + k] > tick:
            need -= d[d[at.CLOSED_START] + k] - tick
        tick = d[d[at.CLOSED_END] + k]
        k += 1
        if tick >= NEVER:
            return NEVER
    return tick + need


@kernel
def works_in(d: at.Flat, unit: int, low: int, high: int) -> bool:
    """The unit is open at some tick of [low, high)."""
    k = first_closed(d, unit, low)
    if k >= d[d[at.CLOSED_PTR] + (unit + 1)]:
        return low < high
    while k < d[d[at.CLOSED_PTR] + (unit + 1)] and d[d[at.CLOSED_START] + k] <= low:
        low = d[d[at.CLOSED_END] + k]
        k += 1
    return low < high
