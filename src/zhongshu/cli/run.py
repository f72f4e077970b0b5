"""`zhongshu run` and `zhongshu demo`: the parent process that keeps bus, brain, historian, web (and twin) alive."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zhongshu.cli.announce import announce
from zhongshu.cli.attach import note_running
from zhongshu.cli.device_ports import require_free_devices
from zhongshu.cli.plant_time import choose_clock, keep_alive_mark
from zhongshu.cli.staging import stage
from zhongshu.decide.policies import switched_on
from zhongshu.kernel.clock import save_clock, wall_clock
from zhongshu.kernel.config import DataDir, Ports, write_private
from zhongshu.kernel.listeners import require_free
from zhongshu.kernel.logs import setup_logs
from zhongshu.kernel.nats_server import bus_child
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.supervisor import Child, Supervisor
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)


async def run_plant(plant_file: Path, data: Path, port: int | None) -> None:
    """The brain alone, on a real plant's clock."""
    plant, directory, ports = _open(plant_file, data, port)
    with directory.lock():
        save_clock(directory.clock_file, wall_clock())
        await _keep(plant, plant_file, directory, ports, _brain(plant_file, directory, ports))


async def run_demo(
    plant_file: Path,
    data: Path,
    port: int | None,
    *,
    speed: float,
    seed: int,
    truth: Path | None,
    story: bool,
) -> None:
    """The brain and beside it the twin; the plant's time goes on where the last run of this data directory ended.

    ``story``: a machine breaks down every few minutes, so that who watches sees it (``cli.staging``).
    """
    plant, directory, ports = _open(plant_file, data, port)
    with directory.lock():
        require_free_devices(plant)
        save_clock(directory.clock_file, choose_clock(directory, speed))
        _make_passwords(plant, directory)
        extra = ["--seed", str(seed), *(["--truth", str(truth)] if truth else [])]
        twin = _child("twin", plant_file, directory, extra, after=["bus"])
        children = [*_brain(plant_file, directory, ports), twin]
        await _keep(plant, plant_file, directory, ports, children, [stage] if story else [])


def _open(plant_file: Path, data: Path, port: int | None) -> tuple[Plant, DataDir, Ports]:
    setup_logs("zhongshu")
    if port is not None:
        os.environ["ZHONGSHU_PORT_WEB"] = str(port)
    plant = load_plant(plant_file)
    switched_on(plant)  # a policy that can't be is told here, not by a process that starts again and again
    return plant, DataDir(data), Ports.of(plant.settings.get("ports"))


def _make_passwords(plant: Plant, data: DataDir) -> None:
    """The twin's servers know whatever password is in the file; so at the first start one is made for each."""
    for connection in plant.connections:
        name = connection.settings.get("password_file")
        if name and not (data.secrets / name).exists():
            write_private(data.secrets / name, secrets.token_urlsafe(24))


def can_plan() -> bool:
    """The extra ``plan`` is installed; without it dispatch goes first come, first served."""
    return all(find_spec(name) is not None for name in ("numba", "ortools"))


def _brain(plant_file: Path, data: DataDir, ports: Ports) -> list[Child]:
    web = ["--port", str(ports.web)]
    return [
        _child("historian", plant_file, data, after=["bus"]),
        _child("brain", plant_file, data, after=["bus"]),
        *([_child("planner", plant_file, data, after=["bus"])] if can_plan() else []),
        _child("web", plant_file, data, web, after=["bus"], ready=_listens(ports.web)),
    ]


def _child(
    name: str,
    plant_file: Path,
    data: DataDir,
    extra: Sequence[str] = (),
    *,
    after: Sequence[str] = (),
    ready: Callable[[], Awaitable[bool]] | None = None,
) -> Child:
    argv = [sys.executable, "-m", "zhongshu.cli.main", "process", name]
    argv += ["--plant", str(plant_file), "--data", str(data.path), *extra]
    return Child(name, argv, after=after, ready=ready)


async def _keep(
    plant: Plant,
    plant_file: Path,
    data: DataDir,
    ports: Ports,
    children: Sequence[Child],
    more: Sequence[Callable[[Supervisor, DataDir, Plant], Coroutine[Any, Any, None]]] = (),
) -> None:
    """Prepare what all processes share, then supervise until Ctrl-C."""
    require_free("web", ports.web)
    await asyncio.to_thread(Store(data.store_url).migrate)
    note_running(data.path, plant.id, plant_file)
    supervisor = Supervisor([bus_child(data, ports, plant), *children], logs=data.logs)
    beside = [
        asyncio.create_task(announce(supervisor, data, plant, ports)),
        asyncio.create_task(keep_alive_mark(data)),
        *(asyncio.create_task(other(supervisor, data, plant)) for other in more),
    ]
    try:
        await supervisor.run()
    finally:
        for task in beside:
            task.cancel()
        print("stopped.", flush=True)


def _listens(port: int) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    return answers
