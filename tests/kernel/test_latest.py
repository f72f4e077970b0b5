"""Latest agrees with a plain dictionary, whatever order samples come in."""

from __future__ import annotations

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.plants import plant_of
from zhongshu.kernel.latest import NEVER, Latest
from zhongshu.kernel.virtual import run
from zhongshu.model.batch import BAD, GOOD, TIME_RECEIVED, UNCERTAIN, Batch

SAMPLE = st.tuples(
    st.integers(0, 5), st.integers(0, 6), st.integers(0, 1000), st.sampled_from([GOOD, UNCERTAIN, BAD])
)


def batch_of(samples: list[tuple[int, int, float, int]], received_ns: int = 1) -> Batch:
    point, t_ns, value, quality = zip(*samples, strict=True) if samples else ((), (), (), ())
    return Batch(
        "p", "c", 1, received_ns,
        np.array(point, np.int32), np.array(t_ns, np.int64), np.array(value, np.float64), np.array(quality, np.uint8),
    )  # fmt: skip


@given(st.lists(st.lists(SAMPLE, max_size=20), max_size=6))
def test_the_newest_by_time_wins_and_of_equal_times_the_later(
    rounds: list[list[tuple[int, int, float, int]]],
) -> None:
    latest = Latest(plant_of([]))
    plain: dict[int, tuple[int, float, int, int]] = {}
    for received_ns, samples in enumerate(rounds, 1):
        before = dict(plain)
        for point, t_ns, value, quality in samples:
            if point not in plain or t_ns >= plain[point][0]:
                plain[point] = (t_ns, value, quality, received_ns)
        changed = latest.update(batch_of(samples, received_ns))
        assert changed.tolist() == sorted(point for point in plain if plain[point] != before.get(point))
    for point, (t_ns, value, quality, received_ns) in plain.items():
        assert latest.value(point) == value
        assert latest.times_ns[point] == t_ns
        assert latest.qualities[point] == quality
        assert latest.received_ns[point] == received_ns
        assert latest.fresh(point) == (quality == GOOD)
    assert latest.fresh_mask().tolist() == [latest.fresh(point) for point in range(len(latest))]


def test_before_anything_came() -> None:
    from dataclasses import replace

    plant = plant_of(["a", "b"])
    unit = plant.units[0]
    plant = replace(
        plant, units=(replace(unit, points=tuple(replace(p, id=i) for i, p in enumerate(unit.points))),)
    )
    latest = Latest(plant)
    assert len(latest) == 2
    assert math.isnan(latest.value(0))
    assert math.isnan(latest.value(7))
    assert latest.qualities.tolist() == [NEVER, NEVER]
    assert not latest.fresh(0)
    assert not latest.fresh(7)


def test_fresh_within_a_time() -> None:
    latest = Latest(plant_of([]))
    latest.update(batch_of([(0, 1, 2.0, GOOD | TIME_RECEIVED)], received_ns=1_000_000_000))
    assert latest.fresh(0, wall_ns=2_000_000_000, within_s=1.0)
    assert not latest.fresh(0, wall_ns=2_000_000_001, within_s=1.0)


def test_times_before_1970_count_too() -> None:
    latest = Latest(plant_of([]))
    assert latest.update(batch_of([(0, -5, 1.0, GOOD)])).tolist() == [0]
    assert latest.value(0) == 1.0


def test_negative_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Latest(plant_of([])).update(batch_of([(-1, 1, 1.0, GOOD)]))


def test_whoever_waits_for_a_point_hears_of_it_and_of_no_other() -> None:
    latest, woken = Latest(plant_of([])), list[tuple[str, float]]()

    async def wait(name: str, points: list[int], within_s: float) -> None:
        await latest.news(points, within_s)
        woken.append((name, asyncio.get_running_loop().time()))

    async def whole() -> None:
        latest.update(batch_of([(p, 0, 0.0, GOOD) for p in range(4)]))
        waits = [("one", [1, 2], 9.0), ("other", [3], 9.0), ("both", [2, 3], 9.0), ("none", [0, 10**6], 5.0)]
        tasks = [asyncio.create_task(wait(*each)) for each in waits]
        await asyncio.sleep(1)
        latest.update(batch_of([(2, 1, 1.0, GOOD)]))
        await asyncio.sleep(1)
        latest.update(batch_of([(3, 1, 1.0, GOOD)]))
        await asyncio.gather(*tasks)

    run(whole)
    assert [(name, round(at)) for name, at in woken] == [("one", 1), ("both", 1), ("other", 2), ("none", 5)]
