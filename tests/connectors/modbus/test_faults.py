"""Servers that die, stall, babble or refuse: the others go on, nothing wrong is believed, and all comes back by itself."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.connectors.link import Recorder
from tests.connectors.modbus.fixture import machine
from tests.connectors.modbus.ground import (
    Pair,
    free_port,
    make_peer,
    one_machine,
    pair,
    reading,
    units_link,
)
from tests.connectors.modbus.scripted import Scripted, framed
from zhongshu.connectors.modbus.client import connector as make_connector
from zhongshu.connectors.modbus.peer import ModbusPeer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.batch import BAD, GOOD


class Patchy(ModbusPeer):
    """Units that are switched off, slow, or answer everything with an exception; registers that do not exist."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.off: set[int] = set()
        self.exceptions: dict[int, int] = {}
        self.holes: range = range(0)

    async def answer(self, unit_id: int, body: bytes) -> bytes | None:
        if unit_id in self.off:
            return None
        code = self.exceptions.get(unit_id, 0)
        start, count = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
        if not code and any(r in self.holes for r in range(start, start + count)):
            code = 2
        return bytes([body[0] | 0x80, code]) if code else await super().answer(unit_id, body)


async def both_up(p: Pair) -> None:
    await p.feed.tick()
    await p.sink.until(lambda: p.sink.count("unit_up") == 2)


def read_of(p: Pair, unit: int) -> int:
    ids = {point.id for point in p.link.units[unit].points}
    return sum(1 for point in p.sink.point if point in ids)


async def test_a_silent_unit_does_not_hold_up_the_others() -> None:
    link = units_link([machine("press", 1), machine("oven", 17)], free_port(), read_timeout_s=0.25)
    async with pair(link, Patchy) as p:
        assert isinstance(p.peer, Patchy)
        await both_up(p)
        p.peer.off = {17}
        before = read_of(p, 0)
        await p.feed.run(15)
        await p.sink.until(lambda: read_of(p, 0) == before + 15 * 14)
        assert [e[1] for e in p.sink.events if e[0] == "unit_lost"] == ["oven"]
        assert p.sink.count("lost") == 0 and [e for e in p.missed() if e[2] == ("press",)] == []
        p.peer.off = set()
        task = asyncio.create_task(p.feed.run(60))
        await p.sink.until(lambda: p.sink.count("unit_up") == 3, seconds=8)
        task.cancel()
        missing = sum(e[-1] for e in p.missed() if e[2] == ("oven",))
        assert missing >= 14 * 14, "what the oven showed meanwhile is counted"


async def test_a_unit_that_fails_is_told_once_and_comes_back() -> None:
    async with pair(units_link([machine("press", 1), machine("oven", 17)], free_port()), Patchy) as p:
        assert isinstance(p.peer, Patchy)
        await both_up(p)
        p.peer.exceptions = {17: 11}
        await p.feed.run(8)
        assert [e for e in p.sink.events if e[0] == "unit_lost"] == [
            ("unit_lost", "oven", "the gateway's target device did not answer")
        ]
        p.peer.exceptions = {}
        task = asyncio.create_task(p.feed.run(60))
        await p.sink.until(lambda: p.sink.count("unit_up") == 3, seconds=8)
        task.cancel()
        assert p.sink.count("lost") == 0


async def test_a_busy_unit_is_asked_again_and_not_lost() -> None:
    async with pair(one_machine(), Patchy) as p:
        assert isinstance(p.peer, Patchy)
        await p.feed.tick()
        await p.sink.until(lambda: p.sink.count("unit_up") == 1)
        p.peer.exceptions = {1: 6}
        await asyncio.sleep(0.3)
        p.peer.exceptions = {}
        await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 28)
        assert p.sink.downs == 0


