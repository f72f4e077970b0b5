"""`make bench`: watches the whole plant, plans its days, and writes both into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, page, plant, plant_schedule, sections, size

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure the whole plant, twice started, the installed size, and days being planned; write those sections."""
    words = argparse.ArgumentParser(prog="python -m bench")
    words.add_argument("--seconds", type=float, default=600.0, help="how long the plant is watched")
    words.add_argument("--speed", type=float, default=10.0, help="plant seconds in a wall second")
    words.add_argument("--output", type=Path, default=sections.PAGE)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhongshu-bench-") as folder:
        watched = asyncio.run(plant.watch(Path(folder), asked.seconds, asked.speed))
    text = page.write(machine.about(), datetime.now(UTC).date(), watched, size.measure(ROOT))
    sections.put(text, asked.output)
    planned = plant_schedule.written(plant_schedule.measure())
    sections.put(planned, asked.output)
    print(text, planned, sep="\n")


if __name__ == "__main__":
    main()
