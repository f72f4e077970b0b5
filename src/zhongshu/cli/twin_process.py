"""The twin as a process of the demo: the plant file with `twin.yaml` beside it, and the brain's order API."""

from __future__ import annotations

import os
from pathlib import Path

from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import DataDir, Ports
from zhongshu.kernel.plantfile import load_plant
from zhongshu.twin.serve import serve

TRUTH = "twin.yaml"


async def run_twin(plant_file: Path, data: Path, *, seed: int, truth: Path | None, port: int | None) -> None:
    """Run until cancelled; the customer posts orders with the token that the web process keeps."""
    os.nice(2)  # a plant does not slow its brain down; here they share two cores
    directory = DataDir(data)
    web = port or Ports.of(load_plant(plant_file).settings.get("ports")).web
    beside = plant_file.parent / TRUTH
    await serve(
        plant_file,
        beside if beside.exists() else None,
        directory.path,
        load_clock(directory.clock_file),
        seed,
        f"http://127.0.0.1:{web}",
        truth,
        token=directory.secrets / "api.token",
    )
