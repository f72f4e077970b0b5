"""Policies while machines break, wires fail and the brain dies: orders get through, no command is lost, none goes where it may not."""

from __future__ import annotations

import pytest

from tests.decide.policies.scene import plant
from tests.loop.mishaps import ON_THE_FLOOR, ON_THE_WIRE, trouble
from tests.loop.rehearsal import Rehearsal
from zhongshu.kernel.virtual import run
from zhongshu.model.commands import Verb
from zhongshu.twin.settings import TwinTruth

POLICIES = """
policies:
  preheat: {gap_min: 10, unknown_min: 4}
  standby: {gap_min: 5, unknown_min: 2}
  maintenance: {worn_percent: 20, unknown_min: 2}
  peak: {cap_kw: 260}
"""
TRUTH = TwinTruth.model_validate(
    {
        "machines": {"mtbf_h": 0, "scrap": 0.02, "maintenance_min": 2, "wake_factor": 0.3},
        "types": {"press": {"wear_life_h": 1.0}, "oven": {"power_idle": 0.5, "cool_h": 0.1}},
    }
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_get_through_whatever_the_policies_ask_for_and_whatever_fails(seed: int) -> None:
    async def play() -> None:
        async with Rehearsal(plant(POLICIES), TRUTH, seed) as it:
            for _ in range(5):
                it.order("tin", it.random.randint(2, 9))
                await trouble(it, 15.0, ON_THE_FLOOR + ON_THE_WIRE, every_s=3.0, deaths=0.1)
            await it.until_done(24.0)
            await it.forward(30.0)  # with nothing to do everything rests
            written = [n for (_, verb), n in it.holds.asked.items() if verb is Verb.SET_PARAMETER]
            assert sum(written) >= 4, "no policy asked for anything"
            await it.settle()

    run(play)
