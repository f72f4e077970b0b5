"""Devices, sense, bus, historian and auditor together: whatever happens on the way, nothing is lost and nothing doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.sense.bench_bus import FlakyBus
from tests.sense.factory import Device, plant_of, reads
from zhongshu.historian import audit, historian
from zhongshu.historian.client import HistoryClient
from zhongshu.historian.historian import Historian
from zhongshu.kernel.clock import ScaledClock, wall_clock
from zhongshu.kernel.store import Store
from zhongshu.sense import Sense


class World:
    """Two connections of three devices each, at twenty times the speed of life."""

    def __init__(self, folder: Path) -> None:
        wall = wall_clock().wall_ns()
        self.clock = ScaledClock(wall, wall, 20.0)
        self.plant, self.bus = plant_of(units=3, points=6, connections=2, deadband=0.2), FlakyBus()
        self.store = Store(f"sqlite:///{folder / 'store.db'}")
        self.store.migrate()
        self.folder = folder
        self.devices = [Device(unit, seed) for seed, unit in enumerate(self.plant.units)]
        self.cut: set[str] = set()
        self.begin_sense()
        self.begin_historian()

    def begin_sense(self) -> None:
        self.sense = Sense(self.plant, self.bus, self.store, self.clock)
        self.sensing = asyncio.create_task(self.sense.run())
        for connection in self.plant.connections:
            newest = {r[0]: r for d in self.devices if d.unit.connection == connection.id for r in d.made}
            if newest:
                self.sense.sink(connection).reads(reads(list(newest.values()), self.clock.wall_ns()))
            self.sense.sink(connection).connected()

    def begin_historian(self) -> None:
        self.historian = Historian(
            self.plant, self.bus, self.folder / "history", self.clock, self.store, flush_wall_s=0.5
        )
        self.remembering = asyncio.create_task(self.historian.run())

    async def live(self, seconds: float) -> None:
        for _ in range(round(seconds * 20)):
            for device in self.devices:
                rows = device.tick(self.clock.now_ns())
                if rows and device.unit.connection not in self.cut:
                    self.sense.sink(device.unit.connection).reads(reads(rows, self.clock.wall_ns()))
            await asyncio.sleep(0.05)

    async def end(self, task: asyncio.Task[None], *, at_once: bool) -> None:
        self.bus.down = at_once
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.bus.down = False


async def test_nothing_is_lost_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "YOUNG_WALL_S", 1.0)
    monkeypatch.setattr(audit, "OLD_WALL_S", 4.0)
    monkeypatch.setattr(historian, "AUDIT_WALL_S", 0.5)
    world, rng = World(tmp_path), random.Random(1)
    await world.live(2)
    world.sense.sink("c0").lost("cable")
    world.cut = {"c0"}
    await world.live(1.5)
    world.cut = set()
    world.sense.sink("c0").connected()
    await world.live(2 + rng.random())
    await world.end(world.remembering, at_once=False)
    await world.live(1)
    world.begin_historian()
    await world.live(1 + rng.random())
    await world.end(world.sensing, at_once=True)
    await world.live(1)
    world.begin_sense()
    await world.live(8)
    figures, client = world.historian.figures(), HistoryClient(world.bus, "p")
    assert (figures["values_lost"], figures["values_doubled"], figures["windows_unjudged"]) == (0, 0, 0)
    made = sum(len(device.made) for device in world.devices)
    assert figures["values_judged"] > made * 0.6
    gaps = await world.bus.gaps()
    assert {g.cause for g in gaps} == {"connection_lost", "process_restart"}
    assert (await client.events("GapRecorded"))["unit"].to_pylist()
    assert figures["latency_p50_ms"] > 0
    for task in (world.sensing, world.remembering):
        await world.end(task, at_once=False)
