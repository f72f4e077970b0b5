"""Earliest times by a unit's calendar: from a tick on, when could a piece of work run, and is there ever room for it?"""

from __future__ import annotations

from zhongshu.decide.scheduling.problem import NEVER, Closed, Mode, Problem

#: (start, end)
Span = tuple[int, int]


def earliest(problem: Problem, mode: Mode, since: int, interruptible: bool) -> Span | None:
    """The first span from ``since`` on in which the mode's unit could do it if it had nothing else to do; None: never."""
    closed = problem.units[mode.unit].closed
    index = _first_ending_after(closed, since)
    if not interruptible:
        return _unbroken(closed, index, since, mode.duration)
    return _paused(closed, index, since, mode.duration)


def _first_ending_after(closed: tuple[Closed, ...], tick: int) -> int:
    low, high = 0, len(closed)
    while low < high:
        middle = (low + high) // 2
        if closed[middle].end > tick:
            high = middle
        else:
            low = middle + 1
    return low


def _unbroken(closed: tuple[Closed, ...], index: int, since: int, duration: int) -> Span | None:
    """In one piece; nothing that takes no time meets a closed hour."""
    start = since
    while duration and index < len(closed) and closed[index].start < start + duration:
        start = max(start, closed[index].end)
        index += 1
    return (start, start + duration) if start < NEVER else None


def _paused(closed: tuple[Closed, ...], index: int, since: int, duration: int) -> Span | None:
    """With pauses over what is resumable; what is not makes it begin anew behind it."""
    start = end = since
    rest = duration
    while index < len(closed) and start < NEVER:
        gap = closed[index]
        if end < gap.start and end + rest <= gap.start:
            break
        if start >= gap.start or not gap.resumable:  # not begun yet, or all of it has to be done behind
            start, rest = gap.end, duration
        else:
            rest -= gap.start - end
        end = gap.end
        index += 1
    return (start, end + rest) if start < NEVER and end + rest < NEVER else None
