"""Keeps publish requests waiting at the server and takes what they bring, in order, to the intake; sees when none comes."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from asyncua import ua
from asyncua.common.utils import Buffer

from zhongshu.connectors.opcua import codec
from zhongshu.connectors.opcua.intake import Intake
from zhongshu.connectors.opcua.session import Session, honour_cancel
from zhongshu.connectors.opcua.subscribing import Watch
from zhongshu.connectors.opcua.words import Words
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Sink

#: Requests waiting at the server, so that it never has to wait for us.
OUTSTANDING = 4
#: Rows of pages put together before they are handed on whatever follows.
MAX_ROWS = 500_000
#: Messages asked for again after a cut; older ones are counted as missed.
MAX_REPUBLISH = 1_000
_HARMLESS = {
    ua.StatusCodes.BadTimeout,
    ua.StatusCodes.BadRequestTimeout,
    ua.StatusCodes.BadTooManyPublishRequests,
}
_GONE = {
    ua.StatusCodes.BadMessageNotAvailable,
    ua.StatusCodes.BadSubscriptionIdInvalid,
    ua.StatusCodes.BadServiceUnsupported,
    ua.StatusCodes.BadNotImplemented,
}


class Lost(Exception):
    """The session brings nothing any more; ``resumable`` says whether the server may still hold it."""

    def __init__(self, reason: str, *, resumable: bool) -> None:
        super().__init__(reason)
        self.reason, self.resumable = reason, resumable


class Publishing:
    """The life of one watch on one socket; ``sequence`` survives a resume."""

    def __init__(
        self, session: Session, made: Watch, intake: Intake, sink: Sink, clock: Clock, words: Words, timeout_s: float,
        units: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._session, self._watch, self._intake, self._sink = session, made, intake, sink
        self._clock, self._words, self._units = clock, words, units
        self.silence_s = max(timeout_s, 1.5 * made.keep_alive_s + 0.5)
        self._expected = 1
        self._acks: list[int] = []
        self._pages = codec.Columns()
        self._flying: set[asyncio.Task[Buffer]] = set()
        self.republished = 0
        self.gaps = 0

    async def run(self) -> NoReturn:
        """Take deliveries until the session is lost. Raises Lost."""
        done: asyncio.Queue[asyncio.Task[Buffer]] = asyncio.Queue()
        self._pages = codec.Columns()
        try:
            for _ in range(OUTSTANDING):
                self._send(done)
            while True:
                honour_cancel()
                await self._take(await self._next(done))
                while len(self._flying) < OUTSTANDING:
                    self._send(done)
        finally:
            for task in self._flying:
                task.cancel()
            await asyncio.gather(*self._flying, return_exceptions=True)
            self._flying.clear()

    def _send(self, done: asyncio.Queue[asyncio.Task[Buffer]]) -> None:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(SubscriptionId=self._watch.id, SequenceNumber=n)
            for n in self._acks
        ]
        self._acks = []
        task = asyncio.create_task(self._session.request(request, timeout_s=0))
        self._flying.add(task)
        task.add_done_callback(done.put_nowait)  # answers finish, and are taken, in the order they came

    async def _next(self, done: asyncio.Queue[asyncio.Task[Buffer]]) -> Buffer | None:
        """The next answer; None for one that only means that a request is used up. Raises Lost."""
        try:
            async with asyncio.timeout(self.silence_s):
                task = await done.get()
        except TimeoutError as error:
            raise Lost(self._words("lost.silent", seconds=self.silence_s), resumable=True) from error
        self._flying.discard(task)
        try:
            return task.result()
        except ua.UaStatusCodeError as error:
            if error.code in _HARMLESS:
                return None
            name = ua.StatusCode(ua.UInt32(error.code)).name
            raise Lost(self._words("lost.subscription", detail=name), resumable=False) from error
        except (OSError, TimeoutError, ua.UaError) as error:
            raise Lost(
                self._words("lost.closed", detail=str(error) or type(error).__name__), resumable=True
            ) from error

    async def _take(self, body: Buffer | None) -> None:
        if body is None:
            return
        columns = codec.Columns()
        try:
            publication = codec.decode_publication(body, columns)
        except codec.Malformed as error:
            raise Lost(self._words("lost.malformed", detail=error), resumable=False) from error
        received_ns = self._clock.wall_ns()
        self._sink.alive()
        if publication.status & codec.BAD_CODE:
            raise Lost(
                self._words("lost.subscription", detail=codec.name_of(publication.status)), resumable=False
            )
        if publication.subscription != self._watch.id:
            return  # the last word of an older subscription
        if publication.sequence > self._expected:
            await self._fetch_missing(publication.sequence, publication.available)
        elif publication.sequence < self._expected:
            return  # taken already
        if publication.empty:
            return
        self._expected = publication.sequence % (2**32 - 1) + 1
        self._acks.append(publication.sequence)
        self._collect(columns, more=publication.more, received_ns=received_ns)

    def _collect(self, columns: codec.Columns, *, more: bool, received_ns: int) -> None:
        """Put the pages of one delivery together, so that the samples of one moment stay together."""
        if len(self._pages):
            row = len(self._pages)
            self._pages.texts |= {row + at: text for at, text in columns.texts.items()}
            self._pages.odd += [row + at for at in columns.odd]
            for name in ("handle", "value", "code", "ticks"):
                getattr(self._pages, name).extend(getattr(columns, name))
            columns = self._pages
        if more and len(columns) < MAX_ROWS:
            self._pages = columns
            return
        self._pages = codec.Columns()
        self._intake.take(columns, received_ns, self._sink)

    async def _fetch_missing(self, until: int, available: tuple[int, ...]) -> None:
        """Ask again for the messages from the expected one to before ``until``; what is gone is told as missed."""
        lost = 0
        for number in range(self._expected, until):
            held = number in available or not available
            if until - number > MAX_REPUBLISH or not held or not await self._republish(number):
                lost += 1
        self._expected = until
        if lost:
            self.gaps += 1
            start = self._intake.newest_ns(self._watch.handles)
            now = self._clock.now_ns()
            self._sink.missed(
                "sequence_gap", units=self._units, start_ns=start or now, end_ns=max(start, now), missing=-1
            )

    async def _republish(self, number: int) -> bool:
        """Take one message that was sent while nobody listened; False when the server has it no more. Raises Lost."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = self._watch.id
        request.Parameters.RetransmitSequenceNumber = number
        columns = codec.Columns()
        try:
            sequence, empty = codec.decode_republication(await self._session.request(request), columns)
        except ua.UaStatusCodeError as error:
            if error.code in _GONE:
                return False
            raise Lost(self._words("lost.subscription", detail=str(error)), resumable=False) from error
        except (OSError, TimeoutError, ua.UaError) as error:
            raise Lost(
                self._words("lost.closed", detail=str(error) or type(error).__name__), resumable=True
            ) from error
        except codec.Malformed as error:
            raise Lost(self._words("lost.malformed", detail=error), resumable=False) from error
        if empty or sequence != number:
            return False
        self.republished += 1
        self._expected = number % (2**32 - 1) + 1
        self._acks.append(number)
        self._collect(columns, more=False, received_ns=self._clock.wall_ns())
        return True
