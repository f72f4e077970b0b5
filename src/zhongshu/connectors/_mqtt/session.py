"""One MQTT session that comes back by itself: messages go straight to a callback, publications to the broker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from zhongshu.connectors._mqtt.broker import Broker, BrokerAbsent
from zhongshu.kernel.clock import monotonic_s

log = logging.getLogger(__name__)
logging.getLogger("mqtt").setLevel(logging.ERROR)  # the session tells in one line what paho tells in many

BACKOFF_MIN_S = 0.2
BACKOFF_MAX_S = 10.0
#: A session that stood for so long starts its back-off from the beginning.
STEADY_S = 5.0
KEEPALIVE_S = 10
#: Publications with QoS 1 or 2 that may be under way at once.
MAX_OUTGOING = 1000
#: Reason codes from here on mean that a subscription was not granted.
REFUSED = 0x80
#: Messages that may arrive between a subscription and the news that it is made.
HELD_MAX = 10_000

OnMessage = Callable[[str, bytes], None]
OnUp = Callable[[], Awaitable[None]]
OnDown = Callable[[str], None]


class NotConnected(Exception):
    """There is no session: the message certainly did not leave."""


class Unconfirmed(Exception):
    """The broker did not confirm in time: the message may or may not have left."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(slots=True)
class Counters:
    """What a session has seen; for diagnostics."""

    connects: int = 0
    losses: int = 0
    messages: int = 0
    failed_messages: int = 0
    last_error: str = ""


