"""A thousand days of the kitchen's vehicles, by seed: every second one calm, in the others everything goes wrong that can."""

from __future__ import annotations

from tests.act.fleet.yard import Weather, Yard, kitchen
from zhongshu.act.fleet.traffic import Limits

#: Real time: a measurement each second, four lanes ahead.
NEAR = Limits(4, 3)
WEATHERS = {
    "calm": Weather(),
    "pauses": Weather(pause=0.001),
    "lost": Weather(lost=0.0002),
    "restarts": Weather(restart=0.02),
    "cancelled": Weather(cancel=0.001),
    "everything": Weather(pause=0.0005, lost=0.0001, restart=0.005, cancel=0.0003),
}
FIRST, DAYS = 1000, 1000


def is_calm(seed: int) -> bool:
    """Days on which nothing goes wrong but that a fifth of the vehicles is slow."""
    return bool(seed % 2)


def day(seed: int) -> Yard:
    """Twenty vehicles on calm days, up to 24 on the others."""
    if is_calm(seed):
        return Yard(kitchen(), seed, limits=NEAR)
    weather = list(WEATHERS.values())[seed // 2 % len(WEATHERS)]
    return Yard(kitchen(20 + seed % 5), seed, tasks=2, weather=weather, limits=NEAR)
