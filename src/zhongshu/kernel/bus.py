"""The bus as every stage sees it; memory_bus and nats_bus implement it and share one contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

#: Wall time at which the newest content of a message arrived at the plant's edge; every publisher of Batches sets it.
RECEIVED_NS = "Zs-Received-Ns"


class BusError(Exception):
    """The bus did not confirm, or is out of reach; the message may or may not have been stored."""


class BusFull(BusError):
    """The bus refused a message for good (too large, stream missing)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as delivered; ``seq`` is its place in its stream, 0 where no stream keeps it."""

    subject: str
    payload: bytes
    seq: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Message], Awaitable[None]]
Responder = Callable[[bytes], Awaitable[bytes]]


class Subscription(Protocol):
    """Something that can be ended."""

    async def close(self) -> None:
        """No handler runs after this returns."""


class Bus(Protocol):
    """Publish, follow, replay, ask. Subjects may end in ``>`` or hold ``*`` when listening (NATS rules)."""

    async def publish(
        self, subject: str, payload: bytes, *, msg_id: str = "", headers: Mapping[str, str] | None = None
    ) -> int:
        """Store in the stream that covers ``subject`` and return its sequence once it is on disk.

        A ``msg_id`` seen within two minutes is stored once only (the first sequence is returned). Raises BusError.
        """

    async def emit(self, subject: str, payload: bytes) -> None:
        """Send to whoever listens now; not kept, not confirmed."""

    async def listen(self, subject: str, handler: Handler) -> Subscription:
        """Everything emitted or published on ``subject`` from now on, in order, at most once; ``seq`` is 0 here.

        What comes while the bus is out of reach is missed, and a handler far behind loses the newest messages.
        """

    def replay(self, stream: str, *, after: int, subject: str = "") -> AsyncIterator[Message]:
        """Every message of the stream with a sequence above ``after``, in order, then live ones, without end.

        Survives reconnects of the bus without skipping or repeating. If messages were already removed by the stream's
        limits, it begins with the oldest there is (compare ``seq`` to see it). ``after=-1``: only from now on.
        """

    async def last(self, subject: str) -> Message | None:
        """The newest stored message on exactly this subject."""

    async def request(self, subject: str, payload: bytes, *, timeout_s: float = 5.0) -> bytes:
        """Ask whoever responds. Raises BusError when nobody does in time."""

    async def respond(self, subject: str, responder: Responder) -> Subscription:
        """Answer requests; an exception becomes a BusError at the asker's."""

    async def close(self) -> None:
        """Flush and leave."""
