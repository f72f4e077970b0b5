"""The brain's side of one Modbus connection: images of its units to the sink, writes and requests to its units."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zhongshu.connectors.modbus.asking import Asking, Target
from zhongshu.connectors.modbus.config import settings_of
from zhongshu.connectors.modbus.link import Figures, Link, LinkLost
from zhongshu.connectors.modbus.poll import UnitPoll
from zhongshu.connectors.modbus.reading import Looks
from zhongshu.connectors.modbus.speech import speech_of
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Check, Sink
from zhongshu.model.commands import Answer, Call
from zhongshu.model.plant import Connection, Plant

#: Waits between two attempts to connect, in s of wall time: the first, and the longest.
BACK_OFF_S = (0.2, 3.0)


class ModbusConnector:
    """Reader and Writer of one server or gateway, on one TCP connection. Raises ValueError for bad settings or addresses."""

    def __init__(self, plant: Plant, connection: Connection, clock: Clock) -> None:
        self._settings = settings_of(connection.settings)
        self._clock, self._id = clock, connection.id
        self._say = speech_of(plant.settings)
        self._figures, self._looks = Figures(), Looks()
        self._polls = [
            UnitPoll(u, self._settings, clock, self._looks, self._say, plant.stale_after_s)
            for u in plant.units
            if u.connection == connection.id
        ]
        targets = [Target(p.unit, p.unit_id, p.places) for p in self._polls]
        self._asking = Asking(targets, self._settings.timeout_s, clock, self._say)
        self._link: Link | None = None
        self._stands: bool | None = None  # None: nothing was told to the sink yet

    async def run(self, sink: Sink) -> None:
        """Connect, read, and connect again, for ever."""
        wait_s = BACK_OFF_S[0]
        while True:
            try:
                link = await Link.open(self._settings, self._figures, self._say)
            except OSError as error:
                reason = self._say("link.refused", error=str(error) or type(error).__name__)
            else:
                reason = await self._session(link, sink)
            if self._stands:
                wait_s = BACK_OFF_S[0]
            if self._stands is not False:
                self._stands = False
                sink.lost(reason)
            await self._clock.sleep_wall(wait_s)
            wait_s = min(wait_s * 2, BACK_OFF_S[1])

    async def write(self, point: int, value: float) -> Answer:
        """One raw value to a point (by id), read back."""
        return await self._asking.write(self._link, point, value)

    async def call(self, call: Call) -> Answer:
        """A request to a unit, by the keyed hand-shake."""
        return await self._asking.call(self._link, call)

    async def check(self) -> Check:
        """Connect, read every unit once, disconnect; says which units or registers do not answer."""
        try:
            link = await Link.open(self._settings, Figures(), self._say)
        except OSError as error:
            where = f"{self._settings.host}:{self._settings.port}"
            reason = str(error) or type(error).__name__
            return Check(
                False,
                self._say("check.unreachable", where=where, error=reason),
                self._say("check.unreachable_remedy"),
            )
        try:
            troubles = [t for t in await asyncio.gather(*(p.check(link) for p in self._polls)) if t]
        finally:
            await link.close()
        found = {
            "units": len(self._polls),
            "points": sum(len(p.places) for p in self._polls),
            "reads": sum(len(p.reading.plan.blocks) for p in self._polls),
        }
        if troubles:
            return Check(False, "; ".join(troubles), self._say("check.unit_remedy"), found)
        return Check(True, self._say("check.fine", **found), found=found)

    def diagnostics(self) -> Mapping[str, Any]:
        """Counters, settings and how the units are read; there are no secrets in Modbus."""
        return {
            "connection": self._id,
            "settings": self._settings.model_dump(),
            "connected": bool(self._stands),
            "link": self._figures.as_dict(),
            "looks": self._looks.as_dict(),
            "units": len(self._polls),
            "blocks": {p.unit.id: len(p.reading.plan.blocks) for p in self._polls},
            "refused": {p.unit.id: p.names(p.reading) for p in self._polls if p.names(p.reading)},
        }

    async def _session(self, link: Link, sink: Sink) -> str:
        """Everything from an open link to its end; returns why it ended.

        No TaskGroup: one whose tasks fail while it is being cancelled forgets the cancelling, and we would never end.
        """
        self._link = link
        link.on_answer = lambda: self._connected(sink)
        looking = [asyncio.create_task(poll.run(link, sink)) for poll in self._polls]
        waited: list[asyncio.Future[Any]] = [link.ended, *looking]
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._link = None
            for task in looking:
                task.cancel()
            results = await asyncio.gather(*looking, return_exceptions=True)
            await link.close()
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, LinkLost):
                raise result
        return link.ended.result()

    def _connected(self, sink: Sink) -> None:
        """The first answer, of whatever unit: the server is there and speaks Modbus."""
        if not self._stands:
            self._stands = True
            sink.connected()


def connector(plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> ModbusConnector:
    """The connector of one Modbus connection; Modbus knows no secrets. Raises ValueError for bad settings."""
    return ModbusConnector(plant, connection, clock)
