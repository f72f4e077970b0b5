"""From a unit's places to the few block reads that fetch them all, and from the blocks' answers to one vector of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from zhongshu.connectors.modbus.codec import BIT_TABLES, WORD, Layout, Place, Words
from zhongshu.connectors.modbus.config import Settings
from zhongshu.model.batch import Floats


@dataclass(frozen=True, slots=True)
class Block:
    """One read: ``count`` registers (or bits) of ``table`` from ``start``; ``rows`` the unit's points that lie in it."""

    table: str
    start: int
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one read may carry, and how many unused registers may be read along."""

    registers: int
    bits: int
    gap: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The connection's limits."""
        return cls(settings.max_registers, settings.max_bits, settings.gap)

    def most(self, table: str) -> int:
        """Most registers or bits of one read."""
        return self.bits if table in BIT_TABLES else self.registers


def blocks(places: Sequence[Place], rows: Sequence[int], limits: Limits) -> tuple[Block, ...]:
    """The fewest reads, greedily: neighbours are merged over small gaps up to the limit of one read."""
    made: list[Block] = []
    for row in sorted(rows, key=lambda r: (places[r].table, places[r].register)):
        place = places[row]
        last = made[-1] if made else None
        if last and _joins(last, place, limits):
            end = max(last.start + last.count, place.end)
            made[-1] = Block(last.table, last.start, end - last.start, (*last.rows, row))
        else:
            made.append(Block(place.table, place.register, place.size, (row,)))
    return tuple(made)


def _joins(last: Block, place: Place, limits: Limits) -> bool:
    end = last.start + last.count
    near = place.register - end <= limits.gap and place.end - last.start <= limits.most(place.table)
    return last.table == place.table and near


def halves(block: Block, places: Sequence[Place]) -> tuple[Block, ...]:
    """A block that a device refuses, cut where its points lie farthest apart, else in the middle; empty for one point."""
    rows = sorted(block.rows, key=lambda r: places[r].register)
    if len(rows) < 2:
        return ()
    gaps = [places[b].register - places[a].end for a, b in pairwise(rows)]
    widest = max(gaps)
    cut = gaps.index(widest) + 1 if widest > 0 else len(rows) // 2
    return tuple(_spanning(part, places) for part in (rows[:cut], rows[cut:]))


def _spanning(rows: Sequence[int], places: Sequence[Place]) -> Block:
    start = min(places[r].register for r in rows)
    return Block(places[rows[0]].table, start, max(places[r].end for r in rows) - start, tuple(rows))


class Plan:
    """The reads of one unit and where each value lies in their concatenated answers.

    ``first`` names a row whose block is read first (the sample counter); ``dead`` rows are not read: NaN in ``values``.
    """

    def __init__(self, places: Sequence[Place], blocks: Sequence[Block], *, first: int | None = None) -> None:
        self.blocks = tuple(sorted(blocks, key=lambda b: first not in b.rows))
        self._count = len(places)
        self._rows = np.array([r for b in self.blocks for r in b.rows], dtype=np.int64)
        offsets = np.cumsum([0, *(b.count for b in self.blocks)])
        starts = [
            int(offset) + places[row].register - block.start
            for offset, block in zip(offsets, self.blocks, strict=False)
            for row in block.rows
        ]
        self._layout = Layout([places[int(r)] for r in self._rows], starts)
        self.dead = np.setdiff1d(np.arange(self._count), self._rows)

    def values(self, answers: Sequence[Words]) -> Floats:
        """All values of the unit, in the order of its points, from one answer a block."""
        words = (
            answers[0]
            if len(answers) == 1
            else np.concatenate([np.zeros(0, dtype=WORD), *answers], dtype=WORD)
        )
        out = np.full(self._count, np.nan)
        out[self._rows] = self._layout.decode(words)
        return out
