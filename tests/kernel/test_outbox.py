"""The outbox on both databases: what commits goes out, in order and once, however often the bus is away."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.outbox import TAKE, Outbox, put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Outgoing
from zhongshu.kernel.wire import decode_event
from zhongshu.model import subjects
from zhongshu.model.messages import OrderProgressed


class Shaky(MemoryBus):
    """Keeps the first messages, and says that it did not."""

    told = 0

    async def publish(
        self, subject: str, payload: bytes, *, msg_id: str = "", headers: dict[str, str] | None = None
    ) -> int:  # type: ignore[override]
        seq = await super().publish(subject, payload, msg_id=msg_id, headers=headers or {})
        self.told += 1
        if self.told in (1, 3, 6):
            raise BusError("away")
        return seq


def put(store: Store, numbers: range, stage: str = "web") -> None:
    with store.begin() as session:
        for number in numbers:
            event = OrderProgressed("p", stage, number, f"W-{number}", "released", 0, 1)
            put_event(session, stage, event, msg_id=f"order.{number}")


def waiting(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(Outgoing)) or 0


async def sent(bus: MemoryBus, count: int) -> list[int]:
    found = []
    async for message in bus.replay(subjects.EVENTS, after=0):
        event = decode_event(message.subject, message.payload)
        assert isinstance(event, OrderProgressed)
        found.append(event.t_ns)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("kind", [MemoryBus, Shaky])
async def test_everything_goes_out_in_order_and_once(store: Store, kind: type[MemoryBus]) -> None:
    bus, count = kind(), TAKE + 20 if kind is MemoryBus else 5
    put(store, range(count))
    put(store, range(1000, 1003), stage="act")
    outbox = Outbox("p", "web", store, bus, wall_clock())
    running = asyncio.create_task(outbox.run())
    try:
        async with asyncio.timeout(60):
            while waiting(store) > 3:
                await asyncio.sleep(0.05)
            put(store, range(count, count + 2))
            outbox.poke()
            assert await sent(bus, count + 2) == list(range(count + 2))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_what_is_rolled_back_never_goes_out(store: Store) -> None:
    def fail() -> None:
        with store.begin() as session:
            put_event(session, "web", OrderProgressed("p", "web", 1, "W", "x", 0, 1), msg_id="1")
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert waiting(store) == 0
