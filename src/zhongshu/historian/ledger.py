"""Gaps that the historian itself found become rows of the store and events on the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zhongshu.kernel.bus import Bus
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Gap
from zhongshu.kernel.wire import publish_event
from zhongshu.model.messages import GapRecorded


async def record_gaps(bus: Bus, store: Store | None, gaps: Sequence[GapRecorded], clock: Clock) -> None:
    """Write them down; the same gap again is the same row and the same event. Raises BusError or SQLAlchemyError."""
    if store is not None:
        await asyncio.to_thread(_store, store, gaps, clock.wall_ns())
    for gap in gaps:
        await publish_event(bus, gap, msg_id=f"gap.{gap.plant}.{gap.gap}.{gap.missing}")


def _store(store: Store, gaps: Sequence[GapRecorded], wall_ns: int) -> None:
    names = ("plant", "connection", "unit", "start_ns", "end_ns", "missing", "cause")
    with store.begin() as session:
        for gap in gaps:
            same = {name: getattr(gap, name) for name in names}
            session.merge(Gap(id=gap.gap, points=list(gap.points), recorded_ns=wall_ns, **same))
