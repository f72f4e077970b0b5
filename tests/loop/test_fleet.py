"""The kitchen's vehicles under the whole brain: they carry what there is to carry, nobody meets anybody, orders are extended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.rehearsal import Rehearsal
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.virtual import run
from zhongshu.model.commands import Verb
from zhongshu.twin.settings import load_truth

KITCHEN = Path(__file__).parents[2] / "plants" / "kitchen"


@pytest.mark.timeout(600)
def test_twenty_vehicles_carry_without_meeting() -> None:
    async def play() -> None:
        plant = load_plant(KITCHEN / "plant.yaml")
        async with Rehearsal(plant, load_truth(KITCHEN / "twin.yaml", plant), 5) as it:
            for product in sorted(p.id for p in plant.products if p.sellable):
                it.order(product, 20)
            await it.forward(60.0)
            await it.die(1.0)
            await it.forward(30.0)
            assert it.twin.floor.roads.collisions == 0
            carried = [c for c in it.holds.calls.values() if c.verb is Verb.TRANSPORT and c.args["lot"]]
            assert len(carried) > 20
            extended = sum(n for (_, verb), n in it.holds.asked.items() if verb is Verb.EXTEND_TRANSPORT)
            assert extended
            assert it.brain is not None and len(it.brain.act.fleet.traffic.plans.cars) == 20

    run(play)
