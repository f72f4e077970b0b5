"""What the control room knows at this moment: fed from points, events and health on the bus, read by frames and the API."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import numpy as np

from zhongshu.kernel.bus import Bus, BusError, Message, Subscription
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.status import summary
from zhongshu.kernel.wire import WireError, decode_batch, decode_event
from zhongshu.model import subjects
from zhongshu.model.messages import LinkChanged
from zhongshu.model.numbering import SNAPSHOT, SNAPSHOT_SEQ
from zhongshu.model.plant import Plant
from zhongshu.web.commands import CommandBoard
from zhongshu.web.decisions import DecisionBoard

log = logging.getLogger(__name__)

#: A process that has said nothing for so long (wall time) is silent.
SILENT_WALL_S = 5.0
#: Latency figures kept, one a second.
LATENCIES = 900


class Traffic:
    """Samples and the newest arrival (wall ns) of one connection, as seen here; ``ups`` how often it came (back) up."""

    __slots__ = ("downs", "newest_ns", "samples", "ups")

    def __init__(self) -> None:
        self.samples = 0
        self.newest_ns = 0
        self.ups = 0
        self.downs = 0


class Watch:
    """Newest values, health and links of a plant; ``run`` keeps them current until cancelled."""

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        clock: Clock,
        commands: CommandBoard,
        decisions: DecisionBoard | None = None,
    ) -> None:
        self._plant, self._bus, self._clock = plant, bus, clock
        self.latest = Latest(plant)
        self.commands, self._decisions = commands, decisions
        self.health: dict[str, Mapping[str, Any]] = {}
        self.traffic: dict[str, Traffic] = {c.id: Traffic() for c in plant.connections}
        self.unit_heard_ns = np.zeros(len(plant.units), np.int64)
        self.latencies: deque[tuple[int, float, float]] = deque(maxlen=LATENCIES)
        self._unit_of = unit_index(plant, len(self.latest))
        self._open: list[Subscription] = []

    async def start(self) -> None:
        """Listen, then take in what the bus still holds of the time before."""
        names = self._plant.id
        self._open = [
            await self._bus.listen(subjects.points(names, ">"), self._points),
            await self._bus.listen(subjects.events(names, "*"), self._event),
            await self._bus.listen(subjects.health(names, "*"), self._health),
        ]

    async def close(self) -> None:
        """Stop listening."""
        for subscription in self._open:
            await subscription.close()

    async def catch_up(self) -> None:
        """Newest values from before this process began, connection by connection; the bus may be slow or away."""
        for connection in self._plant.connections:
            try:
                async with asyncio.timeout(30.0):
                    await self._catch_up(connection.id)
            except (BusError, TimeoutError) as error:
                log.warning("%s: values of before the start are missing: %s", connection.id, error)

    async def _catch_up(self, connection: str) -> None:
        subject = subjects.points(self._plant.id, connection)
        last = await self._bus.last(subject)
        if last is None:
            return
        said = last.headers.get(SNAPSHOT_SEQ, "0")
        after = last.seq if SNAPSHOT in last.headers else int(said if said.isdecimal() else 0)
        messages = self._bus.replay(subjects.POINTS, after=max(0, after - 1), subject=subject)
        async with aclosing(messages) as stored:  # type: ignore[type-var]
            async for message in stored:
                self._take(message)
                if message.seq >= last.seq:
                    return

    def _take(self, message: Message) -> int:
        try:
            batch = decode_batch(message.payload)
        except WireError as error:
            log.warning("a batch on %s could not be read: %s", message.subject, error)
            return 0
        self.latest.update(batch)
        return batch.received_ns if len(batch) else 0

    async def _points(self, message: Message) -> None:
        if SNAPSHOT in message.headers:
            return  # says again what was said, and nothing new
        try:
            batch = decode_batch(message.payload)
        except WireError as error:
            log.warning("a batch on %s could not be read: %s", message.subject, error)
            return
        self.latest.update(batch)
        traffic = self.traffic.setdefault(batch.source, Traffic())
        traffic.samples += len(batch)
        traffic.newest_ns = max(traffic.newest_ns, batch.received_ns)
        known = batch.point[batch.point < len(self._unit_of)]
        units = self._unit_of[known]
        self.unit_heard_ns[units[units >= 0]] = batch.received_ns

    async def _event(self, message: Message) -> None:
        try:
            event = decode_event(message.subject, message.payload)
        except WireError as error:
            log.warning("an event could not be read: %s", error)
            return
        if isinstance(event, LinkChanged) and not event.unit:
            traffic = self.traffic.setdefault(event.connection, Traffic())
            traffic.ups += event.up
            traffic.downs += bool(traffic.ups) and not event.up  # a first attempt that fails breaks nothing
        self.commands.take(event)
        if self._decisions is not None:
            self._decisions.take(event)

    async def _health(self, message: Message) -> None:
        try:
            figures = json.loads(message.payload)
        except ValueError:
            return
        if not isinstance(figures, dict):
            return
        name = message.subject.rpartition(".")[2]
        self.health[name] = {**figures, "heard_ns": self._clock.wall_ns()}
        if name == "historian" and isinstance(latency := figures.get("latency_ms"), dict):
            p50, p99 = latency.get("p50"), latency.get("p99")
            if p50 is not None and p99 is not None:
                self.latencies.append((self._clock.wall_ns(), float(p50), float(p99)))

    def alive(self) -> dict[str, Mapping[str, Any]]:
        """What the processes said of themselves, those that fell silent left out."""
        oldest = self._clock.wall_ns() - round(SILENT_WALL_S * 1e9)
        return {name: figures for name, figures in self.health.items() if figures["heard_ns"] >= oldest}

    def summary(self) -> dict[str, Any]:
        """``kernel.status.summary`` of this moment."""
        return summary(self.alive())


def unit_index(plant: Plant, size: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Index in ``plant.units`` of each point id, -1 for ids that no point has."""
    index = np.full(size, -1, np.int32)
    for number, unit in enumerate(plant.units):
        index[[p.id for p in unit.points]] = number
    return index
