"""What stands between a bus and the code that listens to it: a bounded queue for handlers, bounded tasks for answers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from zhongshu.kernel.bus import BusError, Handler, Message, Responder

log = logging.getLogger(__name__)

#: A handler this far behind loses the newest messages: ``listen`` promises at most once, never without bound.
LIMIT_MESSAGES = 10_000
LIMIT_BYTES = 64 * 1024 * 1024
#: So many requests are worked on at once by one responder; more than that wait.
LIMIT_ANSWERS = 64

Left = Callable[[], Awaitable[None]]


class Delivery:
    """Hands messages to one handler, one after the other; an exception of the handler is logged and the next one comes."""

    def __init__(self, subject: str, handler: Handler, left: Left) -> None:
        self.subject = subject
        self.dropped = 0
        self._handler = handler
        self._left = left
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._closed = False
        self._task = asyncio.create_task(self._run(), name=f"listen {subject}")

    def put(self, message: Message) -> None:
        """Queue a message; never blocks. Drops and counts it where the handler is too far behind."""
        if self._closed:
            return
        size = len(message.payload)
        if len(self._waiting) >= LIMIT_MESSAGES or self._bytes + size > LIMIT_BYTES:
            self.dropped += 1
            if self.dropped == 1:
                log.warning("%s: the handler is too slow, messages are dropped from here on", self.subject)
            return
        self._waiting.append(message)
        self._bytes += size
        self._news.set()

    async def close(self) -> None:
        """No handler runs after this returns; one that closes its own subscription finishes its message."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        await self._left()
        if self._task is asyncio.current_task():
            return
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while not self._closed:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
                continue
            message = self._waiting.popleft()
            self._bytes -= len(message.payload)
            try:
                await self._handler(message)
            except Exception:
                log.exception("%s: the handler failed on a message", self.subject)


class Answers:
    """Runs a responder for many requests at once, as tasks that end with the subscription."""

    def __init__(self, subject: str, responder: Responder, left: Left) -> None:
        self.subject = subject
        self._responder = responder
        self._left = left
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(LIMIT_ANSWERS)
        self._closed = False

    def put(self, payload: bytes, answered: Callable[[bytes, str], Awaitable[None]]) -> None:
        """Work on a request; ``answered(reply, error)`` is awaited with one of the two empty."""
        if self._closed:
            return
        task = asyncio.create_task(self._answer(payload, answered), name=f"answer {self.subject}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """No responder runs after this returns; requests in work are cancelled, except one that closes itself."""
        if self._closed:
            return
        self._closed = True
        await self._left()
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    async def _answer(self, payload: bytes, answered: Callable[[bytes, str], Awaitable[None]]) -> None:
        async with self._room:
            reply, error = b"", ""
            try:
                reply = await self._responder(payload)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the asker must hear of it
                error = f"{type(failure).__name__}: {failure}"
            try:
                await answered(reply, error)
            except BusError as failure:
                log.warning("%s: an answer could not be sent: %s", self.subject, failure)
