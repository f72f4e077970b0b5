"""The twin as a process: plant file, twin file and data directory in, a running plant out; the command line calls it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.plantfile import load_plant
from zhongshu.twin.settings import TwinTruth, load_truth
from zhongshu.twin.twin import Progress, Twin

#: The plant's own memory, in the data directory.
STATE = "twin-state.json"


async def serve(
    plant_path: Path,
    twin_path: Path | None,
    data_dir: Path,
    clock: Clock,
    seed: int | None = None,
    api_url: str = "",
    truth_dir: Path | None = None,
    *,
    token: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Run the twin of a plant until cancelled. Raises PlantFileError for either file.

    ``seed`` None takes the twin file's; ``twin_path`` None takes plausible defaults. ``api_url`` is the base URL of the order
    API, ``token`` a file with its bearer token. The physical plant goes on where it was left (``twin-state.json``).
    """
    plant = await asyncio.to_thread(load_plant, plant_path)
    truth = TwinTruth() if twin_path is None else await asyncio.to_thread(load_truth, twin_path, plant)
    directory = DataDir(data_dir)
    twin = Twin(
        plant,
        truth,
        clock,
        seed,
        secrets=directory.secrets,
        state=data_dir / STATE,
        truth_dir=truth_dir,
        data_dir=data_dir,
        api_url=api_url,
        token=token,
        progress=progress,
    )
    await twin.run()
