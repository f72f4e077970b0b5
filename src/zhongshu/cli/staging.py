"""The demo's stagehand: where no machine has broken down for minutes it asks the twin for a breakdown, and says so openly on the bus."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from zhongshu.kernel.bus import Bus, BusError
from zhongshu.kernel.clock import Clock, load_clock
from zhongshu.kernel.config import DataDir, load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import live_plan, unpack
from zhongshu.kernel.supervisor import Supervisor
from zhongshu.kernel.wire import WireError, decode_event, publish_event
from zhongshu.model import subjects
from zhongshu.model.messages import DemoStaged, StateChanged
from zhongshu.model.plant import Plant
from zhongshu.model.states import UnitState
from zhongshu.twin.control import NotRunning, ask

log = logging.getLogger(__name__)
#: Wall seconds: until the first breakdown once the plant runs, and without one afterwards; a visitor shall see one in five minutes.
FIRST_WALL_S, QUIET_WALL_S, LOOK_WALL_S = 130.0, 240.0, 5.0
#: Work of the next hour is what a breakdown puts in question; a machine needs so many jobs in it to be worth a story.
SOON_S, JOBS_LEAST = 3600, 3
SOURCE, FAULT = "demo", "breakdown"


class Stagehand:
    """No part of the brain: it knows the plan and the twin, and nobody decides by what it says."""

    def __init__(self, plant: Plant, data: DataDir, bus: Bus, clock: Clock) -> None:
        self._plant, self._data, self._bus, self._clock = plant, data, bus, clock
        self._machines = frozenset(unit.id for unit in plant.machines)
        self._store = Store(data.store_url)
        self._down: set[str] = set()
        self._next_ns = clock.wall_ns() + round(FIRST_WALL_S * 1e9)

    async def run(self) -> None:
        """Until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                await self._clock.sleep_wall(LOOK_WALL_S)
                if self._clock.wall_ns() >= self._next_ns and await self.strike():
                    self._wait()
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        pattern = subjects.events(self._plant.id, StateChanged.__name__)
        async for message in self._bus.replay(subjects.EVENTS, after=-1, subject=pattern):
            try:
                event = decode_event(message.subject, message.payload)
            except WireError:
                continue
            if isinstance(event, StateChanged):
                self._heard(event)

    def _heard(self, event: StateChanged) -> None:
        """A machine that breaks down by itself is a story too; a vehicle makes none."""
        if event.unit not in self._machines:
            return
        down = event.state in (UnitState.ABORTED.name, UnitState.ABORTING.name)
        if down and event.unit not in self._down:
            self._wait()
        (self._down.add if down else self._down.discard)(event.unit)

    def _wait(self) -> None:
        self._next_ns = self._clock.wall_ns() + round(QUIET_WALL_S * 1e9)

    async def strike(self) -> bool:
        """Let the machine break down that has the most to do; False where none is worth it yet."""
        unit = await asyncio.to_thread(self._chosen)
        if not unit:
            return False
        try:
            request = {"op": "fault", "kind": FAULT, "target": unit, "value": None}
            answer = await asyncio.to_thread(ask, self._data.path, request)
            if answer.get("ok"):
                said = DemoStaged(self._plant.id, SOURCE, self._clock.now_ns(), FAULT, unit)
                await publish_event(self._bus, said, msg_id=f"staged.{unit}.{said.t_ns}")
                log.info("the demo lets %s break down", unit)
            return bool(answer.get("ok"))
        except (NotRunning, BusError) as error:
            log.warning("the demo could not let %s break down: %s", unit, error)
            return False

    def _chosen(self) -> str:
        with self._store.read() as session:
            row = live_plan(session, self._plant.id)
            plan = unpack(row.content) if row is not None else None
        return busiest(self._plant, plan, self._clock.now_ns(), self._down) if plan is not None else ""


def busiest(plant: Plant, plan: Mapping[str, Any], now_ns: int, down: set[str]) -> str:
    """The machine with most jobs in the coming hour of those that others could take over; "" where none has enough."""
    tasks, units = plan["tasks"], [unit["id"] for unit in plan["units"]]
    passed_s = (now_ns - int(plan["origin_ns"])) // 1_000_000_000
    soon = Counter(
        units[unit]
        for unit, start, end in zip(tasks["unit"], tasks["start"], tasks["end"], strict=True)
        if start < passed_s + SOON_S and end > passed_s
    )
    alike = Counter(plant.unit_of[unit].type for unit in units if unit in plant.unit_of)
    able = {
        unit: jobs
        for unit, jobs in soon.items()
        if jobs >= JOBS_LEAST and unit not in down and alike[plant.unit_of[unit].type] > 1
    }
    return min(able, key=lambda unit: (-able[unit], unit), default="")


async def stage(supervisor: Supervisor, data: DataDir, plant: Plant) -> None:
    """Once everything runs, until cancelled; a demo without stories is still a demo."""
    await supervisor.wait_ready()
    try:
        bus = await NatsBus.connect(load_access(data.secrets), name="stagehand")
    except BusError as error:
        log.warning("no breakdowns are arranged: %s", error)
        return
    try:
        await Stagehand(plant, data, bus, load_clock(data.clock_file)).run()
    finally:
        await bus.close()
