"""Our master control and our vehicles against those of vda-5050-lib: orders, order updates, cancelling, and every message by its schemas."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.connectors.link import Feed, Link, Machines, Recorder
from tests.connectors.mqtt.brokers import PASSWORD, USER, Nats
from tests.connectors.vda5050.plants import vehicle_plant
from zhongshu.connectors.vda5050.client import Vda5050Connector
from zhongshu.connectors.vda5050.config import settings_of
from zhongshu.connectors.vda5050.orders import Roads, order_message
from zhongshu.connectors.vda5050.peer import Vda5050Peer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.commands import Call, Outcome, Verb
from zhongshu.model.orders import TransportOrder
from zhongshu.model.plant import Unit
from zhongshu.model.states import TransportState, UnitMode

FOLDER = Path(__file__).parent.parent / "foreign"
pytestmark = [
    pytest.mark.foreign,
    pytest.mark.skipif(shutil.which("node") is None, reason="no node on the PATH"),
    pytest.mark.skipif(
        not (FOLDER / "node_modules" / "vda-5050-lib").exists(),
        reason="run `npm install` in tests/connectors/foreign",
    ),
]
#: What it knows: version 2.0, and loads of this type.
SPOKEN = {"version": "2.0.0", "load_type": "EPAL"}
ARGS = {
    "lot": 5,
    "route": ["N0", "N1", "N2", "N3"],
    "pick_at": 1,
    "drop_at": 3,
    "pick_unit": "M1",
    "drop_unit": "M2",
    "released": 1,
}


@asynccontextmanager
async def foreign(script: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A script at work, after its first line."""
    node = await asyncio.create_subprocess_exec(
        "node", script, *arguments, cwd=FOLDER,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert node.stdout is not None
        assert b"ready" in await asyncio.wait_for(node.stdout.readline(), 30), (
            "the foreign side did not start"
        )
        yield node
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()


class Driven:
    """Our master with the foreign vehicle V1."""

    def __init__(self, master: Vda5050Connector, sink: Recorder) -> None:
        self.master, self.sink = master, sink

    async def call(self, verb: Verb, key: int, **more: Any) -> Outcome:
        answer = await self.master.call(Call("V1", verb, key, {**ARGS, **more}))
        assert answer.reason == "" or answer.outcome is not Outcome.ACCEPTED
        return answer.outcome

    async def until(self, name: str, wanted: float) -> None:
        """The vehicle's point has that value."""
        point = next(p.id for p in self.master._vehicles["V1"]._points.points if p.name == name)
        await self.sink.until(lambda: self._last(point) == wanted)

    def _last(self, point: int) -> float | None:
        pairs = zip(reversed(self.sink.point), reversed(self.sink.value), strict=True)
        return next((value for p, value in pairs if p == point), None)


@pytest.fixture
async def driven(tmp_path: Path, free_port: int) -> AsyncIterator[Driven]:
    secrets, clock = tmp_path / "secrets", wall_clock()
    async with Nats(tmp_path / "broker", free_port) as broker:
        broker.save_password(secrets)
        plant, connection, _ = vehicle_plant({**broker.settings, **SPOKEN}, vehicles=1)
        sink, master = Recorder(), Vda5050Connector(plant, connection, clock, secrets)
        reading = asyncio.create_task(master.run(sink))
        url, start = f"mqtt://127.0.0.1:{free_port}", plant.roads.nodes[0]
        place = (start.id, str(start.x_m), str(start.y_m), "plant")
        async with foreign("vda5050_vehicle.js", url, USER, PASSWORD, "robots", "V1", *place):
            try:
                await sink.until(
                    lambda: sink.count("unit_up") == 1 and master._vehicles["V1"].state is not None
                )
                yield Driven(master, sink)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


async def test_a_foreign_vehicle_drives_an_order_that_is_extended_under_way(driven: Driven) -> None:
    """It takes the base, stops at its end, goes on with every update, also one that changes the horizon, picks and drops.

    No base ends at a node with an action here: an update repeats the node at which it joins with all its content, as the standard
    asks, and this stack takes the repeated action for a second one.
    """
    assert await driven.call(Verb.TRANSPORT, 77) is Outcome.ACCEPTED
    state = driven.master._vehicles["V1"].state
    assert state is not None and [n.released for n in state.node_states] == [False, False, False]
    more = {"released": 3, "update": 1, "stitch": 0}
    assert await driven.call(Verb.EXTEND_TRANSPORT, 77, **more) is Outcome.ACCEPTED
    await driven.until("last_node", 102)
    longer = {
        "route": ["N0", "N1", "N2", "N3", "N4", "N5"],
        "drop_at": 5,
        "released": 4,
        "update": 2,
        "stitch": 2,
    }
    assert await driven.call(Verb.EXTEND_TRANSPORT, 77, **longer) is Outcome.ACCEPTED
    await driven.until("last_node", 103)
    state = driven.master._vehicles["V1"].state
    assert state is not None and [n.released for n in state.node_states] == [False, False]
    assert [a.action_status for a in state.action_states if a.action_id == "77-pick"] == ["FINISHED"]
    await driven.until("order_state", TransportState.RUNNING)
    last = {**longer, "released": 6, "update": 3, "stitch": 3}
    assert await driven.call(Verb.EXTEND_TRANSPORT, 77, **last) is Outcome.ACCEPTED
    await driven.until("order_state", TransportState.DONE)
    await driven.until("last_node", 105)
    state = driven.master._vehicles["V1"].state
    assert state is not None and state.errors == () and state.order_update_id == 3
    done = [a.action_id for a in state.action_states if a.action_status == "FINISHED"]
    assert sorted(a for a in done if a.startswith("77-")) == ["77-drop", "77-pick"]


async def test_a_foreign_vehicle_refuses_an_update_that_does_not_fit(driven: Driven) -> None:
    assert await driven.call(Verb.TRANSPORT, 77) is Outcome.ACCEPTED
    wrong = {"released": 3, "update": 1, "stitch": 1}
    assert await driven.call(Verb.EXTEND_TRANSPORT, 77, **wrong) is Outcome.REFUSED


async def test_a_foreign_vehicle_gives_an_order_back(driven: Driven) -> None:
    assert await driven.call(Verb.TRANSPORT, 77, released=4) is Outcome.ACCEPTED
    assert await driven.call(Verb.CANCEL_TRANSPORT, 78, order=77) is Outcome.ACCEPTED
    await driven.sink.until(
        lambda: (s := driven.master._vehicles["V1"].state) is not None and not s.node_states
    )


async def test_a_foreign_master_extends_and_cancels_an_order_of_our_vehicle(
    tmp_path: Path, free_port: int
) -> None:
    """Every state of ours passes the schemas of 2.0, and shows the base and the horizon that the foreign master gave."""
    secrets, clock = tmp_path / "secrets", wall_clock()
    async with Nats(tmp_path / "broker", free_port) as broker:
        broker.save_password(secrets)
        plant, connection, units = vehicle_plant({**broker.settings, **SPOKEN}, vehicles=1)
        machines = Machines()
        fleet = Vda5050Peer(plant, connection, units, clock, machines, secrets)
        await fleet.start()
        feed = Feed(Link(plant, connection, units, secrets, "battery", whole_image=True), fleet)
        roads, orders = Roads(plant.roads, settings_of(connection.settings)), []
        for update, released in enumerate((1, 2, 4)):
            order = TransportOrder.from_args(
                77, "V1", {**ARGS, "released": released, "update": update, "stitch": max(0, update - 1)}
            )
            orders.append(order_message({}, order, roads))
        url = f"mqtt://127.0.0.1:{free_port}"
        try:
            async with foreign(
                "vda5050_master.js", url, USER, PASSWORD, "robots", "V1", json.dumps(orders)
            ) as node:
                said = await asyncio.wait_for(_said(node, feed, fleet, units[0]), 40)
        finally:
            await fleet.stop()
    assert not [line for line in said if "malformed" in line]
    assert [(s["update"], s["nodes"]) for s in said if "update" in s] == [
        (0, [False, False, False]),
        (1, [True, False, False]),
        (2, [True, True, True]),
    ]
    assert said[-1] == {"cancelled": "FINISHED"}
    verbs = [Verb.TRANSPORT, Verb.EXTEND_TRANSPORT, Verb.EXTEND_TRANSPORT, Verb.CANCEL_TRANSPORT]
    assert [call.verb for call in machines.calls] == verbs


async def _said(
    node: asyncio.subprocess.Process, feed: Feed, fleet: Vda5050Peer, unit: Unit
) -> list[dict[str, Any]]:
    """Images of a vehicle at its first node until the foreign master is done; what it said."""
    lines: list[dict[str, Any]] = []
    assert node.stdout is not None
    reading = asyncio.create_task(node.stdout.readline())
    points = unit.points
    while True:
        feed.counts["V1"] += len(points)
        feed.t_ns += 100_000_000
        known = {"count": feed.counts["V1"], "mode": UnitMode.PRODUCTION, "order": 77, "last_node": 100}
        known["order_state"] = TransportState.RUNNING
        vector = np.array([float(known.get(p.name, 0.0)) for p in points])
        fleet.publish(
            np.arange(len(points)), np.full(len(points), feed.t_ns), vector, np.zeros(len(points), np.uint8)
        )
        await fleet.flush()
        done, _ = await asyncio.wait([reading], timeout=0.1)
        if done:
            line = reading.result()
            if not line:
                return lines
            lines.append(json.loads(line))
            reading = asyncio.create_task(node.stdout.readline())
