"""Events from the bus wait here until they are in their Delta table; queries see both."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa

from zhongshu.historian.tables import EVENTS, days
from zhongshu.kernel.bus import Message
from zhongshu.kernel.wire import WireError, decode_event
from zhongshu.model.messages import Event

_Row = tuple[int, int, str, str, str, str]


class EventLog:
    """Rows (seq, t_ns, kind, source, unit, payload) not yet in a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: list[_Row] = []
        self.malformed = 0

    def __len__(self) -> int:
        """Rows held."""
        return len(self._rows)

    @property
    def seq(self) -> int:
        """Sequence of the newest row, 0 for none."""
        return self._rows[-1][0] if self._rows else 0

    def append(self, message: Message) -> Event | None:
        """Take in one message; one that cannot be read is counted, and None."""
        try:
            event = decode_event(message.subject, message.payload)
        except WireError:
            self.malformed += 1
            return None
        unit = str(getattr(event, "unit", "") or getattr(event, "vehicle", "") or "")
        row = (message.seq, event.t_ns, type(event).__name__, event.source, unit, message.payload.decode())
        with self._lock:
            self._rows.append(row)
        return event

    def after(self, seq: int) -> pa.Table:
        """Rows of messages with a higher sequence, as a table of schema EVENTS."""
        with self._lock:
            rows = [row for row in self._rows if row[0] > seq]
        if not rows:
            return EVENTS.empty_table()
        columns = list(zip(*rows, strict=True))
        day = days(np.array(columns[1], np.int64))
        return pa.table([*(pa.array(column) for column in columns), day], schema=EVENTS)

    def forget(self, seq: int) -> None:
        """Let go of what is in a file now."""
        with self._lock:
            self._rows = [row for row in self._rows if row[0] > seq]
