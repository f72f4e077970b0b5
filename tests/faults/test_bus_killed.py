"""The bus server is killed, hangs or throws us out while stages publish and replay; nothing confirmed may be lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.server import Server
from tests.ports import low_port
from zhongshu.kernel import nats_replay
from zhongshu.kernel.bus import BusError, Message
from zhongshu.kernel.config import Ports
from zhongshu.kernel.nats_bus import CONFIRM_S, NatsBus
from zhongshu.model import subjects

pytestmark = pytest.mark.faults

LINE = subjects.points("p", "line1")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path / "plant", Ports(bus=low_port(), mqtt=low_port()))
    await server.start()
    yield server
    server.kill()


async def until(true: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def publish_numbers(bus: NatsBus, numbers: range, confirmed: dict[int, int]) -> None:
    """As a stage does: again with the same id until confirmed."""
    for number in numbers:
        while number not in confirmed:
            try:
                confirmed[number] = await bus.publish(LINE, str(number).encode(), msg_id=f"m{number}")
            except BusError:
                await asyncio.sleep(0.05)


async def collect(messages: AsyncIterator[Message], seqs: list[int], numbers: list[int]) -> None:
    async for message in messages:
        seqs.append(message.seq)
        numbers.append(int(message.payload))


async def test_nothing_confirmed_is_lost_and_replay_neither_skips_nor_repeats(server: Server) -> None:
    publisher, reader = await server.connect("publisher"), await server.connect("reader")
    confirmed: dict[int, int] = {}
    seqs: list[int] = []
    numbers: list[int] = []
    reading = asyncio.create_task(collect(reader.replay(subjects.POINTS, after=0), seqs, numbers))
    shares = [range(start, start + 400) for start in range(0, 3200, 400)]
    publishing = [asyncio.create_task(publish_numbers(publisher, share, confirmed)) for share in shares]
    for blink in range(3):
        await until(lambda: len(confirmed) > 600 * (blink + 1), 20)  # noqa: B023 - awaited in this very round
        await server.blink(0.3)
    await asyncio.wait_for(asyncio.gather(*publishing), 30)
    await until(lambda: len(numbers) >= 3200, 10)
    await asyncio.sleep(0.2)
    reading.cancel()
    assert publisher.breaks == 3
    assert reader.breaks == 3
    assert seqs == list(range(1, 3201))
    assert sorted(numbers) == list(range(3200))
    assert {number: seq for seq, number in zip(seqs, numbers, strict=True)} == confirmed
    await publisher.close()
    await reader.close()


async def test_a_long_replay_is_cut_in_the_middle(server: Server) -> None:
    bus = await server.connect()
    await asyncio.gather(*(bus.publish(LINE, bytes(2000)) for _ in range(3000)))
    seqs = []
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
        async with asyncio.timeout(30):
            async for message in replay:
                seqs.append(message.seq)
                if message.seq in (700, 701, 2000):
                    await server.blink(0.1)
                if message.seq == 3000:
                    break
    assert seqs == list(range(1, 3001))
    await bus.close()


async def test_publish_fails_in_bounded_time_and_works_again_with_two_log_lines(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="zhongshu")
    bus = await server.connect()
    loop = asyncio.get_running_loop()
    assert await bus.publish(LINE, b"1") == 1
    server.kill()
    began = loop.time()
    with pytest.raises(BusError):
        await bus.publish(LINE, b"2", msg_id="2")
    assert loop.time() - began < CONFIRM_S + 0.5
    with pytest.raises(BusError):
        await bus.emit(LINE, b"3")
    server.launch()
    assert await bus.publish(LINE, b"2", msg_id="2") == 2
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" at ")[0] for line in lines] == ["bus lost", "bus back"]
    assert server.access.password not in "".join(lines)
    await bus.close()


async def test_a_publish_in_flight_is_sent_again_if_it_has_an_id(server: Server) -> None:
    bus = await server.connect()
    server.pause(True)
    named = asyncio.create_task(bus.publish(LINE, b"named", msg_id="1"))
    nameless = asyncio.create_task(bus.publish(LINE, b"nameless"))
    await asyncio.sleep(0.2)
    await server.blink(0.1)
    assert await named == 1
    with pytest.raises(BusError):
        await nameless
    await bus.close()


async def test_a_message_lost_on_the_way_is_fetched_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = await server.connect()
    await asyncio.gather(*(bus.publish(LINE, b"x") for _ in range(50)))
    arrived, received = 0, nats_replay._Consumer._received

    async def losing(consumer: nats_replay._Consumer, message: Any) -> None:
        nonlocal arrived
        arrived += 1
        if arrived not in (7, 20):
            await received(consumer, message)

    monkeypatch.setattr(nats_replay._Consumer, "_received", losing)
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay, asyncio.timeout(10):
        assert [(await anext(replay)).seq for _ in range(50)] == list(range(1, 51))
    assert arrived > 52
    await bus.close()


async def test_a_hanging_server_is_an_error_not_a_hang(server: Server) -> None:
    bus = await server.connect()
    loop = asyncio.get_running_loop()
    server.pause(True)
    began = loop.time()
    results = await asyncio.gather(
        *(bus.publish(LINE, bytes(100_000), msg_id=str(i)) for i in range(100)), return_exceptions=True
    )
    assert loop.time() - began < CONFIRM_S + 1
    assert {type(result) for result in results} == {BusError}
    server.pause(False)
    for i in range(100):
        await bus.publish(LINE, bytes(100_000), msg_id=str(i))
    last = await bus.last(LINE)
    assert last is not None
    assert last.seq == 100  # each of them once, although sent twice
    await bus.close()


async def test_listeners_and_responders_come_back(server: Server) -> None:
    one, two = await server.connect("one"), await server.connect("two")
    heard: list[bytes] = []

    async def hear(message: Message) -> None:
        heard.append(message.payload)

    async def echo(payload: bytes) -> bytes:
        return payload

    await one.listen("zs.p.>", hear)
    await one.respond("zs.p.rpc.echo", echo)
    await server.blink(0.2)
    assert await two.request("zs.p.rpc.echo", b"x", timeout_s=10) == b"x"
    await two.publish(LINE, b"1")
    await until(lambda: b"1" in heard, 5)
    await one.close()
    await two.close()


async def test_thrown_out_by_the_server_we_come_back(server: Server) -> None:
    """After a protocol error the client library closes itself for good; a bus must not."""
    bus, other = await server.connect("one"), await server.connect("other")
    heard: list[bytes] = []

    async def hear(message: Message) -> None:
        heard.append(message.payload)

    await bus.listen(LINE, hear)
    replayed: list[int] = []
    reading = asyncio.create_task(collect(bus.replay(subjects.POINTS, after=0), replayed, []))
    await other.publish(LINE, b"1")
    await until(lambda: replayed == [1], 5)
    bus._link._client._transport.write(b"NONSENSE\r\n")  # type: ignore[union-attr]
    await until(lambda: bus.breaks > 0, 5)
    assert await bus.publish(LINE, b"2", msg_id="2") == 2
    await until(lambda: replayed == [1, 2] and heard == [b"1", b"2"], 5)
    reading.cancel()
    await bus.close()
    await other.close()


async def test_wrong_password_is_refused(server: Server) -> None:
    from dataclasses import replace

    with pytest.raises(BusError) as refused:
        await NatsBus.connect(replace(server.access, password="guess"), name="thief", timeout_s=1.0)
    assert "guess" not in str(refused.value)


async def test_replays_leave_nothing_behind(server: Server) -> None:
    bus = await server.connect()
    await bus.publish(LINE, b"1")
    for _ in range(5):
        async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
            await anext(replay)

    async def consumers() -> int:
        return int((await bus.api("STREAM.INFO.POINTS"))["state"]["consumer_count"])

    async with asyncio.timeout(5):
        while await consumers():
            await asyncio.sleep(0.05)
    await bus.close()
