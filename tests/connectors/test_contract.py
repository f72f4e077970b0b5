"""One suite for every protocol: a real peer, a real connector, a real socket, and the promises of kernel.ports."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder
from zhongshu.connectors import registry
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.ports import Connector, Peer
from zhongshu.model.batch import BAD, GOOD, QUALITY_MASK, UNCERTAIN
from zhongshu.model.commands import Call, Outcome, Result, Verb
from zhongshu.model.plant import Point
from zhongshu.model.roles import SAMPLE_COUNT

HERE = Path(__file__).parent
PROTOCOLS = sorted(path.parent.name for path in HERE.glob("*/fixture.py"))
START = {"lot": 12, "product": 3, "operation": 20, "quantity": 4}


@dataclass
class Stand:
    """A running peer and connector, and everything that can be asked of them."""

    link: Link
    peer: Peer
    connector: Connector
    machines: Machines
    sink: Recorder
    feed: Feed
    reading: asyncio.Task[None]

    async def settled(self) -> None:
        """Wait until everything that was made available has been read."""
        made = set(self.feed.made)
        await self.sink.until(
            lambda: made <= set(self.sink.samples(good_only=False)), what="all samples read"
        )

    async def begun(self) -> None:
        """The first tick is read; a protocol that keeps nothing for late listeners gets it once more."""
        loop = asyncio.get_running_loop()
        until = loop.time() + 1.5
        while not self.sink.samples() and loop.time() < until:
            await asyncio.sleep(0.02)
        if not self.sink.samples():
            self.feed.begin_again()
            await self.feed.tick()
        await self.settled()

    async def up(self, times: int) -> None:
        """Wait until the connection, or every unit behind it, has come up so often."""
        await self.sink.until(lambda: self.ups() >= times, what=f"up for the {times}. time")

    def ups(self) -> int:
        """How often the connection came, or every unit behind it, where the protocol tells of units."""
        units = [sum(e == ("unit_up", u.id) for e in self.sink.events) for u in self.link.units]
        return max(self.sink.count("connected"), min(units))

    def point(self, name: str, unit: int = 0) -> Point:
        """A point of a unit by name."""
        return next(p for p in self.link.units[unit].points if p.name == name)

    def last_count(self, unit: int = 0) -> float:
        """The device's own count as last read."""
        counter = next(p for p in self.link.units[unit].points if p.role == SAMPLE_COUNT)
        return next(
            v
            for p, v in zip(reversed(self.sink.point), reversed(self.sink.value), strict=True)
            if p == counter.id
        )


