"""Shaped rows of one connection wait here, bounded, and go to the bus one Batch after the other until each is confirmed."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from zhongshu.kernel.bus import RECEIVED_NS, Bus, BusError, BusFull
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.wire import BOOT, payload_of
from zhongshu.model import subjects
from zhongshu.model.batch import Batch, Int32s, Int64s
from zhongshu.model.numbering import SNAPSHOT_SEQ, SUPPRESSED, encode_samples
from zhongshu.sense.points import Rows

log = logging.getLogger(__name__)

BACK_OFF_WALL_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(slots=True, eq=False)
class Parcel:
    """One Batch to be, with the samples that its deadbands kept back and further headers."""

    rows: Rows
    kept_point: Int32s
    kept_t_ns: Int64s
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Count of samples it stands for."""
        return len(self.rows) + len(self.kept_point)


@dataclass(slots=True)
class Room:
    """How many samples all connections together may hold back while the bus is out of reach."""

    limit: int
    used: int = 0

    @property
    def excess(self) -> int:
        """Samples too many."""
        return self.used - self.limit


class Sender:
    """The queue of one connection. ``confirmed`` gets every Batch the bus has on disk, ``dropped`` every parcel lost."""

    def __init__(
        self,
        plant: str,
        connection: str,
        bus: Bus,
        clock: Clock,
        room: Room,
        confirmed: Callable[[Batch, Parcel, int], None],
        dropped: Callable[[Parcel], None],
    ) -> None:
        self._plant, self._connection = plant, connection
        self._bus, self._clock, self._room = bus, clock, room
        self._confirmed, self._dropped = confirmed, dropped
        self._queue: deque[Parcel] = deque()
        self._news = asyncio.Event()
        self._in_flight: tuple[Batch, Parcel] | None = None
        self._seq = 0
        self.snapshot_seq = 0
        self.error = ""

    def __len__(self) -> int:
        """Parcels not confirmed."""
        return len(self._queue) + (self._in_flight is not None)

    def put(self, parcel: Parcel) -> None:
        """Queue behind the others; where the room is used up, the oldest go."""
        self._queue.append(parcel)
        self._room.used += parcel.size
        while self._room.excess > 0 and len(self._queue) > 1:
            oldest = self._queue.popleft()
            self._room.used -= oldest.size
            self._dropped(oldest)
        self._news.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            while self._queue:
                await self._send_next()
            self._news.clear()
            await self._news.wait()

    async def drain(self) -> None:
        """Send what is queued; for an orderly end, after ``run`` was cancelled."""
        while self._queue or self._in_flight:
            await self._send_next()

    async def _send_next(self) -> None:
        batch, parcel = self._in_flight = self._in_flight or self._next()
        try:
            seq = await self._publish(batch, parcel)
        except BusFull as error:
            # Not even a retry can store it: the samples are lost, and the ledger says so.
            log.error("%s: batch of %s samples refused by the bus: %s", self._connection, len(batch), error)
            self._in_flight = None
            self._dropped(parcel)
        else:
            self._in_flight = None
            self._confirmed(batch, parcel, seq)
        self._room.used -= parcel.size  # not when cancelled: then it is sent again under its own id

    def _next(self) -> tuple[Batch, Parcel]:
        parcel = self._queue.popleft()
        rows = parcel.rows
        self._seq += 1
        columns = (rows.point.astype(np.int32, copy=False), rows.t_ns, rows.value, rows.quality)
        return Batch(self._plant, self._connection, self._seq, rows.received_ns, *columns), parcel

    async def _publish(self, batch: Batch, parcel: Parcel) -> int:
        headers = {RECEIVED_NS: str(batch.received_ns), **parcel.headers}
        headers.setdefault(SNAPSHOT_SEQ, str(self.snapshot_seq))
        if len(parcel.kept_point):
            headers[SUPPRESSED] = encode_samples(parcel.kept_point, parcel.kept_t_ns)
        payload = payload_of(batch, self._bus)
        msg_id = f"{self._plant}.{self._connection}.{BOOT}.{id(self):x}.{batch.seq}"
        subject = subjects.points(self._plant, self._connection)
        turn = 0
        while True:
            try:
                seq = await self._bus.publish(subject, payload, msg_id=msg_id, headers=headers)
            except BusFull:
                raise
            except BusError as error:
                if not self.error:
                    log.warning("%s: the bus is out of reach, samples wait: %s", self._connection, error)
                self.error = str(error)
                await self._clock.sleep_wall(BACK_OFF_WALL_S[min(turn, len(BACK_OFF_WALL_S) - 1)])
                turn += 1
            else:
                if self.error:
                    log.info("%s: the bus is back", self._connection)
                self.error = ""
                return seq
