"""Events written in the same transaction as what they tell of; from here they go to the bus, in order, exactly once."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from zhongshu.kernel.bus import Bus, BusError
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Outgoing
from zhongshu.kernel.store.within import Within, plain
from zhongshu.kernel.waiting import happens
from zhongshu.kernel.wire import encode_event
from zhongshu.model import subjects
from zhongshu.model.messages import Event

log = logging.getLogger(__name__)
#: Rows sent before the next look; with nothing new, the table is looked at once in so many wall seconds.
TAKE = 256
IDLE_WALL_S = 1.0
_PUT = insert(Outgoing.__table__)  # type: ignore[arg-type]  # a whole table, as every class of ours maps
_MINE = (Outgoing.plant == bindparam("of"), Outgoing.stage == bindparam("by"))
_WAITING = (
    select(Outgoing.id, Outgoing.kind, Outgoing.payload, Outgoing.msg_id)
    .where(*_MINE)
    .order_by(Outgoing.id)
    .limit(TAKE)
)
_FORGET = delete(Outgoing).where(*_MINE, Outgoing.id <= bindparam("last"))


def put_event(within: Within, stage: str, event: Event, *, msg_id: str) -> None:
    """Leave ``event`` for the stage's outbox; it goes out if and only if the transaction commits."""
    payload = encode_event(event).decode()
    kind = type(event).__name__
    row = {"plant": event.plant, "stage": stage, "kind": kind, "payload": payload, "msg_id": msg_id}
    plain(within).execute(_PUT, row)


class _Row(NamedTuple):
    id: int
    kind: str
    payload: str
    msg_id: str


class Outbox:
    """Publishes one stage's rows in the order of their ids and deletes each once the bus has confirmed it."""

    def __init__(self, plant: str, stage: str, store: Store, bus: Bus, clock: Clock) -> None:
        self._plant, self._stage, self._store, self._bus, self._clock = plant, stage, store, bus, clock
        self._news = asyncio.Event()

    def poke(self) -> None:
        """Something was put in: look at once."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; a bus out of reach is waited for."""
        while True:
            self._news.clear()
            if not await self._send_some():
                await self._wait()

    async def _wait(self) -> None:
        if not self._news.is_set():
            await happens(self._news, IDLE_WALL_S)

    async def _send_some(self) -> bool:
        """True where there may be more."""
        rows = await asyncio.to_thread(self._waiting)
        try:
            for row in rows:
                await self._bus.publish(
                    subjects.events(self._plant, row.kind), row.payload.encode(), msg_id=row.msg_id
                )
        except BusError as error:
            log.warning("events of %s wait for the bus: %s", self._stage, error)
            await self._clock.sleep_wall(0.5)
            return True  # repeats are recognised by their msg_id
        if rows:
            await asyncio.to_thread(self._forget, rows[-1].id)
        return len(rows) == TAKE

    def _waiting(self) -> list[_Row]:
        with self._store.look() as connection:
            return [
                _Row(*row) for row in connection.execute(_WAITING, {"of": self._plant, "by": self._stage})
            ]

    def _forget(self, last: int) -> None:
        with self._store.write() as connection:
            connection.execute(_FORGET, {"of": self._plant, "by": self._stage, "last": last})
