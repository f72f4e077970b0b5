"""Answers questions to the history over the bus: a JSON question comes in, an Arrow IPC stream goes out, page by page."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa

from zhongshu.historian.query import History, QueryError
from zhongshu.kernel.bus import Bus, BusError, Subscription
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.latest import NEVER, Latest
from zhongshu.model import subjects
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)

SERVICE = "history"
#: Bytes of rows in one answer; the bus takes a few megabytes a message.
PAGE_BYTES = 700_000
#: Answers of several pages that are kept for whoever asked, and for how long.
OPEN_ANSWERS = 8
OPEN_S = 60.0
THREADS = 2
RETRY_S = 1.0


class Service:
    """``range``, ``trend``, ``latest``, ``events`` and ``count`` of ``History`` as the bus service ``history``.

    A question is ``{"op": …, further arguments}``. An answer's metadata says how many rows there are in all and, if
    not all fit, under which token the next page can be asked for.
    """

    def __init__(self, plant: Plant, bus: Bus, history: History, latest: Latest) -> None:
        self._subject = subjects.rpc(plant.id, SERVICE)
        self._bus, self._history, self._latest = bus, history, latest
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="history")
        self._open: OrderedDict[str, tuple[float, pa.Table]] = OrderedDict()
        self._answers: dict[str, Callable[[dict[str, Any]], pa.Table]] = {
            "range": lambda q: history.range(
                q["points"], q["start_ns"], q["end_ns"], q.get("limit", 100_000)
            ),
            "trend": lambda q: history.trend(q["points"], q["start_ns"], q["end_ns"], q.get("buckets", 1000)),
            "latest": lambda q: self._newest(q.get("points")),
            "events": lambda q: history.events(**{name: q[name] for name in _EVENT_ARGUMENTS if name in q}),
            "count": lambda q: _single(
                history.count(q.get("points"), *(q[n] for n in ("start_ns", "end_ns") if n in q))
            ),
        }

    async def run(self) -> None:
        """Answer until cancelled."""
        subscription = await self._respond()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
            await subscription.close()

    async def _respond(self) -> Subscription:
        while True:
            try:
                return await self._bus.respond(self._subject, self.answer)
            except BusError as error:
                log.warning("the history cannot be asked yet: %s", error)
                await asyncio.sleep(RETRY_S)

    async def answer(self, payload: bytes) -> bytes:
        """One question; a QueryError's text goes to whoever asked."""
        question = _question(payload)
        if question["op"] == "page":
            return self._page(str(question.get("token")), question.get("offset", 0))
        ask = self._answers.get(str(question["op"]))
        if ask is None:
            raise QueryError(f"op must be one of {', '.join(self._answers)}")
        table = await asyncio.get_running_loop().run_in_executor(self._threads, _asked, ask, question)
        if table.nbytes <= PAGE_BYTES:
            return _encoded(table, table.num_rows, "")
        token = uuid4().hex
        self._forget()
        self._open[token] = (monotonic_s(), table)
        return self._page(token, 0)

    def _page(self, token: str, offset: Any) -> bytes:
        self._forget()
        if token not in self._open or not isinstance(offset, int) or offset < 0:
            raise QueryError("this answer is no longer open: ask again")
        _, table = self._open[token]
        size = max(1, PAGE_BYTES * table.num_rows // max(1, table.nbytes))
        if offset + size >= table.num_rows:
            del self._open[token]
        return _encoded(table.slice(offset, size), table.num_rows, token)

    def _forget(self) -> None:
        while self._open and (
            len(self._open) > OPEN_ANSWERS or monotonic_s() - next(iter(self._open.values()))[0] > OPEN_S
        ):
            self._open.popitem(last=False)

    def _newest(self, points: list[int] | None) -> pa.Table:
        """From memory; only points of which nothing came since the start are looked up in the files."""
        latest = self._latest
        known = np.flatnonzero(latest.qualities != NEVER).astype(np.int32)
        if points is None:
            return _rows(latest, known)
        ids = np.unique(np.asarray(points, np.int64))
        there = ids[(ids >= 0) & (ids < len(latest))].astype(np.int32)
        there = there[latest.qualities[there] != NEVER]
        rest = np.setdiff1d(ids, there)
        rows = _rows(latest, there)
        return pa.concat_tables([rows, self._history.latest(rest.tolist())]) if len(rest) else rows


_EVENT_ARGUMENTS = ("kind", "start_ns", "end_ns", "unit", "limit")


def _question(payload: bytes) -> dict[str, Any]:
    try:
        question = json.loads(payload)
    except ValueError as error:
        raise QueryError(f"the question is not JSON: {error}") from error
    if not isinstance(question, dict) or "op" not in question:
        raise QueryError("the question must be an object with op")
    return question


def _asked(ask: Callable[[dict[str, Any]], pa.Table], question: dict[str, Any]) -> pa.Table:
    try:
        return ask(question)
    except KeyError as error:
        raise QueryError(f"{question['op']} needs {error.args[0]}") from error
    except TypeError as error:
        raise QueryError(f"{question['op']}: {error}") from error


def _rows(latest: Latest, ids: Any) -> pa.Table:
    quality = latest.qualities[ids].astype(np.int8)
    return pa.table(
        {"point": ids, "t_ns": latest.times_ns[ids], "value": latest.values[ids], "quality": quality}
    )


def _single(n: int) -> pa.Table:
    return pa.table({"n": pa.array([n], pa.int64())})


def _encoded(table: pa.Table, rows: int, token: str) -> bytes:
    metadata = {**(table.schema.metadata or {}), b"rows": str(rows).encode(), b"token": token.encode()}
    table = table.replace_schema_metadata(metadata)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    encoded: bytes = out.getvalue().to_pybytes()
    return encoded
