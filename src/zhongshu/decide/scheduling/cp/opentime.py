"""Open time of a unit: its closed spans in, the starts that a duration allows and the ticks between instants out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from zhongshu.decide.scheduling.problem import NEVER, Closed

#: Spans of ticks, both ends included, sorted and disjoint.
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Starts in [first, last] (ticks): the work then pauses over ``over`` and ends ``shift`` ticks later than without."""

    first: int
    last: int
    shift: int
    over: tuple[Closed, ...]


@lru_cache(maxsize=4096)
def runs(
    closed: tuple[Closed, ...], duration: int, interruptible: bool, first: int, last: int
) -> tuple[Run, ...]:
    """Every start in [first, last] that the calendar allows, by the pauses that it meets; they are disjoint."""
    if duration == 0 and not interruptible:
        # Nothing overlaps an empty span, so a task of no ticks may stand inside closed time.
        return (Run(first, last, 0, ()),) if first <= last else ()
    found: list[Run] = []
    for index, (opens, closes) in enumerate(_gaps(closed)):
        if opens > last or closes <= first:
            continue
        found += _runs_from(closed, index, opens, closes, duration, interruptible)
    clipped = (Run(max(r.first, first), min(r.last, last), r.shift, r.over) for r in found)
    return tuple(r for r in clipped if r.first <= r.last)


def _runs_from(
    closed: tuple[Closed, ...], index: int, opens: int, closes: int, duration: int, interruptible: bool
) -> list[Run]:
    """Runs that start in the gap before ``closed[index]``, which is open in [opens, closes)."""
    if duration == 0:
        return [Run(opens, closes - 1, 0, ())]
    found = [Run(opens, closes - duration, 0, ())] if opens <= closes - duration else []
    if not interruptible:
        return found
    shift, open_until = 0, closes  # open_until: where the gap would end if the pauses took no time
    for j in range(index, len(closed)):
        pause = closed[j]
        if not pause.resumable or pause.end >= NEVER:
            break
        shift += pause.end - pause.start
        following = closed[j + 1].start if j + 1 < len(closed) else NEVER
        least = max(opens, open_until - duration + 1)
        open_until += following - pause.end
        most = min(closes - 1, open_until - duration)
        if least <= most:
            found.append(Run(least, most, shift, closed[index : j + 1]))
        if open_until - duration >= closes - 1:
            break
    return found


def _gaps(closed: tuple[Closed, ...]) -> list[tuple[int, int]]:
    """Gap k lies before closed[k]; the last one is open for ever. Empty gaps stay, so that indexes match."""
    edges = [-NEVER] + [c.end for c in closed]
    return list(zip(edges, [c.start for c in closed] + [NEVER], strict=True))


def join(pairs: Iterable[tuple[int, int]]) -> Spans:
    """Spans in any order as sorted ones, neighbours joined."""
    joined: list[list[int]] = []
    for first, last in sorted(pairs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return tuple((a, b) for a, b in joined)


def open_ticks(closed: tuple[Closed, ...], start: int, end: int) -> int:
    """Open ticks in [start, end); 0 where end <= start."""
    if end <= start:
        return 0
    shut = sum(min(c.end, end) - max(c.start, start) for c in closed if c.start < end and c.end > start)
    return end - start - shut


def open_spans(closed: tuple[Closed, ...], start: int, end: int) -> list[tuple[int, int]]:
    """The open spans [since, until) within [start, end)."""
    found, at = [], start
    for c in closed:
        if c.end <= start or c.start >= end:
            continue
        if c.start > at:
            found.append((at, c.start))
        at = max(at, c.end)
    return found + [(at, end)] if at < end else found


def advance(closed: tuple[Closed, ...], start: int, ticks: int) -> int:
    """The first instant with ``ticks`` open ticks between ``start`` and it; at least NEVER where there is none."""
    if ticks <= 0:
        return start
    at = start
    for c in closed[bisect_right(closed, start, key=lambda c: c.end) :]:
        if at + ticks <= c.start:
            return at + ticks
        ticks -= max(0, c.start - at)
        at = max(at, c.end)
    return at + ticks


def finish(closed: tuple[Closed, ...], start: int, duration: int, interruptible: bool) -> int | None:
    """When a task that starts at ``start`` ends; None where the calendar forbids that start."""
    allowed = runs(closed, duration, interruptible, start, start)
    return start + duration + allowed[0].shift if allowed else None


def open_pieces(closed: tuple[Closed, ...], since: int, until: int) -> list[tuple[int, int, int, int]]:
    """Open ticks between ``since`` and t, for t in [since, until], as pieces (first t, last t, slope, value at first)."""
    pieces: list[tuple[int, int, int, int]] = []
    at, count = since, 0
    for c in closed:
        if c.end <= at or c.start >= until:
            continue
        if c.start > at:
            pieces.append((at, c.start - 1, 1, count))
            count += c.start - at
            at = c.start
        pieces.append((at, min(c.end, until) - 1, 0, count))
        at = min(c.end, until)
    pieces.append((at, until, 1, count))
    return [p for p in pieces if p[0] <= p[1]]
