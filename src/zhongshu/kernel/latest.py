"""The newest sample of every point, kept from the Batches on the bus for whoever needs to know how things stand."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zhongshu.kernel.waiting import happens
from zhongshu.model.batch import QUALITY_MASK, UNCERTAIN, Batch, Bytes, Floats, Int32s, Int64s, good
from zhongshu.model.plant import Plant

#: Quality of a point of which nothing was ever heard.
NEVER = np.uint8(0xFF)


class Latest:
    """Columns by point id: ``values`` NaN, ``times_ns`` and ``received_ns`` 0, ``qualities`` 0xFF where nothing came yet.

    ``times_ns`` is plant time of the source, ``received_ns`` the wall time of the Batch that brought it. The columns
    are the live ones: read them, never write them.
    """

    def __init__(self, plant: Plant) -> None:
        size = max((p.id for p in plant.points), default=-1) + 1
        self.values: Floats = np.full(size, math.nan)
        self.times_ns: Int64s = np.zeros(size, np.int64)
        self.received_ns: Int64s = np.zeros(size, np.int64)
        self.qualities: Bytes = np.full(size, NEVER, np.uint8)
        #: By how many each point is waited for.
        self._awaited: Int64s = np.zeros(size, np.int64)
        self._waiting: dict[asyncio.Event, frozenset[int]] = {}

    def __len__(self) -> int:
        """One more than the highest point id known."""
        return len(self.values)

    def update(self, batch: Batch) -> Int32s:
        """Take in a Batch: per point the sample with the newest ``t_ns`` wins, the later one where they are equal.

        Ids may come in any order and more than once. Returns the ids whose newest sample is another one now, ascending.
        """
        if len(batch) == 0:
            return np.empty(0, np.int32)
        if batch.point.min() < 0:
            raise ValueError(f"batch {batch.source} #{batch.seq} holds a negative point id")
        self._grow(int(batch.point.max()) + 1)
        order = np.lexsort((batch.t_ns, batch.point))  # stable, so of equal times the later sample comes last
        ordered = batch.point[order]
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        pick = order[last]
        points = ordered[last]
        newer = (batch.t_ns[pick] >= self.times_ns[points]) | (self.qualities[points] == NEVER)
        pick, points = pick[newer], points[newer]
        self.values[points] = batch.value[pick]
        self.times_ns[points] = batch.t_ns[pick]
        self.qualities[points] = batch.quality[pick]
        self.received_ns[points] = batch.received_ns
        if self._waiting:
            self._tell(points)
        return points

    async def news(self, points: Sequence[int], within_wall_s: float) -> None:
        """Until something comes of one of these points, but no longer than that."""
        of, come = np.array([p for p in points if 0 <= p < len(self)], np.int64), asyncio.Event()
        self._waiting[come] = frozenset(points)
        np.add.at(self._awaited, of, 1)
        try:
            await happens(come, within_wall_s)
        finally:
            np.subtract.at(self._awaited, of, 1)
            del self._waiting[come]

    def _tell(self, points: Int32s) -> None:
        come = set(points[self._awaited[points] > 0].tolist())
        for event, of in self._waiting.items() if come else ():
            if not come.isdisjoint(of):
                event.set()

    def value(self, point: int) -> float:
        """The newest value of a point in engineering units, whatever its quality; NaN where nothing came yet."""
        return float(self.values[point]) if 0 <= point < len(self.values) else math.nan

    def fresh(self, point: int, *, wall_ns: int = 0, within_s: float = 0.0) -> bool:
        """True if the newest sample is Good; with ``within_s``, also received at most so long before ``wall_ns``.

        Sense turns the points of a silent device Bad, so Good alone already means not stale.
        """
        if not 0 <= point < len(self.values) or self.qualities[point] & QUALITY_MASK >= UNCERTAIN:
            return False
        return within_s <= 0 or wall_ns - int(self.received_ns[point]) <= within_s * 1e9

    def fresh_mask(self) -> npt.NDArray[np.bool_]:
        """``fresh`` of every point by id."""
        return good(self.qualities)

    def _grow(self, size: int) -> None:
        """A plant that was reloaded may have more points than the one this was made for."""
        more = size - len(self.values)
        if more <= 0:
            return
        self.values = np.concatenate((self.values, np.full(more, math.nan)))
        self.times_ns = np.concatenate((self.times_ns, np.zeros(more, np.int64)))
        self.received_ns = np.concatenate((self.received_ns, np.zeros(more, np.int64)))
        self.qualities = np.concatenate((self.qualities, np.full(more, NEVER, np.uint8)))
        self._awaited = np.concatenate((self._awaited, np.zeros(more, np.int64)))
