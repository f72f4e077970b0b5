"""The bus between the processes of a plant: publishes into JetStream and replays from it, listens and asks over NATS."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Self

from nats.aio.msg import Msg

from zhongshu.kernel.bus import BusError, BusFull, Handler, Message, Responder, Subscription
from zhongshu.kernel.config import BusAccess
from zhongshu.kernel.delivery import Answers, Delivery
from zhongshu.kernel.nats_api import MESSAGE_TOO_LARGE, STREAM_NOT_FOUND, ApiError, api, checked, last_seq
from zhongshu.kernel.nats_link import Link, LinkLost, NoAnswer, Wire, status_of
from zhongshu.kernel.nats_replay import Replay, ours
from zhongshu.kernel.streams import stream_of

#: A publish that is not confirmed within so many wall seconds is a BusError.
CONFIRM_S = 5.0
CONNECT_S = 15.0
RETRY_S = 0.1
MSG_ID = "Nats-Msg-Id"
ERROR = "Zs-Error"
#: A publisher that got no confirmation sends again; a listener must not see that. So many ids are remembered for it.
IDS_REMEMBERED = 4096


class NatsBus:
    """Implements ``kernel.bus.Bus`` over one connection that comes back by itself.

    While the server is away, ``publish`` and ``request`` wait for it as long as their time allows, ``emit`` raises
    BusError at once, replays and listeners pause.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._open: set[Delivery | Answers] = set()

    @classmethod
    async def connect(cls, access: BusAccess, *, name: str, timeout_s: float = CONNECT_S) -> Self:
        """Connect as process ``name``, trying for ``timeout_s``; raises BusError."""
        return cls(await Link.open(access, name, timeout_s))

    @property
    def connected(self) -> bool:
        """True while the server answers."""
        return self._link.up

    @property
    def breaks(self) -> int:
        """How often the connection broke so far."""
        return self._link.breaks

    async def publish(
        self, subject: str, payload: bytes, *, msg_id: str = "", headers: Mapping[str, str] | None = None
    ) -> int:
        """Store and return the sequence once it is on disk; raises BusError after at most five seconds.

        With a ``msg_id`` it is sent again when the connection breaks meanwhile; without one that could store it twice.
        """
        if stream_of(subject) is None:
            raise BusFull(f"no stream keeps {subject}")
        if self._link.up and len(payload) > self._link.payload_limit:
            raise BusFull(
                f"{subject}: {len(payload)} bytes are more than the {self._link.payload_limit} a message may have"
            )
        sent = {**(headers or {}), MSG_ID: msg_id} if msg_id else headers
        deadline_s = asyncio.get_running_loop().time() + CONFIRM_S
        while True:
            try:
                reply = await self._link.ask(subject, payload, deadline_s, sent)
                return int(checked(subject, reply.data)["seq"])
            except LinkLost:
                if not msg_id:
                    raise
            except ApiError as error:
                if error.code == MESSAGE_TOO_LARGE:
                    raise BusFull(str(error)) from error
                raise

    async def emit(self, subject: str, payload: bytes) -> None:
        """Send to whoever listens now."""
        await self._link.send(subject, payload)

    async def listen(self, subject: str, handler: Handler) -> Subscription:
        """Everything emitted or published from now on; what comes while the connection is down is missed."""
        wires: list[Wire] = []
        delivery = Delivery(subject, handler, lambda: self._left(delivery, wires))
        before: OrderedDict[str, None] = OrderedDict()

        async def received(message: Msg) -> None:
            headers = message.headers or {}
            msg_id = headers.get(MSG_ID, "")
            if msg_id and msg_id in before:
                return
            if msg_id:
                before[msg_id] = None
                if len(before) > IDS_REMEMBERED:
                    before.popitem(last=False)
            delivery.put(Message(message.subject, message.data, 0, ours(headers)))

        self._open.add(delivery)
        try:
            wires.append(await self._link.subscribe(subject, received))
        except BaseException:
            await delivery.close()
            raise
        return delivery

    async def replay(self, stream: str, *, after: int, subject: str = "") -> AsyncIterator[Message]:
        """The stream's messages above ``after``, then live ones, through every reconnect."""
        position = after if after >= 0 else await self._end(stream)
        async with aclosing(Replay(self._link, stream, position, subject).messages()) as messages:
            async for message in messages:
                yield message

    async def last(self, subject: str) -> Message | None:
        """The newest stored message on exactly this subject."""
        stream = stream_of(subject)
        if stream is None:
            return None
        deadline_s = asyncio.get_running_loop().time() + CONFIRM_S
        message = await self._link.ask(f"$JS.API.DIRECT.GET.{stream}.{subject}", b"", deadline_s)
        status, why = status_of(message)
        if status == "404":
            return None
        if status:
            raise BusError(f"{subject}: {status} {why}")
        headers = message.headers or {}
        return Message(subject, message.data, int(headers["Nats-Sequence"]), ours(headers))

    async def request(self, subject: str, payload: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Ask whoever responds; somebody may still come while the time lasts."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        while True:
            try:
                return _answer(subject, await self._link.ask(subject, payload, deadline_s))
            except NoAnswer as error:
                if loop.time() + RETRY_S > deadline_s:
                    raise BusError(f"nobody answered {subject} within {timeout_s} s") from error
                await asyncio.sleep(RETRY_S)

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answer requests; of several responders on one subject one gets each request."""
        wires: list[Wire] = []
        answers = Answers(subject, responder, lambda: self._left(answers, wires))

        async def received(message: Msg) -> None:
            async def answered(reply: bytes, error: str) -> None:
                failed = {ERROR: "1"} if error else None
                await self._link.send(message.reply, error.encode() or reply, headers=failed)

            if message.reply:
                answers.put(message.data, answered)

        self._open.add(answers)
        try:
            wires.append(await self._link.subscribe(subject, received, queue="zs"))
        except BaseException:
            await answers.close()
            raise
        return answers

    async def close(self) -> None:
        """End every subscription, flush and leave; whatever is asked of the bus afterwards is a BusError."""
        for subscription in tuple(self._open):
            await subscription.close()
        await self._link.close()

    async def api(self, request: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask JetStream itself (``STREAM.INFO.POINTS``), for those who set it up or watch it; raises BusError."""
        return await api(self._link, request, body)

    async def _left(self, subscription: Delivery | Answers, wires: list[Wire]) -> None:
        self._open.discard(subscription)
        for wire in wires:
            await wire.close()

    async def _end(self, stream: str) -> int:
        try:
            return await last_seq(self._link, stream)
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                raise BusFull(f"there is no stream {stream}") from error
            raise


def _answer(subject: str, message: Msg) -> bytes:
    if ERROR in (message.headers or {}):
        raise BusError(f"{subject}: {message.data.decode(errors='replace')}")
    return message.data
