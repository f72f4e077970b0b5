"""Others on the wire: libmodbus' and pymodbus' servers are read by us, mbpoll and pymodbus' client read our peer."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

from tests.connectors.link import Recorder, make_point, make_unit
from tests.connectors.modbus.fixture import machine
from tests.connectors.modbus.ground import free_port, one_machine, pair, reading, units_link
from tests.connectors.modbus.libmodbus_server import LIBRARY
from zhongshu.model.batch import GOOD
from zhongshu.model.commands import Outcome
from zhongshu.model.plant import Unit

pytestmark = pytest.mark.foreign
needs_mbpoll = pytest.mark.skipif(
    shutil.which("mbpoll") is None, reason="mbpoll (Debian package mbpoll) is not installed"
)
needs_libmodbus = pytest.mark.skipif(
    LIBRARY is None, reason="libmodbus (Debian package libmodbus5) is not installed"
)


@asynccontextmanager
async def libmodbus(port: int) -> AsyncIterator[None]:
    script = str(Path(__file__).with_name("libmodbus_server.py"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"ready\n"
        yield
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def pymodbus(port: int) -> AsyncIterator[None]:
    blocks = [ModbusSequentialDataBlock(1, values) for values in (
        [i % 3 == 0 for i in range(200)], [i % 5 == 0 for i in range(200)],
        [257 * i % 65536 for i in range(200)], [3 * i for i in range(200)],
    )]  # fmt: skip
    store = ModbusDeviceContext(co=blocks[0], di=blocks[1], hr=blocks[2], ir=blocks[3])
    server = ModbusTcpServer(ModbusServerContext(devices=store, single=True), address=("127.0.0.1", port))
    task = asyncio.create_task(server.serve_forever())
    try:
        await asyncio.sleep(0.2)
        yield
    finally:
        await server.shutdown()
        await asyncio.gather(task, return_exceptions=True)


def meter() -> tuple[Unit, dict[str, float]]:
    """A unit over all four tables, and the values it has by the servers' filling."""
    addresses: dict[str, dict[str, Any]] = {
        "coil_6": {"table": "coil", "register": 6, "dtype": "bit"},
        "coil_7": {"table": "coil", "register": 7, "dtype": "bit"},
        "discrete_10": {"table": "discrete", "register": 10, "dtype": "bit"},
        "discrete_19": {"table": "discrete", "register": 19, "dtype": "bit"},
        "input_20": {"table": "input", "register": 20, "dtype": "uint16"},
        "holding_11": {"table": "holding", "register": 11, "dtype": "int16"},
        "holding_12": {"table": "holding", "register": 12, "dtype": "uint32"},
        "holding_14": {"table": "holding", "register": 14, "dtype": "uint32", "word_order": "little"},
        "set": {"table": "holding", "register": 100, "dtype": "float64", "word_order": "little"},
        "lamp": {"table": "coil", "register": 50, "dtype": "bit"},
    }
    points = [
        make_point("meter", name, writable=name in ("set", "lamp"), address=address)
        for name, address in addresses.items()
    ]
    values = {
        "coil_6": 1, "coil_7": 0, "discrete_10": 1, "discrete_19": 0, "input_20": 60, "holding_11": 257 * 11,
        "holding_12": 257 * 12 * 65536 + 257 * 13, "holding_14": 257 * 15 * 65536 + 257 * 14,
    }  # fmt: skip
    return make_unit("meter", points, address={"unit_id": 1}), values


