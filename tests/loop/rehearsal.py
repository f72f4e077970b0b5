"""The real brain against the real twin in virtual time: orders come in as through the web, things go wrong, all of it seeded."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from pathlib import Path
from typing import Any

from tests.loop.holds import Holds
from tests.loop.mortal import Life, MortalBus, MortalStore, only_killed
from tests.loop.wire import Session, Wire
from zhongshu.kernel.clock import NS
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import load_autonomy, set_level
from zhongshu.kernel.store.orders import receive_order
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.virtual import LoopClock, VirtualLoop
from zhongshu.model.autonomy import BRAIN, Kind, area_scope
from zhongshu.model.orders import WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.plant.brain import Brain
from zhongshu.twin.direct import DirectPlant
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.twin import Twin

log = logging.getLogger(__name__)
#: Wall seconds between two looks at what must hold.
LOOK_S = 1.0


class Rehearsal:
    """One plant, one twin, one store and one bus; brains come and go. Use within ``async with``, on a VirtualLoop."""

    def __init__(self, plant: Plant, truth: TwinTruth, seed: int, *, speed: float = 20.0) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.seed, self.random = seed, random.Random(seed)
        self.clock = LoopClock(loop, speed)
        self.store = Store("sqlite://")
        self.store.migrate()
        self.plant = assign_ids(plant, self.store)
        self.bus = MemoryBus(now_s=loop.time)
        self.twin = Twin(self.plant, truth, self.clock, seed)
        self.direct = DirectPlant(self.twin, self.plant)
        self.holds = Holds(self.plant, self.twin, self.store, self.clock)
        self.twin.floor.shop.book = self.holds.happened
        self.wires = {
            name: Wire(link, self.plant, name, self.twin, self.clock, seed, self.holds.called)
            for name, link in self.direct.links.items()
        }
        self.outbox = Outbox(self.plant.id, "web", self.store, self.bus, self.clock)
        self.brain: Brain | None = None
        self.deaths = self.stepped_down = 0
        self.slow: dict[str, float] = {}  # kind of event → seconds by which the bus takes it later
        self._life = Life()
        self._numbers = itertools.count(1)
        self._tasks: list[asyncio.Task[None]] = []
        self._brain: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Rehearsal:
        runs = [self.direct.run(), self.outbox.run()]
        runs += [link.run(self.wires[name]) for name, link in self.direct.links.items()]
        self._tasks = [asyncio.create_task(run) for run in runs]
        self.live()
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [t for t in (*self._tasks, self._brain) if t is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.bus.close()
        self.store.close()

    # --- the brain

    def live(self, steps: int = 0) -> None:
        """A new brain; ``steps``: it dies after so many transactions, requests and events."""
        life = self._life = Life(steps)

        def connect(_plant: Plant, connection: Any, _clock: object, _secrets: Path) -> Session:
            return Session(self.wires[connection.id], life)

        self.brain = Brain(
            self.plant,
            MortalBus(self.bus, life, self.slow),
            MortalStore(self.store, life),  # type: ignore[arg-type]
            self.clock,
            Path(),
            connect,
        )
        self.holds.born()
        self._brain = asyncio.create_task(self.brain.run())

    async def die(self, down_s: float, steps: int = 0) -> None:
        """Kill the brain now; so much later (wall) there is a new one."""
        assert self._brain is not None
        self._life.dead = True
        self._brain.cancel()
        await self._buried(down_s, steps)

    async def _buried(self, down_s: float, steps: int = 0) -> None:
        task, self._brain, self.brain = self._brain, None, None
        assert task is not None
        result = (await asyncio.gather(task, return_exceptions=True))[0]
        if result is not None and not isinstance(result, asyncio.CancelledError) and not only_killed(result):
            raise result
        self.deaths += 1
        self.holds.died()
        await self.forward(down_s)
        self.live(steps)

    # --- what happens

    def order(self, product: str, quantity: int, *, priority: int = 5, due_h: float = 8.0) -> str:
        """A customer orders, as the web takes it in."""
        now = self.clock.now_ns()
        name = f"W-{next(self._numbers)}"
        order = WorkOrder(name, product, quantity, now + round(due_h * 3600 * NS), 0, priority)
        with self.store.begin() as session:
            receive_order(session, self.plant, order, by="test", now_ns=now, stage="web")
        self.outbox.poke()
        self.holds.ordered(order)
        return name

    def fault(self, kind: str, target: str, value: float | None = None, *, for_s: float = 0.0) -> None:
        """Something of the twin's own repertoire goes wrong; ``for_s`` (wall) later it is cleared."""
        if (kind, target) in self.twin.faults.active:
            return
        self.twin.faults.make(kind, target, value)
        if for_s:
            asyncio.get_running_loop().call_later(for_s, self._clear, kind, target)

    def _clear(self, kind: str, target: str) -> None:
        if (kind, target) in self.twin.faults.active:
            self.twin.faults.clear(target)

    # --- time

    async def forward(self, wall_s: float) -> None:
        """Let wall time pass, looking every LOOK_S at what must hold; a brain that was killed by count comes back."""
        until = self.clock.wall_ns() + round(wall_s * NS)
        while (left := until - self.clock.wall_ns()) > 0:
            await asyncio.sleep(min(LOOK_S, left / NS))
            await self._look()

    async def until_done(self, plant_h: float) -> float:
        """Until every order is done and the floor is quiet; returns the plant hours it took."""
        begun = self.clock.now_ns()
        while not self.holds.all_done():
            passed_h = (self.clock.now_ns() - begun) / (3600 * NS)
            if passed_h > plant_h:
                raise AssertionError(self.described(f"not done after {passed_h:.1f} plant hours"))
            await self.forward(LOOK_S)
        return (self.clock.now_ns() - begun) / (3600 * NS)

    async def settle(self, wall_s: float = 20.0) -> None:
        """Nothing goes wrong any more; whatever is still open comes to its end, then everything is held against the twin."""
        await self.forward(wall_s)
        self.holds.at_the_end(self.brain)
        self._raise()

    async def _look(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()
        if self._brain is not None and self._brain.done():
            await self._buried(self.random.uniform(0.2, 4.0))
        troubled = any(not w.up or w.hanging or w.losing for w in self.wires.values())
        if troubled or self.twin.scan.silent.any():
            self.holds.quiet()
        self._foreman(troubled)
        self.holds.look(self.brain)
        self._raise()

    def _foreman(self, troubled: bool) -> None:
        """Where the brain has stepped down, somebody comes when the trouble is over and lets it act again."""
        if troubled:
            return
        with self.store.read() as session:
            now = load_autonomy(session, self.plant)
        for area in self.plant.areas:
            fact = now.holding(area_scope(area.id), Kind.LEVEL)
            if fact is not None and fact.by == BRAIN:
                self.stepped_down += 1
                level = self.plant.ladder.areas.get(area.id, self.plant.ladder.default)
                with self.store.begin() as session:
                    set_level(session, self.plant, area.id, level, Signed("foreman", self.clock.now_ns()))
                self.outbox.poke()

    def _raise(self) -> None:
        if self.holds.broken:
            raise AssertionError(self.described("\n".join(self.holds.broken[:8])))

    def described(self, what: str) -> str:
        """The failure with all that is needed to see it again."""
        passed = (self.clock.wall_ns() - self.holds.begun_ns) / NS
        return f"seed {self.seed}, {passed:.1f} s (wall) in, {self.deaths} deaths: {what}\n{self.holds.picture()}"
