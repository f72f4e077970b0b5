"""A running pair for the tests: peer and connector on a free port, their feed, machines and recorder."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.connectors.link import Feed, Link, Machines, Recorder, make_plant
from tests.connectors.modbus.fixture import machine
from zhongshu.connectors.modbus.client import ModbusConnector
from zhongshu.connectors.modbus.client import connector as make_connector
from zhongshu.connectors.modbus.config import settings_of
from zhongshu.connectors.modbus.peer import ModbusPeer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.plant import Connection, Unit


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def units_link(units: Sequence[Unit], port: int, **settings: Any) -> Link:
    """The ground for these units; ``settings`` beside host and port."""
    given = {"host": "127.0.0.1", "port": port, "timeout_s": 1.0, **settings}
    connection = Connection("c1", "modbus", given)
    plant = make_plant(units, connection)
    return Link(plant, connection, plant.units, Path(), "temperature", "speed", calls=True, whole_image=True)


def one_machine(**settings: Any) -> Link:
    return units_link([machine("press", 1)], free_port(), **settings)


@dataclass
class Pair:
    """Both sides of one connection."""

    link: Link
    peer: ModbusPeer
    machines: Machines
    feed: Feed
    connector: ModbusConnector
    sink: Recorder

    def point(self, name: str, unit: int = 0) -> int:
        """The id of a point by name."""
        return next(p.id for p in self.link.units[unit].points if p.name == name)

    def missed(self) -> list[tuple[Any, ...]]:
        return [e for e in self.sink.events if e[0] == "missed"]


def make_peer(link: Link, machines: Machines, kind: type[ModbusPeer] = ModbusPeer) -> ModbusPeer:
    return kind(settings_of(link.connection.settings), link.units, wall_clock(), machines)


@asynccontextmanager
async def pair(link: Link, kind: type[ModbusPeer] = ModbusPeer) -> AsyncIterator[Pair]:
    """Peer listening and connector running; both are gone afterwards."""
    machines, sink = Machines(), Recorder()
    peer = make_peer(link, machines, kind)
    feed = Feed(link, peer, start_ns=wall_clock().wall_ns() // 1_000_000 * 1_000_000)
    await peer.start()
    async with reading(link, sink) as connector:
        try:
            yield Pair(link, peer, machines, feed, connector, sink)
        finally:
            await peer.stop()


@asynccontextmanager
async def reading(link: Link, sink: Recorder) -> AsyncIterator[ModbusConnector]:
    """A connector that reads into ``sink``."""
    connector = make_connector(link.plant, link.connection, wall_clock(), link.secrets)
    task = asyncio.create_task(connector.run(sink))
    try:
        yield connector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def with_rate(unit: Unit, rate_hz: float) -> Unit:
    return replace(unit, points=tuple(replace(p, rate_hz=rate_hz) for p in unit.points))
