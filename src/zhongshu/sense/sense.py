"""Sense, the first stage: connectors put raw reads in, Batches, gaps and link changes come out on the bus."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from zhongshu.kernel.bus import Bus, BusError
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Sink
from zhongshu.kernel.store import Store
from zhongshu.model.numbering import numbered
from zhongshu.model.plant import Connection, Plant
from zhongshu.sense import causes
from zhongshu.sense.book import Book
from zhongshu.sense.checkpoint import restore
from zhongshu.sense.lane import Lane
from zhongshu.sense.ledger import Ledger
from zhongshu.sense.points import Points
from zhongshu.sense.sender import Room, Sender

log = logging.getLogger(__name__)

FLUSH_WALL_S = 0.15
#: Units are looked after so often.
LOOK_WALL_S = 0.5
#: Samples held back for the bus, all connections together.
ROOM_SAMPLES = 300_000
RETRY_WALL_S = 0.5


class Sense:
    """All connections of a plant. ``sink`` gives each connector its end; ``run`` publishes until cancelled.

    ``clock_limit_s`` (wall seconds) is how far a source's time may be off the plant's clock. Without a store the gap
    ledger goes to the bus only, as in a rehearsal.
    """

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        store: Store | None,
        clock: Clock,
        *,
        room_samples: int = ROOM_SAMPLES,
        clock_limit_s: float = 60.0,
    ) -> None:
        self._plant, self._bus, self._clock = plant, bus, clock
        self._numbered = numbered(plant)
        self._points = Points(plant, self._numbered, clock, clock_limit_s=clock_limit_s)
        self._ledger = Ledger(plant.id, bus, store, clock)
        self._room = Room(room_samples)
        self._full = asyncio.Event()
        self._lanes: dict[str, Lane] = {}
        self._books: dict[str, Book] = {}
        for connection in plant.connections:
            book = Book(plant, connection.id, self._numbered, self._ledger, clock)
            self._books[connection.id] = book
            self._lanes[connection.id] = Lane(plant, connection, self._points, clock, book, self._full.set)

    def sink(self, connection: Connection | str) -> Sink:
        """Where the connector of this connection puts what it reads; it may do so at once."""
        return self._lanes[connection if isinstance(connection, str) else connection.id]

    async def run(self) -> None:
        """Read the past from the bus, then flush, publish and look after the units until cancelled."""
        await asyncio.gather(*(self._open(lane) for lane in self._lanes.values()))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ledger.run())
                for lane in self._lanes.values():
                    if lane.sender is not None:
                        tasks.create_task(lane.sender.run())
                tasks.create_task(self._flush())
                tasks.create_task(self._look())
        finally:
            await self._leave()

    def figures(self) -> dict[str, Any]:
        """For ``kernel.health``: totals, and each connection's own under ``connections``."""
        connections = {name: lane.figures() for name, lane in self._lanes.items()}
        names = ("received", "published", "kept_back", "doubled", "unknown", "dropped", "restated", "surplus")
        return {
            **{name: sum(c[name] for c in connections.values()) for name in names},
            "waiting": self._room.used + sum(lane.waiting for lane in self._lanes.values()),
            "gaps": self._ledger.gaps,
            "missing": self._ledger.missing,
            "connections": connections,
        }

    async def _open(self, lane: Lane) -> None:
        """A connection goes on where the bus says that its predecessor stopped."""
        name, book = lane.connection, self._books[lane.connection]
        seq, newest_ns = await self._restore(name, book)
        sender = Sender(
            self._plant.id, name, self._bus, self._clock, self._room, lane.confirmed, lane.dropped
        )
        sender.snapshot_seq = seq
        lane.sender = sender
        if newest_ns:
            book.goes_on()
            self._points.owe_all(lane.vigil.mine)
            book.causes.began(causes.RESTART, newest_ns)
            if lane.vigil.connected:
                book.causes.ended(causes.RESTART, self._clock.now_ns())

    async def _restore(self, name: str, book: Book) -> tuple[int, int]:
        while True:
            try:
                return await restore(self._bus, self._plant.id, name, self._points, book)
            except BusError as error:
                log.warning("%s: the bus does not yet say where to go on: %s", name, error)
                await self._clock.sleep_wall(RETRY_WALL_S)

    async def _flush(self) -> None:
        """Every FLUSH_WALL_S, or as soon as one connection has a full Batch."""
        while True:
            timer = asyncio.ensure_future(self._clock.sleep_wall(FLUSH_WALL_S))
            full = asyncio.ensure_future(self._full.wait())
            try:
                await asyncio.wait((timer, full), return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                full.cancel()
            self._full.clear()
            for lane in self._lanes.values():
                lane.flush()

    async def _look(self) -> None:
        while True:
            await self._clock.sleep_wall(LOOK_WALL_S)
            for lane in self._lanes.values():
                lane.look()

    async def _leave(self) -> None:
        """An orderly end: what was read goes out if the bus takes it at once; what does not is found by its numbers."""
        for lane in self._lanes.values():
            lane.flush()
        senders = [lane.sender for lane in self._lanes.values() if lane.sender]
        try:
            async with asyncio.timeout(2.0):
                await asyncio.gather(*(sender.drain() for sender in senders))
                await self._ledger.drain()
        except (TimeoutError, BusError, OSError) as error:
            log.warning("sense leaves with samples unsent: %s", error)
