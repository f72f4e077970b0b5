"""A device is connected while its own values arrive: not for an open socket, not for what the brain says again."""

from __future__ import annotations

import numpy as np

from tests.decide.small_plant import make_plant
from zhongshu.kernel.latest import Latest
from zhongshu.model.batch import BAD, GOOD, RESTATED, Batch
from zhongshu.plant.presence import Presence

PLANT = make_plant({"cut-1": "a-cut", "cut-2": "a-cut"}, vehicles=0)
NOW = 10**18


def latest_with(unit: str, quality: int, received_ns: int) -> Latest:
    """The newest values after one Batch about the first point of a unit."""
    latest = Latest(PLANT)
    point = np.array([PLANT.unit_of[unit].points[0].id], np.int32)
    columns = np.array([NOW]), np.array([1.0]), np.array([quality], np.uint8)
    latest.update(Batch("small", "c", 1, received_ns, point, *columns))
    return latest


def test_a_device_counts_while_its_own_values_arrive() -> None:
    presence = Presence(PLANT, latest_with("cut-2", GOOD, NOW))
    assert presence.devices_connected(NOW + 10**9) == 1
    assert presence.points_good() == 1
    assert presence.devices_connected(NOW + 60 * 10**9) == 0


def test_bad_and_restated_values_do_not_count() -> None:
    assert Presence(PLANT, latest_with("cut-1", BAD, NOW)).devices_connected(NOW) == 0
    assert Presence(PLANT, latest_with("cut-1", GOOD | RESTATED, NOW)).devices_connected(NOW) == 0
