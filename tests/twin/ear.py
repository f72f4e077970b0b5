"""A Sink that keeps what it hears, and a plant with ids as the brain would give them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zhongshu.kernel.ports import Reads
from zhongshu.model.plant import Plant


class Ear:
    """A Sink that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Reads] = []
        self.gaps: list[str] = []
        self.up = asyncio.Event()
        self.losses = 0

    def reads(self, reads: Reads) -> None:
        self.heard.append(reads)

    def connected(self) -> None:
        self.up.set()

    def lost(self, reason: str) -> None:
        self.losses += 1
        self.up.clear()

    def alive(self, units: Sequence[str] | None = None) -> None:
        pass

    def unit_up(self, unit: str) -> None:
        pass

    def unit_lost(self, unit: str, reason: str) -> None:
        pass

    def missed(self, cause: str, **where: object) -> None:
        self.gaps.append(cause)

    def text(self, point: int, t_ns: int, text: str) -> None:
        pass

    def newest(self, point: int) -> float | None:
        for reads in reversed(self.heard):
            rows = np.flatnonzero(reads.point == point)
            if len(rows):
                return float(reads.value[rows[-1]])
        return None

    def all(self) -> set[tuple[int, int, float]]:
        return {
            (int(p), int(t), float(v))
            for reads in self.heard
            for p, t, v in zip(reads.point, reads.t_ns, reads.value, strict=True)
        }


def numbered(plant: Plant) -> Plant:
    """With ids as the brain would give them; they need not be what the twin uses."""
    number = iter(range(10_000))
    units = tuple(
        replace(unit, points=tuple(replace(point, id=next(number)) for point in unit.points))
        for unit in plant.units
    )
    return replace(plant, units=units)
