"""Reads a JetStream stream from a position onwards without end, through any break of the connection, onto a stage."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncGenerator

from nats.aio.msg import Msg

from zhongshu.kernel.bus import BusError, BusFull, Message
from zhongshu.kernel.nats_api import STREAM_NOT_FOUND, ApiError, api, last_seq
from zhongshu.kernel.nats_link import Link, LinkLost, Wire, status_of

log = logging.getLogger(__name__)

FETCH = 256
FETCH_BYTES = 16 * 1024 * 1024  # more than any one message may have, or that one would never fit
EXPIRES_S = 30.0
HEARTBEAT_S = 1.0
SILENCE_S = 3.0
FORGET_S = 60.0
BACK_OFF_S = 0.05
BACK_OFF_LIMIT_S = 2.0
NS = 1_000_000_000
#: Statuses that only mean that a fetch is over: nothing came in time, or the byte limit was reached.
_FETCH_OVER = ("404", "408")


class Replay:
    """Reads with a consumer of its own that the server forgets; the position is kept here.

    After any doubt (a break, a jump in the consumer's count, silence) the consumer is made anew right behind the last
    message handed on, so nothing is skipped or repeated.
    """

    def __init__(self, link: Link, stream: str, position: int, subject: str) -> None:
        self._link = link
        self._stream = stream
        self._position = position
        self._subject = subject

    async def messages(self) -> AsyncGenerator[Message, None]:
        """The messages, in order, without end. Raises BusError when the stream is gone or the bus closed."""
        back_off_s = BACK_OFF_S
        while True:
            consumer = _Consumer(self._link, self._stream)
            try:
                await consumer.start(self._position, self._subject)
                async for message in consumer.follow():
                    self._position = message.seq
                    back_off_s = BACK_OFF_S
                    yield message
            except (BusFull, Emptied):
                raise
            except BusError as error:
                await self._link.wait_up()
                log.debug("replay of %s at %d: %s", self._stream, self._position, error)
                await asyncio.sleep(back_off_s)
                back_off_s = min(back_off_s * 2, BACK_OFF_LIMIT_S)
            finally:
                await consumer.stop()


class Emptied(BusError):
    """The stream ends before the position: somebody emptied it, and its sequences began anew."""


class _Consumer:
    """One ephemeral pull consumer and the fetches in flight on it."""

    def __init__(self, link: Link, stream: str) -> None:
        self._link = link
        self._stream = stream
        self._name = f"r{secrets.token_hex(8)}"
        self._inbox = link.new_inbox()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()  # bounded by what one fetch may bring
        self._wire: Wire | None = None

    async def start(self, position: int, subject: str) -> None:
        """Make the consumer so that its first message is the first one above ``position``."""
        try:
            end = await last_seq(self._link, self._stream)
            if end < position:
                raise Emptied(f"{self._stream} ends at {end}, before {position}: it was emptied since")
            self._link.lost.add(self._lost)
            self._wire = await self._link.subscribe(self._inbox, self._received)
            await api(self._link, self._create(subject), self._wanted(position, subject))
        except ApiError as error:
            if error.code == STREAM_NOT_FOUND:
                raise BusFull(f"there is no stream {self._stream}") from error
            raise

    async def follow(self) -> AsyncGenerator[Message, None]:
        """The consumer's messages; raises LinkLost where they no longer follow one another."""
        count, left = 0, 0
        while True:
            if left == 0:
                await self._fetch()
                left = FETCH
            message = await self._next()
            status, why = status_of(message)
            if status == "100":
                continue
            if status in _FETCH_OVER or (status == "409" and "MaxBytes" in why):
                left = 0
                continue
            if status:
                raise LinkLost(f"{self._stream}: {status} {why}")
            delivered = _place(message)
            if delivered is None or delivered[1] != count + 1:
                raise LinkLost(f"{self._stream}: delivery {delivered} after {count}")
            count, left = count + 1, left - 1
            yield Message(message.subject, message.data, delivered[0], ours(message.headers))

    async def stop(self) -> None:
        """Leave and let the server forget; no answer is awaited."""
        self._link.lost.discard(self._lost)
        if self._wire is None:
            return
        await self._wire.close()
        if self._link.up:
            try:
                await self._link.send(f"$JS.API.CONSUMER.DELETE.{self._stream}.{self._name}", b"")
            except BusError:
                pass  # the server forgets it by itself after FORGET_S

    def _create(self, subject: str) -> str:
        request = f"CONSUMER.CREATE.{self._stream}.{self._name}"
        return f"{request}.{subject}" if subject else request

    def _wanted(self, position: int, subject: str) -> dict[str, object]:
        config: dict[str, object] = {
            "name": self._name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": position + 1,
            "ack_policy": "none",
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(FORGET_S * NS),
        }
        if subject:
            config["filter_subject"] = subject
        return {"stream_name": self._stream, "config": config, "action": "create"}

    async def _fetch(self) -> None:
        wanted = {
            "batch": FETCH,
            "max_bytes": FETCH_BYTES,
            "expires": int(EXPIRES_S * NS),
            "idle_heartbeat": int(HEARTBEAT_S * NS),
        }
        request = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}"
        await self._link.send(request, json.dumps(wanted).encode(), reply=self._inbox)

    async def _next(self) -> Msg:
        if not self._arrived.empty():
            message = self._arrived.get_nowait()
        else:
            try:
                async with asyncio.timeout(SILENCE_S):
                    message = await self._arrived.get()
            except TimeoutError as error:
                raise LinkLost(f"{self._stream}: not even a heartbeat for {SILENCE_S} s") from error
        if message is None:
            raise LinkLost("the connection to the bus broke")
        return message

    async def _received(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    def _lost(self) -> None:
        self._arrived.put_nowait(None)


def _place(message: Msg) -> tuple[int, int] | None:
    """Sequence in the stream and count of this delivery, from the reply subject that JetStream gives a message.

    ``$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<time>.<pending>[.<random>]``
    """
    tokens = message.reply.split(".")
    if len(tokens) < 9 or tokens[:2] != ["$JS", "ACK"]:
        return None
    first = 5 if len(tokens) == 9 else 7
    try:
        return int(tokens[first]), int(tokens[first + 1])
    except ValueError:
        return None


def ours(headers: dict[str, str] | None) -> dict[str, str]:
    """The publisher's headers, without those of the server."""
    return {name: value for name, value in (headers or {}).items() if not name.startswith("Nats-")}
