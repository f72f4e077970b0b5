"""Writing to the state so that it can be taken back: what is tried for several tasks at once may come to nothing."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.search import blocks as at


@kernel
def put(d: at.Flat, where: int, value: int) -> None:
    """Write one value; the journal remembers what was there. Its first number counts entries; past its end none is kept."""
    journal = d[at.JOURNAL]
    n = d[journal]
    if 2 * n + 2 < d[at.JOURNAL_SIZE]:
        d[journal + 1 + 2 * n] = where
        d[journal + 2 + 2 * n] = d[where]
        d[journal] = n + 1
    d[where] = value


@kernel
def forget(d: at.Flat) -> None:
    """What was written so far stands."""
    d[d[at.JOURNAL]] = 0


@kernel
def take_back(d: at.Flat, mark: int) -> None:
    """Undo everything written since the journal held ``mark`` entries."""
    journal = d[at.JOURNAL]
    n = d[journal]
    while n > mark:
        n -= 1
        d[d[journal + 1 + 2 * n]] = d[journal + 2 + 2 * n]
    d[journal] = n


@kernel
def clear(d: at.Flat, block: int, count: int) -> None:
    """Zero the block at the first ``count`` members of the component."""
    for k in range(count):
        d[d[block] + d[d[at.COMPONENT] + k]] = 0
