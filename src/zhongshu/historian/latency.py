"""How long samples took from their source to being queryable; from the batches as they come in to the health figures."""

from __future__ import annotations

from collections import deque

import numpy as np

from zhongshu.kernel.clock import Clock
from zhongshu.model.batch import Int64s

#: Bounds of the histogram in ms: 40 bars a decade, from 0.1 ms to 1,000 s.
_BARS = 280
_LOW_MS = 0.1
_PER_DECADE = 40
WINDOW_WALL_S = 60


class Latency:
    """A histogram of the last minute, second by second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds: deque[tuple[int, Int64s]] = deque()

    def add(self, t_ns: Int64s, wall_ns: int) -> None:
        """Samples with these source times (plant time) became queryable at ``wall_ns``."""
        if len(t_ns) == 0:
            return
        age_ms = (wall_ns - to_wall_ns(self._clock, t_ns)) / 1e6
        bar = np.log10(np.maximum(age_ms, _LOW_MS) / _LOW_MS) * _PER_DECADE
        bars = np.bincount(np.clip(bar.astype(np.int64), 0, _BARS - 1), minlength=_BARS)
        second = wall_ns // 1_000_000_000
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1][:] += bars
        else:
            self._seconds.append((second, bars))
        while self._seconds and self._seconds[0][0] <= second - WINDOW_WALL_S:
            self._seconds.popleft()

    def quantiles_ms(self, *shares: float) -> tuple[float, ...]:
        """Upper bounds of these shares of the last minute's samples in ms; 0 where there were none."""
        second = self._clock.wall_ns() // 1_000_000_000
        recent = [bars for at, bars in self._seconds if at > second - WINDOW_WALL_S]
        if not recent:
            return tuple(0.0 for _ in shares)
        total = np.cumsum(np.sum(recent, axis=0))
        bar = np.searchsorted(total, [share * total[-1] for share in shares])
        return tuple(round(float(_LOW_MS * 10 ** ((b + 1) / _PER_DECADE)), 2) for b in bar)


def to_wall_ns(clock: Clock, t_ns: Int64s) -> Int64s:
    """Wall times of plant times; a plant's clock is a straight line, so two of its points say all."""
    first = int(t_ns[0])
    base, span = clock.to_wall_ns(first), 1_000_000_000_000
    slope = (clock.to_wall_ns(first + span) - base) / span
    walls: Int64s = base + np.rint((t_ns - first) * slope).astype(np.int64)
    return walls