async def read_and_write(unit: Unit, expected: dict[str, float], port: int) -> None:
    """Our connector against a foreign server: values of all tables, a set-point, a coil."""
    link = units_link([unit], port)
    ids = {p.name: p.id for p in link.units[0].points}
    sink = Recorder()
    async with reading(link, sink) as connector:
        await sink.until(lambda: len(sink.point) >= len(ids))
        seen = dict(zip(sink.point, sink.value, strict=True))
        assert set(sink.quality) == {GOOD} and sink.downs == 0
        assert {name: seen[ids[name]] for name in expected} == pytest.approx(expected, rel=1e-7)
        assert (await connector.write(ids["set"], -0.1)).outcome is Outcome.ACCEPTED
        assert (await connector.write(ids["lamp"], 1)).outcome is Outcome.ACCEPTED
        before = len(sink.point)
        await sink.until(lambda: len(sink.point) > before + len(ids))
        seen = dict(zip(sink.point, sink.value, strict=True))
        assert (seen[ids["set"]], seen[ids["lamp"]]) == (-0.1, 1)


@needs_libmodbus
async def test_we_read_and_write_a_server_of_libmodbus() -> None:
    unit, values = meter()
    port = free_port()
    async with libmodbus(port):
        await read_and_write(unit, values, port)


async def test_we_read_and_write_a_server_of_pymodbus() -> None:
    unit, values = meter()
    port = free_port()
    async with pymodbus(port):
        await read_and_write(unit, values, port)


@needs_libmodbus
async def test_a_server_of_libmodbus_that_dies_is_found_again() -> None:
    unit, _ = meter()
    port = free_port()
    sink = Recorder()
    async with reading(units_link([unit], port), sink):
        for _ in range(2):
            before = sink.count("connected")
            async with libmodbus(port):
                await sink.until(lambda seen=before: sink.count("connected") > seen)  # type: ignore[misc]
        await sink.until(lambda: sink.count("lost") == 3)  # not there yet, killed, killed


async def mbpoll(port: int, *arguments: str) -> str:
    """What mbpoll says, once, counting registers from 0."""
    process = await asyncio.create_subprocess_exec(
        "mbpoll", "-m", "tcp", "-p", str(port), "-0", "-1", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    return said.decode()


@needs_mbpoll
async def test_mbpoll_reads_and_writes_our_peer() -> None:
    units = [machine("press", 1), machine("oven", 17, word_order="little")]
    async with pair(units_link(units, free_port())) as p:
        await p.feed.run(2)
        port = int(p.link.connection.settings["port"])
        said = await mbpoll(port, "-a", "17", "-r", "8", "-t", "4:float", "127.0.0.1")
        assert "[8]: \t2.5" in said
        said = await mbpoll(port, "-a", "1", "-r", "8", "-t", "4:float", "-B", "127.0.0.1")
        assert "[8]: \t2.5" in said
        said = await mbpoll(port, "-a", "1", "-r", "10", "-t", "4:float", "-B", "127.0.0.1", "6.25")
        assert "Written 1 references" in said and p.machines.writes == [("press", "speed", 6.25)]
        assert "Illegal data address" in await mbpoll(port, "-a", "1", "-r", "900", "-t", "4", "127.0.0.1")
        assert "Illegal data address" in await mbpoll(port, "-a", "1", "-r", "0", "-t", "4", "127.0.0.1", "1")
        assert "Target device failed" in await mbpoll(port, "-a", "9", "-r", "0", "-t", "4", "127.0.0.1")


async def test_a_client_of_pymodbus_reads_and_writes_our_peer() -> None:
    async with pair(one_machine()) as p:
        await p.feed.run(2)
        client = AsyncModbusTcpClient("127.0.0.1", port=int(p.link.connection.settings["port"]))
        assert await client.connect()
        try:
            read = await client.read_holding_registers(8, count=2, device_id=1)
            value = client.convert_from_registers(read.registers, client.DATATYPE.FLOAT32)
            assert value == 2.5
            words = client.convert_to_registers(7.75, client.DATATYPE.FLOAT32)
            assert not (await client.write_registers(10, words, device_id=1)).isError()
            assert p.machines.writes == [("press", "speed", 7.75)]
            assert (await client.read_holding_registers(0, count=1, device_id=9)).exception_code == 11
        finally:
            client.close()
