"""The only reader of time: plant time for the process, wall time for the wire; one clock a plant."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

NS = 1_000_000_000
_IMPORTED_S = time.monotonic()


class Clock(Protocol):
    """Plant time (durations, calendars, due dates) and wall time (timeouts, staleness, latency)."""

    def now_ns(self) -> int:
        """Plant time now, ns since 1970 UTC."""

    def wall_ns(self) -> int:
        """Wall time now, ns since 1970 UTC."""

    def to_wall_ns(self, plant_ns: int) -> int:
        """The wall time at which plant time is ``plant_ns``."""

    def to_plant_ns(self, wall_ns: int) -> int:
        """Plant time at a wall time."""

    async def sleep(self, plant_s: float) -> None:
        """Until so many seconds of plant time have passed."""

    async def sleep_wall(self, wall_s: float) -> None:
        """Until so many seconds of wall time have passed."""


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Plant time runs ``speed`` times as fast as wall time, from an origin that all processes of a plant share.

    Speed 1 with equal origins is the wall clock itself.
    """

    origin_wall_ns: int = 0
    origin_plant_ns: int = 0
    speed: float = 1.0

    def now_ns(self) -> int:
        """Plant time now."""
        return self.to_plant_ns(time.time_ns())

    def wall_ns(self) -> int:
        """Wall time now."""
        return time.time_ns()

    def to_wall_ns(self, plant_ns: int) -> int:
        """Wall time of a plant time."""
        return self.origin_wall_ns + round((plant_ns - self.origin_plant_ns) / self.speed)

    def to_plant_ns(self, wall_ns: int) -> int:
        """Plant time of a wall time."""
        if self.speed == 1.0:
            return wall_ns - self.origin_wall_ns + self.origin_plant_ns
        return self.origin_plant_ns + round((wall_ns - self.origin_wall_ns) * self.speed)

    async def sleep(self, plant_s: float) -> None:
        """Sleep in plant seconds."""
        await asyncio.sleep(max(0.0, plant_s / self.speed))

    async def sleep_wall(self, wall_s: float) -> None:
        """Sleep in wall seconds."""
        await asyncio.sleep(max(0.0, wall_s))


def wall_clock() -> ScaledClock:
    """The clock of a real plant."""
    return ScaledClock()


class VirtualClock:
    """Time that moves only when ``forward`` is called: for tests and rehearsals. Plant and wall time are the same."""

    def __init__(self, start_ns: int = 1_767_225_600 * NS) -> None:
        self._now_ns = start_ns
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        """Virtual now."""
        return self._now_ns

    def wall_ns(self) -> int:
        """Virtual now."""
        return self._now_ns

    def to_wall_ns(self, plant_ns: int) -> int:
        """The same."""
        return plant_ns

    def to_plant_ns(self, wall_ns: int) -> int:
        """The same."""
        return wall_ns

    async def sleep(self, plant_s: float) -> None:
        """Wait until ``forward`` has passed that time."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(
            self._sleepers, (self._now_ns + round(max(0.0, plant_s) * NS), next(self._order), waiter)
        )
        await waiter

    async def sleep_wall(self, wall_s: float) -> None:
        """The same as ``sleep``."""
        await self.sleep(wall_s)

    async def forward(self, seconds: float) -> None:
        """Let ``seconds`` pass, waking sleepers in order and letting everybody run between them."""
        until = self._now_ns + round(seconds * NS)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, waiter = heapq.heappop(self._sleepers)
            self._now_ns = max(self._now_ns, at)
            if not waiter.done():
                waiter.set_result(None)
                await _settle()
        self._now_ns = until


async def _settle(turns: int = 20) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


def monotonic_s() -> float:
    """Seconds that never jump, for measuring how long something took."""
    return time.monotonic()


def process_age_s() -> float:
    """Seconds since the operating system started this process: the interpreter's own start and all imports included.

    From Linux's /proc to 10 ms; elsewhere since this module was imported, which the first import of a command does.
    """
    try:
        words = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        started_s = int(words[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc(5), counted from boot
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, AttributeError, ValueError, IndexError):
        return time.monotonic() - _IMPORTED_S


def save_clock(path: Path, clock: ScaledClock) -> None:
    """Write the clock for the other processes of the plant."""
    values = {
        "origin_wall_ns": clock.origin_wall_ns,
        "origin_plant_ns": clock.origin_plant_ns,
        "speed": clock.speed,
    }
    path.write_text(json.dumps(values), encoding="utf-8")


def load_clock(path: Path) -> ScaledClock:
    """The clock of this plant; the wall clock where none was written."""
    return ScaledClock(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else wall_clock()
