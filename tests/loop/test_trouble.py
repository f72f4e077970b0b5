"""Whatever goes wrong on the floor, on the wires and in the brain's own process: what must hold holds, and orders get done."""

from __future__ import annotations

import pytest

from tests.loop.mishaps import ON_THE_FLOOR, ON_THE_WIRE, order_some, trouble
from tests.loop.rehearsal import Rehearsal
from tests.loop.virtual import run
from tests.twin.small import small_plant
from zhongshu.twin.settings import TwinTruth

#: The machines' own habits, faster than in life: scrap, short stops, breakdowns of a few plant minutes, upkeep.
LIVELY = TwinTruth.model_validate(
    {
        "machines": {
            "scrap": 0.03,
            "mtbf_h": 1.0,
            "repair_min": 3,
            "micro_stop_min": 10,
            "micro_stop_s": 10,
            "wear_life_h": 3,
            "maintenance_min": 4,
        },
        "vehicles": {"drive_percent_h": 90, "charge_percent_h": 400, "low_percent": 10},
    }
)


@pytest.mark.parametrize("seed", range(12))
def test_faults_on_the_floor(seed: int) -> None:
    _play(seed, ON_THE_FLOOR, deaths=0.0)


@pytest.mark.parametrize("seed", range(100, 112))
def test_faults_on_the_wires(seed: int) -> None:
    _play(seed, ON_THE_WIRE, deaths=0.0)


@pytest.mark.parametrize("seed", range(200, 212))
def test_a_brain_that_dies_again_and_again(seed: int) -> None:
    _play(seed, (), deaths=1.0)


@pytest.mark.parametrize("seed", range(300, 316))
def test_everything_at_once(seed: int) -> None:
    _play(seed, ON_THE_FLOOR + ON_THE_WIRE, deaths=0.3)


def _play(seed: int, kinds: tuple, *, deaths: float) -> None:  # type: ignore[type-arg]
    async def play() -> None:
        async with Rehearsal(small_plant(), LIVELY, seed) as it:
            order_some(it, 3)
            await trouble(it, 40.0, kinds, every_s=4.0, deaths=deaths)
            await it.until_done(4.0)
            await it.settle()

    run(play)
