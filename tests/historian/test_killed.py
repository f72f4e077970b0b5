"""The historian is killed at random moments while Batches come in; afterwards every row is there exactly once."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable

from tests.historian.feed import NS, batch_of
from tests.kernel.server import Server
from tests.sense.factory import Device, plant_of
from zhongshu.historian.client import HistoryClient
from zhongshu.historian.query import Offline
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.config import Ports
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.wire import publish_batch

pytestmark = pytest.mark.faults

KILLS = 6


@pytest.fixture
async def server(tmp_path: Path, free_ports: Callable[[], int]) -> AsyncIterator[Server]:
    server = Server(tmp_path / "plant", Ports(bus=free_ports(), mqtt=free_ports()))
    await server.start()
    yield server
    server.kill()


class Child:
    """The historian's process."""

    def __init__(self, server: Server, history: Path) -> None:
        self._argv = [sys.executable, "-m", "tests.historian.child", str(server.data.secrets), str(history)]
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (history.parent / "historian.log").open("ab")

    def start(self) -> None:
        self._process = subprocess.Popen(self._argv, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def leave(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._log.close()


async def publish(bus: NatsBus, stop: asyncio.Event, rows: list[tuple[int, int, float, int]]) -> None:
    """Every device of both connections ticks every 20 ms."""
    devices = [
        Device(unit, seed) for seed, unit in enumerate(plant_of(units=8, points=7, connections=2).units)
    ]
    turn, clock = 0, wall_clock()
    while not stop.is_set():
        turn += 1
        for connection in ("c0", "c1"):
            made = [
                (p, t, v, 0)
                for device in devices
                if device.unit.connection == connection
                for p, t, v in device.tick(clock.now_ns())
            ]
            await publish_batch(bus, batch_of(made, turn, connection))
            rows += made
        await asyncio.sleep(0.02)


async def test_every_row_is_there_exactly_once_whenever_the_historian_dies(
    server: Server, tmp_path: Path
) -> None:
    history, bus = tmp_path / "history", await server.connect("publisher")
    rows: list[tuple[int, int, float, int]] = []
    stop, child = asyncio.Event(), Child(server, history)
    child.start()
    publishing = asyncio.create_task(publish(bus, stop, rows))
    rng = random.Random(4)
    client = HistoryClient(bus, "p", timeout_s=1)
    for turn in range(KILLS):
        await answering(client)
        before = commits(history)
        if turn % 2:  # soon after a commit; otherwise at any moment
            async with asyncio.timeout(30):
                while commits(history) == before:
                    await asyncio.sleep(0.02)
        await asyncio.sleep(rng.uniform(0.0, 0.7))
        child.kill()
        child.start()
    await answering(client)
    stop.set()
    await publishing
    async with asyncio.timeout(30):
        while await counted(client) < len(rows):
            await asyncio.sleep(0.1)
    points, client = sorted({r[0] for r in rows}), HistoryClient(bus, "p")
    answer = await client.range(points, rows[0][1] - NS, rows[-1][1] + NS, limit=1_000_000)
    columns = (answer[name].to_numpy().tolist() for name in ("point", "t_ns", "value", "quality"))
    assert sorted(zip(*columns, strict=True)) == sorted(rows)
    coarse = await client.trend(
        points, rows[0][1] - 200 * NS, rows[-1][1] + 200 * NS, 3
    )  # from minute buckets
    assert sum(coarse["n"].to_pylist()) == len(rows)
    await asyncio.sleep(1.2)
    child.leave()
    offline = Offline(history)
    found = offline.range(points, rows[0][1] - NS, rows[-1][1] + NS, limit=1_000_000)
    assert np.array_equal(np.sort(found["value"].to_numpy()), np.sort([r[2] for r in rows]))
    await bus.close()


def commits(history: Path) -> int:
    path = str(history / "points")
    return DeltaTable(path).version() if DeltaTable.is_deltatable(path) else 0


async def answering(client: HistoryClient) -> None:
    async with asyncio.timeout(60):
        while not await counted(client):
            await asyncio.sleep(0.05)


async def counted(client: HistoryClient) -> int:
    try:
        return await client.count()
    except BusError:
        return 0
