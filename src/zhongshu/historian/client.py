"""Asks the historian over the bus, so that pages and commands need no access to its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from zhongshu.historian.service import SERVICE
from zhongshu.kernel.bus import Bus
from zhongshu.model import subjects

TIMEOUT_S = 15.0


class HistoryClient:
    """The questions of ``historian.query.History``, awaited. ``plant`` is the plant's id.

    Every answer is an Arrow table. Raises BusError when no historian answers in time, or with the historian's own
    words when it cannot answer the question.
    """

    def __init__(self, bus: Bus, plant: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._bus, self._subject, self._timeout_s = bus, subjects.rpc(plant, SERVICE), timeout_s

    async def range(
        self, points: Sequence[int], start_ns: int, end_ns: int, limit: int = 100_000
    ) -> pa.Table:
        """Rows point, t_ns, value, quality by time, the first ``limit`` of them."""
        return await self._ask(
            {"op": "range", **_span(start_ns, end_ns), "points": _ids(points), "limit": limit}
        )

    async def trend(self, points: Sequence[int], start_ns: int, end_ns: int, buckets: int = 1000) -> pa.Table:
        """Intervals point, t_ns, n, low, high, first, last, mean, quality; metadata ``width_ns``."""
        return await self._ask(
            {"op": "trend", **_span(start_ns, end_ns), "points": _ids(points), "buckets": buckets}
        )

    async def latest(self, points: Sequence[int] | None = None) -> pa.Table:
        """The newest row of each point that has one (of all points the historian has heard of where None)."""
        return await self._ask({"op": "latest", "points": None if points is None else _ids(points)})

    async def events(
        self,
        kind: str = "",
        start_ns: int | None = None,
        end_ns: int | None = None,
        unit: str = "",
        limit: int = 1000,
    ) -> pa.Table:
        """Events seq, t_ns, kind, source, unit, payload (JSON), newest first."""
        times = {name: t for name, t in (("start_ns", start_ns), ("end_ns", end_ns)) if t is not None}
        return await self._ask({"op": "events", "kind": kind, "unit": unit, "limit": limit, **times})

    async def count(
        self, points: Sequence[int] | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> int:
        """How many rows there are."""
        question: dict[str, Any] = {"op": "count", "points": None if points is None else _ids(points)}
        if start_ns is not None and end_ns is not None:
            question |= _span(start_ns, end_ns)
        return int((await self._ask(question))["n"][0].as_py())

    async def _ask(self, question: dict[str, Any]) -> pa.Table:
        page = await self._page(question)
        token = page.schema.metadata[b"token"].decode()
        rows, pages = int(page.schema.metadata[b"rows"]), [page]
        have = page.num_rows
        while token and have < rows:
            page = await self._page({"op": "page", "token": token, "offset": have})
            pages.append(page)
            have += page.num_rows
        return pa.concat_tables(pages)

    async def _page(self, question: dict[str, Any]) -> pa.Table:
        payload = await self._bus.request(
            self._subject, json.dumps(question).encode(), timeout_s=self._timeout_s
        )
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            return reader.read_all()


def _ids(points: Sequence[int]) -> list[int]:
    return [int(point) for point in points]


def _span(start_ns: int, end_ns: int) -> dict[str, int]:
    return {"start_ns": int(start_ns), "end_ns": int(end_ns)}
