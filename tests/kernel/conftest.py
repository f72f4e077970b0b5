"""Buses for the contract suite: the one in memory and the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.kernel.server import Server
from tests.ports import low_port
from zhongshu.kernel.bus import Bus
from zhongshu.kernel.config import Ports
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.nats_server import StreamLimits, ensure_streams


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Server]:
    server = Server(folder, Ports(bus=low_port(), mqtt=low_port()))
    await server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A running bus server with both streams."""
    async with running(tmp_path / "plant") as server:
        yield server


@pytest.fixture(params=["memory", "nats"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    """A bus with empty streams."""
    if request.param == "memory":
        yield MemoryBus()
        return
    async with running(tmp_path / "plant") as server:
        bus = await server.connect()
        yield bus
        await bus.close()


@pytest.fixture(params=["memory", "nats"])
async def small_bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    """A bus whose POINTS keeps 128 KiB only."""
    if request.param == "memory":
        yield MemoryBus(keep_bytes=128 << 10)
        return
    async with running(tmp_path / "plant") as server:
        bus = await server.connect()
        await ensure_streams(bus, None, StreamLimits(points_bytes=128 << 10, events_bytes=1 << 20))
        yield bus
        await bus.close()
