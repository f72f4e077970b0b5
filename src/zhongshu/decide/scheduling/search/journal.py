"""Writing to the state so that it can be taken back, and written again: decoding goes on from any place of the list.

The journal's first number counts its entries, two numbers each: where, and what was there before. Taking an entry back
leaves in it what was taken away, so that it can be written again. An entry below zero stands for a run of numbers to
which the same amount was added.
"""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.search import blocks as at

#: A run's length and amount share one number.
RUN = 1 << 32


@kernel
def put(d: at.Flat, where: int, value: int) -> None:
    """Write one value; the journal remembers what was there."""
    journal = d[at.JOURNAL]
    n = d[journal]
    if n < d[at.JOURNAL_SIZE]:
        d[journal + 1 + 2 * n] = where
        d[journal + 2 + 2 * n] = d[where]
        d[journal] = n + 1
    else:
        d[at.OVERFLOWN] = 1
    d[where] = value


@kernel
def add_run(d: at.Flat, where: int, count: int, amount: int) -> None:
    """Add the amount (0 <= amount < RUN) to ``count`` numbers."""
    journal = d[at.JOURNAL]
    n = d[journal]
    if n < d[at.JOURNAL_SIZE]:
        d[journal + 1 + 2 * n] = -1 - where
        d[journal + 2 + 2 * n] = count * RUN + amount
        d[journal] = n + 1
    else:
        d[at.OVERFLOWN] = 1
    for k in range(where, where + count):
        d[k] += amount


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
        where, was = (d[journal + 1 + 2 * n], d[journal + 2 + 2 * n])
        if where >= 0:
            d[journal + 2 + 2 * n] = d[where]
            d[where] = was
        else:
            for k in range(-1 - where, -1 - where + was // RUN):
                d[k] -= was % RUN
    d[journal] = n


@kernel
def again(d: at.Flat, mark: int) -> None:
    """Write again what was taken back, up to ``mark`` entries."""
    journal = d[at.JOURNAL]
    for n in range(d[journal], mark):
        where, was = (d[journal + 1 + 2 * n], d[journal + 2 + 2 * n])
        if where >= 0:
            d[journal + 2 + 2 * n] = d[where]
            d[where] = was
        else:
            for k in range(-1 - where, -1 - where + was // RUN):
                d[k] += was % RUN
    d[journal] = mark


@kernel
def clear(d: at.Flat, block: int, count: int) -> None:
    """Zero the block at the first ``count`` members of the component."""
    for k in range(count):
        d[d[block] + d[d[at.COMPONENT] + k]] = 0
