"""A historian as a process of its own, for the tests that kill it: data directory and history directory as arguments."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.sense.factory import plant_of
from zhongshu.historian.historian import Historian
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.config import load_access
from zhongshu.kernel.nats_bus import NatsBus


async def main(secrets: Path, history: Path) -> None:
    bus = await NatsBus.connect(load_access(secrets), name="historian")
    plant = plant_of(units=8, points=7, connections=2)
    await Historian(plant, bus, history, wall_clock(), flush_wall_s=0.3).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
