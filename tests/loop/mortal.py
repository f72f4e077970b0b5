"""A brain that can die like a process: from one operation to the next its bus, store and wires are out of its reach."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from zhongshu.kernel.bus import Bus, Handler, Message, Responder, Subscription
from zhongshu.kernel.store import Store


class Killed(BaseException):
    """The process is no more; nothing it does from here on reaches anybody. No ``except Exception`` may catch it."""


class Life:
    """One life of the brain. ``steps``: so many transactions, requests and events later it is killed, 0: not by count."""

    def __init__(self, steps: int = 0) -> None:
        self.dead = False
        self._left = steps

    def step(self) -> None:
        """Before and after everything that leaves a trace outside; raises Killed."""
        if self._left > 0:
            self._left -= 1
            self.dead = self.dead or self._left == 0
        self.alive()

    def alive(self) -> None:
        """Raises Killed where the process is dead."""
        if self.dead:
            raise Killed


class MortalStore:
    """The store, as long as the process lives; a transaction that was begun is committed whole or not at all."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store, self._life = store, life

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction; death may come before it, before its commit, or after it."""
        self._life.step()
        with self._store.begin() as session:
            yield session
            self._life.step()
        self._life.step()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A view."""
        self._life.alive()
        with self._store.read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """As ``begin``."""
        self._life.step()
        with self._store.write() as connection:
            yield connection
            self._life.step()
        self._life.step()

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """As ``read``."""
        self._life.alive()
        with self._store.look() as connection:
            yield connection


class MortalBus:
    """The bus, as long as the process lives; death may come before or after each event.

    ``slow`` says by how many seconds of wall time the bus takes an event of that kind later.
    """

    def __init__(self, bus: Bus, life: Life, slow: Mapping[str, float]) -> None:
        self._bus, self._life, self._slow = bus, life, slow

    async def publish(
        self, subject: str, payload: bytes, *, msg_id: str = "", headers: Mapping[str, str] | None = None
    ) -> int:
        """Samples are many; only events count as steps."""
        pass_by = self._life.step if ".events." in subject else self._life.alive
        pass_by()
        if late_s := self._slow.get(subject.rpartition(".")[2], 0.0):
            await asyncio.sleep(late_s)
            self._life.alive()
        seq = await self._bus.publish(subject, payload, msg_id=msg_id, headers=headers)
        pass_by()
        return seq

    async def emit(self, subject: str, payload: bytes) -> None:
        """Not counted."""
        self._life.alive()
        await self._bus.emit(subject, payload)

    async def listen(self, subject: str, handler: Handler) -> Subscription:
        """Not counted."""
        self._life.alive()
        return await self._bus.listen(subject, handler)

    async def replay(self, stream: str, *, after: int, subject: str = "") -> AsyncIterator[Message]:
        """Not counted; what waits in the stream reaches no dead process."""
        async for message in self._bus.replay(stream, after=after, subject=subject):
            self._life.alive()
            yield message

    async def last(self, subject: str) -> Message | None:
        """Not counted."""
        self._life.alive()
        return await self._bus.last(subject)

    async def request(self, subject: str, payload: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Not counted."""
        self._life.alive()
        return await self._bus.request(subject, payload, timeout_s=timeout_s)

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Not counted."""
        self._life.alive()
        return await self._bus.respond(subject, responder)

    async def close(self) -> None:
        """The bus outlives its processes."""


def only_killed(error: BaseException) -> bool:
    """True where nothing but the death itself ended the process."""
    if isinstance(error, BaseExceptionGroup):
        return all(only_killed(e) for e in error.exceptions)
    return isinstance(error, Killed)
