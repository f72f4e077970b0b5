"""Writes are read back and requests are answered by key: what was refused, lost or never sent says so."""

from __future__ import annotations

import asyncio

import pytest

from tests.connectors.modbus.ground import Pair, one_machine, pair
from zhongshu.connectors.modbus.peer import ModbusPeer
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb

START = {"lot": 7_000_000_001, "product": 42, "operation": 3, "quantity": 50}


async def ready(p: Pair) -> None:
    await p.feed.tick()
    await p.sink.until(lambda: p.sink.count("unit_up") == 1)


class Faulty(ModbusPeer):
    """Answers some functions as told: with an exception, with nothing, or late."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.exceptions: dict[int, int] = {}
        self.mute: set[int] = set()
        self.asked: list[int] = []

    async def answer(self, unit_id: int, body: bytes) -> bytes | None:
        self.asked.append(body[0])
        if body[0] in self.exceptions:
            return bytes([body[0] | 0x80, self.exceptions[body[0]]])
        made = await super().answer(unit_id, body)
        return None if body[0] in self.mute else made


async def test_a_write_arrives_and_is_read_back() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        answer = await p.connector.write(p.point("speed"), 12.5)
        assert answer.outcome is Outcome.ACCEPTED and answer.t_ns > 0
        assert p.machines.writes == [("press", "speed", 12.5)]
        before = len(p.sink.point)
        await asyncio.sleep(0.2)
        assert len(p.sink.point) == before, "a written value is no numbered scan"


@pytest.mark.parametrize(
    ("point", "value", "result"),
    [
        ("temperature", 1.0, Result.NOT_CAPABLE),
        ("speed", 1e39, Result.BAD_ARGUMENT),
        ("operation", 1.5, Result.BAD_ARGUMENT),
        ("speed", float("nan"), Result.BAD_ARGUMENT),
    ],
)
async def test_a_write_that_cannot_be_is_refused_with_words(point: str, value: float, result: Result) -> None:
    async with pair(one_machine(), Faulty) as p:
        await ready(p)
        answer = await p.connector.write(p.point(point), value)
        assert (answer.outcome, answer.result) == (Outcome.REFUSED, result) and point in answer.reason
        assert isinstance(p.peer, Faulty) and not {5, 6, 15, 16} & set(p.peer.asked)


async def test_the_machine_may_say_no_to_a_write() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        p.machines.refuse(Result.WRONG_MODE)
        answer = await p.connector.write(p.point("speed"), 3.0)
        assert answer.outcome is Outcome.REFUSED and answer.reason == "illegal data value"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (2, Outcome.REFUSED),
        (6, Outcome.REFUSED),
        (10, Outcome.REFUSED),
        (4, Outcome.UNKNOWN),
        (11, Outcome.UNKNOWN),
    ],
)
async def test_exceptions_to_a_write(code: int, outcome: Outcome) -> None:
    async with pair(one_machine(), Faulty) as p:
        assert isinstance(p.peer, Faulty)
        await ready(p)
        p.peer.exceptions = {16: code}
        assert (await p.connector.write(p.point("speed"), 3.0)).outcome is outcome
        assert p.peer.asked.count(16) == 1


async def test_no_answer_is_unknown_and_nothing_is_sent_twice() -> None:
    async with pair(one_machine(timeout_s=0.3), Faulty) as p:
        assert isinstance(p.peer, Faulty)
        await ready(p)
        p.peer.mute = {16}
        assert (await p.connector.write(p.point("speed"), 3.0)).outcome is Outcome.UNKNOWN
        assert (await p.connector.call(Call("press", Verb.STOP, 5))).outcome is Outcome.UNKNOWN
        assert p.peer.asked.count(16) == 2 and len(p.machines.calls) == 1
        assert p.sink.count("lost") == 0, "others still answer"


async def test_a_write_that_finds_no_place_in_time_was_not_sent() -> None:
    async with pair(one_machine(timeout_s=0.2, read_timeout_s=1.0, transactions=1), Faulty) as p:
        assert isinstance(p.peer, Faulty)
        await ready(p)
        p.peer.mute = {3}
        await asyncio.sleep(0.15)  # a read has the only place and waits for its answer
        assert (await p.connector.write(p.point("speed"), 3.0)).outcome is Outcome.NOT_SENT
        assert p.machines.writes == []


async def test_numbers_that_a_float_cannot_say_stay_as_they_were_written() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        lot = (2**63 - 1).to_bytes(8)
        assert await p.peer.answer(1, bytes([16, 0, 13, 0, 4, 8]) + lot) == bytes([16, 0, 13, 0, 4])
        assert await p.peer.answer(1, bytes([3, 0, 13, 0, 4])) == bytes([3, 8]) + lot


async def test_a_different_read_back_is_no_success() -> None:
    class Deaf(Faulty):
        async def answer(self, unit_id: int, body: bytes) -> bytes | None:
            return body[:5] if body[0] == 16 else await super().answer(unit_id, body)

    async with pair(one_machine(), Deaf) as p:
        await ready(p)
        answer = await p.connector.write(p.point("speed"), 3.0)
        assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.READ_BACK_DIFFERS)
        assert "3.0" in answer.reason


async def test_without_connection_nothing_is_sent() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        await p.peer.stop()
        await p.sink.until(lambda: p.sink.count("lost") == 1)
        assert (await p.connector.write(p.point("speed"), 3.0)).outcome is Outcome.NOT_SENT
        assert (await p.connector.call(Call("press", Verb.STOP, 5))).outcome is Outcome.NOT_SENT


async def test_a_request_reaches_the_machine_whole() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        answer = await p.connector.call(Call("press", Verb.START_JOB, 77, START))
        assert answer.outcome is Outcome.ACCEPTED
        assert p.machines.calls == [Call("press", Verb.START_JOB, 77, START)]
        p.machines.refuse(Result.NO_MATERIAL)
        answer = await p.connector.call(Call("press", Verb.HOLD, 78))
        assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.NO_MATERIAL)
        assert p.machines.calls[1] == Call("press", Verb.HOLD, 78)


async def test_the_same_key_gets_the_same_answer_and_does_nothing() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        p.machines.refuse(Result.OUTPUT_FULL)
        call = Call("press", Verb.START_JOB, 9, START)
        first = await p.connector.call(call)
        p.machines.answer = Answer(Outcome.ACCEPTED)
        await p.feed.tick()  # a scan that shows nothing of it yet
        second = await p.connector.call(call)
        assert (first.outcome, first.result) == (second.outcome, second.result)
        assert first.result is Result.OUTPUT_FULL and len(p.machines.calls) == 1


async def test_a_slow_machine_holds_up_neither_write_nor_scans() -> None:
    async with pair(one_machine(timeout_s=0.5)) as p:
        await ready(p)
        p.machines.delay_s = 0.8
        asked = asyncio.create_task(p.connector.call(Call("press", Verb.START_JOB, 11, START)))
        await p.feed.run(4)
        assert (await asked).outcome is Outcome.UNKNOWN
        assert len(p.sink.point) == len(p.feed.made)
        await asyncio.sleep(0.5)
        p.machines.delay_s = 0.0
        again = await p.connector.call(Call("press", Verb.START_JOB, 11, START))
        assert again.outcome is Outcome.ACCEPTED and len(p.machines.calls) == 1


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (Call("nobody", Verb.STOP, 1), Result.BAD_ARGUMENT),
        (Call("press", Verb.TRANSPORT, 1), Result.NOT_CAPABLE),
        (Call("press", Verb.START_JOB, 1, {**START, "quantity": 2**31}), Result.BAD_ARGUMENT),
        (Call("press", Verb.START_JOB, 1, {**START, "colour": 3}), Result.BAD_ARGUMENT),
    ],
)
async def test_a_request_that_has_no_registers_is_refused_here(call: Call, result: Result) -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        answer = await p.connector.call(call)
        assert (answer.outcome, answer.result) == (Outcome.REFUSED, result) and answer.reason
        assert p.machines.calls == []


async def test_two_requests_to_one_unit_do_not_mix() -> None:
    async with pair(one_machine()) as p:
        await ready(p)
        calls = [Call("press", Verb.START_JOB, key, {**START, "lot": key}) for key in range(20, 26)]
        answers = await asyncio.gather(*(p.connector.call(call) for call in calls))
        assert all(a.outcome is Outcome.ACCEPTED for a in answers)
        assert p.machines.calls == calls
