"""Rows leave memory for Delta files here, each commit with the bus sequence it ends at."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake.exceptions import DeltaError

from zhongshu.historian.event_log import EventLog
from zhongshu.historian.query import History
from zhongshu.historian.rollup import parts
from zhongshu.historian.tables import POINTS, days
from zhongshu.historian.tail import Tail, View
from zhongshu.kernel.clock import Clock, monotonic_s

log = logging.getLogger(__name__)

LOOK_WALL_S = 0.5
#: Buckets are written less often than rows, because every commit may cut a bucket in two parts.
ROLLUP_WALL_S = 120.0
#: Rows in memory at which the bus has to wait (it keeps what we do not read).
ROOM_ROWS = 4_000_000
BACK_OFF_WALL_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class Writer:
    """Flushes tail and events. A failure (a full disk) is told in the figures and tried again; nothing is forgotten."""

    def __init__(
        self,
        history: History,
        tail: Tail,
        events: EventLog,
        clock: Clock,
        *,
        flush_wall_s: float,
        flush_rows: int,
    ) -> None:
        self._history, self._tail, self._events, self._clock = history, tail, events, clock
        self._flush_wall_s, self._flush_rows = flush_wall_s, flush_rows
        self._flushed_s = self._rolled_s = monotonic_s()
        self._flush_wall_ns = 0
        self._lock = threading.Lock()
        self.room = asyncio.Event()
        self.room.set()
        self.error = ""
        self.flush_ms = 0.0

    def open(self) -> None:
        """Open every table; blocks."""
        for table in (
            self._history.points,
            self._history.event_table,
            *(lv.table for lv in self._history.levels),
        ):
            _ = table.files

    @property
    def points_seq(self) -> int:
        """From here on the POINTS stream must be read: the oldest position of all tables that are made of it."""
        return min(self._history.points.seq, *(level.table.seq for level in self._history.levels))

    async def run(self) -> None:
        """Flush when rows are old or many enough, until cancelled."""
        failed = 0
        while True:
            await self._clock.sleep_wall(LOOK_WALL_S)
            if len(self._tail) > ROOM_ROWS:
                self.room.clear()
            if not self._due():
                continue
            try:
                await asyncio.shield(asyncio.to_thread(self.flush_all, self._rollup_is_due()))
            except (DeltaError, OSError, pa.ArrowException) as error:
                if not self.error:
                    log.error("the history cannot be written, rows stay in memory and on the bus: %s", error)
                self.error = str(error)
                await self._clock.sleep_wall(BACK_OFF_WALL_S[min(failed, len(BACK_OFF_WALL_S) - 1)])
                failed += 1
                continue
            if self.error:
                log.info("the history is being written again")
            self.error, failed = "", 0
            if len(self._tail) <= ROOM_ROWS:
                self.room.set()

    def flush_all(self, buckets: bool = True) -> None:
        """Commit rows and events (and buckets) read so far; blocks. Raises DeltaError or OSError."""
        with self._lock:
            self._flush_all(buckets)

    def _flush_all(self, buckets: bool) -> None:
        begun = monotonic_s()
        view = self._tail.view()
        self._flush_points(view)
        self._flush_events()
        if buckets:
            for level in self._history.levels:
                new = view.after(level.table.seq)
                if len(new):
                    level.table.append(self._parts(new, level.width_ns), new.seq)
            self._rolled_s = begun
            self._tail.forget(self.points_seq)
        self._flushed_s = begun
        self._flush_wall_ns = self._clock.wall_ns()
        self.flush_ms = (monotonic_s() - begun) * 1e3

    def begin_anew(self) -> None:
        """The POINTS stream was emptied and counts from 1 again: everything read is committed, all positions become 0."""
        self.flush_all()
        with self._lock:
            for table in (self._history.points, *(level.table for level in self._history.levels)):
                table.append(table.schema.empty_table(), 0)

    def begin_events_anew(self) -> None:
        """The same for EVENTS."""
        self.flush_all(buckets=False)
        with self._lock:
            table = self._history.event_table
            table.append(table.schema.empty_table(), 0)

    def figures(self) -> dict[str, Any]:
        """For the health of the process."""
        files = self._history.points.files
        size, rows = int(files.bytes.sum()), int(files.rows.sum())
        tables = (self._history.event_table, *(level.table for level in self._history.levels))
        return {
            "flush_error": self.error,
            "flush_ms": round(self.flush_ms, 1),
            "last_flush_wall_ns": self._flush_wall_ns,
            "tail_rows": len(self._tail),
            "stored_rows": rows,
            "stored_bytes": size + sum(int(table.files.bytes.sum()) for table in tables),
            "bytes_per_value": round(size / rows, 3) if rows else 0.0,
        }

    def _due(self) -> bool:
        age = monotonic_s() - self._flushed_s
        unsaved = len(self._tail.view().after(self._history.points.seq))
        fresh = unsaved or len(self._events)
        return (
            unsaved >= self._flush_rows
            or (bool(fresh) and age >= self._flush_wall_s)
            or not self.room.is_set()
        )

    def _rollup_is_due(self) -> bool:
        return (
            monotonic_s() - self._rolled_s >= ROLLUP_WALL_S
            or not self.room.is_set()
            or len(self._tail) > ROOM_ROWS // 2
        )

    def _flush_points(self, view: View) -> None:
        new = view.after(self._history.points.seq)
        if not len(new):
            return
        order = np.lexsort((new.t_ns, new.point))
        t_ns = new.t_ns[order]
        columns = (new.point[order], t_ns, new.value[order], new.quality[order].astype(np.int8), days(t_ns))
        self._history.points.append(pa.table(list(columns), schema=POINTS), new.seq)

    def _flush_events(self) -> None:
        table = self._history.event_table
        rows = self._events.after(table.seq)
        if rows.num_rows:
            table.append(rows, int(rows["seq"][-1].as_py()))
        self._events.forget(table.seq)

    def _parts(self, view: View, width_ns: int) -> pa.Table:
        if width_ns != self._history.levels[0].width_ns:
            return parts(view, width_ns)
        mask = np.isin(view.point, self._history.fast.ids)
        columns = (view.point[mask], view.t_ns[mask], view.value[mask], view.quality[mask])
        return parts(View(*columns, (), ()), width_ns)
