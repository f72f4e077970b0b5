"""Between two samples of a device's count lie exactly as many of its samples as the count moved on."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from tests.twin.small import EXACT, PART, STAMP, START_NS, WILD, small_plant
from zhongshu.model import roles
from zhongshu.model.commands import Call, Verb
from zhongshu.model.states import JobState
from zhongshu.twin.floor import Floor
from zhongshu.twin.lots import Where
from zhongshu.twin.scan import Made, Scan
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.timing import TICK_NS, Timing

SAMPLES = {"machines": "change", "packing": "image", "fleet": "image"}


def _scan(truth: TwinTruth = EXACT, seed: int = 1) -> Scan:
    return Scan(Floor(small_plant(), truth, seed, START_NS), SAMPLES)


def _run(scan: Scan, ticks: int, first: int = 0) -> list[Made]:
    made = []
    for tick in range(START_NS // TICK_NS + first, START_NS // TICK_NS + first + ticks):
        scan.floor.advance(tick * TICK_NS)
        made.append(scan.tick(tick, tick * TICK_NS, everything=tick * TICK_NS == START_NS))
    return made


def test_counts_are_exact() -> None:
    scan = _scan(WILD)
    args = {"lot": 1, "product": PART, "operation": STAMP, "quantity": 40}
    scan.floor.called(Call("press-1", Verb.START_JOB, 1, args))
    made = _run(scan, 1200)
    points = scan.points
    since: dict[str, int] = defaultdict(int)
    last: dict[str, float] = {}
    checked = 0
    for batch in made:
        counters = []
        for index, value in zip(batch.index.tolist(), batch.value.tolist(), strict=True):
            since[points[index].unit] += 1
            if points[index].role == roles.SAMPLE_COUNT:
                counters.append((points[index].unit, value))
        for unit, value in counters:
            assert value - last.get(unit, 0) == since[unit]
            last[unit], since[unit] = value, 0
            checked += 1
    assert checked > 600
    assert set(last) == {u.id for u in scan.floor.plant.units}


def test_images_are_whole_and_carry_their_time() -> None:
    scan = _scan()
    made = _run(scan, 50)
    unit = scan.floor.plant.unit_of["pack"]
    own = [i for i, p in enumerate(scan.points) if p.unit == "pack"]
    at = next(i for i in own if scan.points[i].role == roles.SCAN_TIME)
    images = [m for m in made if np.isin(own, m.index).any()]
    assert len(images) in (10, 11)  # 2 Hz for 5 s, and the first tick tells everything
    for image in images:
        assert np.isin(own, image.index).all()
        assert image.value[image.index == at][0] == image.t_ns // 1_000_000
    times = np.diff([m.t_ns for m in images[1:]])
    assert set(times.tolist()) == {5 * TICK_NS}
    counts = [int(m.value[m.index == own[2]][0]) for m in images]
    assert scan.points[own[2]].role == roles.SAMPLE_COUNT
    assert np.diff(counts).tolist() == [len(unit.points)] * (len(images) - 1)


def test_unchanged_values_are_made_available_once() -> None:
    scan = _scan()
    made = _run(scan, 300)
    mode = next(i for i, p in enumerate(scan.points) if p.unit == "press-1" and p.role == roles.UNIT_MODE)
    assert sum(int((m.index == mode).sum()) for m in made) == 1


def test_samples_of_a_tick_share_whole_milliseconds_and_units_are_spread() -> None:
    scan = _scan()
    made = _run(scan, 100)
    assert all(m.t_ns % 1_000_000 == 0 for m in made)
    loads = [len(Timing(small_plant(), SAMPLES).due(tick)) for tick in range(1000)]
    assert max(loads) < 0.75 * len(scan.points)
    assert sum(loads) == pytest.approx(1000 / 10 * _rates(scan), rel=0.02)


def _rates(scan: Scan) -> float:
    """Samples a second that the plant file asks for; job points run together at the pace of the fastest."""
    total = 0.0
    for unit in scan.floor.plant.units:
        fastest = max(
            (p.rate_hz for p in unit.points if p.role.startswith(("job_", "command_"))), default=0.0
        )
        image = SAMPLES[unit.connection] == "image"
        together = {"job_key", "job_state", "job_good", "job_scrap", "command_key", "command_result"}
        for p in unit.points:
            rate = fastest if p.role in together and not image else p.rate_hz
            total += min(10.0, rate)
    return total


def test_raw_values_are_what_the_wire_carries() -> None:
    scan = _scan()
    made = _run(scan, 100)
    index = next(i for i, p in enumerate(scan.points) if p.name == "temperature")
    raw = np.concatenate([m.value[m.index == index] for m in made])
    assert len(raw)
    assert (raw == np.rint(raw)).all()
    assert (np.abs(raw * 0.1 - scan.current[index]) < 20).all()


def test_a_new_job_never_shows_the_last_ones_state_first() -> None:
    """Else nobody could tell the new key's Done from the old one's."""
    scan = _scan()
    state = next(i for i, p in enumerate(scan.points) if p.unit == "wash" and p.role == roles.JOB_STATE)
    key = next(i for i, p in enumerate(scan.points) if p.unit == "wash" and p.role == roles.JOB_KEY)
    floor, shown = scan.floor, []
    for number in (1, 2):
        lot = floor.shop.stock.create(number, PART, 1, "wash")
        lot.done = 1
        floor.shop.stock.move(lot, Where.INPUT, "wash")
        args = {"lot": number, "product": PART, "operation": 20, "quantity": 1}
        floor.called(Call("wash", Verb.START_JOB, number, args))
        floor.advance(floor.now_ns + 60_000_000_000)  # all of it happens between two scans
        for tick in range(40):
            made = scan.tick(tick, floor.now_ns)
            seen = dict(zip(made.index.tolist(), made.value.tolist(), strict=True))
            if key in seen or state in seen:
                shown.append((seen.get(key), seen.get(state)))
    # While nobody looked each job was begun and done; the second Done is told apart from the first.
    assert shown == [(1.0, JobState.DONE), (2.0, JobState.WAITING), (None, JobState.DONE)]


def test_signals_follow_what_the_machine_does_and_its_set_point() -> None:
    scan = _scan()
    force = next(i for i, p in enumerate(scan.points) if p.unit == "press-1" and p.name == "force")
    _run(scan, 100)
    idle = scan.current[force]
    scan.floor.written("press-1", "force_set", 1300.0)
    args = {"lot": 1, "product": PART, "operation": STAMP, "quantity": 40}
    scan.floor.called(Call("press-1", Verb.START_JOB, 1, args))
    _run(scan, 1200, first=100)
    assert idle < 400
    assert abs(scan.current[force] - 1300) < 200
    limits = scan.points[force]
    assert limits.low is not None and limits.high is not None
    assert limits.low <= scan.current[force] <= limits.high
