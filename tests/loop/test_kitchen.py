"""The whole kitchen-appliance plant, every one of its units, with all that can go wrong and a brain that dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.mishaps import ON_THE_FLOOR, ON_THE_WIRE, trouble
from tests.loop.rehearsal import Rehearsal
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.virtual import run
from zhongshu.twin.settings import load_truth

KITCHEN = Path(__file__).parents[2] / "plants" / "kitchen"


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_kitchen_makes_its_orders(seed: int) -> None:
    async def play() -> None:
        plant = load_plant(KITCHEN / "plant.yaml")
        async with Rehearsal(plant, load_truth(KITCHEN / "twin.yaml", plant), seed) as it:
            sellable = sorted(p.id for p in plant.products if p.sellable)
            for product in sellable:
                it.order(product, it.random.randint(5, 25))
            await trouble(it, 120.0, ON_THE_FLOOR + ON_THE_WIRE, every_s=2.0, deaths=0.05)
            await it.until_done(16.0)
            await it.settle()

    run(play)
