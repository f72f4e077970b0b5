"""Closed times of a unit → where work fits and when so much of it is done; in plain Python, for explaining single tasks."""

from __future__ import annotations

from collections.abc import Sequence

from zhongshu.decide.scheduling.problem import NEVER, Closed


def fit(closed: Sequence[Closed], tick: int, duration: int, *, interruptible: bool) -> int:
    """The earliest start from ``tick`` on; NEVER where there is none."""
    while tick < NEVER:
        inside = next((c for c in closed if c.start <= tick < c.end), None)
        if inside is not None:
            tick = inside.end
            continue
        end, clash = tick + duration, None
        for shut in (c for c in closed if c.start >= tick):
            if shut.start >= end:
                break
            if not interruptible or not shut.resumable:
                clash = shut
                break
            end += shut.end - shut.start
        if clash is None:
            return tick
        tick = clash.end
    return NEVER


def worked(closed: Sequence[Closed], tick: int, need: int) -> int:
    """The tick at which ``need`` open ticks have passed since ``tick``."""
    if need <= 0:
        return tick
    for shut in closed:
        if shut.end <= tick:
            continue
        if shut.start >= tick + need:
            break
        need -= max(0, shut.start - tick)
        tick = shut.end
    return tick + need
