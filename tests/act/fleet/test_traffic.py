"""Vehicles under traffic control never meet, never wait for one another for ever, and lose little time: judged by the twin."""

from __future__ import annotations

import pytest

from tests.act.fleet.days import FIRST, NEAR, WEATHERS, day, is_calm
from tests.act.fleet.yard import Yard, kitchen, roundabout
from zhongshu.act.fleet.plans import Plans, Step
from zhongshu.act.fleet.traffic import Limits

#: At ten times the speed a measurement comes every ten plant seconds, and leave has to reach further.
FAST = Limits(8, 5)


def played(yard: Yard) -> Yard:
    """A run that ended, without a collision."""
    yard.run()
    assert yard.collisions == 0, f"seed {yard.seed}: {list(yard.collided())[:3]}"
    assert len(yard.done) == len(yard.cars) * yard.tasks
    return yard


def ratio(yards: list[Yard]) -> float:
    """Travel over unobstructed travel of all tasks."""
    done = [d for yard in yards for d in yard.done]
    return sum(d.travel_s for d in done) / sum(d.least_s for d in done)


def test_the_twin_sees_ghosts_collide() -> None:
    """Without traffic control the same tasks end in collisions: the referee is awake."""
    yard = Yard(kitchen(), 1, with_control=False)
    yard.run()
    assert yard.collisions > 20
    assert len(list(yard.collided())) == yard.collisions


def test_twenty_busy_vehicles_lose_at_most_a_quarter() -> None:
    assert ratio([played(Yard(kitchen(), seed, limits=NEAR)) for seed in range(3)]) <= 1.25


def test_measurements_that_come_late_cost_time_only() -> None:
    yards = [played(Yard(kitchen(), seed, tasks=2, limits=FAST, lag_s=10.0)) for seed in range(2)]
    assert ratio(yards) <= 1.6


@pytest.mark.parametrize("weather", WEATHERS)
def test_nobody_collides_or_waits_for_ever(weather: str) -> None:
    for seed in range(2):
        played(Yard(kitchen(24), 101 + seed, tasks=1, weather=WEATHERS[weather], limits=NEAR))


@pytest.mark.parametrize("vehicles", [2, 3, 4])
def test_a_roundabout_keeps_turning(vehicles: int) -> None:
    """Each can only go on when the one before it has gone, and there is hardly a place to rest."""
    for seed in range(12):
        played(Yard(roundabout(vehicles), seed, limits=NEAR))


#: On a roundabout of four lanes four vehicles block one another so that: one way has to go through where another one stands,
#: everybody has to go at once, somebody has to go aside first, those who go must not all choose the same place.
BLOCKED = ((15, "restarts"), (39, "restarts"), (50, "calm"), (56, "lost"), (111, "calm"), (258, "calm"))


@pytest.mark.parametrize(("seed", "weather"), BLOCKED)
def test_those_who_block_one_another_are_planned_together(seed: int, weather: str) -> None:
    played(Yard(roundabout(4), seed, tasks=4, weather=WEATHERS[weather], limits=NEAR))


def test_it_stands_still_where_each_takes_the_free_lane_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of visits is what keeps it turning: without it, the same plans end in a circle of waiting."""
    seeds = (0, 2, 3, 4)
    for seed in seeds:
        played(Yard(roundabout(4), seed, limits=NEAR))

    def is_free(plans: Plans, step: Step) -> bool:
        places = (*step.lanes, plans.network.crossing(step.node))
        return not any(
            other.granted and other is not step for place in places for other in plans.visits[place]
        )

    monkeypatch.setattr(Plans, "is_next", is_free)
    stuck = 0
    for seed in seeds:
        try:
            Yard(roundabout(4), seed, limits=Limits(2, 1), improve=False).run(limit_s=3000)
        except AssertionError:
            stuck += 1
    assert stuck


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("block", range(50))
def test_a_thousand_days(block: int) -> None:
    """Fifty times twenty seeded runs; `bench.thousand_days` writes down what is lost in all of them together."""
    seeds = range(FIRST + 20 * block, FIRST + 20 * block + 20)
    yards = {seed: played(day(seed)) for seed in seeds}
    assert ratio([yard for seed, yard in yards.items() if is_calm(seed)]) <= 1.3