@pytest.fixture(params=PROTOCOLS)
def link(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> Link:
    made: Link = importlib.import_module(f"tests.connectors.{request.param}.fixture").link(
        tmp_path, free_port
    )
    return made


@pytest.fixture
async def stand(link: Link) -> AsyncIterator[Stand]:
    clock, machines, sink = wall_clock(), Machines(), Recorder()
    async with link.broker or nullcontext():
        peer = registry.peer(link.plant, link.connection, link.units, clock, machines, link.secrets)
        connector = registry.connector(link.plant, link.connection, clock, link.secrets)
        await peer.start()
        feed = Feed(link, peer)
        await feed.tick()
        reading = asyncio.create_task(connector.run(sink))
        made = Stand(link, peer, connector, machines, sink, feed, reading)
        try:
            await made.up(1)
            await made.begun()
            yield made
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await peer.stop()


async def test_every_sample_arrives_once_with_its_own_time(stand: Stand) -> None:
    await stand.feed.run(15)
    await stand.settled()
    assert sorted(set(stand.sink.samples())) == sorted(stand.feed.made)
    assert stand.sink.doubles() == {}
    assert stand.sink.downs == 0 and stand.sink.count("missed") == 0
    for n, unit in enumerate(stand.link.units):
        assert stand.last_count(n) == stand.feed.counts[unit.id]


async def test_each_point_is_read_in_the_order_of_its_source(stand: Stand) -> None:
    await stand.feed.run(10)
    await stand.settled()
    for unit in stand.link.units:
        for point in unit.points:
            times = [t for p, t in stand.sink.samples() if p == point.id]
            assert times == sorted(times)


async def test_source_and_receive_time_are_both_kept(stand: Stand) -> None:
    before = wall_clock().wall_ns()
    await stand.feed.run(3)
    await stand.settled()
    assert set(stand.sink.t_ns) <= {t for _, t in stand.feed.made} | {0}
    assert before - 10**10 < max(stand.sink.received_ns) <= wall_clock().wall_ns()


async def test_quality_comes_through_and_a_bad_value_is_never_shown_as_good(stand: Stand) -> None:
    point = stand.point(stand.link.float_point)
    for quality in (BAD, UNCERTAIN, GOOD):
        await stand.feed.tick(quality)
        await asyncio.sleep(stand.link.tick_s)
        at = (point.id, stand.feed.t_ns)
        if quality == UNCERTAIN:
            await stand.sink.until(lambda at=at: at in stand.sink.samples(good_only=False), what="uncertain")
            seen = {
                q & QUALITY_MASK
                for p, t, q in zip(stand.sink.point, stand.sink.t_ns, stand.sink.quality, strict=True)
                if (p, t) == at
            }
            assert (
                seen <= {UNCERTAIN, BAD} or stand.link.whole_image
            )  # registers have no quality of their own
        elif quality == GOOD:
            await stand.sink.until(lambda at=at: at in stand.sink.samples(), what="good again")
        elif not stand.link.whole_image:
            await stand.sink.until(lambda at=at: at in stand.sink.samples(good_only=False), what="bad")
            assert at not in stand.sink.samples()


async def test_silence_of_the_machines_is_not_silence_of_the_wire(stand: Stand) -> None:
    before = stand.sink.keep_alives
    await asyncio.sleep(2.2)
    assert stand.sink.keep_alives - before >= 2 and stand.sink.downs == 0


async def test_a_cut_is_told_once_and_mended_without_doubles(stand: Stand) -> None:
    await stand.feed.run(3)
    dropping = asyncio.create_task(stand.peer.drop(1.0))
    await stand.sink.until(lambda: stand.sink.downs >= 1, what="loss told")
    await stand.feed.run(4)
    await dropping
    await stand.up(2)
    after = len(stand.feed.made)
    await stand.feed.run(6)
    late = set(stand.feed.made[after:])
    await stand.sink.until(lambda: late <= set(stand.sink.samples()), what="samples after the cut")
    assert stand.sink.doubles() == {}
    assert stand.sink.count("lost") <= 1
    for unit in stand.link.units:
        assert sum(e[:2] == ("unit_lost", unit.id) for e in stand.sink.events) <= 1
    assert stand.last_count() == stand.feed.counts[stand.link.units[0].id]


async def test_a_device_restart_is_survived_within_15_seconds_without_doubles(stand: Stand) -> None:
    await stand.feed.run(3)
    await stand.settled()
    await stand.peer.restart()
    await stand.feed.tick()
    await stand.up(2)
    after = len(stand.feed.made)
    await stand.feed.run(4)
    late = set(stand.feed.made[after:])
    await stand.sink.until(lambda: late <= set(stand.sink.samples()), what="samples after the restart")
    assert stand.sink.doubles() == {}


async def test_what_was_read_is_what_was_made_and_nothing_else(stand: Stand) -> None:
    for _ in range(2):
        await stand.feed.run(2)
        await stand.peer.drop(0.3)
    await stand.feed.run(3)
    last = set(stand.feed.made[-1:])
    await stand.sink.until(lambda: last <= set(stand.sink.samples()), what="the last sample")
    assert set(stand.sink.samples(good_only=False)) <= set(stand.feed.made)
    assert stand.sink.doubles() == {}


async def test_a_write_is_accepted_only_when_it_can_be_read_back(stand: Stand) -> None:
    if not stand.link.writable:
        pytest.skip("this protocol writes nothing")
    point = stand.point(stand.link.writable)
    answer = await stand.connector.write(point.id, 42.5)
    assert (answer.outcome, stand.machines.writes) == (Outcome.ACCEPTED, [(point.unit, point.name, 42.5)]), (
        answer
    )
    assert answer.t_ns > 0


async def test_a_write_that_the_device_refuses_says_so_in_words(stand: Stand) -> None:
    if not stand.link.writable:
        pytest.skip("this protocol writes nothing")
    stand.machines.refuse(Result.BAD_ARGUMENT)
    answer = await stand.connector.write(stand.point(stand.link.writable).id, 42.5)
    assert answer.outcome is Outcome.REFUSED and answer.reason, answer


async def test_a_point_that_nobody_may_write_is_not_written(stand: Stand) -> None:
    answer = await stand.connector.write(stand.point(stand.link.float_point).id, 1.0)
    assert answer.outcome is Outcome.REFUSED and answer.reason, answer
    unknown = await stand.connector.write(999_999, 1.0)
    assert unknown.outcome is Outcome.REFUSED and unknown.reason
    assert stand.machines.writes == []


async def test_a_request_reaches_the_unit_with_its_key_and_arguments(stand: Stand) -> None:
    if not stand.link.calls:
        pytest.skip("this protocol has no START_JOB")
    unit = stand.link.units[1].id
    call = Call(unit, Verb.START_JOB, 4711, START)
    answer = await stand.connector.call(call)
    assert (answer.outcome, answer.result) == (Outcome.ACCEPTED, Result.OK), answer
    (seen,) = stand.machines.calls
    assert (seen.unit, seen.verb, seen.key) == (unit, Verb.START_JOB, 4711)
    assert {name: int(seen.args[name]) for name in START} == START


@pytest.mark.parametrize("result", [Result.BUSY, Result.NO_MATERIAL, Result.OUTPUT_FULL])
async def test_a_refused_request_brings_the_units_own_result(stand: Stand, result: Result) -> None:
    if not stand.link.calls:
        pytest.skip("this protocol has no START_JOB")
    stand.machines.refuse(result)
    answer = await stand.connector.call(Call(stand.link.units[0].id, Verb.START_JOB, 5, START))
    assert (answer.outcome, answer.result) == (Outcome.REFUSED, result) and answer.reason, answer


async def test_a_request_without_an_answer_in_time_is_unknown_and_not_repeated(stand: Stand) -> None:
    if not stand.link.calls:
        pytest.skip("this protocol has no START_JOB")
    stand.machines.delay_s = 60.0
    answer = await stand.connector.call(Call(stand.link.units[0].id, Verb.START_JOB, 6, START))
    assert answer.outcome is Outcome.UNKNOWN and answer.reason, answer
    assert len(stand.machines.calls) <= 1


async def test_without_a_connection_nothing_is_sent(link: Link) -> None:
    connector = registry.connector(link.plant, link.connection, wall_clock(), link.secrets)
    unit = link.units[0]
    if link.writable:
        point = next(p for p in unit.points if p.name == link.writable)
        assert (await connector.write(point.id, 1.0)).outcome is Outcome.NOT_SENT
    if link.calls:
        answer = await connector.call(Call(unit.id, Verb.START_JOB, 8, START))
        assert answer.outcome is Outcome.NOT_SENT and answer.reason


async def test_check_finds_a_good_connection_and_names_what_is_missing(stand: Stand) -> None:
    found = await stand.connector.check()
    assert found.ok and found.message, found
    assert stand.sink.downs == 0  # it looked on a session of its own


async def test_check_on_a_dead_end_says_what_to_do_and_does_not_raise(link: Link) -> None:
    if link.broker is not None:
        pytest.skip("the broker is looked at by the protocol's own tests")
    connector = registry.connector(link.plant, link.connection, wall_clock(), link.secrets)
    found = await asyncio.wait_for(connector.check(), 20.0)
    assert not found.ok and found.message and found.remedy


async def test_a_peer_that_comes_late_is_found(link: Link) -> None:
    clock, sink = wall_clock(), Recorder()
    async with link.broker or nullcontext():
        connector = registry.connector(link.plant, link.connection, clock, link.secrets)
        reading = asyncio.create_task(connector.run(sink))
        await asyncio.sleep(1.0)
        peer = registry.peer(link.plant, link.connection, link.units, clock, Machines(), link.secrets)
        await peer.start()
        feed = Feed(link, peer)
        try:
            await feed.tick()
            await sink.until(lambda: set(feed.made) <= set(sink.samples()), what="first samples")
            assert sink.count("lost") <= 1
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await peer.stop()


async def test_cancelling_leaves_no_task_behind(link: Link) -> None:
    clock, sink = wall_clock(), Recorder()
    async with link.broker or nullcontext():
        before = asyncio.all_tasks()
        peer = registry.peer(link.plant, link.connection, link.units, clock, Machines(), link.secrets)
        await peer.start()
        reading = asyncio.create_task(
            registry.connector(link.plant, link.connection, clock, link.secrets).run(sink)
        )
        feed = Feed(link, peer)
        for _ in range(40):
            await feed.run(0 if sink.samples() else 2)
        assert sink.samples()
        reading.cancel()
        assert isinstance((await asyncio.gather(reading, return_exceptions=True))[0], asyncio.CancelledError)
        await peer.stop()
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() - before == set()


async def test_diagnostics_can_be_sent_to_support(stand: Stand) -> None:
    await stand.feed.run(2)
    text = json.dumps(dict(stand.connector.diagnostics()))
    assert len(text) > 20
    for file in stand.link.secrets.rglob("*"):
        if file.is_file():
            secrets = [line for line in file.read_bytes().split() if len(line) >= 12]
            assert not any(s.decode("utf-8", "ignore") in text for s in secrets if s.isascii()), file


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_setting_is_described(protocol: str) -> None:
    fields: dict[str, Any] = registry.config_model(protocol).model_fields
    assert fields
    assert [name for name, about in fields.items() if len(about.description or "") < 10] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_manifest_names_the_folder_its_library_and_both_sides(protocol: str) -> None:
    about = registry.manifest(protocol)
    assert about.protocol == protocol and set(about.roles) == {"client", "peer"}
    assert about.extra and about.imports and all(any(c in lib for c in "<>=~") for lib in about.libraries)


def test_an_unknown_protocol_is_named_with_those_that_are_known(link: Link) -> None:
    odd = replace(link.connection, protocol="carrier_pigeon")
    with pytest.raises(registry.UnknownProtocol) as error:
        registry.connector(link.plant, odd, wall_clock(), link.secrets)
    assert "carrier_pigeon" in str(error.value) and link.connection.protocol in str(error.value)


def test_a_missing_library_is_named_with_what_to_install(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = link.connection.protocol

    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(registry.importlib, "import_module", absent)
    monkeypatch.setattr(registry.importlib.util, "find_spec", _nothing)
    with pytest.raises(registry.ExtraMissing) as error:
        registry.connector(link.plant, link.connection, wall_clock(), link.secrets)
    assert f"zhongshu[{registry.manifest(protocol).extra}]" in str(error.value)


def _nothing(_name: str) -> None:
    return None
