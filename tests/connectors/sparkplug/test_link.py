"""Host and edge node over real brokers: answers, rebirths, hostile payloads, a broker that dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder
from tests.connectors.mqtt.brokers import PASSWORD, USER, Broker, Mosquitto, Nats, mosquitto_binary
from tests.connectors.sparkplug.plants import sparkplug_plant
from zhongshu.connectors._mqtt.broker import Broker as Address
from zhongshu.connectors._mqtt.session import Session
from zhongshu.connectors.sparkplug import codec
from zhongshu.connectors.sparkplug.client import SparkplugConnector
from zhongshu.connectors.sparkplug.peer import SparkplugPeer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.commands import Call, Outcome, Result, Verb
from zhongshu.model.numbering import Anchors, counted, numbered, windows

FOREIGN = pytest.param(
    Mosquitto,
    marks=[
        pytest.mark.foreign,
        pytest.mark.skipif(mosquitto_binary() is None, reason="no mosquitto: apt-get install mosquitto"),
    ],
    id="mosquitto",
)


@dataclass
class Stage:
    broker: Broker
    link: Link
    host: SparkplugConnector
    edge: SparkplugPeer
    machines: Machines
    sink: Recorder
    feed: Feed

    def point(self, name: str) -> int:
        return next(p.id for p in self.link.units[0].points if p.name == name)

    def missing(self) -> int:
        """Samples that the devices numbered and that were not read, by the devices' own counting."""
        places = numbered(self.link.plant)
        point, t, value = (np.array(c) for c in (self.sink.point, self.sink.t_ns, self.sink.value))
        unit, is_counter = places.unit_of[point], places.is_counter[point]
        found = windows(
            unit[is_counter],
            t[is_counter],
            value[is_counter].astype(np.int64),
            Anchors.none(len(self.link.units)),
        )
        return int((found.made - counted(found, unit, t)).sum())


@pytest.fixture(params=[pytest.param(Nats, id="nats"), FOREIGN])
async def stage(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Stage]:
    secrets, clock = tmp_path / "secrets", wall_clock()
    async with request.param(tmp_path / "broker", free_port) as broker:
        broker.save_password(secrets)
        plant, connection, units = sparkplug_plant(broker.settings)
        link = Link(plant, connection, units, secrets, "speed", "setpoint", calls=True)
        machines, sink = Machines(), Recorder()
        edge = SparkplugPeer(connection, units, clock, machines, secrets)
        host = SparkplugConnector(plant, connection, clock, secrets)
        await edge.start()
        feed = Feed(link, edge)
        await feed.tick()
        reading = asyncio.create_task(host.run(sink))
        try:
            await sink.until(lambda: sink.count("unit_up") == 2)
            yield Stage(broker, link, host, edge, machines, sink, feed)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await edge.stop()


async def test_no_sample_is_lost_or_doubled(stage: Stage) -> None:
    for _ in range(150):
        await stage.feed.tick()
        await asyncio.sleep(0.002)
    await stage.sink.until(lambda: set(stage.feed.made) <= set(stage.sink.samples()))
    assert sorted(stage.sink.samples()) == sorted(stage.feed.made) and stage.missing() == 0
    assert stage.sink.count("missed") == 0


async def test_what_was_made_while_the_broker_was_dead_shows_in_the_count(stage: Stage) -> None:
    await stage.feed.run(2)
    await stage.broker.kill()
    await stage.sink.until(lambda: stage.sink.count("lost") == 1)
    for _ in range(10):
        await stage.feed.tick()
    await stage.broker.start()
    await stage.sink.until(lambda: stage.sink.count("unit_up") == 4)
    await stage.feed.run(3)
    last = stage.feed.made[-4:]
    await stage.sink.until(lambda: set(last) <= set(stage.sink.samples()))
    absent = set(stage.feed.made) - set(stage.sink.samples())
    assert len(absent) == 9 * 4 == stage.missing()  # the tenth came with the births
    assert stage.sink.doubles() == {} and stage.sink.count("connected") == 2


