"""The pure functions of the numbering, held against counting by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sense.factory import plant_of
from zhongshu.model.batch import BAD, GOOD, RESTATED, TIME_RECEIVED, UNCERTAIN
from zhongshu.model.numbering import (
    NO_ANCHOR,
    UNKNOWN,
    Anchors,
    countable,
    counted,
    decode_samples,
    encode_samples,
    numbered,
    placed,
    windows,
)

UNITS = 3
#: Per unit a list of ticks: how many samples, whether the counter is among them, which are dropped.
TICKS = st.lists(
    st.tuples(st.integers(0, UNITS - 1), st.integers(1, 5), st.booleans(), st.integers(0, 5)),
    min_size=1,
    max_size=60,
)


def made_and_received(
    ticks: list[tuple[int, int, bool, int]],
) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
    """Rows (unit, time, count or -1) that arrive, and per unit the samples dropped in all."""
    count = dict.fromkeys(range(UNITS), 0)
    rows: list[tuple[int, int, int]] = []
    for t_ns, (unit, size, with_counter, drop) in enumerate(ticks):
        new = [(unit, t_ns, -1)] * size
        count[unit] += size
        if with_counter:
            new[-1] = (unit, t_ns, count[unit])
        rows += new[min(drop, size) :]
    return rows, count


def by_hand(rows: list[tuple[int, int, int]], unit: int) -> list[tuple[int, int, int]]:
    """Per pair of counter samples that arrived: start, end, missing."""
    counters = sorted((t, c) for u, t, c in rows if u == unit and c >= 0)
    found = []
    for (t1, c1), (t2, c2) in itertools.pairwise(counters):
        there = sum(1 for u, t, _ in rows if u == unit and t1 < t <= t2)
        found.append((t1, t2, c2 - c1 - there))
    return found


@given(TICKS, st.randoms())
def test_windows_find_exactly_what_is_missing(
    ticks: list[tuple[int, int, bool, int]], random: object
) -> None:
    rows, _ = made_and_received(ticks)
    random.shuffle(rows)  # type: ignore[attr-defined]
    unit = np.array([r[0] for r in rows], np.int32)
    t_ns = np.array([r[1] for r in rows], np.int64)
    count = np.array([r[2] for r in rows], np.int64)
    counter = count >= 0
    anchors = Anchors.none(UNITS)
    ends = windows(unit[counter], t_ns[counter], count[counter], anchors)
    missing = ends.made - counted(ends, unit, t_ns)
    for u in range(UNITS):
        mine = ends.unit == u
        found = list(zip(ends.start_ns[mine], ends.end_ns[mine], missing[mine], strict=True))
        assert found == by_hand(rows, u)


@given(TICKS, st.integers(1, 59))
def test_judging_in_two_steps_is_judging_at_once(ticks: list[tuple[int, int, bool, int]], cut: int) -> None:
    rows, _ = made_and_received(ticks)
    counters = sorted((t, u, c) for u, t, c in rows if c >= 0)
    anchors, found = Anchors.none(UNITS), []
    for part in (counters[:cut], counters[cut:]):
        unit = np.array([u for _, u, _ in part], np.int32)
        t_ns, count = (np.array([p[i] for p in part], np.int64) for i in (0, 2))
        ends = windows(unit, t_ns, count, anchors)
        anchors.advance(ends)
        found += list(zip(ends.unit, ends.start_ns, ends.end_ns, ends.made, strict=True))
    both = Anchors.none(UNITS)
    unit = np.array([u for _, u, _ in counters], np.int32)
    t_ns, count = (np.array([p[i] for p in counters], np.int64) for i in (0, 2))
    once = windows(unit, t_ns, count, both)
    assert sorted(found) == sorted(zip(once.unit, once.start_ns, once.end_ns, once.made, strict=True))


def test_a_counter_that_fell_leaves_the_count_unknown() -> None:
    anchors = Anchors.none(1)
    unit = np.zeros(3, np.int32)
    ends = windows(unit, np.array([10, 20, 30]), np.array([100, 7, 9]), anchors)
    assert ends.made.tolist() == [UNKNOWN, 2]


def test_a_unit_without_anchor_gets_one_and_no_window() -> None:
    anchors = Anchors.none(2)
    ends = windows(np.array([1], np.int32), np.array([50]), np.array([7]), anchors)
    assert len(ends) == 0
    assert anchors.t_ns.tolist() == [NO_ANCHOR, 50]
    assert anchors.count[1] == 7


def test_only_samples_of_devices_count() -> None:
    qualities = [
        GOOD,
        UNCERTAIN,
        BAD,
        GOOD | TIME_RECEIVED,
        BAD | TIME_RECEIVED,
        GOOD | RESTATED,
        BAD | RESTATED,
    ]
    quality = np.array(qualities, np.uint8)
    assert countable(quality).tolist() == [True, True, True, True, False, False, False]
    assert placed(quality).tolist() == [True, True, True, False, False, True, True]


def test_where_numbering_is_found_in_a_plant() -> None:
    plant = plant_of(units=2, points=3)
    found = numbered(plant)
    assert found.counter.tolist() == [3, 7]
    assert found.unit_of.tolist() == [0] * 4 + [1] * 4
    assert np.flatnonzero(found.is_counter).tolist() == [3, 7]
    bare = numbered(plant_of(units=1, points=2, numbered=False))
    assert bare.has(np.array([0, -1], np.int32)).tolist() == [False, False]


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(-(2**62), 2**62)), max_size=50))
def test_samples_survive_the_header(samples: list[tuple[int, int]]) -> None:
    point = np.array([s[0] for s in samples], np.int32)
    t_ns = np.array([s[1] for s in samples], np.int64)
    text = encode_samples(point, t_ns)
    assert text.isascii()
    assert "\n" not in text
    back = decode_samples(text)
    assert sorted(zip(*(column.tolist() for column in back), strict=True)) == sorted(samples)


@pytest.mark.parametrize(
    "text", ["", "x", "eJw=", "AAAA", encode_samples(np.array([1], np.int32), np.array([1]))[:-8]]
)
def test_a_header_that_is_no_list_of_samples_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode_samples(text)
