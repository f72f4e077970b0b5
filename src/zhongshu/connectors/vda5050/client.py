"""Master control: states of all vehicles of one manufacturer flow to the sink, orders and instant actions go out."""

from __future__ import annotations

import asyncio
import logging
import secrets as random_secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zhongshu.connectors._mqtt.broker import Broker, broker_of
from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed
from zhongshu.connectors._mqtt.speech import speaker
from zhongshu.connectors.vda5050.asking import Asking
from zhongshu.connectors.vda5050.codec import CONNECTION, STATE, VISUALIZATION, Malformed, Topics, decode
from zhongshu.connectors.vda5050.config import settings_of
from zhongshu.connectors.vda5050.messages import ConnectionMessage, State, Visualization
from zhongshu.connectors.vda5050.orders import Roads
from zhongshu.connectors.vda5050.vehicle import Vehicle, VehicleCounters
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.ports import Check, Connector, Sink
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Connection, Plant

log = logging.getLogger(__name__)
say = speaker("vda5050")

ALIVE_EVERY_S = 1.0
#: A vehicle sends its state at least so often (VDA 5050, 6.10); with a margin for the way.
STATE_MAX_S = 35.0


def connector(plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> Connector:
    """The connector of one ``vda5050`` connection. Raises ValueError for bad settings or addresses."""
    return Vda5050Connector(plant, connection, clock, secrets)


class Vda5050Connector:
    """Master control for the vehicles of one connection; see ``kernel.ports.Connector``."""

    def __init__(self, plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> None:
        self._settings = settings_of(connection.settings)
        self._name = f"vda5050 {connection.id}"
        self._clock = clock
        self._secrets = secrets
        self._sink: Sink | None = None
        units = [unit for unit in plant.units if unit.connection == connection.id]
        self._vehicles = {unit.id: Vehicle(unit, plant.roads) for unit in units}
        self._of_serial = {vehicle.serial: vehicle for vehicle in self._vehicles.values()}
        self._topics = Topics(self._settings)
        self._session = self._make_session(f"zhongshu-{plant.id}-{connection.id}")
        roads = Roads(plant.roads, self._settings)
        self._asking = Asking(self._settings, self._vehicles, self._session, roads, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._malformed: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()

    async def run(self, sink: Sink) -> None:
        """Read into ``sink`` until cancelled; see ``kernel.ports.Reader``."""
        self._sink = sink
        vouching = asyncio.create_task(self._vouch(sink))
        try:
            await self._session.run(_nothing_to_say, self._fell)
        finally:
            for task in (vouching, *self._tasks):
                task.cancel()
            self._forget()
            self._sink = None

    async def write(self, point: int, value: float) -> Answer:
        """Always REFUSED: VDA 5050 has no points that a master could write."""
        return Answer(Outcome.REFUSED, Result.NOT_CAPABLE, say("refused.no_write"))

    async def call(self, call: Call) -> Answer:
        """TRANSPORT as an order, EXTEND_TRANSPORT as its update, CANCEL_TRANSPORT, HOLD and UNHOLD as instant actions; see ``kernel.ports.Writer``."""
        if call.verb is Verb.SET_PARAMETER:
            return await self.write(int(call.args.get("point", -1)), float(call.args.get("value", 0.0)))
        return await self._asking.call(call)

    async def check(self) -> Check:
        """Connect under another name and tell which vehicles of the plant file are online."""
        from zhongshu.connectors.vda5050.look import look

        return await look(self._settings, sorted(self._of_serial), self._make_broker)

    def diagnostics(self) -> Mapping[str, Any]:
        """Counters and settings; no password ever enters them."""
        sums = asdict(VehicleCounters())
        for vehicle in self._vehicles.values():
            for name, number in asdict(vehicle.counters).items():
                sums[name] += number
        return {
            "broker": self._settings.broker,
            "manufacturer": self._settings.manufacturer,
            "connected": self._session.is_connected,
            "vehicles": len(self._vehicles),
            "vehicles_up": sum(vehicle.is_up for vehicle in self._vehicles.values()),
            "malformed": dict(self._malformed),
            "unknown_vehicles": dict(self._unknown.most_common(20)),
            "open_questions": self._asking.open_questions,
            **asdict(self._session.counters),
            **sums,
        }

    def _message(self, topic: str, payload: bytes) -> None:
        serial, kind = self._topics.parse(topic)
        sink, vehicle = self._sink, self._of_serial.get(serial)
        if sink is None or not serial:
            return
        if vehicle is None:
            self._unknown_vehicle(serial)
            return
        try:
            self._take(vehicle, kind, payload, sink)
        except Malformed as error:
            self._malformed[serial] += 1
            if self._malformed[serial] == 1:
                log.warning(
                    "%s: %s: %s; further ones of this vehicle are only counted", self._name, topic, error
                )

    def _take(self, vehicle: Vehicle, kind: str, payload: bytes, sink: Sink) -> None:
        if kind == STATE:
            state = decode(State, payload)
            if vehicle.read(state, self._clock.wall_ns(), sink):
                self._asking.seen(vehicle.unit, state)
        elif kind == CONNECTION:
            vehicle.connection(decode(ConnectionMessage, payload), sink)
            if vehicle.is_up and not vehicle.is_heard:
                self._request_state(vehicle)
        elif kind == VISUALIZATION:
            vehicle.look(decode(Visualization, payload), self._clock.wall_ns(), sink)

    async def _vouch(self, sink: Sink) -> None:
        """The broker vouches for silent vehicles, but not for longer than the standard lets them be silent."""
        while True:
            await self._clock.sleep_wall(ALIVE_EVERY_S)
            heard_since = self._clock.wall_ns() - round(STATE_MAX_S * NS)
            there = [v.unit for v in self._vehicles.values() if v.is_up and v.heard_wall_ns >= heard_since]
            if there and self._session.is_connected:
                sink.alive(there)

    def _request_state(self, vehicle: Vehicle) -> None:
        async def quietly() -> None:
            try:
                await self._asking.request_state(vehicle)
            except (NotConnected, Unconfirmed) as error:
                log.debug("%s: %s", self._name, error)

        task = asyncio.get_running_loop().create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _unknown_vehicle(self, serial: str) -> None:
        if serial not in self._unknown and len(self._unknown) < 1000:
            log.warning(
                "%s: vehicle %s is not in the plant file; its messages are only counted", self._name, serial
            )
            self._unknown[serial] = 0
        if serial in self._unknown:
            self._unknown[serial] += 1

    def _connected(self) -> None:
        self._forget()
        if self._sink is not None:
            self._sink.connected()

    def _fell(self, reason: str) -> None:
        self._forget()
        if self._sink is not None:
            self._sink.lost(reason)

    def _forget(self) -> None:
        for vehicle in self._vehicles.values():
            vehicle.forget()

    def _make_broker(self) -> Broker:
        return broker_of(self._settings.model_dump(), self._secrets)

    def _make_session(self, client_id: str) -> Session:
        wanted = [(CONNECTION, 1), (STATE, 0)] + (
            [(VISUALIZATION, 0)] if self._settings.visualization else []
        )
        return Session(
            self._name,
            f"{client_id}-{random_secrets.token_hex(3)}",
            self._make_broker,
            self._message,
            subscriptions=[(self._topics.of("+", topic), qos) for topic, qos in wanted],
            on_connected=self._connected,
            timeout_s=self._settings.timeout_s,
        )


async def _nothing_to_say() -> None:
    """Master control announces itself to nobody."""
    await asyncio.sleep(0)
