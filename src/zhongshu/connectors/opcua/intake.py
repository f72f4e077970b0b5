"""From decoded notifications to the sink: doubles of a resubscription dropped, overflow and status changes told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from zhongshu.connectors.opcua import codec
from zhongshu.kernel.ports import Reads, Sink
from zhongshu.model.batch import BAD, Floats, Int64s
from zhongshu.model.plant import Point


class Intake:
    """Remembers what was last delivered of every point, across reconnects, as columns indexed by client handle.

    After a (re)subscription the server begins with each item's current value. If that very sample was delivered
    before, it is dropped; afterwards nothing is, not even when a device's clock runs backwards.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        n = len(points)
        self._ids = np.array([p.id for p in points], np.int32)
        self._last_t: Int64s = np.zeros(n, np.int64)
        self._last_value: Floats = np.full(n, np.nan)
        self._last_code: npt.NDArray[np.uint32] = np.zeros(n, np.uint32)
        self._seen = np.zeros(n, np.bool_)
        self._fresh = np.zeros(n, np.bool_)
        self._freshly = 0
        self.delivered = 0
        self.doubles = 0
        self.overflows = 0
        self.waiting = 0
        self.unreadable = 0
        self.codes: Counter[str] = Counter()

    def resubscribed(self, handles: Iterable[int]) -> None:
        """The next notification of these items may be one that was delivered before."""
        self._fresh[list(handles)] = True
        self._freshly = int(self._fresh.sum())

    def newest_ns(self, handles: Iterable[int] = ()) -> int:
        """Newest source time delivered, of these items or of all; 0 for none."""
        rows = list(handles)
        times = self._last_t[rows] if rows else self._last_t
        return int(times.max()) if len(times) else 0

    def take(self, columns: codec.Columns, received_ns: int, sink: Sink) -> int:
        """Hand everything in ``columns`` to the sink; returns how many samples that were."""
        if not len(columns):
            return 0
        handle = np.array(columns.handle, np.int64)
        value = np.array(columns.value, np.float64)
        code = np.array(columns.code, np.uint32)
        t_ns = codec.times(columns.ticks)
        quality = codec.qualities(code, value)
        value[quality == BAD] = np.nan
        keep = (handle < len(self._ids)) & ~self._still_waiting(handle, code)
        if columns.texts:
            keep &= self._tell_texts(columns, handle, code, t_ns, sink)
        self.unreadable += len(columns.odd)
        if self._freshly:
            keep &= ~self._delivered_before(handle, t_ns, value, code, keep)
        if not keep.all():
            handle, value, code, t_ns, quality = (
                handle[keep],
                value[keep],
                code[keep],
                t_ns[keep],
                quality[keep],
            )
        if not len(handle):
            return 0
        if (code != self._last_code[handle]).any() or code.any():
            self._tell_codes(handle, code, t_ns, sink)
        sink.reads(Reads(self._ids[handle], t_ns, value, quality, received_ns))
        self._last_t[handle] = t_ns  # of several rows of one item, the last one stays
        self._last_value[handle] = value
        self._last_code[handle] = code & np.uint32(codec.SEVERITY_CODE)
        self._seen[handle] = True
        self.delivered += len(handle)
        return len(handle)

    def report_bad(self, handles: Sequence[int], received_ns: int, sink: Sink) -> None:
        """Tell of points that the server does not have: Bad, without a source time."""
        n = len(handles)
        ids = self._ids[list(handles)]
        sink.reads(
            Reads(ids, np.zeros(n, np.int64), np.full(n, np.nan), np.full(n, BAD, np.uint8), received_ns)
        )

    def _still_waiting(self, handle: Int64s, code: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
        """True where the server says that there is no value yet and we never had one; had we one, it is Bad now."""
        waiting: npt.NDArray[np.bool_] = (code & np.uint32(codec.SEVERITY_CODE)) == codec.WAITING
        if waiting.any():
            at = np.minimum(handle, len(self._ids) - 1)
            waiting &= ~self._seen[at] | (self._last_code[at] == codec.WAITING)
            self.waiting += int(waiting.sum())
        return waiting

    def _delivered_before(
        self,
        handle: Int64s,
        t_ns: Int64s,
        value: Floats,
        code: npt.NDArray[np.uint32],
        keep: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.bool_]:
        """True for each item's first row after a resubscription if it brings nothing that was not delivered."""
        rows = np.flatnonzero(keep)
        _, first = np.unique(handle[rows], return_index=True)
        rows = rows[first]
        rows = rows[self._fresh[handle[rows]]]
        at = handle[rows]
        equal = (value[rows] == self._last_value[at]) | (
            np.isnan(value[rows]) & np.isnan(self._last_value[at])
        )
        equal &= (code[rows] & np.uint32(codec.SEVERITY_CODE)) == self._last_code[at]
        known = equal & (t_ns[rows] <= self._last_t[at]) & self._seen[at]
        self._fresh[at] = False
        self._freshly = int(self._fresh.sum())
        double = np.zeros(len(handle), np.bool_)
        double[rows[known]] = True
        self.doubles += int(known.sum())
        return double

    def _tell_texts(
        self, columns: codec.Columns, handle: Int64s, code: npt.NDArray[np.uint32], t_ns: Int64s, sink: Sink
    ) -> npt.NDArray[np.bool_]:
        """Text goes as an event and is no sample, unless its status is one worth a sample (Bad)."""
        keep = np.ones(len(handle), np.bool_)
        for row, text in columns.texts.items():
            if handle[row] < len(self._ids):
                sink.text(int(self._ids[handle[row]]), int(t_ns[row]), text)
            keep[row] = code[row] >= codec.BAD_CODE
        return keep

    def _tell_codes(self, handle: Int64s, code: npt.NDArray[np.uint32], t_ns: Int64s, sink: Sink) -> None:
        """Overflow goes to the ledger; a full status code is told when it changes."""
        lost: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        last: dict[int, int] = {}
        for row in np.flatnonzero((code != 0) | (code != self._last_code[handle])).tolist():
            at, full = int(handle[row]), int(code[row])
            if full & codec.OVERFLOW == codec.OVERFLOW:
                before = self._before(handle, t_ns, row)
                lost[before + 1 if before else 0, int(t_ns[row]) - 1].append(int(self._ids[at]))
            severe = full & codec.SEVERITY_CODE
            if severe != last.get(at, int(self._last_code[at])):
                sink.text(int(self._ids[at]), int(t_ns[row]), codec.name_of(full))
                self.codes[codec.name_of(severe)] += 1
            last[at] = severe
        for (start, end), points in lost.items():
            self.overflows += len(points)
            sink.missed("queue_overflow", points=points, start_ns=start or end, end_ns=end, missing=-1)

    def _before(self, handle: Int64s, t_ns: Int64s, row: int) -> int:
        """Source time of the sample of the same item before this row."""
        earlier = np.flatnonzero(handle[:row] == handle[row])
        return int(t_ns[earlier[-1]]) if len(earlier) else int(self._last_t[handle[row]])
