"""The newest minutes in memory: Batches from the bus are appended, queries and flushes look at them."""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from zhongshu.model.batch import Batch, Bytes, Floats, Int32s, Int64s

_FIRST_ROOM = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Columns as they stood at one moment; later appends do not show."""

    point: Int32s
    t_ns: Int64s
    value: Floats
    quality: Bytes
    _seqs: tuple[int, ...]
    _ends: tuple[int, ...]

    def __len__(self) -> int:
        """Count of rows."""
        return len(self.point)

    @property
    def seq(self) -> int:
        """Sequence of the newest message in it, 0 for none."""
        return self._seqs[-1] if self._seqs else 0

    def after(self, seq: int) -> View:
        """The rows of messages with a higher sequence."""
        index = bisect_right(self._seqs, seq)
        start = self._ends[index - 1] if index else 0
        ends = tuple(end - start for end in self._ends[index:])
        return View(
            self.point[start:],
            self.t_ns[start:],
            self.value[start:],
            self.quality[start:],
            self._seqs[index:],
            ends,
        )

    def take(self, points: Int32s | None, start_ns: int, end_ns: int) -> pa.Table:
        """Rows of these points (all where None) in ``[start_ns, end_ns]`` as point, t_ns, value, quality."""
        mask = (self.t_ns >= start_ns) & (self.t_ns <= end_ns)
        if points is not None:
            mask &= self.point == points[0] if len(points) == 1 else np.isin(self.point, points)
        rows = np.flatnonzero(mask)
        columns = {
            "point": self.point[rows],
            "t_ns": self.t_ns[rows],
            "value": self.value[rows],
            "quality": self.quality[rows].astype(np.int8),
        }
        return pa.table(columns)


class Tail:
    """Rows in order of their message's sequence. One thread appends; any thread takes views."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n = 0
        self._columns: tuple[Any, ...] = _room(_FIRST_ROOM)
        self._seqs: list[int] = []
        self._ends: list[int] = []
        self._view: View | None = None

    def __len__(self) -> int:
        """Rows held."""
        return self._n

    def append(self, seq: int, batch: Batch) -> None:
        """The rows of one message, visible from now on."""
        n = len(batch)
        with self._lock:
            if self._n + n > len(self._columns[0]):
                self._grow(self._n + n)
            new = slice(self._n, self._n + n)
            for column, values in zip(
                self._columns, (batch.point, batch.t_ns, batch.value, batch.quality), strict=True
            ):
                column[new] = values
            self._n += n
            self._seqs.append(seq)
            self._ends.append(self._n)
            self._view = None

    def view(self) -> View:
        """What is there now; without copying."""
        with self._lock:
            if self._view is None:
                point, t_ns, value, quality = (column[: self._n] for column in self._columns)
                self._view = View(point, t_ns, value, quality, tuple(self._seqs), tuple(self._ends))
            return self._view

    def forget(self, seq: int) -> None:
        """Let go of the rows of messages up to ``seq``; views taken before keep them."""
        with self._lock:
            index = bisect_right(self._seqs, seq)
            start = self._ends[index - 1] if index else 0
            if not index:
                return
            old, self._n = self._columns, self._n - start
            self._columns = _room(max(_FIRST_ROOM, self._n * 3 // 2))
            for column, values in zip(self._columns, old, strict=True):
                column[: self._n] = values[start : start + self._n]
            self._seqs = self._seqs[index:]
            self._ends = [end - start for end in self._ends[index:]]
            self._view = None

    def _grow(self, rows: int) -> None:
        old = self._columns
        self._columns = _room(rows * 3 // 2)
        for column, values in zip(self._columns, old, strict=True):
            column[: self._n] = values[: self._n]


def _room(rows: int) -> tuple[Any, Any, Any, Any]:
    return (
        np.empty(rows, np.int32),
        np.empty(rows, np.int64),
        np.empty(rows, np.float64),
        np.empty(rows, np.uint8),
    )
