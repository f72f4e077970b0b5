"""The rhythm of looks and the tally of scans, by themselves, against thousands of simulated scans."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhongshu.connectors.modbus.rhythm import Rhythm
from zhongshu.connectors.modbus.tally import Tally

P = 2_000_000_000
START = 1_767_225_600 * 10**9


def follow(
    scans: int, server_late: float, our_late: float, offset: int, seed: int, period_off: float = 0.0
) -> tuple[int, int]:
    """(scans missed after the first five, looks) where each scan and each look may be late by these parts of a period."""
    rng = random.Random(seed)
    period = round(P * (1 + period_off))
    shown = [START + k * period + round(rng.random() * server_late * P) for k in range(scans)]
    rhythm, tally = Rhythm(P), Tally(1)
    now, missed, looks, newest = START + rng.randrange(P), 0, 0, -1
    while now < shown[-1]:
        now += 1_000_000 + round(rng.random() * our_late * P)
        looks += 1
        while newest + 1 < scans and shown[newest + 1] <= now:
            newest += 1
        scan_ns = START + newest * period + offset
        verdict = tally.judge(newest + 1, scan_ns)
        if not verdict.fresh:
            now = rhythm.stale(now)
            continue
        missed += verdict.missing if newest > 5 else 0
        tally.keep(newest + 1, scan_ns)
        now = rhythm.fresh(scan_ns, now, missed=bool(verdict.missing))
    return missed, looks


OFFSETS = [0, 30_000_000, P // 2, -P // 2, P, 3600 * 10**9, -8 * 3600 * 10**9]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(OFFSETS), st.integers(0, 10**6))
def test_nothing_is_missed_when_scans_or_looks_are_late(offset: int, seed: int) -> None:
    assert follow(150, 0.4, 0.0, offset, seed)[0] == 0
    assert follow(150, 0.0, 0.4, offset, seed)[0] == 0
    assert follow(150, 0.2, 0.2, offset, seed)[0] == 0


@pytest.mark.parametrize("offset", OFFSETS)
def test_one_look_a_scan_is_the_rule(offset: int) -> None:
    scans = 1000
    missed, looks = follow(scans, 0.01, 0.01, offset, 1)
    assert missed == 0 and 1.0 <= looks / scans < 1.3


@pytest.mark.parametrize("drift", [-1e-3, 1e-3])
def test_a_clock_that_drifts_is_followed(drift: float) -> None:
    missed, looks = follow(3000, 0.01, 0.01, 0, 3, period_off=drift)
    assert missed == 0 and looks / 3000 < 1.5


def test_scans_that_stand_still_are_not_hammered() -> None:
    rhythm = Rhythm(P)
    now = rhythm.fresh(START, START)
    looks = 0
    while now < START + 100 * P:
        now = rhythm.stale(now)
        looks += 1
    assert looks < 2.5 * 100


def test_the_tally_counts_samples_exactly() -> None:
    tally = Tally(40)
    assert not tally.judge(0, 0).fresh, "before the first scan"
    assert tally.judge(400, 10).missing == 0, "what was before us is not ours"
    tally.keep(400, 10)
    assert not tally.judge(400, 10).fresh and not tally.judge(400, 12).fresh
    assert tally.judge(440, 20) == (True, False, 0, 0, 0)
    assert tally.judge(560, 50) == (True, False, 120, 11, 49)
    for count, t_ns in ((40, 60), (440, 5), (400, 9)):
        verdict = tally.judge(count, t_ns)
        assert verdict.fresh and verdict.restarted and verdict.missing == -1
