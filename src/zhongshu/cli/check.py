"""`zhongshu check`: is the plant file right, and does every connection answer?"""

from __future__ import annotations

import asyncio
from pathlib import Path

from zhongshu.connectors import registry
from zhongshu.decide.policies import switched_on
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.ports import Check
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Connection, Plant


async def check_plant(plant_file: Path, data: Path) -> int:
    """Print what was found; 0 when everything answers. Raises PlantFileError, PolicyError."""
    plant = load_plant(plant_file)
    switched_on(plant)
    print(
        f"{plant_file}: {len(plant.units)} units, {len(plant.points)} points, {len(plant.connections)} connections"
    )
    directory = DataDir(data)
    store = Store(directory.store_url)
    store.migrate()
    plant = assign_ids(plant, store)
    checks = await asyncio.gather(*(_try(plant, c, directory) for c in plant.connections))
    for connection, found in zip(plant.connections, checks, strict=True):
        print(
            f"{'ok    ' if found.ok else 'FAILED'} {connection.id:<14} {connection.protocol:<10} {found.message}"
        )
        if found.remedy:
            print(f"       → {found.remedy}")
    return 0 if all(found.ok for found in checks) else 1


async def _try(plant: Plant, connection: Connection, data: DataDir) -> Check:
    try:
        made = registry.connector(plant, connection, load_clock(data.clock_file), data.secrets)
    except Exception as error:  # noqa: BLE001 - whatever a connector says of its settings is an answer
        return Check(False, str(error))
    return await made.check()
