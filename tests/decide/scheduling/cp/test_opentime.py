"""Open time against walking tick by tick."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhongshu.decide.scheduling.cp.opentime import (
    advance,
    finish,
    join,
    open_pieces,
    open_spans,
    open_ticks,
    runs,
)
from zhongshu.decide.scheduling.cp.piecewise import evaluate
from zhongshu.decide.scheduling.problem import NEVER, Closed


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Closed, ...]:
    edges = sorted(draw(st.lists(st.integers(0, 24), min_size=0, max_size=8, unique=True)))
    found = [Closed(a, b, draw(st.booleans())) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    if draw(st.booleans()):
        found.append(Closed(26, NEVER, draw(st.booleans())))
    return tuple(found)


def shut(closed: tuple[Closed, ...], tick: int) -> Closed | None:
    return next((c for c in closed if c.start <= tick < c.end), None)


def walk(closed: tuple[Closed, ...], start: int, duration: int, interruptible: bool) -> int | None:
    """The end, found tick by tick."""
    if interruptible and shut(closed, start):
        return None
    at, done = start, 0
    while done < duration:
        found = shut(closed, at)
        if found and not (interruptible and found.resumable and found.end < NEVER):
            return None
        done += not found
        at += 1
    return at


@given(calendars(), st.integers(0, 6), st.booleans())
def test_runs_are_the_starts_that_walking_allows(
    closed: tuple[Closed, ...], duration: int, interruptible: bool
) -> None:
    found = runs(closed, duration, interruptible, 0, 30)
    ends = {s: s + duration + r.shift for r in found for s in range(r.first, r.last + 1)}
    assert len(ends) == sum(r.last - r.first + 1 for r in found)
    for start in range(31):
        wanted = walk(closed, start, duration, interruptible)
        assert ends.get(start) == wanted == finish(closed, start, duration, interruptible)
    for r in found:
        assert sum(c.end - c.start for c in r.over) == r.shift


@given(calendars(), st.integers(0, 25), st.integers(0, 9))
def test_counting_and_advancing(closed: tuple[Closed, ...], start: int, ticks: int) -> None:
    end = start + ticks
    worked = sum(shut(closed, t) is None for t in range(start, end))
    assert open_ticks(closed, start, end) == worked
    assert sum(b - a for a, b in open_spans(closed, start, end)) == worked
    assert evaluate(open_pieces(closed, start, 40), end) == worked
    reached = advance(closed, start, ticks)
    if reached < NEVER:
        assert open_ticks(closed, start, reached) == ticks
        assert ticks == 0 or open_ticks(closed, start, reached - 1) == ticks - 1


def test_spans_are_joined() -> None:
    assert join([(5, 6), (0, 2), (3, 3), (6, 9)]) == ((0, 3), (5, 9))
