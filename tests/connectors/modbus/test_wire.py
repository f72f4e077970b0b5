"""Frames that others wrote down: what we ask is what they ask, what they answer is what we read, and the other way round."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.connectors.link import Machines, make_point, make_unit
from tests.connectors.modbus.ground import free_port, make_peer, units_link
from tests.connectors.modbus.scripted import Scripted, framed
from zhongshu.connectors.modbus import frames
from zhongshu.connectors.modbus.config import settings_of
from zhongshu.connectors.modbus.link import Figures, Link
from zhongshu.connectors.modbus.speech import Speech

WIRE = Path(__file__).parents[1] / "wire" / "modbus"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as recorded."""

    source: str
    what: str
    table: str
    start: int
    values: tuple[int, ...]
    request: bytes
    response: bytes


def recorded() -> Iterator[Exchange]:
    for path in sorted(WIRE.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                what, table, start, values, request, response = (part.strip() for part in line.split("|"))
                numbers = tuple(int(v) for v in values.split())
                raw = bytes.fromhex(request), bytes.fromhex(response)
                yield Exchange(path.stem, what, table, int(start), numbers, *raw)


EXCHANGES = list(recorded())


def name(e: Exchange) -> str:
    return f"{e.source}-{e.what}-fc{e.request[0]}-{e.table}-{e.start}"


def test_there_are_frames_of_three_sources() -> None:
    assert {e.source for e in EXCHANGES} >= {"specification", "libmodbus", "pymodbus"}
    assert {e.request[0] for e in EXCHANGES} == {1, 2, 3, 4, 5, 6, 15, 16}


@pytest.mark.parametrize("exchange", [e for e in EXCHANGES if e.what != "serve"], ids=name)
async def test_our_client_asks_and_understands(exchange: Exchange) -> None:
    async def script(tid: int, unit_id: int, _: bytes) -> bytes:
        return framed(tid, unit_id, exchange.response)

    port = free_port()
    async with Scripted(script).on(port) as server:
        settings = settings_of({"host": "127.0.0.1", "port": port})
        link = await Link.open(settings, Figures(), Speech("en"))
        try:
            await asked(link, exchange)
        finally:
            await link.close()
    assert server.asked == [(1, exchange.request)]


async def asked(link: Link, exchange: Exchange) -> None:
    """Do what the exchange does, and compare."""
    if exchange.what == "read":
        words = await link.read(1, frames.read(exchange.table, exchange.start, len(exchange.values)))
        assert tuple(words.tolist()) == exchange.values
    elif exchange.what == "error":
        with pytest.raises(frames.Refused) as refused:
            await link.read(1, frames.read(exchange.table, exchange.start, 1))
        assert (refused.value.code,) == exchange.values
    elif exchange.table == "coil":
        await link.write(1, frames.write_coil(exchange.start, bool(exchange.values[0])), 1.0)
    else:
        await link.write(1, frames.write_words(exchange.start, list(exchange.values)), 1.0)


@pytest.mark.parametrize("exchange", EXCHANGES, ids=name)
async def test_our_peer_answers_the_same(exchange: Exchange) -> None:
    dtype = "bit" if exchange.table in ("coil", "discrete") else "uint16"
    mapped = exchange.what != "error"
    points = [
        make_point(
            "u", f"p{k}", writable=True, address={"table": exchange.table, "register": r, "dtype": dtype}
        )
        for k, r in enumerate(range(exchange.start, exchange.start + len(exchange.values)) if mapped else [7])
    ]
    machines = Machines()
    peer = make_peer(units_link([make_unit("u", points, address={"unit_id": 1})], free_port()), machines)
    index = np.arange(len(points), dtype=np.int64)
    if exchange.what == "read":
        values = np.array(exchange.values, dtype=np.float64)
        peer.publish(index, index, values, np.zeros(len(points), np.uint8))
    assert await peer.answer(1, exchange.request) == exchange.response
    if exchange.what in ("write", "serve"):
        assert [value for *_, value in machines.writes] == list(exchange.values)
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("request_hex", "code"),
    [
        ("03 00 00 00 7E", 3),  # 126 registers
        ("03 00 00 00 00", 3),
        ("03 00 00 00", 3),  # cut short
        ("01 00 00 07 D1", 3),
        ("05 00 00 12 34", 3),  # neither on nor off
        ("10 00 00 00 01 04 00 01 00 02", 3),  # byte count of another write
        ("10 00 00 00 01 02 00", 3),
        ("10 00 00", 3),
        ("06 00 63 00 01", 2),  # no such register
        ("06 00 01 00 01", 2),  # half a value
        ("16 00 00 00 01 00 02", 1),  # mask write
        ("2B 0E 01 00", 1),
    ],
)
async def test_our_peer_refuses_what_is_wrong(request_hex: str, code: int) -> None:
    address = {"table": "holding", "dtype": "float32"}
    points = [make_point("u", f"p{r}", writable=True, address={**address, "register": r}) for r in (0, 2)]
    machines = Machines()
    peer = make_peer(units_link([make_unit("u", points, address={"unit_id": 1})], free_port()), machines)
    request = bytes.fromhex(request_hex)
    assert await peer.answer(1, request) == bytes([request[0] | 0x80, code])
    assert await peer.answer(2, request) == bytes([request[0] | 0x80, 11]), "no such unit behind the gateway"
    assert machines.writes == []
