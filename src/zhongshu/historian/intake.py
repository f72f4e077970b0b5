"""The bus comes in here: Batches into the tail, events into the log, what deadbands kept back and gaps to the auditor."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from deltalake.exceptions import DeltaError

from zhongshu.historian.audit import Auditor
from zhongshu.historian.event_log import EventLog
from zhongshu.historian.holes import EMPTIED, LIMITS, UNREADABLE, Holes
from zhongshu.historian.latency import Latency
from zhongshu.historian.query import History
from zhongshu.historian.tail import Tail
from zhongshu.historian.writer import Writer
from zhongshu.kernel.bus import Bus, BusError, Message
from zhongshu.kernel.clock import Clock, monotonic_s
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.wire import WireError, decode_batch, decode_event
from zhongshu.model import subjects
from zhongshu.model.batch import Batch, Int64s
from zhongshu.model.messages import GapRecorded
from zhongshu.model.numbering import (
    NO_ANCHOR,
    SNAPSHOT,
    SUPPRESSED,
    Numbered,
    countable,
    decode_samples,
    placed,
)
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)

RETRY_WALL_S = 1.0
#: Unreadable messages that are logged one by one; after these only the count goes on.
LOGGED = 20


class Intake:
    """Reads both streams from where the tables stand. A message that cannot be read is counted, told and passed over."""

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        clock: Clock,
        numbered: Numbered,
        tail: Tail,
        events: EventLog,
        history: History,
        auditor: Auditor,
        holes: Holes,
        writer: Writer,
    ) -> None:
        self._plant, self._bus, self._clock, self._numbered = plant, bus, clock, numbered
        self._tail, self._events, self._history = tail, events, history
        self._auditor, self._holes, self._writer = auditor, holes, writer
        self.latest = Latest(plant)
        #: Per unit the time of the newest counter sample taken in.
        self.counter_ns: Int64s = np.full(len(plant.units), NO_ANCHOR, np.int64)
        self._latency = Latency(clock)
        self._seq = 0
        self._rows = 0
        self._rates: deque[tuple[float, int]] = deque([(monotonic_s(), 0)])
        self._malformed = 0
        self._stored_before: int | None = None

    async def points(self) -> None:
        """Follow POINTS until cancelled."""
        await self._follow(subjects.POINTS, self._start_of_points, self._point_message)

    async def events(self) -> None:
        """Follow EVENTS until cancelled."""
        await self._follow(subjects.EVENTS, self._start_of_events, self._event_message)

    def gap(self, payload: str) -> None:
        """A GapRecorded that is stored already."""
        try:
            event = decode_event("GapRecorded", payload.encode())
        except WireError:
            return
        if isinstance(event, GapRecorded):
            self._auditor.gap(event)

    def figures(self) -> dict[str, Any]:
        """For the health of the process."""
        p50, p99 = self._latency.quantiles_ms(0.5, 0.99)
        return {
            "rows_total": (self._stored_before or 0) + self._rows,
            "values_per_s": round(self._rate(), 1),
            "latency_p50_ms": p50,
            "latency_p99_ms": p99,
            "malformed": self._malformed + self._events.malformed,
            "holes": self._holes.count,
            "points_seq": self._seq,
        }

    async def _follow(self, stream: str, start: Callable[[], int], take: Callable[[Message], None]) -> None:
        while True:
            after = start()
            try:
                async for message in self._bus.replay(stream, after=after):
                    await self._writer.room.wait()
                    take(message)
            except BusError as error:
                log.warning("%s cannot be followed from %s: %s", stream, after, error)
                if "emptied" in str(error):
                    await self._emptied(stream)
                    continue
            await self._clock.sleep_wall(RETRY_WALL_S)

    def _start_of_points(self) -> int:
        """Where to read on: the oldest position of all that is made of the stream."""
        self._stored_before = (
            int(self._history.points.files.rows.sum()) if self._stored_before is None else self._stored_before
        )
        if not self._seq:
            audited = self._auditor.seq or self._history.points.seq
            self._seq = min(self._writer.points_seq, audited)
        return self._seq

    def _start_of_events(self) -> int:
        return max(self._events.seq, self._history.event_table.seq)

    def _point_message(self, message: Message) -> None:
        if self._seq and message.seq > self._seq + 1:
            self._torn(
                "",
                LIMITS,
                f"messages {self._seq + 1} to {message.seq - 1} were removed before they were read",
            )
        self._seq = message.seq
        if not message.subject.startswith(subjects.points(self._plant.id, "")):
            return
        try:
            batch = decode_batch(message.payload)
            self._take(message, batch)
        except (WireError, ValueError, IndexError) as error:
            self._malformed += 1
            self._torn(
                message.subject.rpartition(".")[2],
                UNREADABLE,
                f"message {message.seq} on {message.subject}: {error}",
            )

    def _take(self, message: Message, batch: Batch) -> None:
        if len(batch) and int(batch.point.min()) < 0:
            raise ValueError("a negative point id")
        kept = decode_samples(message.headers[SUPPRESSED]) if SUPPRESSED in message.headers else None
        if SNAPSHOT in message.headers:
            self.latest.update(batch)
            return
        if message.seq > self._writer.points_seq:
            self._tail.append(message.seq, batch)
        self.latest.update(batch)
        if kept is not None:
            self._auditor.kept_back(message.seq, *kept)
        self._auditor.read_up_to(message.seq)
        device = countable(batch.quality)
        t_ns = batch.t_ns[device]
        if message.seq > self._history.points.seq:
            self._rows += len(batch)
            self._latency.add(t_ns, self._clock.wall_ns())
        if len(t_ns):
            self._holes.read(batch.source, int(t_ns.max()))
        self._counters(batch, device & placed(batch.quality))

    def _counters(self, batch: Batch, device: Any) -> None:
        known = device & (batch.point < len(self._numbered.is_counter))
        point = batch.point[known]
        counter = self._numbered.is_counter[point]
        np.maximum.at(self.counter_ns, self._numbered.unit_of[point[counter]], batch.t_ns[known][counter])

    def _event_message(self, message: Message) -> None:
        if not message.subject.startswith(subjects.events(self._plant.id, "")):
            return
        event = self._events.append(message)
        if event is None and self._events.malformed <= LOGGED:
            log.warning("event %s on %s cannot be read, passed over", message.seq, message.subject)
        if isinstance(event, GapRecorded):
            self._auditor.gap(event)

    def _torn(self, connection: str, cause: str, detail: str) -> None:
        self._holes.tear(connection, cause)
        if self._holes.count <= LOGGED:
            log.error("hole in the history (%s): %s", cause, detail)

    async def _emptied(self, stream: str) -> None:
        """The stream begins anew with lower numbers; what it held and we had not read is gone."""
        try:
            if stream == subjects.EVENTS:
                await asyncio.to_thread(self._writer.begin_events_anew)
                return
            await asyncio.to_thread(self._writer.begin_anew)
        except (DeltaError, OSError) as error:
            log.error("the history cannot begin anew with the emptied bus: %s", error)
            await self._clock.sleep_wall(RETRY_WALL_S)
            return
        self._seq = self._auditor.seq = 0
        self._torn("", EMPTIED, "the stream ends before the position of the tables")

    def _rate(self) -> float:
        """Rows a second over the last ten seconds."""
        now = monotonic_s()
        self._rates.append((now, self._rows))
        while len(self._rates) > 2 and self._rates[0][0] < now - 10:
            self._rates.popleft()
        (begun, before), (end, rows) = self._rates[0], self._rates[-1]
        return (rows - before) / (end - begun) if end > begun else 0.0
