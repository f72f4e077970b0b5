"""Tells the person at the terminal how the start goes, and where to look once the plant lives."""

from __future__ import annotations

import os
import webbrowser

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.config import DataDir, Ports, load_access
from zhongshu.kernel.health import gather
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.status import summary
from zhongshu.kernel.supervisor import Supervisor
from zhongshu.model.plant import Plant


async def announce(supervisor: Supervisor, data: DataDir, plant: Plant, ports: Ports) -> None:
    """Print one line a step until every device is connected."""
    began = monotonic_s()
    url = f"http://127.0.0.1:{ports.web}"
    print(
        f"zhongshu 中枢 · {plant.name.zh} {plant.name.en} · {len(plant.units)} devices, {len(plant.points)} points"
    )
    print(f"data in {data.path}; Ctrl-C stops everything", flush=True)
    await supervisor.wait_ready()
    print(f"control room: {url}  ({monotonic_s() - began:.0f} s)", flush=True)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
    try:
        await _watch_connecting(data, plant, began)
    except BusError as error:
        print(f"the bus does not answer ({error}); see {data.logs}", flush=True)


async def _watch_connecting(data: DataDir, plant: Plant, began: float) -> None:
    bus = await NatsBus.connect(load_access(data.secrets), name="announce")
    try:
        said = -1
        while True:
            figures = summary(await gather(bus, plant.id, 1.2))
            connected = figures["devices"]["connected"] or 0
            if connected != said:
                good = figures["points"]["good"] or 0
                after = monotonic_s() - began
                print(
                    f"{connected} of {len(plant.units)} devices connected, {good} points good  ({after:.0f} s)",
                    flush=True,
                )
                said = connected
            if connected == len(plant.units):
                return
    finally:
        await bus.close()
