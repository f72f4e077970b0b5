"""The host application: births and data of one edge node flow to the sink, requests and writes go out as DCMD."""

from __future__ import annotations

import asyncio
import logging
import secrets as random_secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zhongshu.connectors._mqtt.broker import Broker, broker_of
from zhongshu.connectors._mqtt.session import NotConnected, Session, Unconfirmed, Will
from zhongshu.connectors._mqtt.speech import speaker
from zhongshu.connectors.sparkplug.asking import Asking
from zhongshu.connectors.sparkplug.codec import (
    Malformed,
    Topic,
    decode,
    edge_filters,
    parse_state,
    parse_topic,
    rebirth_request,
    state_payload,
    state_topic,
)
from zhongshu.connectors.sparkplug.config import settings_of
from zhongshu.connectors.sparkplug.edge import Edge
from zhongshu.connectors.sparkplug.questions import Questions
from zhongshu.kernel.clock import Clock, monotonic_s
from zhongshu.kernel.ports import Check, Connector, Sink
from zhongshu.model.commands import Answer, Call
from zhongshu.model.plant import Connection, Plant

log = logging.getLogger(__name__)
say = speaker("sparkplug")

#: At most one request for births in so much wall time.
REBIRTH_EVERY_S = 2.0
#: The broker vouches for silent edge nodes: while none has died, their devices are alive.
ALIVE_EVERY_S = 1.0


