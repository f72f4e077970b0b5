"""The device side: one edge node whose devices are the twin's machines; their samples go out as DDATA, DCMD come in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zhongshu.connectors._mqtt.broker import Broker, broker_of
from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed, Will
from zhongshu.connectors.sparkplug.births import EdgeNode
from zhongshu.connectors.sparkplug.codec import (
    NAMESPACE,
    REBIRTH,
    SEQ_RANGE,
    Malformed,
    decode,
    parse_topic,
    value_of,
)
from zhongshu.connectors.sparkplug.config import Settings, settings_of
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.ports import Peer, PlantSide
from zhongshu.model import roles
from zhongshu.model.batch import Bytes, Floats, Int64s
from zhongshu.model.commands import Call, Outcome, Verb
from zhongshu.model.plant import Connection, Plant, Unit

log = logging.getLogger(__name__)

#: Commands waiting for the machines; more are dropped and counted, as an overrun device would.
COMMANDS_MAX = 1000
#: How long ``start`` waits for a broker; without one the edge node keeps trying in the background.
START_S = 5.0

_ARGUMENTS = {
    roles.REQUEST_LOT: "lot",
    roles.REQUEST_PRODUCT: "product",
    roles.REQUEST_OPERATION: "operation",
    roles.REQUEST_QUANTITY: "quantity",
}


def peer(
    plant: Plant,
    connection: Connection,
    units: Sequence[Unit],
    clock: Clock,
    plant_side: PlantSide,
    secrets: Path,
) -> Peer:
    """The edge node of one ``sparkplug`` connection. Raises ValueError for bad settings or addresses."""
    return SparkplugPeer(connection, units, clock, plant_side, secrets)


class SparkplugPeer:
    """An edge node with one device a unit; see ``kernel.ports.Peer``. What is published while it is away is not sent."""

    def __init__(
        self,
        connection: Connection,
        units: Sequence[Unit],
        clock: Clock,
        plant_side: PlantSide,
        secrets: Path,
    ) -> None:
        self._settings: Settings = settings_of(connection.settings)
        self._clock = clock
        self._machines = plant_side
        self._secrets = secrets
        first_death = clock.wall_ns() // NS % SEQ_RANGE  # so that the will of an earlier process is not ours
        self._node = EdgeNode(self._settings.group, self._settings.edge, units, first_death)
        self._pending: list[tuple[Int64s, Int64s, Floats, Bytes]] = []
        self._sending = asyncio.Lock()
        self._commands: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(COMMANDS_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        self._session = self._make_session(connection.id)
        self.not_sent = 0
        self.dropped_commands = 0

    async def start(self) -> None:
        """Connect and announce; without a broker go on trying behind the scenes."""
        self._tasks = [
            asyncio.create_task(self._session.run(self._announce, farewell=self._farewell)),
            asyncio.create_task(self._obey()),
        ]
        await self._until_ready(START_S)

    async def stop(self) -> None:
        """NDEATH, then DISCONNECT."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def restart(self) -> None:
        """Vanish without a word and come back with a new death number and new births."""
        self._session.cut()
        await self._until_ready(START_S)

    async def drop(self, seconds: float) -> None:
        """Cut the wire, so that the broker sends the will; come back after ``seconds``."""
        self._session.cut(seconds)
        await self._until_ready(seconds + START_S)

    def publish(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Make samples available; they go out at the next ``flush`` if the edge node is connected by then."""
        self._pending.append((index, t_ns, value, quality))

    async def flush(self) -> None:
        """One DDATA a device."""
        async with self._sending:
            await self._send_pending()

    async def _send_pending(self) -> None:
        if not self._pending:
            return
        columns = [np.concatenate(column) for column in zip(*self._pending, strict=True)]
        self._pending.clear()
        index, t_ns, value, quality = columns
        self._node.keep(index, t_ns, value, quality)
        if not self._session.ready.is_set():
            self.not_sent += len(index)
            return
        try:
            messages = list(self._node.data(index, t_ns, value, quality, self._clock.now_ns()))
            await self._session.publish_all(messages)
        except (NotConnected, Unconfirmed) as error:
            log.debug("%s: data not sent: %s", self._settings.edge, error)

    async def _announce(self) -> None:
        """The births of a new session; samples made before them are in them, or were never sent."""
        async with self._sending:
            await self._send_pending()
            await self._session.publish_all(self._node.births(self._clock.now_ns()))

    async def _farewell(self) -> None:
        topic, payload = self._node.death(self._clock.now_ns())
        await self._session.publish(topic, payload, qos=1)

    async def _until_ready(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._session.ready.wait(), seconds)
        except TimeoutError:
            log.debug("%s: not connected within %.1f s, trying on", self._settings.edge, seconds)

    # --- commands ---------------------------------------------------------------------------------------

    def _message(self, topic: str, payload: bytes) -> None:
        parsed = parse_topic(topic)
        if parsed is None:
            return
        try:
            self._commands.put_nowait((parsed.device, decode(payload)))
        except (asyncio.QueueFull, Malformed) as error:
            self.dropped_commands += 1
            log.debug("%s: command dropped: %r", self._settings.edge, error)

    async def _obey(self) -> None:
        """Commands one after the other, in the order in which they came."""
        while True:
            device, payload = await self._commands.get()
            try:
                await self._command(device, payload)
            except (NotConnected, Unconfirmed) as error:
                log.debug("%s: answer not sent: %s", self._settings.edge, error)
            except Exception:
                log.exception("%s: a command could not be carried out", self._settings.edge)

    async def _command(self, device: str, payload: Any) -> None:
        if any(not device and m.name == REBIRTH and m.boolean_value for m in payload.metrics):
            await self._announce()
            return
        unit = self._node.unit_of(device)
        if unit is None:
            return
        wanted: dict[int, float] = {}
        for metric in payload.metrics:
            index = self._node.index_of(device, metric.name, metric.alias)
            value = None if index is None else value_of(metric, metric.datatype or self._node.datatype(index))
            if index is not None and value is not None and not isinstance(value, str):
                wanted[index] = value
        of_role = {self._node.points[i].role: value for i, value in wanted.items()}
        if of_role.get(roles.REQUEST_KEY):
            await self._request(unit, of_role)
        else:
            for index, value in wanted.items():
                await self._write(unit, index, value)

    async def _request(self, unit: Unit, of_role: dict[str, float]) -> None:
        """Hand the request to the machine and answer at once in its command metrics."""
        key, number = int(of_role[roles.REQUEST_KEY]), int(of_role.get(roles.REQUEST_VERB, 0))
        if number not in Verb._value2member_map_:
            return
        verb = Verb(number)
        arguments = {name: int(of_role[role]) for role, name in _ARGUMENTS.items() if role in of_role}
        answer = await self._machines.called(
            Call(unit.id, verb, key, arguments if verb is Verb.START_JOB else {})
        )
        reply = {roles.COMMAND_KEY: key, roles.COMMAND_RESULT: int(answer.result)}
        points = self._node.points
        echo = {
            i: float(reply[p.role]) for i, p in enumerate(points) if p.unit == unit.id and p.role in reply
        }
        await self._send_echo(unit.id, echo)

    async def _write(self, unit: Unit, index: int, value: float) -> None:
        """A written metric is echoed as the machine holds it afterwards."""
        answer = await self._machines.written(unit.id, self._node.points[index].name, value)
        accepted = answer.outcome is Outcome.ACCEPTED
        await self._send_echo(unit.id, {index: value if accepted else self._node.newest(index)})

    async def _send_echo(self, unit: str, values: dict[int, float]) -> None:
        async with self._sending:
            topic, payload = self._node.echo(unit, values, self._clock.now_ns())
            await self._session.publish(topic, payload)

    # --- session ----------------------------------------------------------------------------------------

    def _make_session(self, connection: str) -> Session:
        group, edge = self._settings.group, self._settings.edge
        return Session(
            f"sparkplug edge {connection}",
            f"{group}-{edge}",
            self._make_broker,
            self._message,
            subscriptions=(
                (f"{NAMESPACE}/{group}/NCMD/{edge}", 1),
                (f"{NAMESPACE}/{group}/DCMD/{edge}/+", 1),
            ),
            will=self._make_will,
            timeout_s=self._settings.timeout_s,
        )

    def _make_broker(self) -> Broker:
        return broker_of(self._settings.model_dump(), self._secrets)

    def _make_will(self) -> Will:
        topic, payload = self._node.next_death(self._clock.now_ns())
        return Will(topic, payload, qos=1)
