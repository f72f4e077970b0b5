"""Follows the POINTS stream and publishes facts on EVENTS; picks up after a crash where it had stopped."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import replace

from zhongshu.kernel.bus import Bus, BusError, Message
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.wire import WireError, decode_batch, publish_event
from zhongshu.model import subjects
from zhongshu.model.messages import StateChanged
from zhongshu.model.plant import Plant
from zhongshu.understand.units import Fact, UnitWatch
from zhongshu.understand.watched import Watched

log = logging.getLogger(__name__)
#: Values of one moment may come in different messages; facts wait this long so that they are seen together.
SETTLE_WALL_S = 0.3
#: So often the position in the stream is saved; what lies behind it is read again after a crash, and said once only.
SAVE_WALL_S = 3.0
POSITION = "understand.position"


class Understand:
    """Units' states, jobs and transports as facts."""

    def __init__(self, plant: Plant, bus: Bus, store: Store, clock: Clock) -> None:
        self._plant, self._bus, self._store, self._clock = plant, bus, store, clock
        self._watched = Watched(plant)
        self._units = {u.id: UnitWatch(plant.id, u.id) for u in plant.units}
        self._touched: set[str] = set()
        self._position = 0
        self.facts_said = 0

    async def run(self) -> None:
        """Until cancelled."""
        self._restore()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._speak())

    async def _follow(self) -> None:
        async for message in self._bus.replay(subjects.POINTS, after=self._position):
            self._take(message)

    def _take(self, message: Message) -> None:
        self._position = message.seq
        try:
            batch = decode_batch(message.payload)
        except WireError as error:
            log.warning("a batch on %s could not be read: %s", message.subject, error)
            return
        for seen in self._watched.pick(batch):
            self._units[seen.unit].take(seen)
            self._touched.add(seen.unit)

    async def _speak(self) -> None:
        saved_ns = 0
        while True:
            await self._clock.sleep_wall(SETTLE_WALL_S)
            position, touched, self._touched = self._position, self._touched, set()
            await self._publish(
                fact for unit in sorted(touched) for fact in self._units[unit].facts(self._clock.now_ns())
            )
            if self._clock.wall_ns() - saved_ns > SAVE_WALL_S * 1e9:
                await asyncio.to_thread(self._save, position)
                saved_ns = self._clock.wall_ns()

    async def _publish(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            await self._say(self._stamped(fact))
            self.facts_said += 1

    def _stamped(self, fact: Fact) -> Fact:
        """When it was said is part of how fast the brain answers."""
        return replace(fact, said_ns=self._clock.wall_ns()) if isinstance(fact, StateChanged) else fact

    async def _say(self, fact: Fact) -> None:
        while True:
            try:
                await publish_event(self._bus, fact, msg_id=_msg_id(fact))
                return
            except BusError as error:
                log.warning("a fact waits for the bus: %s", error)
                await self._clock.sleep_wall(0.5)

    def _save(self, position: int) -> None:
        said = {u: [w.said_state, w.said_job, w.said_order] for u, w in self._units.items()}
        values = {u: w.values for u, w in self._units.items()}
        state = json.dumps({"position": position, "said": said, "values": values})
        with self._store.begin() as session:
            set_meta(session, self._plant.id, POSITION, state)

    def _restore(self) -> None:
        with self._store.begin() as session:
            text = get_meta(session, self._plant.id, POSITION)
        if text is None:
            return
        saved = json.loads(text)
        self._position = saved["position"]
        for unit, (state, job, order) in saved["said"].items():
            if unit in self._units:
                watch = self._units[unit]
                watch.said_state, watch.said_job, watch.said_order = tuple(state), tuple(job), tuple(order)
                watch.values = {role: (int(t), float(v)) for role, (t, v) in saved["values"][unit].items()}


def _msg_id(fact: Fact) -> str:
    """The same fact has the same id, so that reading the stream again after a crash says nothing twice."""
    values = [str(getattr(fact, name)) for name in fact.__dataclass_fields__ if name not in _NOT_IDENTITY]
    return ".".join([type(fact).__name__, *values])


_NOT_IDENTITY = frozenset({"plant", "source", "previous_state", "previous_mode", "received_ns", "said_ns"})
