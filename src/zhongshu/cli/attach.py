"""Joins a running brain through its data directory, for commands that ask or tell it something."""

from __future__ import annotations

import fcntl
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import ConfigError, DataDir, load_access
from zhongshu.kernel.nats_bus import NatsBus

#: Written by the parent process at start: which plant file this data directory belongs to.
RUNNING = "running.json"


class NotRunning(Exception):
    """No brain runs on this data directory; the message says how to start one."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A running brain, seen from outside."""

    data: DataDir
    plant_id: str
    plant_file: Path
    bus: NatsBus


@asynccontextmanager
async def attach(data: Path) -> AsyncIterator[Attached]:
    """Join the bus; raises NotRunning."""
    plant_id, plant_file = known_plant(data)
    if not _held(data):
        raise NotRunning(_remedy(data))
    directory = DataDir(data)
    try:
        bus = await NatsBus.connect(load_access(directory.secrets), name="cli")
    except (BusError, ConfigError, OSError) as error:
        raise NotRunning(f"{_remedy(data)} ({error})") from error
    try:
        yield Attached(directory, plant_id, plant_file, bus)
    finally:
        await bus.close()


def _held(data: Path) -> bool:
    """True while a parent process holds the directory; of a copy only the one that runs is held, though both know a bus."""
    try:
        with (data / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # there is none: nothing ever ran here
    return False


def note_running(data: Path, plant_id: str, plant_file: Path) -> None:
    """Leave word for ``attach``."""
    about = {"plant": plant_id, "plant_file": str(plant_file.resolve())}
    (data / RUNNING).write_text(json.dumps(about), encoding="utf-8")


def known_plant(data: Path) -> tuple[str, Path]:
    """Id and file of the plant that this data directory belongs to; raises NotRunning where none ever ran on it."""
    known = _noted(data)
    return known["plant"], Path(known["plant_file"])


def _noted(data: Path) -> dict[str, str]:
    about = data / RUNNING
    if not about.exists():
        raise NotRunning(_remedy(data))
    try:
        known = json.loads(about.read_text(encoding="utf-8"))
        return {"plant": known["plant"], "plant_file": known["plant_file"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning(
            f"{about} cannot be read ({error!r}); delete it, the next start writes it anew"
        ) from error


def _remedy(data: Path) -> str:
    return (
        f"no brain runs on {data}; start one with `zhongshu demo` or `zhongshu run PLANT.yaml --data {data}`"
    )
