"""What every bus promises, asked of the one in memory and of NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from zhongshu.kernel.bus import RECEIVED_NS, Bus, BusError, BusFull, Message
from zhongshu.model import subjects

LINE = subjects.points("p", "line1")
OTHER = subjects.points("p", "line2")
FACT = subjects.events("p", "StateChanged")


async def take(messages: AsyncIterator[Message], count: int) -> list[Message]:
    async with asyncio.timeout(10):
        return [await anext(messages) for _ in range(count)]


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def test_sequences_rise_by_one_in_each_stream(bus: Bus) -> None:
    assert [await bus.publish(LINE, b"x") for _ in range(3)] == [1, 2, 3]
    assert await bus.publish(FACT, b"x") == 1
    assert await bus.publish(OTHER, b"x") == 4


async def test_same_message_id_is_stored_once(bus: Bus) -> None:
    first = await bus.publish(LINE, b"a", msg_id="1")
    assert await bus.publish(LINE, b"b", msg_id="2") == first + 1
    assert await bus.publish(LINE, b"a", msg_id="1") == first
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
        assert [m.payload for m in await take(replay, 2)] == [b"a", b"b"]
        assert await bus.publish(LINE, b"c") == first + 2
        assert [m.payload for m in await take(replay, 1)] == [b"c"]


async def test_many_publishes_in_flight(bus: Bus) -> None:
    seqs = await asyncio.gather(*(bus.publish(LINE, str(i).encode(), msg_id=str(i)) for i in range(500)))
    assert sorted(seqs) == list(range(1, 501))
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
        stored = await take(replay, 500)
    assert [m.seq for m in stored] == list(range(1, 501))
    assert {m.seq: int(m.payload) for m in stored} == {seq: i for i, seq in enumerate(seqs)}


async def test_replay_begins_after_a_position_and_goes_on_live(bus: Bus) -> None:
    for i in range(600):
        await bus.publish(LINE, str(i).encode())
    async with aclosing(bus.replay(subjects.POINTS, after=250)) as replay:
        assert [int(m.payload) for m in await take(replay, 350)] == list(range(250, 600))
        live = asyncio.create_task(take(replay, 2))
        await asyncio.sleep(0.05)
        assert not live.done()
        await bus.publish(LINE, b"600")
        await bus.publish(LINE, b"601")
        assert [(m.seq, m.payload) for m in await live] == [(601, b"600"), (602, b"601")]


async def test_replay_from_now_on(bus: Bus) -> None:
    await bus.publish(LINE, b"old")
    async with aclosing(bus.replay(subjects.POINTS, after=-1)) as replay:
        first = asyncio.create_task(take(replay, 1))
        await asyncio.sleep(0.3)
        await bus.publish(LINE, b"new")
        assert [m.payload for m in await first] == [b"new"]


async def test_replay_of_one_subject(bus: Bus) -> None:
    for i in range(10):
        await bus.publish(LINE if i % 2 else OTHER, str(i).encode())
    async with aclosing(bus.replay(subjects.POINTS, after=2, subject=LINE)) as replay:
        got = await take(replay, 4)
    assert [(m.seq, m.subject) for m in got] == [(4, LINE), (6, LINE), (8, LINE), (10, LINE)]
    async with aclosing(bus.replay(subjects.POINTS, after=0, subject="zs.*.points.*")) as replay:
        assert [m.seq for m in await take(replay, 10)] == list(range(1, 11))


async def test_two_replays_do_not_disturb_each_other(bus: Bus) -> None:
    for i in range(300):
        await bus.publish(LINE, str(i).encode())
    async with (
        aclosing(bus.replay(subjects.POINTS, after=0)) as one,
        aclosing(bus.replay(subjects.POINTS, after=100)) as two,
    ):
        halves = await take(one, 150), await take(two, 150)
        assert [m.seq for m in halves[0]] == list(range(1, 151))
        assert [m.seq for m in halves[1]] == list(range(101, 251))
        assert [m.seq for m in await take(one, 150)] == list(range(151, 301))


async def test_headers_travel(bus: Bus) -> None:
    await bus.publish(LINE, b"x", headers={RECEIVED_NS: "12"}, msg_id="7")
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
        assert (await take(replay, 1))[0].headers == {RECEIVED_NS: "12"}
    last = await bus.last(LINE)
    assert last is not None
    assert last.headers == {RECEIVED_NS: "12"}


async def test_last_is_the_newest_on_exactly_this_subject(bus: Bus) -> None:
    assert await bus.last(LINE) is None
    for payload in (b"1", b"2", b""):
        await bus.publish(LINE, payload)
    await bus.publish(OTHER, b"9")
    last = await bus.last(LINE)
    assert last is not None
    assert (last.subject, last.seq, last.payload) == (LINE, 3, b"")
    assert await bus.last(subjects.health("p", "sense")) is None


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        (LINE, ["1"]),
        ("zs.p.points.*", ["1", "2"]),
        ("zs.*.points.>", ["1", "2", "4"]),
        ("zs.p.>", ["1", "2", "3"]),
        ("zs.p.points", []),
        ("*.*.*.*", ["1", "2", "3", "4"]),
    ],
)
async def test_listening_by_pattern(bus: Bus, pattern: str, heard: list[str]) -> None:
    got: list[str] = []

    async def hear(message: Message) -> None:
        got.append(message.payload.decode())

    listening = await bus.listen(pattern, hear)
    for subject, payload in (
        (LINE, b"1"),
        (OTHER, b"2"),
        (FACT, b"3"),
        (subjects.points("q", "line1"), b"4"),
    ):
        await bus.publish(subject, payload)
    await until(lambda: len(got) >= len(heard))
    await asyncio.sleep(0.02)
    assert got == heard
    await listening.close()


async def test_listening_keeps_order_and_survives_a_failing_handler(bus: Bus) -> None:
    got: list[int] = []

    async def hear(message: Message) -> None:
        number = int(message.payload)
        if number % 10 == 0:
            raise RuntimeError("no tens")
        await asyncio.sleep(0)
        got.append(number)

    listening = await bus.listen(LINE, hear)
    for i in range(100):
        await bus.publish(LINE, str(i).encode(), msg_id=str(i))
        await bus.publish(LINE, str(i).encode(), msg_id=str(i))  # a repeat is heard once
    await until(lambda: bool(got) and got[-1] == 99)
    assert got == [i for i in range(100) if i % 10]
    await listening.close()


async def test_nothing_is_handled_after_close(bus: Bus) -> None:
    began, got = asyncio.Event(), []

    async def hear(message: Message) -> None:
        began.set()
        await asyncio.sleep(0.02)
        got.append(message.payload)

    listening = await bus.listen(LINE, hear)
    for _ in range(10):
        await bus.emit(LINE, b"x")
    await asyncio.wait_for(began.wait(), 5)
    await listening.close()
    before = len(got)
    await bus.emit(LINE, b"y")
    await asyncio.sleep(0.1)
    assert len(got) == before < 10
    await listening.close()


async def test_a_handler_may_close_its_own_subscription(bus: Bus) -> None:
    got: list[bytes] = []

    async def hear(message: Message) -> None:
        await listening.close()
        got.append(message.payload)

    listening = await bus.listen(LINE, hear)
    for payload in (b"1", b"2"):
        await bus.emit(LINE, payload)
    await until(lambda: got != [])
    await asyncio.sleep(0.05)
    assert got == [b"1"]


async def test_emitted_is_heard_but_not_kept(bus: Bus) -> None:
    got: list[Message] = []

    async def hear(message: Message) -> None:
        got.append(message)

    subject = subjects.health("p", "sense")
    await bus.emit(subject, b"before")
    await bus.listen(subject, hear)
    await bus.emit(subject, b"{}")
    await until(lambda: got != [])
    assert [(m.subject, m.payload, m.seq) for m in got] == [(subject, b"{}", 0)]
    assert await bus.last(subject) is None


async def test_ask_and_answer(bus: Bus) -> None:
    async def double(payload: bytes) -> bytes:
        if payload == b"slow":
            await asyncio.sleep(0.3)
        return payload * 2

    subject = subjects.rpc("p", "double")
    answering = await bus.respond(subject, double)
    slow = asyncio.create_task(bus.request(subject, b"slow"))
    await asyncio.sleep(0.05)
    assert await bus.request(subject, b"ab", timeout_s=0.2) == b"abab"  # a slow request holds up no other
    assert await slow == b"slowslow"
    await answering.close()
    with pytest.raises(BusError):
        await bus.request(subject, b"ab", timeout_s=0.2)


async def test_an_exception_reaches_the_asker(bus: Bus) -> None:
    async def fail(payload: bytes) -> bytes:
        raise ValueError("负数 不行")

    await bus.respond(subjects.rpc("p", "fail"), fail)
    with pytest.raises(BusError, match="负数 不行"):
        await bus.request(subjects.rpc("p", "fail"), b"-1")


async def test_nobody_answers_in_time(bus: Bus) -> None:
    loop = asyncio.get_running_loop()

    async def never(payload: bytes) -> bytes:
        await asyncio.sleep(60)
        return payload

    await bus.respond(subjects.rpc("p", "never"), never)
    for service in ("nobody", "never"):
        began = loop.time()
        with pytest.raises(BusError):
            await bus.request(subjects.rpc("p", service), b"", timeout_s=0.3)
        assert loop.time() - began < 1.0


async def test_somebody_answers_late_but_in_time(bus: Bus) -> None:
    async def echo(payload: bytes) -> bytes:
        return payload

    asking = asyncio.create_task(bus.request(subjects.rpc("p", "late"), b"x", timeout_s=5))
    await asyncio.sleep(0.3)
    await bus.respond(subjects.rpc("p", "late"), echo)
    assert await asking == b"x"


async def test_refused_for_good(bus: Bus) -> None:
    with pytest.raises(BusFull):
        await bus.publish("zs.p.elsewhere", b"x")
    with pytest.raises(BusFull):
        await bus.publish(LINE, bytes(5 << 20))
    with pytest.raises(BusFull):
        await anext(bus.replay("NOWHERE", after=0))
    assert await bus.publish(LINE, bytes(3 << 20)) == 1


async def test_a_position_beyond_the_end_is_an_error(bus: Bus) -> None:
    await bus.publish(LINE, b"x")
    with pytest.raises(BusError, match="emptied"):
        await anext(bus.replay(subjects.POINTS, after=2))


async def test_large_messages_replay(bus: Bus) -> None:
    payloads = [bytes([i]) * (3 << 20) for i in range(8)]
    for payload in payloads:
        await bus.publish(LINE, payload)
    async with aclosing(bus.replay(subjects.POINTS, after=0)) as replay:
        assert [m.payload == p for m, p in zip(await take(replay, 8), payloads, strict=True)] == [True] * 8


async def test_a_closed_bus_says_so(bus: Bus) -> None:
    replay = bus.replay(subjects.POINTS, after=0)
    waiting = asyncio.create_task(take(replay, 1))
    await asyncio.sleep(0.2)
    await bus.close()
    await bus.close()
    for coroutine in (bus.publish(LINE, b"x"), bus.emit(LINE, b"x"), bus.request(LINE, b"x"), waiting):
        with pytest.raises(BusError):
            await coroutine


async def test_replay_begins_with_the_oldest_there_is(small_bus: Bus) -> None:
    for _ in range(100):
        await small_bus.publish(LINE, bytes(4096))
    async with aclosing(small_bus.replay(subjects.POINTS, after=3)) as replay:
        first = (await take(replay, 1))[0].seq
        assert 60 < first < 100
        assert [m.seq for m in await take(replay, 100 - first)] == list(range(first + 1, 101))
        await small_bus.publish(LINE, b"live")
        assert [m.seq for m in await take(replay, 1)] == [101]


async def test_messages_removed_in_front_of_a_slow_replay_show_as_a_jump(small_bus: Bus) -> None:
    for _ in range(10):
        await small_bus.publish(LINE, bytes(4096))
    async with aclosing(small_bus.replay(subjects.POINTS, after=0)) as replay:
        assert (await take(replay, 1))[0].seq == 1
        for _ in range(990):
            await small_bus.publish(LINE, bytes(4096))
        seqs = [1]
        while seqs[-1] < 1000:
            seqs.append((await take(replay, 1))[0].seq)
    assert seqs == sorted(set(seqs))
    assert 20 < len(seqs) < 600
