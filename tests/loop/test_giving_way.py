"""Idle vehicles give way as far as the ladder lets them, and orders that people give are carried through on every rung."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.loop.rehearsal import Rehearsal
from tests.twin.small import EXACT, small_plant
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store.autonomy import resume_brain, set_level, stop_brain
from zhongshu.kernel.store.rulings import rule_on
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import Command
from zhongshu.kernel.virtual import run
from zhongshu.kernel.wire import publish_event
from zhongshu.model.autonomy import Ladder, Level
from zhongshu.model.commands import Verb
from zhongshu.model.messages import Proposed
from zhongshu.model.plant import Plant


def on(level: Level) -> Plant:
    """The small plant on one rung."""
    return replace(small_plant(), ladder=Ladder(default=level))


async def sent_by_hand(it: Rehearsal, vehicle: str, node: str) -> int:
    """A person sends a vehicle somewhere; the key of the command."""
    now = it.clock.now_ns()
    args = {
        "lot": 0,
        "route": [it.twin.floor.vehicles[vehicle].node, node],
        "pick_at": -1,
        "drop_at": -1,
        "pick_unit": "",
        "drop_unit": "",
    }
    name = f"hand.{now}"
    told = Proposed(
        it.plant.id,
        "web",
        now,
        name,
        vehicle,
        Verb.TRANSPORT.name,
        json.dumps(args),
        "by hand",
        "asked_by_a_person",
        f"vehicle:{vehicle}",
        now + round(600 * it.clock.speed * NS),
        "Li",
    )
    await publish_event(it.bus, told, msg_id=f"proposal.{name}")
    await it.forward(1.0)
    with it.store.read() as session:
        return session.scalars(select(Command.key).where(Command.proposal == name)).one()


def ways(it: Rehearsal) -> Sequence[Command]:
    """What the fleet asked for by itself."""
    with it.store.read() as session:
        return list(session.scalars(select(Command).where(Command.proposal.startswith("way."))))


async def until_at(it: Rehearsal, vehicle: str, node: str, within_s: float) -> bool:
    """Whether it comes to stand there without an order in that time (wall)."""
    car = it.twin.floor.vehicles[vehicle]
    for _ in range(round(within_s)):
        await it.forward(1.0)
        if car.node == node and not car.running:
            return True
    return False


async def in_the_way(it: Rehearsal) -> None:
    """agv-1 shall go to lane-05 from the west, where agv-2 stands."""
    await it.forward(5.0)
    await sent_by_hand(it, "agv-1", "lane-04")
    assert await until_at(it, "agv-1", "lane-04", 20)
    await sent_by_hand(it, "agv-1", "lane-05")


@pytest.mark.parametrize("level", [Level.OBSERVE, Level.ADVISE])
def test_nobody_gives_way_where_the_brain_only_looks_on_or_advises(level: Level) -> None:
    async def play() -> None:
        async with Rehearsal(on(level), EXACT, 1) as it:
            await in_the_way(it)
            assert not await until_at(it, "agv-1", "lane-05", 40)
            assert not ways(it)
            with it.store.begin() as session:
                set_level(session, it.plant, "shop", "act", Signed("Li", it.clock.now_ns()))
            it.outbox.poke()
            assert await until_at(it, "agv-1", "lane-05", 40)
            assert {row.by for row in ways(it)} == {"brain"}

    run(play)


def test_where_people_approve_it_is_asked_once_and_done_when_they_do() -> None:
    async def play() -> None:
        async with Rehearsal(on(Level.APPROVE), EXACT, 2) as it:
            await in_the_way(it)
            assert not await until_at(it, "agv-1", "lane-05", 60)
            (way,) = ways(it)
            assert way.waits
            with it.store.begin() as session:
                rule_on(session, it.plant.id, way.key, "approve", Signed("Li", it.clock.now_ns()))
            it.outbox.poke()
            assert await until_at(it, "agv-1", "lane-05", 40)

    run(play)


def test_a_stop_lets_vehicles_wait_where_their_leave_ends() -> None:
    """A leave never holds a node twice: it ends where the lot is fetched, since the way on leads back."""

    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 3, speed=1.0) as it:
            it.order("tray", 4)
            vehicles = it.twin.floor.vehicles.values()
            while not any(v.order and v.order.lot and v.driving for v in vehicles):
                await it.forward(1.0)
            with it.store.begin() as session:
                stop_brain(session, it.plant, Signed("Li", it.clock.now_ns()))
            it.outbox.poke()
            await it.forward(3.0)
            extended = _extended(it)
            await it.die(1.0)
            await it.forward(120.0)
            assert _extended(it) == extended
            (car,) = [v for v in vehicles if v.running]
            assert car.phase == "waiting"
            assert car.load  # what it had leave for it has done: to fetch the lot
            with it.store.begin() as session:
                resume_brain(session, it.plant, Signed("Li", it.clock.now_ns()))
            it.outbox.poke()
            await it.until_done(1.0)
            await it.settle()
            assert _extended(it) > extended

    run(play)


def _extended(it: Rehearsal) -> int:
    return sum(n for (_, verb), n in it.holds.asked.items() if verb is Verb.EXTEND_TRANSPORT)
