"""`make bench`: runs every bench and writes docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, page, plant, size

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Measure the whole plant, twice started, and the installed size; write the page."""
    words = argparse.ArgumentParser(prog="python -m bench")
    words.add_argument("--seconds", type=float, default=600.0, help="how long the plant is watched")
    words.add_argument("--speed", type=float, default=10.0, help="plant seconds in a wall second")
    words.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhongshu-bench-") as folder:
        watched = asyncio.run(plant.watch(Path(folder), asked.seconds, asked.speed))
    text = page.write(machine.about(), datetime.now(UTC).date(), watched, size.measure(ROOT))
    asked.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