async def test_a_lost_message_is_noticed_and_mended_by_births(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.feed.tick()
    real = stage.edge._session.publish_all

    async def lose_one(messages: list[tuple[str, bytes]]) -> None:
        monkeypatch.setattr(stage.edge._session, "publish_all", real)
        await real(messages[1:])

    monkeypatch.setattr(stage.edge._session, "publish_all", lose_one)
    await stage.feed.tick()
    await stage.sink.until(lambda: stage.sink.count("missed") == 1 and stage.sink.count("unit_up") == 4)
    (missed,) = [e for e in stage.sink.events if e[0] == "missed"]
    assert missed[1] == "sequence_gap" and missed[6] == -1
    await stage.sink.until(
        lambda: set(stage.feed.made) <= set(stage.sink.samples())
    )  # births brought the lost ones
    assert stage.sink.doubles() == {} and stage.missing() == 0


async def test_hostile_payloads_are_counted_and_change_nothing(stage: Stage) -> None:
    session = await _vandal(stage)
    for payload in (b"\xff\xff\xff", b"{}", b"", b"\x12\xff"):
        await session.publish("spBv1.0/G1/DDATA/E1/M1", payload, qos=1)
        await session.publish("spBv1.0/G1/NBIRTH/E1", payload, qos=1)
        await session.publish("spBv1.0/G1/DCMD/E1/M1", payload, qos=1)
    await stage.sink.until(lambda: stage.host.counters.malformed >= 8)
    await stage.feed.run(2)
    await stage.sink.until(lambda: set(stage.feed.made) <= set(stage.sink.samples()))
    assert stage.sink.count("lost") == 0 and stage.machines.calls == [] and stage.machines.writes == []
    await _leave(session)


async def test_own_state_is_said_again_when_an_old_will_comes_late(stage: Stage) -> None:
    heard: list[bool | None] = []
    session = await _vandal(stage, lambda t, p: heard.append(codec.parse_state(p)), [("spBv1.0/STATE/#", 1)])
    await stage.sink.until(lambda: heard[-1:] == [True])
    await session.publish("spBv1.0/STATE/zhongshu-p1-c1", codec.state_payload(False, 1), qos=1, retain=True)
    await stage.sink.until(lambda: heard[-2:] == [False, True])
    await _leave(session)


async def test_a_request_answered_before_is_not_sent_again(stage: Stage) -> None:
    call = Call("M1", Verb.STOP, 99)
    units = stage.link.units[0]
    index = [i for i, p in enumerate(units.points) if p.role in ("command_key", "command_result")]
    t_ns = stage.feed.t_ns + 1_000_000
    stage.edge.publish(
        np.array(index), np.full(2, t_ns), np.array([99.0, float(Result.BUSY)]), np.zeros(2, np.uint8)
    )
    await stage.edge.flush()
    await stage.sink.until(lambda: t_ns in stage.sink.t_ns)
    answer = await stage.host.call(call)
    assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.BUSY) and stage.machines.calls == []


async def test_a_write_without_echo_is_unknown_and_with_another_value_refused(stage: Stage) -> None:
    stage.machines.delay_s = 30.0
    answer = await stage.host.write(stage.point("setpoint"), 5.0)
    assert answer.outcome is Outcome.UNKNOWN and answer.reason
    stage.machines.delay_s = 0.0


async def test_requests_to_nobody(stage: Stage) -> None:
    await stage.edge.stop()
    await stage.sink.until(lambda: stage.sink.count("unit_lost") == 2)
    assert (await stage.host.call(Call("M1", Verb.STOP, 3))).outcome is Outcome.NOT_SENT
    assert (await stage.host.write(stage.point("setpoint"), 5.0)).outcome is Outcome.NOT_SENT
    answer = await stage.host.call(Call("M1", Verb.TRANSPORT, 4))
    assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.UNKNOWN_VERB)


async def test_check_names_what_is_wrong(stage: Stage) -> None:
    assert (await stage.host.check()).ok
    await stage.edge.stop()
    found = await stage.host.check()
    assert not found.ok and "E1" in found.message and found.remedy
    await stage.broker.kill()
    found = await stage.host.check()
    assert not found.ok and found.remedy


async def _vandal(
    stage: Stage,
    hear: Callable[[str, bytes], None] = lambda t, p: None,
    topics: list[tuple[str, int]] | None = None,
) -> Session:
    address = Address("127.0.0.1", stage.broker.port, USER, PASSWORD)
    session = Session("vandal", "vandal", lambda: address, hear, subscriptions=topics or [])

    async def up() -> None:
        return None

    running: Any = asyncio.create_task(session.run(up))
    session.running = running  # type: ignore[attr-defined]
    await asyncio.wait_for(session.ready.wait(), 10)
    return session


async def _leave(session: Any) -> None:
    session.running.cancel()
    await asyncio.gather(session.running, return_exceptions=True)
