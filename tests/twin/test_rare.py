"""A rehearsed plant is sampled where something happened, and every unit once a round; its brain knows those points alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.twin.ear import Ear, numbered
from tests.twin.small import EXACT, PART, STAMP, small_plant
from zhongshu.kernel.clock import VirtualClock
from zhongshu.model import roles
from zhongshu.model.commands import Call, Verb
from zhongshu.model.interlocks import Compare, Interlock
from zhongshu.model.plant import Plant
from zhongshu.model.text import Text
from zhongshu.twin.direct import DirectPlant
from zhongshu.twin.rare import ROUND, Rare, reduced
from zhongshu.twin.twin import Twin


def locked_plant() -> Plant:
    """The force of one press stands against the other: a measurement without a role."""
    why = Text("压力", "force")
    lock = Interlock("i", ("press-2",), ("START_JOB",), "press-1", "force", Compare.ABOVE, 5e3, False, why)
    return replace(small_plant(), interlocks=(lock,))


def twin_of(plant: Plant) -> tuple[Twin, Rare]:
    twin = Twin(plant, EXACT, VirtualClock(), 1)
    rare = Rare(plant, twin.floor)
    twin.scan.rarely(rare)
    return twin, rare


def test_the_brain_knows_what_decisions_rest_on() -> None:
    press, other = (reduced(locked_plant()).unit_of[u] for u in ("press-1", "press-2"))
    assert {"force", "force_set"} <= {p.name for p in press.points}
    assert "force" not in {p.name for p in other.points}
    told = {p.role for p in press.points}
    assert {roles.UNIT_STATE, roles.JOB_KEY, roles.POWER} <= told and not told & roles.OF_THE_WIRE


def test_every_unit_once_a_round_and_those_of_a_connection_together() -> None:
    plant = locked_plant()
    _, rare = twin_of(plant)
    at: dict[str, set[int]] = {}
    for tick in range(ROUND):
        for k in rare.due(tick).tolist():
            at.setdefault(plant.points[k].unit, set()).add(tick)
    assert set(at) == {u.id for u in plant.units} and all(len(ticks) == 1 for ticks in at.values())
    of = {c.id: {min(at[u.id]) for u in plant.units if u.connection == c.id} for c in plant.connections}
    assert all(len(ticks) == 1 for ticks in of.values())
    assert len(set().union(*of.values())) == len(of)


def test_where_something_happened_it_is_sampled_at_the_next_tick() -> None:
    plant = locked_plant()
    _, rare = twin_of(plant)
    rare.due(1)  # nobody's turn
    rare.note("anything", 0, {"unit": "wash"})
    assert {plant.points[k].unit for k in rare.due(1).tolist()} == {"wash"}
    assert not len(rare.due(1))


@pytest.mark.parametrize("whole", [True, False])
async def test_a_brain_that_knows_less_gets_the_same_values(whole: bool) -> None:
    plant = locked_plant()
    seen = numbered(plant if whole else reduced(plant))
    twin, rare = twin_of(plant)
    twin.floor.shop.book = rare.note
    direct = DirectPlant(twin, seen)
    ears = {name: Ear() for name in direct.links}
    tasks = [asyncio.create_task(link.run(ears[name])) for name, link in direct.links.items()]
    tasks.append(asyncio.create_task(direct.run()))
    clock = twin.clock
    assert isinstance(clock, VirtualClock)
    await clock.forward(2)
    args = {"lot": 1, "product": PART, "operation": STAMP, "quantity": 4}
    await direct.links["machines"].call(Call("press-1", Verb.START_JOB, 1, args))
    await clock.forward(120)
    press = seen.unit_of["press-1"]
    values = {
        p.role: ears["machines"].newest(p.id)
        for p in press.points
        if p.role in (roles.JOB_KEY, roles.JOB_GOOD)
    }
    assert values == {roles.JOB_KEY: 1.0, roles.JOB_GOOD: 4.0}
    force = next(p for p in press.points if p.name == "force")
    assert np.isfinite(ears["machines"].newest(force.id))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
