"""An OPC UA connection through cuts, restarts, silence, garbage and overflow: nothing lost in silence, nothing twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder, make_plant, make_point
from tests.connectors.opcua import fixture
from zhongshu.connectors import registry
from zhongshu.connectors.opcua import client
from zhongshu.connectors.opcua.client import OpcUaConnector
from zhongshu.connectors.opcua.peer import OpcUaPeer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.batch import BAD


@asynccontextmanager
async def serving(link: Link) -> AsyncIterator[OpcUaPeer]:
    peer = registry.peer(link.plant, link.connection, link.units, wall_clock(), Machines(), link.secrets)
    assert isinstance(peer, OpcUaPeer)
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


@asynccontextmanager
async def reading(link: Link) -> AsyncIterator[tuple[OpcUaConnector, Recorder]]:
    connector, sink = registry.connector(link.plant, link.connection, wall_clock(), link.secrets), Recorder()
    assert isinstance(connector, OpcUaConnector)
    task = asyncio.create_task(connector.run(sink))
    try:
        yield connector, sink
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read_all(feed: Feed, sink: Recorder) -> None:
    made = set(feed.made)
    await sink.until(lambda: made <= set(sink.samples()), what="every sample")


async def test_nothing_is_lost_at_10_hz_through_a_cut_that_the_servers_queues_outlast(
    tmp_path: Path, free_port: int
) -> None:
    link = fixture.link(tmp_path, free_port, units=4, floats=5, publishing_ms=200)
    async with serving(link) as peer, reading(link) as (connector, sink):
        feed = Feed(link, peer)
        await feed.tick()
        await read_all(feed, sink)
        await feed.run(15)
        cut = asyncio.create_task(peer.drop(1.0))
        await feed.run(25)
        await cut
        await read_all(feed, sink)
        assert connector.diagnostics()["counts"]["resumes"] == 1
    assert sink.doubles() == {} and sink.count("missed") == 0
    assert sorted(sink.samples()) == sorted(feed.made)


async def test_twenty_cuts_leave_one_session_and_no_double(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "STEADY_S", 0.0)  # the back-off between them is not what is looked at here
    link = fixture.link(tmp_path, free_port)
    async with serving(link) as peer:
        async with reading(link) as (_, sink):
            feed = Feed(link, peer)
            await feed.tick()
            await read_all(feed, sink)
            for n in range(20):
                await peer.drop(0.01)
                await sink.until(lambda n=n: sink.count("connected") >= n + 2, what=f"back after cut {n}")
                await feed.tick()
            await read_all(feed, sink)
            assert peer.sessions == 1
            assert sink.doubles() == {} and sink.count("lost") == 20
        await asyncio.sleep(0.1)
        assert peer.sessions == 0  # the goodbye was heard


@pytest.mark.parametrize("cut", [False, True])
async def test_what_overflows_a_queue_is_told_and_nothing_else_is_missing(
    tmp_path: Path, free_port: int, cut: bool
) -> None:
    link = fixture.link(
        tmp_path, free_port, publishing_ms=500, buffer_s=0.0
    )  # 5 samples a delivery and 4 to spare
    async with serving(link) as peer, reading(link) as (_, sink):
        feed = Feed(link, peer)
        await feed.tick()
        await read_all(feed, sink)
        dropping = asyncio.create_task(peer.drop(1.0 if cut else 0.0))
        await asyncio.sleep(0.1)
        for _ in range(60):  # far faster than the plant file says
            await feed.tick(step_ms=1)
        await dropping
        last = set(feed.made[-4:])
        await sink.until(lambda: last <= set(sink.samples()), what="the newest samples")
    gaps = [e for e in sink.events if e[0] == "missed"]
    assert gaps and {e[1] for e in gaps} == {"queue_overflow"}
    missing = set(feed.made) - set(sink.samples())
    assert missing
    for point, t_ns in missing:
        assert any(point in points and start <= t_ns <= end for _, _, _, points, start, end, _ in gaps)
    for point, t_ns in sink.samples():
        assert not any(point in points and start <= t_ns <= end for _, _, _, points, start, end, _ in gaps)


async def test_messages_that_the_server_cannot_repeat_are_told_as_missed(
    tmp_path: Path, free_port: int
) -> None:
    link = fixture.link(tmp_path, free_port)
    async with serving(link) as peer, reading(link) as (connector, sink):
        feed = Feed(link, peer)
        await feed.tick()
        await read_all(feed, sink)
        assert peer._server is not None
        (subscription,) = peer._server.iserver.subscription_service.subscriptions.values()
        subscription._notification_seq += 3  # as if three messages had gone out and been forgotten
        await feed.tick()
        await sink.until(lambda: sink.count("missed") == 1, what="the gap")
        (gap,) = [e for e in sink.events if e[0] == "missed"]
        assert gap[1] == "sequence_gap" and set(gap[2]) == {"M1", "M2"} and gap[4] <= gap[5]
        await read_all(feed, sink)
        assert connector.diagnostics()["counts"]["sequence_gaps"] == 1


async def test_garbage_at_the_servers_port_hurts_nobody(tmp_path: Path, free_port: int) -> None:
    link = fixture.link(tmp_path, free_port)
    hello = b"HELF" + (2**32 - 1).to_bytes(4, "little")
    junk = [
        b"\x00" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        hello,
        b"OPNF\x08\x00\x00\x00",
        b"MSGF\xff\xff\x00\x00" + b"x" * 500,
        b"\xff" * 5,
    ]
    async with serving(link) as peer, reading(link) as (_, sink):
        feed = Feed(link, peer)
        await feed.tick()
        await read_all(feed, sink)
        for _ in range(3):
            for data in junk:
                _, writer = await asyncio.open_connection("127.0.0.1", free_port)
                writer.write(data)
                await writer.drain()
                writer.close()
        await feed.run(5)
        await read_all(feed, sink)
        assert sink.count("lost") == 0


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 50)
    await writer.drain()


async def _close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"ACKF" + (28).to_bytes(4, "little") + bytes(20) + b"MSGF\x20\x00\x00\x00" + b"\xff" * 24)
    await writer.drain()


@pytest.mark.parametrize("answer", [_http, _close, _mute, _nonsense])
async def test_a_port_that_speaks_something_else_is_named_once_and_tried_until_it_is_right(
    tmp_path: Path, free_port: int, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    link = fixture.link(tmp_path, free_port, timeout_s=0.4)
    impostor = await asyncio.start_server(answer, "127.0.0.1", free_port)
    async with reading(link) as (connector, sink):
        await sink.until(lambda: connector.diagnostics()["counts"]["attempts"] >= 3, what="three attempts")
        assert [e[0] for e in sink.events] == ["lost"] and len(sink.events[0][1]) > 10
        found = await connector.check()
        assert not found.ok and found.remedy
        impostor.close()
        await impostor.wait_closed()
        async with serving(link) as peer:
            feed = Feed(link, peer)
            await feed.tick()
            await read_all(feed, sink)
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("zhongshu", "asyncua"))]
    assert len([m for m in ours if "lost" in m]) <= 2 and len([m for m in ours if "connected to" in m]) == 1


class Wire:
    """A TCP wire that can go dead without closing: bytes are swallowed in both directions."""

    def __init__(self) -> None:
        self.dead = False

    async def start(self, port: int, target: int) -> asyncio.Server:
        async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

        return await asyncio.start_server(joined, "127.0.0.1", port)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if not self.dead:
                    writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


async def test_a_wire_that_goes_silent_is_noticed_and_the_session_taken_up_again(
    tmp_path: Path, free_ports: Any
) -> None:
    near, far = free_ports(), free_ports()
    link, remote = fixture.link(tmp_path, near, timeout_s=1.0), fixture.link(tmp_path, far)
    wire = Wire()
    joint = await wire.start(near, far)
    async with serving(remote) as peer, reading(link) as (connector, sink):
        feed = Feed(remote, peer)
        await feed.tick()
        await read_all(feed, sink)
        wire.dead = True
        await feed.run(3)
        await sink.until(lambda: sink.count("lost") == 1, seconds=4.0, what="silence noticed")
        wire.dead = False
        await feed.run(3)
        await read_all(feed, sink)
        counts = connector.diagnostics()["counts"]
        assert (counts["resumes"], peer.sessions) == (1, 1)
        assert counts["republished"] >= 1  # what the dead wire swallowed
    assert sink.doubles() == {} and sink.count("missed") == 0
    joint.close()


async def test_a_point_that_the_server_lacks_turns_bad_once_and_the_others_go_on(
    tmp_path: Path, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    link = fixture.link(tmp_path, free_port)
    ghost = make_point("M1", "ghost", address={"node": f"nsu={fixture.URI};s=M1.ghost"})
    other = make_point("M1", "other", address={"node": "nsu=urn:nowhere;s=x"})
    more = replace(link.units[0], points=(*link.units[0].points, ghost, other))
    wanting = replace(link, plant=make_plant([link.units[0], link.units[1], more], link.connection))
    ids = {p.id for p in wanting.plant.points if p.name in ("ghost", "other")}
    async with serving(link) as peer, reading(wanting) as (_, sink):
        feed = Feed(link, peer)
        await feed.run(5)
        await sink.until(lambda: ids <= set(sink.point), what="bad points")
        await sink.until(lambda: len(sink.samples()) >= 20, what="good points")
        bad = [(p, q, t) for p, q, t in zip(sink.point, sink.quality, sink.t_ns, strict=True) if p in ids]
        assert sorted(bad) == sorted((p, BAD, 0) for p in ids)
    lines = [r.getMessage() for r in caplog.records if "cannot be watched" in r.getMessage()]
    assert len(lines) == 1 and "ghost" in lines[0] and "urn:nowhere" in lines[0]


async def test_a_server_of_a_thousand_variables_costs_little(tmp_path: Path, free_port: int) -> None:
    link = fixture.link(tmp_path, free_port, units=25, floats=34, publishing_ms=200)
    async with serving(link) as peer:  # the first of a process pays for the standard's own nodes
        before = time.process_time()
        await peer.restart()
        assert time.process_time() - before < 0.5
        async with reading(link) as (_, sink):
            await sink.until(lambda: sink.count("connected") == 1)
            n = sum(len(u.points) for u in link.units)
            index, quality = np.arange(n), np.zeros(n, np.uint8)
            before = time.process_time()
            for k in range(50):
                peer.publish(index, np.full(n, fixture_time(k)), np.full(n, float(k % 2)), quality)
            spent = time.process_time() - before
            assert spent / (50 * n) < 40e-6
            await sink.until(lambda: len(sink.point) >= 50 * n, what="every sample")


def fixture_time(k: int) -> int:
    """Plant time of tick ``k``."""
    return 1_767_225_600_000_000_000 + k * 100_000_000