async def test_a_refused_register_is_bad_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async with pair(one_machine(), Patchy) as p:
        assert isinstance(p.peer, Patchy)
        p.peer.holes = range(8, 10)  # the temperature
        await p.feed.run(4)
        await p.sink.until(lambda: len(p.sink.point) == len(p.feed.made))
        bad = p.point("temperature")
        assert {pt for pt, q in zip(p.sink.point, p.sink.quality, strict=True) if q == BAD} == {bad}
        assert sum(q == GOOD for q in p.sink.quality) == 4 * 13
        told = [r.getMessage() for r in caplog.records if "refuses" in r.getMessage()]
        assert told == ["press: the device refuses holding 8 (illegal data address); that point is Bad"]
        found = await p.connector.check()
        assert not found.ok and "temperature" in found.message and found.remedy
        assert p.connector.diagnostics()["refused"] == {"press": ["temperature"]}


async def test_a_unit_without_any_register_is_lost_and_the_others_go_on() -> None:
    async with pair(units_link([machine("press", 1), machine("oven", 17)], free_port()), Patchy) as p:
        assert isinstance(p.peer, Patchy)
        p.peer.exceptions = {17: 2}
        await p.feed.run(5)
        await p.sink.until(lambda: read_of(p, 0) == 5 * 14)
        assert [e[1] for e in p.sink.events if e[0] == "unit_lost"] == ["oven"]


async def test_a_server_killed_while_it_answers() -> None:
    link = one_machine()
    peer = make_peer(link, None)  # type: ignore[arg-type]
    cut = 3

    async def script(tid: int, unit_id: int, body: bytes) -> bytes | None:
        nonlocal cut
        cut -= 1
        whole = framed(tid, unit_id, await peer.answer(unit_id, body) or b"")
        return whole if cut else None  # dies in the middle of the third read

    sink = Recorder()
    async with Scripted(script).on(int(link.connection.settings["port"])) as server, reading(link, sink):
        await sink.until(lambda: sink.count("connected") == 2)
        assert sink.count("lost") == 1 and server.accepted == 2 and server.open == 1


BABBLE = {
    "another transaction": lambda t, u, b: framed(t + 1, u, b),
    "another unit": lambda t, u, b: framed(t, u + 1, b),
    "another protocol": lambda t, u, b: b"\x00\x01\x00\x09" + framed(t, u, b)[4:],
    "another function": lambda t, u, b: framed(t, u, b"\x04" + b[1:]),
    "too short": lambda t, u, b: framed(t, u, b[:1] + bytes([b[1] - 2]) + b[2:-2]),
    "wrong byte count": lambda t, u, b: framed(t, u, b[:1] + bytes([b[1] - 1]) + b[2:]),
    "twice": lambda t, u, b: framed(t, u, b) * 2,
    "noise": lambda t, u, b: bytes([0xA5]) * 40,
    "empty": lambda t, u, b: b"\x00\x01\x00\x00\x00\x01\x01",
}


@pytest.mark.parametrize("kind", BABBLE)
async def test_babble_is_never_believed(kind: str) -> None:
    link = one_machine(read_timeout_s=0.3)
    peer = make_peer(link, None)  # type: ignore[arg-type]
    babbles = 2

    async def script(tid: int, unit_id: int, body: bytes) -> bytes | None:
        nonlocal babbles
        honest = await peer.answer(unit_id, body) or b""
        if babbles:
            babbles -= 1
            return bytes(BABBLE[kind](tid, unit_id, honest))
        return framed(tid, unit_id, honest)

    sink = Recorder()
    port = int(link.connection.settings["port"])
    async with Scripted(script).on(port) as server, reading(link, sink) as connector:
        await sink.until(lambda: server.accepted == 3, what="the connection made anew after each")
        await sink.until(lambda: sink.events[-1] == ("connected",), seconds=2)
        assert server.open == 1
        assert connector.diagnostics()["link"]["faults"] == 2
        assert sink.point == []


