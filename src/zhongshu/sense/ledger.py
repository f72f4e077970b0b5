"""Gaps and link changes become rows of the store and events on the bus, both or neither, each once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from zhongshu.kernel.bus import Bus, BusError
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.outbox import Outbox, put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Gap
from zhongshu.kernel.wire import publish_event
from zhongshu.model.messages import Event, GapRecorded

log = logging.getLogger(__name__)

STAGE = "sense"
#: Events waiting for the store; when even these do not fit, the oldest link changes go first, gaps never.
WAITING_LIMIT = 100_000
RETRY_WALL_S = 1.0


class Ledger:
    """Takes events at any time without blocking; ``run`` writes them down. Without a store they go to the bus only."""

    def __init__(self, plant: str, bus: Bus, store: Store | None, clock: Clock) -> None:
        self._plant, self._bus, self._store, self._clock = plant, bus, store, clock
        self._outbox = Outbox(plant, STAGE, store, bus, clock) if store else None
        self._waiting: deque[tuple[Event, str]] = deque()
        self._news = asyncio.Event()
        self.gaps = 0
        self.missing = 0
        self.dropped = 0

    def record(self, event: Event, key: str) -> None:
        """Write this down once; the same ``key`` again is the same event."""
        if len(self._waiting) >= WAITING_LIMIT and not isinstance(event, GapRecorded):
            self.dropped += 1
            return
        if isinstance(event, GapRecorded):
            self.gaps += 1
            self.missing += max(0, event.missing)
        self._waiting.append((event, key))
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; store or bus out of reach is waited for."""
        async with asyncio.TaskGroup() as tasks:
            if self._outbox:
                tasks.create_task(self._outbox.run())
            tasks.create_task(self._write())

    async def drain(self) -> None:
        """Write down what still waits, once; for an orderly end."""
        if self._waiting:
            await self._write_some()

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                try:
                    await self._write_some()
                except (SQLAlchemyError, BusError, OSError) as error:
                    log.warning("gap ledger: %s events wait: %s", len(self._waiting), error)
                    await self._clock.sleep_wall(RETRY_WALL_S)

    async def _write_some(self) -> None:
        some = list(self._waiting)[:500]
        if self._store is None or self._outbox is None:
            for event, key in some:
                await publish_event(self._bus, event, msg_id=key)
                self._waiting.popleft()
            return
        await asyncio.to_thread(self._store_all, self._store, some)
        for _ in some:
            self._waiting.popleft()
        self._outbox.poke()

    def _store_all(self, store: Store, events: Sequence[tuple[Event, str]]) -> None:
        with store.begin() as session:
            for event, key in events:
                if isinstance(event, GapRecorded):
                    known = session.get(Gap, (event.plant, event.gap))
                    if known and known.missing == event.missing:
                        continue  # found again after a restart
                    session.merge(_row(event, self._clock.wall_ns(), known.cause if known else event.cause))
                put_event(session, STAGE, event, msg_id=key)


def _row(event: GapRecorded, wall_ns: int, cause: str) -> Gap:
    return Gap(
        plant=event.plant,
        id=event.gap,
        connection=event.connection,
        unit=event.unit,
        points=list(event.points),
        start_ns=event.start_ns,
        end_ns=event.end_ns,
        missing=event.missing,
        cause=cause,
        recorded_ns=wall_ns,
    )
