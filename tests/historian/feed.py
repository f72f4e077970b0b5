"""Batches for the historian's tests, and the same rows in plain Python to hold its answers against."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zhongshu.historian.event_log import EventLog
from zhongshu.historian.query import History
from zhongshu.historian.tail import Tail
from zhongshu.historian.writer import Writer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.batch import Batch

NS = 1_000_000_000
START_NS = 1_767_225_600 * NS + 3_500 * NS  # an hour ends soon after
Row = tuple[int, int, float, int]


def batch_of(rows: list[Row], seq: int = 1, source: str = "c0") -> Batch:
    return Batch(
        "p",
        source,
        seq,
        0,
        np.array([r[0] for r in rows], np.int32),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
        np.array([r[3] for r in rows], np.uint8),
    )


class Memory:
    """A history with its tail and writer, without bus or process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tail, self.events = Tail(), EventLog()
        self.history = History(directory, tail=self.tail, events=self.events)
        self.writer = Writer(
            self.history, self.tail, self.events, wall_clock(), flush_wall_s=1e9, flush_rows=10**9
        )
        self.rows: list[Row] = []
        self.seq = 0

    def add(self, rows: list[Row]) -> None:
        self.seq += 1
        self.tail.append(self.seq, batch_of(rows, self.seq))
        self.rows += rows

    def random(
        self, rng: np.random.Generator, batches: int, *, points: int = 5, seconds: float = 400.0
    ) -> None:
        """Batches with times that overlap, values with NaN among them, some Bad."""
        for _ in range(batches):
            n = int(rng.integers(1, 40))
            t_ns = START_NS + rng.integers(0, int(seconds * 10), n) * (NS // 10)
            value = np.where(rng.random(n) < 0.05, np.nan, np.round(rng.normal(0, 10, n), 2))
            quality = rng.choice([0, 0, 0, 1, 2, 4], n)
            point = rng.integers(0, points, n)
            columns = (point.tolist(), t_ns.tolist(), value.tolist(), quality.tolist())
            self.add(list(zip(*columns, strict=True)))


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)
