"""How many devices are really there: those whose own values arrive now, not those whose socket happens to be open."""

from __future__ import annotations

import numpy as np

from zhongshu.kernel.latest import Latest
from zhongshu.model.batch import RESTATED, good
from zhongshu.model.plant import Plant

#: A value counts as fresh for so long beyond the plant's ``stale_after_s`` (wall time): the slowest scans last as long.
SCAN_WALL_S = 2.0


class Presence:
    """Counts over the newest values, all units at once."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest = latest
        self._ids = np.array([p.id for u in plant.units for p in u.points], dtype=np.int64)
        sizes = [len(u.points) for u in plant.units]
        self._starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
        self._within_ns = round((plant.stale_after_s + SCAN_WALL_S) * 1e9)

    def devices_connected(self, wall_ns: int) -> int:
        """Units with at least one Good value of their own received lately; what the brain says again does not count."""
        qualities = self._latest.qualities[self._ids]
        fresh = good(qualities) & ((qualities & RESTATED) == 0)
        fresh &= self._latest.received_ns[self._ids] > wall_ns - self._within_ns
        return int(np.logical_or.reduceat(fresh, self._starts).sum()) if len(self._ids) else 0

    def points_good(self) -> int:
        """Points whose newest value is Good."""
        return int(good(self._latest.qualities[self._ids]).sum())
