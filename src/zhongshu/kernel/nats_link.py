"""One connection to the NATS server that always comes back: frames go out, replies and messages come in."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import BusAccess

log = logging.getLogger(__name__)

RECONNECT_S = 0.25
CONNECT_TIMEOUT_S = 2
PING_S = 5
PINGS_UNANSWERED = 2
#: What one subscription may hold before its messages are dropped; everything of ours reads faster than that.
PENDING_MESSAGES = 100_000
PENDING_BYTES = 128 * 1024 * 1024

Received = Callable[[Msg], Awaitable[None]]


class LinkLost(BusError):
    """The connection broke while an answer was awaited: what was sent may or may not have arrived."""


class NoAnswer(BusError):
    """Nobody listens on the subject."""


@dataclass(eq=False)
class Wire:
    """A subscription that is made again whenever the connection had to be built anew."""

    link: Link
    subject: str
    received: Received
    queue: str = ""
    subscription: Subscription | None = field(default=None, repr=False)

    async def close(self) -> None:
        """Leave; nothing is received after this returns."""
        await self.link.unsubscribe(self)


class Link:
    """A NATS client that reconnects for ever, a quarter of a second between two tries, and says so on two lines only.

    ``lost`` callbacks run (synchronously) at every break; ``breaks`` counts them.
    """

    def __init__(self, access: BusAccess, name: str) -> None:
        self.name = name
        self.breaks = 0
        self.lost: set[Callable[[], None]] = set()
        self._access = access
        self._client = Client()
        self._up = asyncio.Event()
        self._closed = False
        self._wires: set[Wire] = set()
        self._inbox = f"_INBOX.{secrets.token_hex(12)}"
        self._asked: dict[str, asyncio.Future[Msg]] = {}
        self._tokens = 0
        self._reviving: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, access: BusAccess, name: str, timeout_s: float) -> Link:
        """Connect within ``timeout_s``, trying again until then; raises BusError."""
        link = cls(access, name)
        try:
            async with asyncio.timeout(timeout_s):
                await link._connect()
        except (TimeoutError, nats.errors.Error, OSError) as error:
            await link.close()
            raise BusError(f"no bus at {access.url} within {timeout_s} s: {error}") from error
        return link

    @property
    def up(self) -> bool:
        """True while connected."""
        return self._up.is_set() and self._client.is_connected

    @property
    def payload_limit(self) -> int:
        """The largest payload the server takes, in bytes."""
        return self._client.max_payload

    def new_inbox(self) -> str:
        """A subject for one wire only."""
        return f"_INBOX.{secrets.token_hex(12)}"

    async def wait_up(self) -> None:
        """Until connected; raises BusError once the link is closed."""
        while not self.up:
            if self._closed:
                raise BusError("the bus is closed")
            # `up` also asks the client, which knows of a break some turns before its callback tells us.
            await (asyncio.sleep(0.02) if self._up.is_set() else self._up.wait())

    async def send(
        self, subject: str, payload: bytes, *, reply: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Send without waiting for anything; raises BusError while the connection is down."""
        if not self.up:
            raise BusError("the bus is closed" if self._closed else "the bus is out of reach")
        try:
            await self._client.publish(
                subject, payload, reply=reply, headers=dict(headers) if headers else None
            )
        except (nats.errors.Error, OSError) as error:
            raise BusError(f"{subject}: {error}") from error

    async def ask(
        self, subject: str, payload: bytes, deadline_s: float, headers: Mapping[str, str] | None = None
    ) -> Msg:
        """Send and wait for the reply until ``deadline_s`` (loop time).

        Raises LinkLost, NoAnswer, or BusError where the deadline passed.
        """
        self._tokens += 1
        token = str(self._tokens)
        reply: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout_at(deadline_s):
                await self.wait_up()
                self._asked[token] = reply
                await self.send(subject, payload, reply=f"{self._inbox}.{token}", headers=headers)
            # A second block, because the client swallows a cancellation that comes while it flushes.
            async with asyncio.timeout_at(deadline_s):
                message = await reply
        except TimeoutError as error:
            raise BusError(
                f"{subject}: no reply in time" if self.up else "the bus is out of reach"
            ) from error
        finally:
            self._asked.pop(token, None)
        if message.headers and message.headers.get("Status") == "503":
            raise NoAnswer(f"nobody listens on {subject}")
        return message

    async def subscribe(self, subject: str, received: Received, queue: str = "") -> Wire:
        """Receive until the wire is closed, across every reconnect; the server knows of it when this returns."""
        await self.wait_up()
        wire = Wire(self, subject, received, queue)
        self._wires.add(wire)
        try:
            await self._attach(wire)
            await self._client.flush(timeout=CONNECT_TIMEOUT_S)
        except (nats.errors.Error, OSError) as error:
            await self.unsubscribe(wire)
            raise BusError(f"{subject}: cannot subscribe: {error}") from error
        return wire

    async def unsubscribe(self, wire: Wire) -> None:
        """End a wire."""
        self._wires.discard(wire)
        if wire.subscription is None:
            return
        try:
            await wire.subscription.unsubscribe()
        except (nats.errors.Error, OSError):
            pass  # it went with its connection
        wire.subscription = None

    async def close(self) -> None:
        """Send what is pending and leave; whoever waits for a reply gets LinkLost."""
        if self._closed:
            return
        self._closed = True
        if self._reviving:
            self._reviving.cancel()
        try:
            if self.up:
                await self._client.flush(timeout=CONNECT_TIMEOUT_S)
            await self._client.close()
        except (nats.errors.Error, OSError) as error:
            log.debug("closing the bus: %s", error)
        self._break("the bus is closed")
        self._up.set()  # wakes those who wait for it; they see that it is closed

    async def _connect(self) -> None:
        await self._client.connect(
            servers=self._access.url,
            user=self._access.user,
            password=self._access.password,
            name=self.name,
            connect_timeout=CONNECT_TIMEOUT_S,
            reconnect_time_wait=RECONNECT_S,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            ping_interval=PING_S,
            max_outstanding_pings=PINGS_UNANSWERED,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
        )
        await self._client.subscribe(f"{self._inbox}.*", cb=self._on_reply)
        for wire in self._wires:
            await self._attach(wire)
        self._up.set()

    async def _attach(self, wire: Wire) -> None:
        wire.subscription = await self._client.subscribe(
            wire.subject,
            queue=wire.queue,
            cb=wire.received,
            pending_msgs_limit=PENDING_MESSAGES,
            pending_bytes_limit=PENDING_BYTES,
        )

    def _break(self, reason: str) -> None:
        """Tell everybody who waits that nothing more comes on this connection."""
        self._up.clear()
        self.breaks += 1
        asked, self._asked = self._asked, {}
        for reply in asked.values():
            if not reply.done():
                reply.set_exception(LinkLost(reason))
        for tell in tuple(self.lost):
            tell()

    async def _on_reply(self, message: Msg) -> None:
        reply = self._asked.get(message.subject.rpartition(".")[2])
        if reply and not reply.done():
            reply.set_result(message)

    async def _on_disconnected(self) -> None:
        if self._closed or not self._up.is_set():
            return
        self._break("the connection to the bus broke")
        log.warning("bus lost at %s, trying again", self._access.url)

    async def _on_reconnected(self) -> None:
        self._up.set()
        log.info("bus back at %s", self._access.url)

    async def _on_error(self, error: Exception) -> None:
        """Failed tries are no news after the line that said lost; the rest is for those who look closely."""
        log.debug("bus: %s: %s", type(error).__name__, error)

    async def _on_closed(self) -> None:
        """The client gave up, as it does when the server complains of it; we do not."""
        if self._closed or (self._reviving and not self._reviving.done()):
            return
        await self._on_disconnected()
        self._reviving = asyncio.create_task(self._revive(), name="revive the bus")

    async def _revive(self) -> None:
        while not self._closed:
            self._client = Client()
            try:
                await self._connect()
            except (nats.errors.Error, OSError) as error:
                await self._on_error(error)
                await asyncio.sleep(RECONNECT_S)
            else:
                log.info("bus back at %s", self._access.url)
                return


def status_of(message: Msg) -> tuple[str, str]:
    """Status code and description of a control message of the server; empty for ordinary messages."""
    headers: Mapping[str, Any] = message.headers or {}
    return str(headers.get("Status", "")), str(headers.get("Description", ""))
