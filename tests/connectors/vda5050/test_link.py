"""Master and vehicles over real brokers: orders, refusals, hostile messages, a broker that dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder
from tests.connectors.mqtt.brokers import PASSWORD, USER, Broker, Mosquitto, Nats, mosquitto_binary
from tests.connectors.vda5050.plants import vehicle_plant
from zhongshu.connectors._mqtt.broker import Broker as Address
from zhongshu.connectors._mqtt.session import Session
from zhongshu.connectors.vda5050.client import Vda5050Connector
from zhongshu.connectors.vda5050.peer import Vda5050Peer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.states import TransportState, UnitMode, UnitState

FOREIGN = pytest.param(
    Mosquitto,
    marks=[
        pytest.mark.foreign,
        pytest.mark.skipif(mosquitto_binary() is None, reason="no mosquitto: apt-get install mosquitto"),
    ],
    id="mosquitto",
)
ARGS = {
    "lot": 5,
    "route": ["N0", "N1", "N2"],
    "pick_at": 1,
    "drop_at": 2,
    "pick_unit": "M1",
    "drop_unit": "M2",
}


@dataclass
class Stage:
    broker: Broker
    link: Link
    master: Vda5050Connector
    fleet: Vda5050Peer
    machines: Machines
    sink: Recorder
    feed: Feed

    async def publish(self, **values: float) -> None:
        """One image of V1 with these values and an honest count."""
        points = self.link.units[0].points
        self.feed.counts["V1"] += len(points)
        self.feed.t_ns += 100_000_000
        known = {"count": self.feed.counts["V1"], "mode": UnitMode.PRODUCTION, **values}
        vector = np.array([float(known.get(p.name, 0.0)) for p in points])
        size = len(points)
        self.fleet.publish(np.arange(size), np.full(size, self.feed.t_ns), vector, np.zeros(size, np.uint8))
        await self.fleet.flush()
        await self.sink.until(lambda: self.feed.t_ns in self.sink.t_ns)

    def last(self, name: str) -> float:
        wanted = next(p.id for p in self.link.units[0].points if p.name == name)
        return next(
            v
            for p, v in zip(reversed(self.sink.point), reversed(self.sink.value), strict=True)
            if p == wanted
        )


@pytest.fixture(params=[pytest.param(Nats, id="nats"), FOREIGN])
async def stage(request: pytest.FixtureRequest, tmp_path: Path, free_port: int) -> AsyncIterator[Stage]:
    secrets, clock = tmp_path / "secrets", wall_clock()
    async with request.param(tmp_path / "broker", free_port) as broker:
        broker.save_password(secrets)
        plant, connection, units = vehicle_plant(broker.settings)
        link = Link(plant, connection, units, secrets, "battery", whole_image=True)
        machines, sink = Machines(), Recorder()
        fleet = Vda5050Peer(plant, connection, units, clock, machines, secrets)
        master = Vda5050Connector(plant, connection, clock, secrets)
        await fleet.start()
        feed = Feed(link, fleet)
        await feed.tick()
        reading = asyncio.create_task(master.run(sink))
        try:
            await sink.until(lambda: set(feed.made) <= set(sink.samples()))
            yield Stage(broker, link, master, fleet, machines, sink, feed)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await fleet.stop()


async def test_an_order_is_accepted_driven_and_done(stage: Stage) -> None:
    answer = await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))
    assert answer.outcome is Outcome.ACCEPTED and answer.t_ns > 0
    assert [(c.unit, c.key, dict(c.args)) for c in stage.machines.calls] == [("V1", 77, ARGS)]
    steps = [
        (100, 0, TransportState.RUNNING), (101, 0, TransportState.RUNNING), (101, 5, TransportState.RUNNING),
        (102, 5, TransportState.RUNNING), (102, 0, TransportState.DONE),
    ]  # fmt: skip
    ahead = []
    for node, load, state in steps:
        await stage.publish(order=77, last_node=node, load=load, order_state=state)
        seen = stage.master._vehicles["V1"].state
        assert seen is not None and seen.order_id == "77"
        ahead.append(
            (len(seen.node_states), [a.action_status for a in seen.action_states if "-" in a.action_id][:2])
        )
        assert (stage.last("order_state"), stage.last("last_node"), stage.last("load")) == (state, node, load)
    assert ahead == [
        (2, ["WAITING", "WAITING"]), (1, ["WAITING", "WAITING"]), (1, ["FINISHED", "WAITING"]),
        (0, ["FINISHED", "WAITING"]), (0, ["FINISHED", "FINISHED"]),
    ]  # fmt: skip


async def test_an_order_is_extended_by_updates(stage: Stage) -> None:
    """The vehicle is told the base and the horizon, is running to the end of both, and gets the whole order each time."""
    part = {**ARGS, "released": 1}
    assert (await stage.master.call(Call("V1", Verb.TRANSPORT, 77, part))).outcome is Outcome.ACCEPTED
    await stage.publish(order=77, last_node=100, order_state=TransportState.RUNNING)
    assert dict(stage.machines.calls[-1].args) == part
    seen = stage.master._vehicles["V1"].state
    assert seen is not None and [n.released for n in seen.node_states] == [False, False]
    assert stage.last("order_state") == TransportState.RUNNING
    more = {**ARGS, "released": 2, "update": 1, "stitch": 0}
    for _ in range(2):  # the second time it is not sent: the vehicle has it
        answer = await stage.master.call(Call("V1", Verb.EXTEND_TRANSPORT, 77, more))
        assert answer.outcome is Outcome.ACCEPTED
    extensions = [c for c in stage.machines.calls if c.verb is Verb.EXTEND_TRANSPORT]
    assert [(c.key, dict(c.args)) for c in extensions] == [(77, more)]
    await stage.publish(order=77, last_node=101, load=5, order_state=TransportState.RUNNING)
    rest = {**ARGS, "update": 2, "stitch": 1}
    assert (await stage.master.call(Call("V1", Verb.EXTEND_TRANSPORT, 77, rest))).outcome is Outcome.ACCEPTED
    assert dict(stage.machines.calls[-1].args) == {**ARGS, "update": 2, "stitch": 1}
    await stage.publish(order=77, last_node=102, load=0, order_state=TransportState.DONE)
    seen = stage.master._vehicles["V1"].state
    assert seen is not None and (seen.order_update_id, seen.node_states) == (2, ())
    assert [a.action_status for a in seen.action_states if a.action_id.startswith("77-")] == ["FINISHED"] * 2


async def test_updates_that_do_not_fit_are_refused(stage: Stage) -> None:
    part = {**ARGS, "released": 1}
    await stage.master.call(Call("V1", Verb.TRANSPORT, 77, part))
    wrong = {**ARGS, "update": 1, "stitch": 1}
    answer = await stage.master.call(Call("V1", Verb.EXTEND_TRANSPORT, 77, wrong))
    assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.BAD_ARGUMENT) and "N0" in answer.reason
    stage.machines.refuse(Result.WRONG_MODE)
    good = {**ARGS, "released": 2, "update": 2}
    answer = await stage.master.call(Call("V1", Verb.EXTEND_TRANSPORT, 77, good))
    assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.WRONG_MODE)
    stage.machines.answer = Answer(Outcome.ACCEPTED)
    answer = await stage.master.call(Call("V1", Verb.EXTEND_TRANSPORT, 77, {**good, "update": 3}))
    assert answer.outcome is Outcome.ACCEPTED


async def test_a_cancel_says_which_order_it_means_and_is_not_sent_to_another_one(stage: Stage) -> None:
    await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))
    await stage.publish(order=77, last_node=100, order_state=TransportState.RUNNING)
    late = await stage.master.call(Call("V1", Verb.CANCEL_TRANSPORT, 80, {"order": 76}))
    assert (late.outcome, late.result) == (Outcome.REFUSED, Result.NOT_READY) and "76" in late.reason
    assert len(stage.machines.calls) == 1
    meant = await stage.master.call(Call("V1", Verb.CANCEL_TRANSPORT, 81, {"order": 77}))
    assert meant.outcome is Outcome.ACCEPTED
    assert dict(stage.machines.calls[-1].args) == {"order": 77}


async def test_a_vehicle_that_broke_down_is_in_no_state_to_drive_and_keeps_its_order(stage: Stage) -> None:
    await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))
    broken = {"state": UnitState.ABORTED, "errors": 1}
    await stage.publish(order=77, last_node=100, order_state=TransportState.RUNNING, **broken)
    seen = stage.master._vehicles["V1"].state
    assert seen is not None
    assert [(e.error_type, e.error_level, e.error_references) for e in seen.errors] == [
        ("vehicleFault", "FATAL", None)
    ]
    assert (stage.last("order_state"), stage.last("state")) == (TransportState.RUNNING, UnitState.ABORTED)


async def test_the_same_key_again_is_accepted_and_not_sent_again(stage: Stage) -> None:
    for _ in range(2):
        assert (await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))).outcome is Outcome.ACCEPTED
    assert len(stage.machines.calls) == 1


@pytest.mark.parametrize("result", [Result.BUSY, Result.BAD_ARGUMENT, Result.WRONG_MODE])
async def test_a_refused_order_brings_the_vehicles_own_result(stage: Stage, result: Result) -> None:
    stage.machines.refuse(result)
    answer = await stage.master.call(Call("V2", Verb.TRANSPORT, 78, ARGS))
    assert (answer.outcome, answer.result) == (
        Outcome.REFUSED,
        result,
    ) and result.name.lower() in answer.reason
    seen = stage.master._vehicles["V2"].state
    assert seen is not None and seen.order_id == "" and len(seen.errors) == 1


async def test_a_cancelled_order(stage: Stage) -> None:
    await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))
    await stage.publish(order=77, last_node=100, order_state=TransportState.RUNNING)
    assert (await stage.master.call(Call("V1", Verb.CANCEL_TRANSPORT, 80))).outcome is Outcome.ACCEPTED
    assert (stage.machines.calls[-1].verb, stage.machines.calls[-1].key) == (Verb.CANCEL_TRANSPORT, 80)
    await stage.publish(order=77, last_node=101, order_state=TransportState.FAILED, errors=0)
    assert stage.last("order_state") == TransportState.FAILED and stage.last("errors") == 0
    stage.machines.answer = Answer(Outcome.REFUSED, Result.NOT_READY, "nothing to cancel")
    answer = await stage.master.call(Call("V1", Verb.CANCEL_TRANSPORT, 81))
    assert (answer.outcome, answer.result) == (Outcome.REFUSED, Result.NOT_READY)


async def test_no_answer_in_time_is_unknown(stage: Stage) -> None:
    stage.machines.delay_s = 30.0
    answer = await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))
    assert answer.outcome is Outcome.UNKNOWN and answer.reason and len(stage.machines.calls) == 1
    assert stage.master.diagnostics()["open_questions"] == 0


async def test_requests_that_cannot_be_made(stage: Stage) -> None:
    assert (await stage.master.call(Call("V1", Verb.START_JOB, 1))).result is Result.UNKNOWN_VERB
    assert (await stage.master.call(Call("V9", Verb.TRANSPORT, 1, ARGS))).result is Result.BAD_ARGUMENT
    assert (
        await stage.master.call(Call("V1", Verb.TRANSPORT, 1, {**ARGS, "route": []}))
    ).result is Result.BAD_ARGUMENT
    assert (await stage.master.write(0, 1.0)).outcome is Outcome.REFUSED
    assert stage.machines.calls == []


async def test_a_broker_that_dies_is_survived_and_the_count_shows_what_is_missing(stage: Stage) -> None:
    await stage.feed.run(2)
    await stage.broker.kill()
    await stage.sink.until(lambda: stage.sink.count("lost") == 1)
    assert (await stage.master.call(Call("V1", Verb.TRANSPORT, 5, ARGS))).outcome is Outcome.NOT_SENT
    for _ in range(6):
        await stage.feed.tick()
    await stage.broker.start()
    await stage.sink.until(lambda: stage.sink.count("unit_up") == 4)
    await stage.feed.run(3)
    await stage.sink.until(lambda: set(stage.feed.made[-34:]) <= set(stage.sink.samples()))
    absent = set(stage.feed.made) - set(stage.sink.samples())
    told = [e for e in stage.sink.events if e[0] == "missed"]
    assert len(absent) == sum(e[6] for e in told)
    assert (
        5 * 34 <= len(absent) <= 6 * 34
    )  # the sixth image comes with the new session, unless a seventh is faster
    assert all(e[4] <= t <= e[5] for e in told for p, t in absent if e[2] == (stage.link.units[p // 17].id,))
    assert stage.sink.doubles() == {}


async def test_vehicles_that_stop_say_goodbye(stage: Stage) -> None:
    await stage.fleet.stop()
    await stage.sink.until(lambda: stage.sink.count("unit_lost") == 2)
    assert {e[2] for e in stage.sink.events if e[0] == "unit_lost"} == {"offline"}
    assert (await stage.master.call(Call("V1", Verb.TRANSPORT, 5, ARGS))).outcome is Outcome.NOT_SENT


async def test_hostile_messages_are_counted_and_change_nothing(stage: Stage) -> None:
    address = Address("127.0.0.1", stage.broker.port, USER, PASSWORD)
    session = Session("vandal", "vandal", lambda: address, lambda t, p: None)
    running = asyncio.create_task(session.run(_nothing))
    await asyncio.wait_for(session.ready.wait(), 10)
    for payload in (b"", b"{", b"\xff\xfe\x00", b'{"headerId": true}', b"[" * 5000):
        for topic in ("state", "connection", "order", "instantActions", "visualization"):
            await session.publish(f"uagv/v2/robots/V1/{topic}", payload, qos=1)
    await session.publish("uagv/v2/robots/stranger/state", b"{}", qos=1)
    await stage.sink.until(lambda: bool(stage.master.diagnostics()["unknown_vehicles"]))
    assert stage.master.diagnostics()["malformed"] == {"V1": 15}
    await stage.feed.run(2)
    await stage.sink.until(lambda: set(stage.feed.made) <= set(stage.sink.samples()))
    assert stage.sink.count("lost") == 0 and stage.machines.calls == []
    assert (await stage.master.call(Call("V1", Verb.TRANSPORT, 77, ARGS))).outcome is Outcome.ACCEPTED
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_check_names_who_is_offline(stage: Stage) -> None:
    await stage.fleet._carts[1].stop()
    found = await stage.master.check()
    assert not found.ok and "V2" in found.message and "V1" not in found.message and found.remedy
    await stage.broker.kill()
    found = await stage.master.check()
    assert not found.ok and found.remedy


async def _nothing(*_: Any) -> None:
    return None
