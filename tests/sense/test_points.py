"""Scale, time, repeats and deadband, point by point and all at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.sense.factory import NS, plant_of
from zhongshu.kernel.clock import VirtualClock
from zhongshu.model.batch import BAD, GOOD, RESTATED, TIME_RECEIVED
from zhongshu.model.numbering import numbered
from zhongshu.model.plant import Plant
from zhongshu.sense.points import Points, Rows, Shaped


def points_of(plant: Plant, clock: VirtualClock) -> Points:
    return Points(plant, numbered(plant), clock)


def shape(
    points: Points, rows: list[tuple[int, int, float, int]], clock: VirtualClock, settled: bool = True
) -> Shaped:
    columns = Rows(
        np.array([r[0] for r in rows], np.int32),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
        np.array([r[3] for r in rows], np.uint8),
        clock.wall_ns(),
    )
    mask = np.ones(len(points.unit_of), np.bool_)
    return points.shape(columns, np.full(len(rows), clock.wall_ns()), mask, mask & settled)


def test_raw_values_become_engineering_units() -> None:
    plant, clock = plant_of(1, 2), VirtualClock()
    unit = plant.units[0]
    changed = (replace(unit.points[0], scale=0.1, offset=-20.0), *unit.points[1:])
    points = points_of(replace(plant, units=(replace(unit, points=changed),)), clock)
    out = shape(points, [(0, clock.now_ns(), 500.0, GOOD)], clock)
    assert out.rows.value.tolist() == [30.0]


def test_a_deadband_keeps_back_small_changes_and_counts_them() -> None:
    plant, clock = plant_of(1, 2, deadband=0.5), VirtualClock()
    points, now = points_of(plant, clock), clock.now_ns()
    rows = [(0, now + i, value, GOOD) for i, value in enumerate([1.0, 1.5, 1.6, 2.1, 2.2])]
    out = shape(points, rows, clock)
    assert out.rows.value.tolist() == [1.0, 1.6, 2.2]  # each against the value that was told last
    assert out.kept_t_ns.tolist() == [now + 1, now + 3]
    again = shape(points, [(0, now + 9, 2.21, BAD), (0, now + 10, 2.22, GOOD)], clock)
    assert again.rows.quality.tolist() == [BAD, GOOD]  # a change of quality is always told


def test_counters_are_never_kept_back() -> None:
    plant, clock = plant_of(1, 1, deadband=100.0), VirtualClock()
    unit = plant.units[0]
    wide = tuple(replace(p, deadband=100.0) for p in unit.points)
    points = points_of(replace(plant, units=(replace(unit, points=wide),)), clock)
    out = shape(points, [(1, clock.now_ns() + i, float(i), GOOD) for i in range(5)], clock)
    assert len(out.rows) == 5


def test_repeats_and_older_samples_are_dropped_and_counted() -> None:
    plant, clock = plant_of(1, 2), VirtualClock()
    points, now = points_of(plant, clock), clock.now_ns()
    out = shape(
        points,
        [(0, now, 1.0, GOOD), (0, now, 1.0, GOOD), (0, now - 5, 0.5, GOOD), (0, now + 1, 2.0, GOOD)],
        clock,
    )
    assert out.rows.value.tolist() == [1.0, 2.0]
    assert out.doubled == 2
    assert shape(points, [(0, now + 1, 2.0, GOOD)], clock).doubled == 1


def test_a_quality_that_turns_without_a_new_time_is_told_as_our_own_words() -> None:
    plant, clock = plant_of(1, 2), VirtualClock()
    points, now = points_of(plant, clock), clock.now_ns()
    shape(points, [(0, now, 1.0, GOOD)], clock)
    out = shape(points, [(0, now, 1.0, BAD)], clock)
    assert out.rows.quality.tolist() == [BAD | TIME_RECEIVED | RESTATED]


def test_no_time_and_a_time_far_off_become_the_receive_time() -> None:
    plant, clock = plant_of(3, 2), VirtualClock()
    points, now = points_of(plant, clock), clock.now_ns()
    rows = [
        (0, 0, 1.0, GOOD),
        (0, 0, 2.0, GOOD),
        (3, now + 61 * NS, 3.0, GOOD),
        (6, now + 59 * NS, 4.0, GOOD),
    ]
    out = shape(points, rows, clock)
    assert out.rows.t_ns.tolist() == [now, now + 1, now, now + 59 * NS]
    assert out.rows.quality.tolist() == [TIME_RECEIVED, TIME_RECEIVED, TIME_RECEIVED, GOOD]


def test_an_old_value_is_no_wrong_clock() -> None:
    plant, clock = plant_of(2, 2), VirtualClock()
    points, now = points_of(plant, clock), clock.now_ns()
    hour = 3600 * NS
    fresh = shape(points, [(0, now - hour, 1.0, GOOD)], clock, settled=False)
    assert fresh.rows.t_ns.tolist() == [now - hour]  # sent once after connecting
    mixed = shape(points, [(1, now - hour, 1.0, GOOD), (0, now, 2.0, GOOD)], clock)
    assert mixed.rows.quality.tolist() == [GOOD, GOOD]  # its unit's clock is right
    behind = shape(points, [(3, now - hour, 1.0, GOOD), (4, now - hour, 2.0, GOOD)], clock)
    assert behind.rows.quality.tolist() == [TIME_RECEIVED, TIME_RECEIVED]


def test_points_of_nobody_are_counted_and_left_out() -> None:
    plant, clock = plant_of(1, 2), VirtualClock()
    out = shape(
        points_of(plant, clock),
        [(-1, 1, 1.0, GOOD), (99, 1, 1.0, GOOD), (0, clock.now_ns(), 1.0, GOOD)],
        clock,
    )
    assert (len(out.rows), out.unknown) == (1, 2)


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(1, 12),
        st.sampled_from([0.0, 0.2, 0.4, 1.0]),
        st.sampled_from([GOOD, BAD]),
    ),
    max_size=40,
)


@given(SAMPLES, st.integers(0, 40))
def test_all_at_once_is_one_after_the_other(samples: list[tuple[int, int, float, int]], cut: int) -> None:
    plant = plant_of(1, 4, deadband=0.3)
    clock = VirtualClock()
    rows = [(p, clock.now_ns() + t, v, q) for p, t, v, q in samples]
    together, alone = points_of(plant, clock), points_of(plant, clock)
    parts = [shape(together, part, clock) for part in (rows[:cut], rows[cut:])]
    single = [shape(alone, [row], clock) for row in rows]
    for column in ("point", "t_ns", "value", "quality"):
        whole = np.concatenate([getattr(p.rows, column) for p in parts])
        assert whole.tolist() == [x for s in single for x in getattr(s.rows, column).tolist()]
    assert sum(p.doubled for p in parts) == sum(s.doubled for s in single)
    assert sum(len(p.kept_point) for p in parts) == sum(len(s.kept_point) for s in single)
    assert together.value[:4].tolist() == alone.value[:4].tolist() or np.isnan(together.value[:4]).any()
