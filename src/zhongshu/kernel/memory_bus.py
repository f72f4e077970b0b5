"""The bus inside one process: what stages publish is kept in bounded lists and handed on; for tests and rehearsals."""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping

from zhongshu.kernel.bus import BusError, BusFull, Handler, Message, Responder, Subscription
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.delivery import Answers, Delivery
from zhongshu.kernel.streams import STREAMS, matches, stream_of

DUPLICATES_S = 120.0
PAYLOAD_LIMIT = 4 * 1024 * 1024


class MemoryBus:
    """Implements ``kernel.bus.Bus`` with the promises of NatsBus, except that nothing outlives the process.

    ``keep`` and ``keep_bytes`` bound each stream: the oldest messages go first.
    """

    def __init__(
        self,
        *,
        keep: int = 100_000,
        keep_bytes: int = 256 * 1024 * 1024,
        now_s: Callable[[], float] = monotonic_s,
        hands_over: bool = False,
    ) -> None:
        """``now_s``: by which message ids are forgotten; a rehearsal has its own time. ``hands_over``: Batches pass as they are,
        see ``wire.payload_of``."""
        self.hands_over = hands_over
        self._kept = {name: _Kept(keep, keep_bytes, now_s) for name in STREAMS}
        self._listening: list[Delivery] = []
        self._responding: list[Answers] = []
        self._turns = itertools.count(1)
        self._closed = False

    async def publish(
        self, subject: str, payload: bytes, *, msg_id: str = "", headers: Mapping[str, str] | None = None
    ) -> int:
        """Store in the stream that covers ``subject``; raises BusFull where none does or the payload is too large."""
        self._check_open()
        stream = stream_of(subject)
        if stream is None:
            raise BusFull(f"no stream keeps {subject}")
        if len(payload) > PAYLOAD_LIMIT:
            raise BusFull(
                f"{subject}: {len(payload)} bytes are more than the {PAYLOAD_LIMIT} a message may have"
            )
        kept = self._kept[stream]
        before = kept.seen(msg_id)
        if before:
            return before
        message = kept.add(subject, payload, dict(headers or {}), msg_id)
        self._spread(Message(subject, payload, 0, message.headers))
        if next(self._turns) % 64 == 0:
            await asyncio.sleep(0)  # a publisher in a tight loop lets the others run, as a network would
        return message.seq

    async def emit(self, subject: str, payload: bytes) -> None:
        """Hand to whoever listens now."""
        self._check_open()
        self._spread(Message(subject, payload))

    async def listen(self, subject: str, handler: Handler) -> Subscription:
        """Everything emitted or published from now on."""
        self._check_open()

        async def left() -> None:
            self._listening.remove(delivery)

        delivery = Delivery(subject, handler, left)
        self._listening.append(delivery)
        return delivery

    async def replay(self, stream: str, *, after: int, subject: str = "") -> AsyncIterator[Message]:
        """The stream's messages above ``after``, then live ones."""
        kept = self._kept.get(stream)
        if kept is None:
            raise BusFull(f"there is no stream {stream}")
        position = after if after >= 0 else kept.last_seq
        if position > kept.last_seq:
            raise BusError(f"{stream} ends at {kept.last_seq}, before {position}: it was emptied since")
        while True:
            self._check_open()
            news = kept.news
            for message in kept.above(position, limit=256):
                position = message.seq
                if not subject or matches(subject, message.subject):
                    yield message
            if position == kept.last_seq:
                await news.wait()

    async def last(self, subject: str) -> Message | None:
        """The newest message on exactly this subject."""
        self._check_open()
        stream = stream_of(subject)
        return self._kept[stream].last(subject) if stream else None

    async def request(self, subject: str, payload: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Ask whoever responds."""
        answer: asyncio.Future[tuple[bytes, str]] = asyncio.get_running_loop().create_future()

        async def answered(reply: bytes, error: str) -> None:
            if not answer.done():
                answer.set_result((reply, error))

        try:
            async with asyncio.timeout(timeout_s):
                (await self._responder(subject)).put(payload, answered)
                reply, error = await answer
        except TimeoutError as late:
            raise BusError(f"nobody answered {subject} within {timeout_s} s") from late
        if error:
            raise BusError(f"{subject}: {error}")
        return reply

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answer requests."""
        self._check_open()

        async def left() -> None:
            self._responding.remove(answers)

        answers = Answers(subject, responder, left)
        self._responding.append(answers)
        return answers

    async def close(self) -> None:
        """End every subscription; whatever is asked of the bus afterwards is a BusError."""
        self._closed = True
        for delivery in tuple(self._listening):
            await delivery.close()
        for answers in tuple(self._responding):
            await answers.close()
        for kept in self._kept.values():
            kept.wake()

    def _check_open(self) -> None:
        if self._closed:
            raise BusError("the bus is closed")

    def _spread(self, message: Message) -> None:
        for delivery in self._listening:
            if matches(delivery.subject, message.subject):
                delivery.put(message)

    async def _responder(self, subject: str) -> Answers:
        """The one who answers; somebody may still come while the asker has time."""
        while True:
            self._check_open()
            for answers in self._responding:
                if matches(answers.subject, subject):
                    return answers
            await asyncio.sleep(0.02)


class _Kept:
    """The messages of one stream, the newest ``keep`` of them, numbered from 1 without holes."""

    def __init__(self, keep: int, keep_bytes: int, now_s: Callable[[], float]) -> None:
        self.last_seq = 0
        self.news = asyncio.Event()
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._now_s = now_s
        self._bytes = 0
        self._messages: list[Message] = []
        self._start = 0  # messages before this index are already removed
        self._ids: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def seen(self, msg_id: str) -> int:
        """The sequence under which this id was stored within the last two minutes, else 0."""
        horizon = self._now_s() - DUPLICATES_S
        while self._ids and next(iter(self._ids.values()))[1] < horizon:
            self._ids.popitem(last=False)
        return self._ids[msg_id][0] if msg_id in self._ids else 0

    def add(self, subject: str, payload: bytes, headers: dict[str, str], msg_id: str) -> Message:
        """Store a message and wake the replays."""
        self.last_seq += 1
        message = Message(subject, payload, self.last_seq, headers)
        self._messages.append(message)
        self._bytes += len(payload)
        if msg_id:
            self._ids[msg_id] = (self.last_seq, self._now_s())
        while len(self._messages) - self._start > self._keep or self._bytes > self._keep_bytes:
            self._bytes -= len(self._messages[self._start].payload)
            self._start += 1
        if self._start > 1024 and self._start * 2 > len(self._messages):
            del self._messages[: self._start]
            self._start = 0
        self.wake()
        return message

    def above(self, position: int, limit: int) -> list[Message]:
        """Up to ``limit`` messages with a sequence above ``position``, oldest first."""
        first_seq = self.last_seq - (len(self._messages) - self._start) + 1
        begin = self._start + max(0, position + 1 - first_seq)
        return self._messages[begin : begin + limit]

    def last(self, subject: str) -> Message | None:
        """The newest message on this subject."""
        kept = itertools.islice(reversed(self._messages), len(self._messages) - self._start)
        return next((message for message in kept if message.subject == subject), None)

    def wake(self) -> None:
        """Let every waiting replay look again."""
        self.news.set()
        self.news = asyncio.Event()
