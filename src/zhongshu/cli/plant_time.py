"""The demo's clock: plant time runs `speed` times as fast, and a second run goes on where the first one ended."""

from __future__ import annotations

import asyncio

from zhongshu.kernel.clock import NS, ScaledClock, load_clock, wall_clock
from zhongshu.kernel.config import DataDir

#: The parent touches this file while it runs, so that even a killed demo tells when it ended.
ALIVE = "alive"
TOUCH_WALL_S = 2.0


def choose_clock(data: DataDir, speed: float) -> ScaledClock:
    """A clock from the plant time at which the last run ended, never running back; the wall clock where it fits."""
    now_ns = wall_clock().wall_ns()
    begin_ns = now_ns
    alive = data.path / ALIVE
    if data.clock_file.exists() and alive.exists():
        ended_wall_ns = alive.stat().st_mtime_ns + round(2 * TOUCH_WALL_S * NS)
        begin_ns = load_clock(data.clock_file).to_plant_ns(min(ended_wall_ns, now_ns))
    if speed == 1.0 and begin_ns <= now_ns:
        return wall_clock()
    return ScaledClock(origin_wall_ns=now_ns, origin_plant_ns=begin_ns, speed=speed)


def last_alive(data: DataDir) -> int:
    """Plant time in ns: now while the plant runs, else when it last ran, for its clock stood still since."""
    clock = load_clock(data.clock_file)
    alive = data.path / ALIVE
    now_ns = clock.now_ns()
    if not alive.exists():
        return now_ns
    ended_wall_ns = alive.stat().st_mtime_ns + round(2 * TOUCH_WALL_S * NS)
    return min(now_ns, clock.to_plant_ns(ended_wall_ns))


async def keep_alive_mark(data: DataDir) -> None:
    """Touch the mark until cancelled."""
    while True:
        (data.path / ALIVE).touch()
        await asyncio.sleep(TOUCH_WALL_S)
