"""One TCP connection to a Modbus server: each request becomes a transaction, each answer finds the one it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Self, cast

from pymodbus.pdu import ModbusPDU

from zhongshu.connectors.modbus import frames
from zhongshu.connectors.modbus.codec import Words
from zhongshu.connectors.modbus.config import Settings
from zhongshu.connectors.modbus.frames import Fault, Refused
from zhongshu.connectors.modbus.speech import Speech

#: Unanswered requests in a row after which the connection is taken for dead, if no device is left that answered last.
SILENT_MAX = 3
#: Requests given up whose answer may still come; beyond that the oldest are forgotten.
ABANDONED_MAX = 256


class LinkLost(Exception):
    """The connection is gone; ``sent`` tells whether the request had left us."""

    def __init__(self, reason: str, *, sent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class Silent(Exception):
    """No answer in time; the request may or may not have been carried out."""


class Crowded(Exception):
    """All places for requests under way stayed taken; this one never left us."""


@dataclass(slots=True)
class Figures:
    """What a connection has seen since it was built, as counts; ``answer_ms`` the sum of all waits for answers."""

    connects: int = 0
    requests: int = 0
    answers: int = 0
    answer_ms: float = 0.0
    exceptions: int = 0
    timeouts: int = 0
    late_answers: int = 0
    faults: int = 0

    def as_dict(self) -> dict[str, float]:
        """The counts by name, with the mean wait in ms."""
        return {**asdict(self), "ms_per_answer": round(self.answer_ms / max(1, self.answers), 3)}


@dataclass(slots=True)
class _Pending:
    unit_id: int
    function: int
    answer: asyncio.Future[bytes]


class Link(asyncio.Protocol):
    """One connection, from ``open`` to ``close``; never reconnects and never repeats a request.

    ``ended`` is done, with the reason in words, once its socket is closed; ``on_answer`` is called at every answer.
    """

    def __init__(self, settings: Settings, figures: Figures, say: Speech) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._settings, self._figures, self._say = settings, figures, say
        self.on_answer: Callable[[], None] | None = None
        self._transport: asyncio.Transport | None = None
        self._reason = ""
        self._buffer = bytearray()
        self._tid = 0
        self._pending: dict[int, _Pending] = {}
        self._abandoned: dict[int, int] = {}
        self._silences = 0
        self._answering: set[int] = set()
        self._lanes = asyncio.Semaphore(settings.transactions)
        self._suspects = asyncio.Semaphore(1)

    @classmethod
    async def open(cls, settings: Settings, figures: Figures, say: Speech) -> Self:
        """Connect. Raises OSError (TimeoutError among them) when that fails within the connection's timeout."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(settings.timeout_s):
            _, link = await loop.create_connection(
                lambda: cls(settings, figures, say), settings.host, settings.port
            )
        figures.connects += 1
        return link

    async def read(self, unit_id: int, request: ModbusPDU, *, suspect: bool = False) -> Words:
        """The registers asked for; a ``suspect`` device holds up no device but other suspects.

        Raises Refused, Silent or LinkLost.
        """
        if suspect:
            async with self._suspects, self._lanes:
                body = await self._ask(unit_id, request, self._settings.read_s)
        else:
            async with self._lanes:
                body = await self._ask(unit_id, request, self._settings.read_s)
        with self._believing():
            return frames.words_read(request, body)

    async def write(self, unit_id: int, request: ModbusPDU, timeout_s: float) -> None:
        """Send a write, once. Raises Crowded (it never left us), Refused, Silent or LinkLost."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._lanes.acquire()
        except TimeoutError as error:
            raise Crowded from error
        try:
            body = await self._ask(unit_id, request, timeout_s)
        finally:
            self._lanes.release()
        with self._believing():
            frames.confirm_write(request, body)

    async def close(self) -> None:
        """Cut the connection; its socket is gone when this returns."""
        self.cut(self._say("link.closed"))
        await asyncio.wait([self.ended])

    def cut(self, reason: str) -> None:
        """End at once: whatever is under way ends with LinkLost."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(LinkLost(self._reason, sent=True))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio hands over the open socket."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio tells that the socket is closed, by us, by the server, or by the network."""
        self.cut(self._say("link.broken", error=str(exc)) if exc else self._say("link.server_closed"))
        if not self.ended.done():
            self.ended.set_result(self._reason)

    def data_received(self, data: bytes) -> None:
        """Hand every whole answer to the request it belongs to; anything else ends the connection."""
        self._buffer += data
        try:
            while (whole := frames.next_frame(self._buffer)) is not None:
                self._deliver(*whole)
        except Fault as fault:
            self._garbage(fault)

    def _deliver(self, tid: int, unit_id: int, body: bytes) -> None:
        if self._abandoned.get(tid) == unit_id:
            del self._abandoned[tid]
            self._figures.late_answers += 1
            self._silences = 0
            return
        pending = self._pending.get(tid)
        if pending is None or pending.unit_id != unit_id or body[0] & 0x7F != pending.function:
            raise Fault(f"answer {tid} of unit {unit_id} to function {body[0]} belongs to no request")
        self._silences = 0
        self._answering.add(unit_id)
        if self.on_answer is not None:
            self.on_answer()
        if pending.answer.cancelled():
            self._figures.late_answers += 1  # given up a moment ago
        elif pending.answer.done():
            raise Fault(f"answer {tid} of unit {unit_id} came twice")
        else:
            pending.answer.set_result(body)

    async def _ask(self, unit_id: int, request: ModbusPDU, timeout_s: float) -> bytes:
        """Send, and wait for the body of the answer, whatever it says."""
        if self._transport is None or self._reason or self._transport.is_closing():
            raise LinkLost(self._reason or self._say("link.closed"))
        loop = asyncio.get_running_loop()
        began = loop.time()
        tid = self._next_tid()
        pending = self._pending[tid] = _Pending(unit_id, request.function_code, loop.create_future())
        self._figures.requests += 1
        self._transport.write(frames.frame(unit_id, tid, request))
        try:
            async with asyncio.timeout(timeout_s):
                body = await pending.answer
        except TimeoutError as error:
            self._no_answer(unit_id)
            raise Silent from error
        finally:
            del self._pending[tid]
            if pending.answer.cancelled():  # given up: its answer may still come and is no garbage then
                self._abandoned[tid] = unit_id
                if len(self._abandoned) > ABANDONED_MAX:
                    del self._abandoned[next(iter(self._abandoned))]
        self._figures.answers += 1
        self._figures.answer_ms += (loop.time() - began) * 1000
        return body

    def _no_answer(self, unit_id: int) -> None:
        self._figures.timeouts += 1
        self._silences += 1
        self._answering.discard(unit_id)
        if self._silences >= SILENT_MAX and not self._answering:
            self.cut(self._say("link.silent"))

    @contextmanager
    def _believing(self) -> Iterator[None]:
        """An answer that cannot be one ends the connection; an exception of the device is only counted."""
        try:
            yield
        except Refused:
            self._figures.exceptions += 1
            raise
        except Fault as fault:
            self._garbage(fault)
            raise LinkLost(self._reason, sent=True) from fault

    def _garbage(self, fault: Fault) -> None:
        self._figures.faults += 1
        self.cut(self._say("link.garbage", detail=str(fault)))

    def _next_tid(self) -> int:
        """The next transaction id that no request under way, and no late answer, can carry."""
        self._tid = (self._tid + 1) % 65536
        while self._tid in self._pending or self._tid in self._abandoned:
            self._tid = (self._tid + 1) % 65536
        return self._tid
