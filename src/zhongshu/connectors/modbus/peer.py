"""The devices' side of one Modbus connection: what the twin publishes is read by masters, what they write reaches the machines.

The server is our own, on asyncio: pymodbus' server asks its store register by register, knows no image that changes as a
whole, and cannot let a machine say no to one write. Its PDUs are used, so that client and peer do not share one encoder.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Sequence
from pathlib import Path

from zhongshu.connectors.modbus.config import Settings, settings_of
from zhongshu.connectors.modbus.device import Devices
from zhongshu.connectors.modbus.frames import HEADER, LENGTH_MAX
from zhongshu.connectors.modbus.registers import Registers
from zhongshu.connectors.modbus.requests import Requests
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import PlantSide
from zhongshu.model.batch import Bytes, Floats, Int64s
from zhongshu.model.plant import Connection, Plant, Unit

_log = logging.getLogger(__name__)

#: Masters at a time; more are refused.
MASTERS_MAX = 16


class ModbusPeer:
    """A Modbus TCP server on loopback for all ``units``. Raises ValueError for bad settings, addresses, or another host."""

    def __init__(
        self, settings: Settings, units: Sequence[Unit], clock: Clock, plant_side: PlantSide
    ) -> None:
        self._settings, self._clock = settings, clock
        self._host = _loopback(settings.host)
        self._registers = Registers(units, settings)
        self._requests = Requests(self._registers, plant_side)
        self._devices = Devices(self._registers, self._requests, plant_side)
        self._server: asyncio.Server | None = None
        self._masters: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self._settings.port)

    async def stop(self) -> None:
        """Close all connections and the port."""
        await self._cut()
        await self._requests.stop()

    async def restart(self) -> None:
        """Power off and on: registers are 0 until the next scan, requests under way are forgotten."""
        await self.stop()
        self._registers.clear()
        await self.start()

    async def drop(self, seconds: float) -> None:
        """Cut all connections without a goodbye and refuse new ones; the devices go on. Returns when reachable again."""
        await self._cut()
        await self._clock.sleep_wall(seconds)
        await self.start()

    def publish(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Write these raw values to the registers; time and count travel as points, quality has no place on the wire."""
        self._registers.publish(index, value)
        self._requests.keep_answers(index, value)

    async def flush(self) -> None:
        """Nothing waits: masters read when they like."""

    async def answer(self, unit_id: int, body: bytes) -> bytes | None:
        """The answer PDU to a request PDU; None: none at all, as of a device that is switched off."""
        return await self._devices.answer(unit_id, body)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        masters = dict(self._masters)
        for task, writer in masters.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*masters, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One master, request by request, until it leaves or sends something that is not Modbus."""
        task = asyncio.current_task()
        assert task is not None
        if self._server is None or len(self._masters) >= MASTERS_MAX:
            writer.transport.abort()
            return
        self._masters[task] = writer
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the master left, or the wire was cut
        finally:
            del self._masters[task]
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False for bytes after which no frame can be found any more."""
        tid, protocol, length, unit_id = HEADER.unpack(await reader.readexactly(HEADER.size))
        if protocol != 0 or not 2 <= length <= LENGTH_MAX:
            _log.warning("not Modbus: protocol id %d, length %d", protocol, length)
            return False
        body = await self.answer(unit_id, await reader.readexactly(length - 1))
        if body is not None:
            writer.write(HEADER.pack(tid, 0, len(body) + 1, unit_id) + body)
            await writer.drain()
        return True


def peer(
    plant: Plant,
    connection: Connection,
    units: Sequence[Unit],
    clock: Clock,
    plant_side: PlantSide,
    secrets: Path,
) -> ModbusPeer:
    """The peer of one Modbus connection; Modbus knows no secrets. Raises ValueError for bad settings."""
    return ModbusPeer(settings_of(connection.settings), units, clock, plant_side)


def _loopback(host: str) -> str:
    """The loopback address meant. A twin answers nobody outside: Modbus has no passwords."""
    address = "127.0.0.1" if host == "localhost" else host
    if not ipaddress.ip_address(address).is_loopback:
        raise ValueError(f"the twin listens on loopback only, not on {host}")
    return address
