"""Whatever goes wrong on the floor, on the wires and in the brain's own process: what must hold holds, and orders get done."""

from __future__ import annotations

import pytest

from tests.loop.mishaps import ON_THE_FLOOR, ON_THE_WIRE, Mishap, order_some, trouble
from tests.loop.rehearsal import Rehearsal
from tests.twin.small import small_plant
from zhongshu.kernel.virtual import run
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
        "vehicles": {
            "drive_percent_h": 90,
            "charge_percent_h": 400,
            "low_percent": 10,
            "mtbf_h": 0.3,
            "repair_min": 2,
        },
    }
)


@pytest.mark.parametrize("seed", range(3))
def test_faults_on_the_floor(seed: int) -> None:
    _play(seed, ON_THE_FLOOR, deaths=0.0)


@pytest.mark.parametrize("seed", range(100, 104))
def test_faults_on_the_wires(seed: int) -> None:
    _play(seed, ON_THE_WIRE, deaths=0.0)


@pytest.mark.parametrize("seed", range(200, 203))
def test_a_brain_that_dies_again_and_again(seed: int) -> None:
    _play(seed, (), deaths=1.0)


@pytest.mark.parametrize("seed", range(300, 305))
def test_everything_at_once(seed: int) -> None:
    _play(seed, ON_THE_FLOOR + ON_THE_WIRE, deaths=0.3)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1000, 1030))
def test_much_more_of_everything(seed: int) -> None:
    _play(seed, ON_THE_FLOOR + ON_THE_WIRE, deaths=0.1 * (seed % 6), orders=5, wall_s=60.0, every_s=2.0)


def _play(
    seed: int,
    kinds: tuple[Mishap, ...],
    *,
    deaths: float,
    orders: int = 3,
    wall_s: float = 30.0,
    every_s: float = 4.0,
) -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), LIVELY, seed) as it:
            order_some(it, orders)
            await trouble(it, wall_s, kinds, every_s=every_s, deaths=deaths)
            await it.until_done(8.0)
            await it.settle()

    run(play)