def connector(plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> Connector:
    """The connector of one ``sparkplug`` connection. Raises ValueError for bad settings."""
    return SparkplugConnector(plant, connection, clock, secrets)


@dataclass(slots=True)
class HostCounters:
    """What the host itself did and could not use; for diagnostics."""

    malformed: int = 0
    rebirths_asked: int = 0
    states_repeated: int = 0


class SparkplugConnector:
    """Sparkplug B 3.0 host for one edge node; see ``kernel.ports.Connector``."""

    def __init__(self, plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> None:
        self._settings = settings_of(connection.settings)
        self._name = f"sparkplug {connection.id}"
        self._clock = clock
        self._secrets = secrets
        self._host = self._settings.host_id or f"zhongshu-{plant.id}-{connection.id}"
        self._units = [unit for unit in plant.units if unit.connection == connection.id]
        self._sink: Sink | None = None
        self._state_ns = 0
        self._rebirth_after_s = 0.0
        self._is_asking = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._questions = Questions()
        self._edge = Edge(self._units, self._ask_rebirth, self._questions.seen)
        self._session = self._make_session(f"zhongshu-{plant.id}-{connection.id}")
        self._asking = Asking(self._settings, self._units, self._edge, self._questions, self._session, clock)
        self.counters = HostCounters()

    # --- reading ----------------------------------------------------------------------------------------

    async def run(self, sink: Sink) -> None:
        """Read into ``sink`` until cancelled; see ``kernel.ports.Reader``."""
        self._sink = sink
        vouching = asyncio.create_task(self._vouch(sink))
        try:
            await self._session.run(self._announce, self._fell, self._farewell)
        finally:
            for task in (vouching, *self._tasks):
                task.cancel()
            self._is_asking = False
            self._edge.forget()
            self._sink = None

    async def _announce(self) -> None:
        """Say that we are there, and ask for births: those of the past are not kept by any broker."""
        await self._publish_state(online=True)
        self._rebirth_after_s = 0.0
        await self._send_rebirth("the host is new")

    async def _farewell(self) -> None:
        await self._publish_state(online=False)

    async def _publish_state(self, *, online: bool) -> None:
        await self._session.publish(
            state_topic(self._host), state_payload(online, self._state_ns), qos=1, retain=True
        )

    def _connected(self) -> None:
        self._edge.forget()
        if self._sink is not None:
            self._sink.connected()

    def _fell(self, reason: str) -> None:
        self._edge.forget()
        if self._sink is not None:
            self._sink.lost(reason)

    async def _vouch(self, sink: Sink) -> None:
        while True:
            await self._clock.sleep_wall(ALIVE_EVERY_S)
            born = self._edge.born_units()
            if born and self._session.is_connected:
                sink.alive(born)

    def _message(self, topic: str, payload: bytes) -> None:
        if topic == state_topic(self._host):
            self._own_state(payload)
            return
        parsed = parse_topic(topic)
        if parsed is None or self._sink is None:
            return
        try:
            self._edge.take(parsed.kind, parsed.device, decode(payload), self._clock.wall_ns(), self._sink)
        except Malformed as error:
            self.counters.malformed += 1
            if self.counters.malformed == 1:
                log.warning(
                    "%s: %s: %s; further malformed messages are only counted", self._name, topic, error
                )

    def _own_state(self, payload: bytes) -> None:
        """The will of an earlier session of ours may arrive after our birth; then the birth is said again."""
        if parse_state(payload) is False and self._session.is_connected:
            self.counters.states_repeated += 1
            self._spawn(self._publish_state(online=True))

    # --- births -----------------------------------------------------------------------------------------

    def _ask_rebirth(self, reason: str) -> None:
        """Now, or as soon as the last request is long enough ago; one request serves all who ask meanwhile."""
        if not self._is_asking:
            self._is_asking = True
            self._spawn(self._send_rebirth(reason))

    async def _send_rebirth(self, reason: str) -> None:
        await self._clock.sleep_wall(self._rebirth_after_s - monotonic_s())
        self._is_asking = False
        self._rebirth_after_s = monotonic_s() + REBIRTH_EVERY_S
        self.counters.rebirths_asked += 1
        log.debug("%s: asking for births: %s", self._name, reason)
        topic = Topic(self._settings.group, "NCMD", self._settings.edge)
        await self._session.publish(str(topic), rebirth_request(self._clock.now_ns()))

    def _spawn(self, work: Any) -> None:
        """Run a publication beside the callback that wants it; a lost session makes it pointless, not wrong."""

        async def quietly() -> None:
            try:
                await work
            except (NotConnected, Unconfirmed) as error:
                log.debug("%s: %s", self._name, error)

        task = asyncio.get_running_loop().create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- asking -----------------------------------------------------------------------------------------

    async def write(self, point: int, value: float) -> Answer:
        """DCMD of one metric, proven by its echo; see ``kernel.ports.Writer``."""
        return await self._asking.write(point, value)

    async def call(self, call: Call) -> Answer:
        """DCMD of the request metrics, answered by the command metrics; see ``kernel.ports.Writer``."""
        return await self._asking.call(call)

    # --- looking ----------------------------------------------------------------------------------------

    async def check(self) -> Check:
        """Connect under another name, ask for births, tell which devices and metrics of the plant file are there."""
        from zhongshu.connectors.sparkplug.look import look

        return await look(self._settings, self._units, self._make_broker, self._clock)

    def diagnostics(self) -> Mapping[str, Any]:
        """Counters and settings; no password ever enters them."""
        return {
            "broker": self._settings.broker,
            "group": self._settings.group,
            "edge": self._settings.edge,
            "host": self._host,
            "connected": self._session.is_connected,
            "edge_born": self._edge.is_born,
            "units_born": len(self._edge.born_units()),
            "units": len(self._units),
            "absent_metrics": self._edge.absent_metrics(),
            "open_questions": len(self._questions.replies) + len(self._questions.echoes),
            **asdict(self._session.counters),
            **asdict(self._edge.counters),
            **asdict(self.counters),
        }

    def _make_broker(self) -> Broker:
        return broker_of(self._settings.model_dump(), self._secrets)

    def _make_session(self, client_id: str) -> Session:
        return Session(
            self._name,
            f"{client_id}-{random_secrets.token_hex(3)}",
            self._make_broker,
            self._message,
            subscriptions=[
                (state_topic(self._host), 1),
                *edge_filters(self._settings.group, self._settings.edge),
            ],
            will=self._make_will,
            on_connected=self._connected,
            timeout_s=self._settings.timeout_s,
        )

    def _make_will(self) -> Will:
        """The death certificate carries the timestamp of the birth that follows."""
        self._state_ns = self._clock.now_ns()
        return Will(state_topic(self._host), state_payload(False, self._state_ns), qos=1, retain=True)
