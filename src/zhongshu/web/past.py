"""Asks the historian over the bus, so that no history query ever runs inside the control room; answers go to API and pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import pyarrow as pa

from zhongshu.historian.client import HistoryClient
from zhongshu.kernel.bus import Bus, BusError
from zhongshu.model.plant import Plant

#: Rows asked for at once.
PAGE = 50_000


class PastError(Exception):
    """The historian did not answer, or refused the question; the text says what to change."""


class Past:
    """Trends and rows of the plant's points; times are plant time in ns, both ends included."""

    def __init__(self, bus: Bus, plant: Plant) -> None:
        self._client = HistoryClient(bus, plant.id)

    async def trend(self, points: Sequence[int], start_ns: int, end_ns: int, buckets: int) -> pa.Table:
        """Rows point, t_ns, n, low, high, first, last, mean, quality; metadata ``width_ns``. Raises PastError."""
        return await _answered(self._client.trend(points, start_ns, end_ns, buckets))

    async def pages(self, points: Sequence[int], start_ns: int, end_ns: int) -> AsyncIterator[pa.Table]:
        """Rows point, t_ns, value, quality in order of time, some at a time. Raises PastError."""
        while True:
            rows = await _answered(self._client.range(points, start_ns, end_ns, PAGE))
            if rows.num_rows < PAGE:
                yield rows
                return
            times = rows["t_ns"].to_numpy()
            # The next page begins with the last moment of this one, which may not be whole.
            keep = int((times < times[-1]).sum())
            if keep == 0:
                raise PastError(f"more than {PAGE} rows at the very same time {times[-1]} ns")
            yield rows.slice(0, keep)
            start_ns = int(times[-1])

    async def count(self, points: Sequence[int], start_ns: int, end_ns: int) -> int:
        """How many rows there are. Raises PastError."""
        return int(await _answered(self._client.count(points, start_ns, end_ns)))


async def _answered(asking: Awaitable[Any]) -> Any:
    try:
        return await asking
    except (BusError, ValueError) as error:
        raise PastError(str(error)) from error
