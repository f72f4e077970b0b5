"""What each process of the brain does when it is started: open the data directory, meet the bus, run its part."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from zhongshu.historian.historian import Historian
from zhongshu.kernel.clock import Clock, load_clock
from zhongshu.kernel.config import DataDir, load_access
from zhongshu.kernel.health import Health
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant
from zhongshu.plant.brain import Brain


@dataclass(frozen=True, slots=True)
class Here:
    """What every process of one plant stands on."""

    plant: Plant
    data: DataDir
    store: Store
    clock: Clock
    bus: NatsBus


async def stand(plant_file: Path, data: Path, name: str) -> Here:
    """Load the plant with its ids, open the store, join the bus."""
    directory = DataDir(data)
    store = Store(directory.store_url)
    await asyncio.to_thread(store.migrate)
    plant = assign_ids(load_plant(plant_file), store)
    bus = await NatsBus.connect(load_access(directory.secrets), name=name)
    return Here(plant, directory, store, load_clock(directory.clock_file), bus)


async def run_brain(plant_file: Path, data: Path) -> None:
    """Sense, understand, decide, act."""
    here = await stand(plant_file, data, "brain")
    await Brain(here.plant, here.bus, here.store, here.clock, here.data.secrets).run()


async def run_historian(plant_file: Path, data: Path) -> None:
    """The memory."""
    here = await stand(plant_file, data, "historian")
    historian = Historian(here.plant, here.bus, here.data.history, here.clock, here.store)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(historian.run())
        tasks.create_task(Health(here.bus, here.plant.id, "historian", historian.figures).run())


async def run_planner(plant_file: Path, data: Path) -> None:
    """The plan of the whole plant; what it thinks about for seconds gives way to whoever needs the processor sooner."""
    planner = import_module(
        "zhongshu.decide.planner.planner"
    )  # numba and OR-tools are needed by this process alone
    here = await stand(plant_file, data, "planner")
    desk = planner.Planner(here.plant, here.bus, here.store, here.clock)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.run())
        tasks.create_task(Health(here.bus, here.plant.id, "planner", desk.figures).run())
