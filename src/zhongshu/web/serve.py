"""The control room as a process: opens the plant's bus, store and history, and serves pages, API and live channel."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import ConfigError, DataDir, Ports, load_access
from zhongshu.kernel.health import Health
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.listeners import require_free
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.web.app import build_app
from zhongshu.web.commands import CommandBoard
from zhongshu.web.decisions import DecisionBoard
from zhongshu.web.frames import Frames
from zhongshu.web.gate import Gate
from zhongshu.web.live import Live
from zhongshu.web.orders import OrderBoard
from zhongshu.web.past import Past
from zhongshu.web.plan_progress import PlanProgress
from zhongshu.web.plan_store import Plans
from zhongshu.web.room import Room
from zhongshu.web.watch import Watch
from zhongshu.web.words import words

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORT = Ports().web
LOOPBACK = frozenset({HOST, "localhost"})
#: Browsers keep their connections open; what is still open then is cut.
LEAVE_WALL_S = 2


class NotLoopback(ConfigError):
    """The control room was told to listen where others could reach it."""

    def text(self, language: str) -> str:
        """What is wrong and what remedies it."""
        return words().text(self.key, language, **self.values)


async def run_web(plant_file: Path, data: Path, host: str = HOST, port: int = PORT) -> None:
    """Serve the control room of a plant on loopback until cancelled.

    Raises ConfigError where ``host`` is not loopback, ``port`` is taken or the bus was never started, BusError where it
    does not answer, PlantFileError and StoreError as they come.
    """
    if host not in LOOPBACK:
        raise NotLoopback("error.loopback", host=host)
    require_free("web", port)
    directory = DataDir(data)
    store = Store(directory.store_url)
    await asyncio.to_thread(store.migrate)
    plant = await asyncio.to_thread(lambda: assign_ids(load_plant(plant_file), store))
    clock = load_clock(directory.clock_file)
    bus = await NatsBus.connect(load_access(directory.secrets), name="web")
    commands = CommandBoard(plant.id, clock)
    decided = DecisionBoard(plant.id, store, clock)
    watch = Watch(plant, bus, clock, commands, decided)
    room = Room(
        plant=plant,
        data=directory,
        store=store,
        clock=clock,
        bus=bus,
        watch=watch,
        past=Past(bus, plant),
        orders=OrderBoard(plant, store, clock),
        commands=commands,
        decisions=decided,
        plans=Plans(plant.id, store),
        progress=PlanProgress(plant.id, bus, clock, commands),
        outbox=Outbox(plant.id, "web", store, bus, clock),
        gate=Gate(directory.secrets, port),
    )
    try:
        await _serve(room, port)
    finally:
        await watch.close()
        await bus.close()
        store.close()


async def _serve(room: Room, port: int) -> None:
    await room.watch.start()
    try:
        await asyncio.to_thread(room.commands.load, room.store)
    except SQLAlchemyError as error:
        log.warning("commands of before the start are missing: %s", error)
    frames = Frames(room.plant, room.watch, room.orders, room.clock, room.decisions)
    live = Live(frames, room.clock)
    config = uvicorn.Config(
        build_app(room, live),
        host=HOST,
        port=port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_ping_interval=20.0,
        ws_max_size=65_536,
        timeout_graceful_shutdown=LEAVE_WALL_S,
    )
    async with asyncio.TaskGroup() as tasks:
        beside = [
            tasks.create_task(room.orders.run()),
            tasks.create_task(room.decisions.run()),
            tasks.create_task(room.outbox.run()),
            tasks.create_task(room.watch.catch_up()),
            tasks.create_task(room.progress.run()),
            tasks.create_task(live.run()),
            tasks.create_task(Health(room.bus, room.plant.id, "web", lambda: figures(room, live)).run()),
        ]
        try:
            await _Server(config).serve()
        finally:
            for task in beside:
                task.cancel()


def figures(room: Room, live: Live) -> dict[str, Any]:
    """What this process says of itself."""
    return {"pages_open": len(live), "snapshots": live.snapshots, "points_here": len(room.watch.latest)}


class _Server(uvicorn.Server):
    """Leaves the signals to the process it runs in, which cancels it."""

    async def serve(self, sockets: Any = None) -> None:
        """Serve until cancelled, then end in good order."""
        serving = asyncio.ensure_future(self._serve(sockets))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.should_exit = True
            await serving
            raise