class Session:
    """Keeps one connection to a broker while ``run`` runs.

    ``broker`` and ``will`` are asked at every attempt; ``on_connected`` is called when the subscriptions are made, before
    the first message; ``on_message(topic, payload)`` runs inside the event loop at once, so nothing is queued here and
    TCP holds the broker back. An exception in it is counted and logged, not fatal.
    """

    def __init__(
        self,
        name: str,
        client_id: str,
        broker: Callable[[], Broker],
        on_message: OnMessage,
        subscriptions: Sequence[tuple[str, int]] = (),
        will: Callable[[], Will | None] = lambda: None,
        on_connected: Callable[[], None] = lambda: None,
        timeout_s: float = 5.0,
    ) -> None:
        self._name = name
        self._client_id = client_id
        self._broker = broker
        self._on_message = on_message
        self._subscriptions = list(subscriptions)
        self._will = will
        self._on_connected = on_connected
        self._held: list[tuple[str, bytes]] = []
        self._timeout_s = timeout_s
        self._client: _Client | None = None
        self._blocked_until_s = 0.0
        self._complained = False
        self.ready = asyncio.Event()
        self.counters = Counters()

    @property
    def is_connected(self) -> bool:
        """A session stands and its subscriptions are made."""
        return self._client is not None

    async def run(
        self, on_up: OnUp, on_down: OnDown = lambda reason: None, farewell: OnUp | None = None
    ) -> None:
        """Connect, again and again, until cancelled; a cancelled run says goodbye, so no will is sent.

        ``on_up`` is awaited once a session stands (``ready`` is set afterwards), ``on_down`` told why it fell, ``farewell``
        awaited before an orderly end. Raises BadBroker.
        """
        backoff_s = BACKOFF_MIN_S
        while True:
            await self._unblocked()
            started_s = monotonic_s()
            try:
                reason = await self._once(on_up, on_down, farewell)
            finally:
                self.ready.clear()
            self.counters.last_error = reason
            if monotonic_s() - started_s > STEADY_S:
                backoff_s = BACKOFF_MIN_S
            await asyncio.sleep(backoff_s * random.uniform(0.7, 1.0))
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Hand a message to the broker; with QoS 0 on the wire, else confirmed. Raises NotConnected, Unconfirmed."""
        client = self._client
        if client is None:
            raise NotConnected(f"{self._name}: no session with the broker")
        try:
            await client.publish(topic, payload, qos=qos, retain=retain, timeout=self._timeout_s)
        except aiomqtt.MqttCodeError as error:
            raise NotConnected(f"{self._name}: {error}") from error
        except aiomqtt.MqttError as error:
            raise Unconfirmed(f"{self._name}: {error}") from error
        if client.has_fallen:
            raise Unconfirmed(f"{self._name}: the session fell meanwhile")

    async def publish_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Messages with QoS 0, in order; back when the last is on the wire. Raises NotConnected, Unconfirmed."""
        client = self._client
        if client is None:
            raise NotConnected(f"{self._name}: no session with the broker")
        for topic, payload in messages[:-1]:
            client.post(topic, payload)
        for topic, payload in messages[-1:]:
            await self.publish(topic, payload)

    def cut(self, blocked_s: float = 0.0) -> None:
        """Cut the wire without a goodbye, so that the broker sends the will; stay away for ``blocked_s``."""
        self._blocked_until_s = monotonic_s() + blocked_s
        self.ready.clear()
        if self._client is not None:
            self._client.cut()

    async def _unblocked(self) -> None:
        while (left_s := self._blocked_until_s - monotonic_s()) > 0:
            await asyncio.sleep(left_s)

    async def _once(self, on_up: OnUp, on_down: OnDown, farewell: OnUp | None) -> str:
        """One session from beginning to end; returns why it ended."""
        try:
            self._held.clear()
            client = self._make_client(self._broker())
            await client.enter()
        except (BrokerAbsent, aiomqtt.MqttError, OSError) as error:
            return self._complain(str(error))
        try:
            if self._blocked_until_s > monotonic_s():  # cut while it was connecting
                client.cut()
            await client.subscribe_all(self._subscriptions)
        except aiomqtt.MqttError as error:
            await client.leave()
            return self._complain(f"subscribing failed: {error}")
        except asyncio.CancelledError:
            await client.leave()
            raise
        try:
            reason = await self._stay(client, on_up)
        except asyncio.CancelledError:
            await self._part(farewell)
            raise
        finally:
            self._client = None
            self.counters.losses += 1
            await client.leave()
        on_down(reason)
        return reason

    async def _stay(self, client: _Client, on_up: OnUp) -> str:
        """Until the session falls; returns why."""
        self._client = client
        self.counters.connects += 1
        log.info("%s: connected to the broker", self._name)
        self._complained = False
        self._on_connected()
        for topic, payload in self._held:
            self._deliver(topic, payload)
        self._held.clear()
        try:
            await on_up()
            self.ready.set()
            async for _ in client.messages:  # the inbox hands nothing out: this ends with the session
                pass
        except (aiomqtt.MqttError, NotConnected, Unconfirmed) as error:
            return self._complain(f"connection lost: {error.__cause__ or error}")
        return self._complain("connection lost")

    async def _part(self, farewell: OnUp | None) -> None:
        """The last words of an orderly end; nobody may be there to hear them."""
        if farewell is not None:
            with contextlib.suppress(NotConnected, Unconfirmed):
                await farewell()

    def _complain(self, reason: str) -> str:
        """One line for all attempts until the session stands again."""
        if not self._complained:
            log.warning("%s: %s; trying again", self._name, reason)
        self._complained = True
        return reason

    def _make_client(self, broker: Broker) -> _Client:
        will = self._will()
        is_v5 = broker.version == 5
        return _Client(
            broker.host,
            broker.port,
            username=broker.user or None,
            password=broker.password or None,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if is_v5 else True,
            clean_start=True if is_v5 else 3,  # 3: paho's own default, meaningless before MQTT 5
            keepalive=KEEPALIVE_S,
            timeout=self._timeout_s,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            tls_context=broker.tls,
            max_queued_outgoing_messages=MAX_OUTGOING,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: _Inbox(self._receive)),
        )

    def _receive(self, topic: str, payload: bytes) -> None:
        self.counters.messages += 1
        if self._client is None:  # retained messages can overtake the news that the subscription is made
            if len(self._held) < HELD_MAX:
                self._held.append((topic, payload))
            else:
                self.counters.failed_messages += 1
        else:
            self._deliver(topic, payload)

    def _deliver(self, topic: str, payload: bytes) -> None:
        try:
            self._on_message(topic, payload)
        except Exception:
            self.counters.failed_messages += 1
            if self.counters.failed_messages == 1:
                log.exception(
                    "%s: a message on %s could not be handled; further ones are only counted",
                    self._name,
                    topic,
                )


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Stands where aiomqtt expects its queue and hands each message on at once; whoever waits for one waits for ever."""

    def __init__(self, receive: OnMessage) -> None:
        super().__init__()
        self._receive = receive

    def put_nowait(self, item: aiomqtt.Message) -> None:
        self._receive(item.topic.value, item.payload)


class _Client(aiomqtt.Client):
    """aiomqtt's client with an end for every session, however it ends, and for everybody who waits in it."""

    has_fallen = False

    def post(self, topic: str, payload: bytes) -> None:
        """Queue a message with QoS 0 behind those before it, without waiting; for bursts that are awaited at their end."""
        self._client.publish(topic, payload)

    def _on_disconnect(self, *args: Any, **named: Any) -> None:
        super()._on_disconnect(*args, **named)
        self._release()

    def _release(self) -> None:
        """aiomqtt lets a pending call wait for its timeout although the session that should answer is gone."""
        self.has_fallen = True
        for confirmation in self._pending_publishes.values():
            confirmation.set()
        for granted in self._pending_subscribes.values():
            if not granted.done():
                granted.set_exception(aiomqtt.MqttError("the session fell"))

    def cut(self) -> None:
        """Close the socket's both directions; paho sees the end of the stream and clears up."""
        wire = self._client.socket()
        if isinstance(wire, socket.socket | ssl.SSLSocket):
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    async def enter(self) -> None:
        """Connect; when that fails or is cancelled half way, no socket stays behind."""
        entering = asyncio.ensure_future(self.__aenter__())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            await asyncio.wait([entering])
            if not entering.cancelled() and entering.exception() is None:
                await self.leave()
            self._client._reset_sockets()
            raise
        except aiomqtt.MqttError:
            self._client._reset_sockets()
            raise

    async def subscribe_all(self, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Subscribe to every filter with its QoS; raises MqttError when the broker grants less than all."""
        if not subscriptions:
            return
        granted = await self.subscribe(list(subscriptions))
        for code, (topic, _) in zip(granted, subscriptions, strict=True):
            if (code.value if isinstance(code, ReasonCode) else int(cast("int", code))) >= REFUSED:
                raise aiomqtt.MqttError(f"the broker refused {topic}")

    async def leave(self) -> None:
        """Say goodbye if there is still somebody to say it to, and leave no socket behind."""
        try:
            await self.__aexit__(None, None, None)
        except aiomqtt.MqttError as error:
            log.debug("goodbye failed: %s", error)
        self._release()
        self._client._reset_sockets()  # paho waits for the garbage collector to close its wake-up pipe