async def test_a_late_answer_is_dropped_and_not_taken_for_another() -> None:
    link = units_link([machine("press", 1), machine("oven", 17)], free_port(), read_timeout_s=0.2)
    peer = make_peer(link, None)  # type: ignore[arg-type]
    late = 1

    async def script(tid: int, unit_id: int, body: bytes) -> bytes | None:
        nonlocal late
        if unit_id == 1 and late:
            late -= 1
            await asyncio.sleep(0.35)
        return framed(tid, unit_id, await peer.answer(unit_id, body) or b"")

    sink = Recorder()
    port = int(link.connection.settings["port"])
    async with Scripted(script).on(port) as server, reading(link, sink) as connector:
        await sink.until(lambda: connector.diagnostics()["link"]["late_answers"] == 1)
        assert server.accepted == 1 and sink.downs == 0


async def test_a_server_that_answers_nothing_is_left_and_tried_again() -> None:
    link = one_machine(read_timeout_s=0.1)

    async def script(tid: int, unit_id: int, body: bytes) -> bytes:
        return b""

    sink = Recorder()
    async with Scripted(script).on(int(link.connection.settings["port"])) as server, reading(link, sink):
        await sink.until(lambda: server.accepted >= 3)
        assert (sink.count("lost"), sink.count("connected"), sink.count("unit_lost")) == (1, 0, 1)
        assert server.open <= 1


async def test_back_off_is_bounded_and_sockets_do_not_leak() -> None:
    link = one_machine()
    sink = Recorder()

    async def script(tid: int, unit_id: int, body: bytes) -> None:
        return None

    before = len(list(Path("/proc/self/fd").iterdir()))
    async with Scripted(script).on(int(link.connection.settings["port"])) as server, reading(link, sink):
        await asyncio.sleep(2.0)
        assert 3 <= server.accepted <= 6, "0.2, 0.4, 0.8 … s apart"
        assert sink.count("lost") == 1
    await asyncio.sleep(0.05)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.parametrize("turns", range(8))
async def test_being_stopped_while_the_link_breaks_is_the_end(turns: int) -> None:
    link, sink = one_machine(), Recorder()
    peer = make_peer(link, None)  # type: ignore[arg-type]
    await peer.start()
    connector = make_connector(link.plant, link.connection, wall_clock(), link.secrets)
    task = asyncio.create_task(connector.run(sink))
    await sink.until(lambda: sink.count("connected") == 1)
    assert connector._link is not None
    connector._link.cut("cut")
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)
    assert done
    await peer.stop()


async def test_garbage_from_a_master_ends_its_connection_only() -> None:
    async with pair(one_machine()) as p:
        await p.feed.tick()
        port = int(p.link.connection.settings["port"])
        for noise in (b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\x00\x01\x00\x00\xff\xff\x01", os.urandom(300)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(noise)
            assert len(await asyncio.wait_for(reader.read(), 3)) <= 20
            writer.close()
        await p.feed.run(2)
        await p.sink.until(lambda: len(p.sink.point) == 3 * 14)
        assert p.sink.downs == 0


async def test_units_that_number_nothing_are_sampled_at_their_rate() -> None:
    plain = machine("meter", 3, rate_hz=20)
    plain = replace(plain, points=tuple(replace(q, role="") for q in plain.points))
    async with pair(units_link([plain], free_port())) as p:
        await asyncio.sleep(1.0)
        assert 15 * 14 <= len(p.sink.point) <= 22 * 14
        assert set(p.sink.t_ns) == {0} and p.missed() == []


async def test_check_says_what_is_wrong() -> None:
    link = one_machine()
    peer = make_peer(link, None)  # type: ignore[arg-type]
    sink = Recorder()
    async with reading(link, sink) as connector:
        away = await connector.check()
        assert not away.ok and str(link.connection.settings["port"]) in away.message and away.remedy
        await peer.start()
        found = await connector.check()
        assert found.ok and found.found == {"units": 1, "points": 14, "reads": 1}
        await peer.stop()
