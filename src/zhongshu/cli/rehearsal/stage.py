"""One plant, its twin and its brain on one virtual clock, run through a seeded day by one policy."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from zhongshu.cli.rehearsal.policies import Policy
from zhongshu.cli.rehearsal.verdict import LOOK_S, Verdict
from zhongshu.decide.policies import Policy as Rule
from zhongshu.kernel.bus import Message
from zhongshu.kernel.clock import NS, Clock, monotonic_s
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.ports import Connector
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.orders import receive_order
from zhongshu.kernel.virtual import LoopClock, VirtualLoop
from zhongshu.kernel.wire import decode_event
from zhongshu.model import subjects
from zhongshu.model.orders import WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.plant.brain import Brain
from zhongshu.twin.customer import Wishes
from zhongshu.twin.direct import DirectPlant
from zhongshu.twin.rare import Rare, reduced
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.shop import Book
from zhongshu.twin.twin import Twin

log = logging.getLogger(__name__)
#: Messages that the bus keeps of a stream: nobody here comes back to read what is long past.
KEPT = 20_000
#: Who takes the orders in.
ORDERER = "rehearsal"
#: Plant seconds until the first plan is made.
SETTLE_S = 60.0


def monday_ns(plant: Plant, hour: int) -> int:
    """When a rehearsal begins: the first Monday of 2026, so many o'clock in the plant."""
    return round(datetime(2026, 1, 5, hour, tzinfo=ZoneInfo(plant.timezone)).timestamp()) * NS


class Stage:
    """Make it on a VirtualLoop; ``play`` it once. ``rules``: the coordination policies, None for the plant's own.

    ``told`` may be set: it is called with every event of the twin's own book.
    """

    def __init__(
        self,
        plant: Plant,
        truth: TwinTruth,
        seed: int,
        policy: Policy,
        speed: float,
        rules: Sequence[Rule] | None = None,
        begins_h: int = 6,
    ) -> None:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise TypeError("a rehearsal runs on a VirtualLoop")
        self._policy = policy
        self.clock = LoopClock(loop, speed, monday_ns(plant, begins_h))
        self.store = Store("sqlite://")
        self.store.migrate()
        self.plant = assign_ids(reduced(plant), self.store)
        self.bus = MemoryBus(keep=KEPT, now_s=loop.time, hands_over=True)
        self.twin = Twin(plant, truth, self.clock, seed)
        self._direct = DirectPlant(self.twin, self.plant)
        self._wishes = Wishes(self.plant, truth.customer, seed)
        self._outbox = Outbox(self.plant.id, ORDERER, self.store, self.bus, self.clock)
        self.verdict = Verdict(self.plant, self.twin, self.clock.now_ns())
        rare = Rare(plant, self.twin.floor)
        self.twin.scan.rarely(rare)

        def happened(kind: str, t_ns: int, fields: Mapping[str, Any]) -> None:
            rare.note(kind, t_ns, fields)
            self.verdict.happened(kind, t_ns, fields)
            self.told(kind, t_ns, fields)

        self.told: Book = lambda kind, t_ns, fields: None
        self.twin.floor.shop.book = happened
        self.brain = Brain(
            self.plant,
            self.bus,
            self.store,
            self.clock,
            Path(),
            self._connect,
            dispatch=policy.dispatch,
            policies=rules,
        )

    def _connect(self, _plant: Plant, connection: Any, _clock: Clock, _secrets: Path) -> Connector:
        return self._direct.links[connection.id]

    async def play(self, hours: float) -> dict[str, Any]:
        """So many plant hours; returns the figures."""
        began_s, until_ns = monotonic_s(), self.clock.now_ns() + round(hours * 3600 * NS)
        runs = [self._direct.run(), self._outbox.run(), self._listen(), self.brain.run()]
        if self._policy.plans:
            runs.append(self._plan())
        tasks = [asyncio.create_task(run) for run in runs]
        try:
            while self.clock.now_ns() < until_ns:
                self._order()
                self.verdict.look(self.clock.now_ns())
                await self.clock.sleep(LOOK_S)
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        figures = self.verdict.figures(self.clock.now_ns())
        took_s = monotonic_s() - began_s
        unknown = {
            "commands_unknown": self.brain.act.unknown,
            "commands_proven": self.brain.act.counts["proven"],
        }
        return figures | unknown | {"took_s": round(took_s, 1), "times_real": round(hours * 3600 / took_s)}

    async def _plan(self) -> None:
        """Once every unit has said how it stands: what nobody has heard of gets no work."""
        await self.clock.sleep(SETTLE_S)
        await self._planner().run()

    def _planner(self) -> Any:
        """Only where one is needed: it brings heavy libraries."""
        from zhongshu.decide.planner.pace import daily, rehearsed
        from zhongshu.decide.planner.planner import Planner

        pace = (rehearsed if self._policy.replans else daily)(self.clock.speed)
        return Planner(self.plant, self.bus, self.store, self.clock, pace)

    async def _listen(self) -> None:
        async for message in self.bus.replay(subjects.EVENTS, after=-1):
            self._hear(message)

    def _hear(self, message: Message) -> None:
        event = decode_event(message.subject, message.payload)
        if event is not None:
            self.verdict.heard(event)

    def _order(self) -> None:
        """What the customer wants by now, as the web takes it in."""
        now_ns = self.clock.now_ns()
        for wish in self._wishes.due(now_ns, self.twin.floor.stored()):
            order = WorkOrder(wish.id, wish.product, wish.quantity, wish.due_ns, 0, wish.priority)
            with self.store.begin() as session:
                receive_order(session, self.plant, order, by=ORDERER, now_ns=now_ns, stage=ORDERER)
            self.verdict.wishes[wish.id] = wish
        self._outbox.poke()
