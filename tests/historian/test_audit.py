"""The auditor can fail: it sees what is lost, what is doubled, and what is merely in the ledger or kept back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.historian.feed import Memory, Row
from tests.sense.factory import NS, Device, plant_of
from zhongshu.historian.audit import Auditor
from zhongshu.historian.holes import LIMITS, Holes
from zhongshu.kernel.clock import VirtualClock
from zhongshu.model.batch import BAD, RESTATED, TIME_RECEIVED
from zhongshu.model.messages import GapRecorded
from zhongshu.model.numbering import NO_ANCHOR, Numbered, numbered
from zhongshu.model.plant import Plant


class Court:
    """Devices, a history and the auditor; ``keep`` decides about every sample."""

    def __init__(self, directory: Path, plant: Plant | None = None) -> None:
        self.plant, self.clock = plant or plant_of(units=3, points=5), VirtualClock()
        self.memory = Memory(directory)
        self.numbered: Numbered = numbered(self.plant)
        self.holes = Holes(["c0"])
        self.path = directory / "audit.json"
        self.devices = [Device(unit, seed) for seed, unit in enumerate(self.plant.units)]
        self.counter_ns = np.full(len(self.plant.units), NO_ANCHOR, np.int64)
        self.auditor = self.another()
        self.found: list[GapRecorded] = []

    def another(self) -> Auditor:
        return Auditor(self.plant, self.numbered, self.memory.history, self.holes, self.clock, self.path)

    async def tick(self, seconds: float, *, lose: int = 0, again: int = 0, keep_back: int = 0) -> list[Row]:
        """Five ticks a second; of device 1 the first so many samples are lost, doubled, or kept back by a deadband."""
        gone: list[Row] = []
        for _ in range(round(seconds * 5)):
            for index, device in enumerate(self.devices):
                rows = [(p, t, v, 0) for p, t, v in device.tick(self.clock.now_ns())]
                if index == 1:
                    rows, dropped = self.without_counter(rows, lose)
                    lose -= len(dropped)
                    gone += dropped
                    extra = rows[: min(again, len(rows))]
                    again -= len(extra)
                    rows, kept = self.without_counter(rows + extra, keep_back)
                    keep_back -= len(kept)
                    if kept:
                        columns = (np.array([k[i] for k in kept]) for i in (0, 1))
                        self.auditor.kept_back(self.memory.seq + 1, *columns)
                if rows:
                    self.memory.add(rows)
                    counters = [t for p, t, *_ in rows if self.numbered.is_counter[p]]
                    self.counter_ns[index] = max([self.counter_ns[index], *counters])
            await self.clock.forward(0.2)
        self.auditor.read_up_to(self.memory.seq)
        return gone

    def without_counter(self, rows: list[Row], n: int) -> tuple[list[Row], list[Row]]:
        gone = [row for row in rows if not self.numbered.is_counter[row[0]]][: max(0, n)]
        return [row for row in rows if row not in gone], gone

    async def judge(self, seconds: float = 40.0) -> Auditor:
        for _ in range(round(seconds / 5)):
            await self.tick(5)
            self.found += self.auditor.audit(self.counter_ns)
        return self.auditor

    def gap(self, start_ns: int, end_ns: int, missing: int, key: str = "g") -> None:
        unit = self.plant.units[1].id
        self.auditor.gap(GapRecorded("p", "sense", 0, key, "c0", unit, (), start_ns, end_ns, missing, "x"))


async def test_nothing_lost_nothing_doubled(tmp_path: Path) -> None:
    totals = (await Court(tmp_path).judge(60)).totals
    assert (totals.lost, totals.doubled, totals.unjudged) == (0, 0, 0)
    assert totals.judged > 500


async def test_a_lost_sample_is_seen(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    await court.tick(5, lose=17)
    assert (await court.judge(50)).totals.lost == 17


async def test_a_doubled_row_is_seen(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    await court.tick(5, again=9)
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled) == (0, 9)


async def test_what_a_deadband_kept_back_is_not_lost(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    await court.tick(5, keep_back=13)
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled) == (0, 0)


async def test_what_is_in_the_ledger_is_not_lost_and_the_rest_is(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    gone = await court.tick(1, lose=10)
    court.gap(min(r[1] for r in gone), max(r[1] for r in gone), 99)
    court.gap(min(r[1] for r in gone), max(r[1] for r in gone), 8)  # the newest word counts
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled, court.auditor.gaps) == (2, 0, 1)


async def test_where_nobody_can_know_there_is_no_verdict(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    gone = await court.tick(1, lose=10)
    court.gap(min(r[1] for r in gone), max(r[1] for r in gone), -1)
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled) == (0, 0)
    assert totals.unjudged > 0


async def test_a_hole_in_the_stream_becomes_a_gap_with_the_exact_count(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    court.holes.read("c0", court.clock.now_ns())
    court.holes.tear("", LIMITS)
    await court.tick(2, lose=21)
    court.holes.read("c0", court.clock.now_ns())
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled) == (0, 0)
    assert sum(gap.missing for gap in court.found) == 21
    assert {(gap.unit, gap.cause) for gap in court.found} == {(court.plant.units[1].id, LIMITS)}


async def test_our_own_words_are_no_samples(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    now = court.clock.now_ns()
    court.memory.add([(p.id, now, 1.0, BAD | TIME_RECEIVED | RESTATED) for p in court.plant.points])
    court.memory.add([(p.id, now, 1.0, TIME_RECEIVED | RESTATED) for p in court.plant.points])
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled, totals.unjudged) == (0, 0, 0)


async def test_rows_without_a_source_time_leave_their_window_unjudged(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    court.memory.add([(court.plant.units[0].points[0].id, court.clock.now_ns() + 1, 1.0, TIME_RECEIVED)])
    totals = (await court.judge(50)).totals
    assert (totals.lost, totals.doubled, totals.unjudged) == (0, 0, 1)


async def test_a_restart_judges_on_and_keeps_the_totals(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    await court.tick(1, lose=4)
    await court.judge(45)
    await court.tick(1, keep_back=6)
    court.auditor.audit(court.counter_ns)
    court.auditor.save()
    lost, seq = court.auditor.totals.lost, court.auditor.seq
    assert lost == 4
    await court.tick(20, lose=3)
    court.auditor = court.another()
    court.auditor.load()
    assert (court.auditor.totals.lost, court.auditor.seq) == (lost, seq)
    totals = (await court.judge(60)).totals
    assert (totals.lost, totals.doubled) == (7, 0)
    court.path.write_text("{broken")
    court.another().load()


async def test_a_unit_that_comes_back_after_hours_is_judged_over_all_of_them(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    gone = court.devices[1]
    court.devices[1] = Device(court.plant.units[1], 9)
    court.devices[1].count = gone.count
    for _ in range(40):
        court.devices[1].tick(court.clock.now_ns())  # nobody hears it
        await court.clock.forward(60)
    missing = court.devices[1].count - gone.count
    totals = (await court.judge(60)).totals
    assert totals.lost == missing
    assert totals.judged > missing


async def test_a_historian_that_loses_a_batch_says_how_many_values(tmp_path: Path) -> None:
    court = Court(tmp_path)
    await court.judge(20)
    real, lost = court.memory.add, 0

    def forgetful(rows: list[Row]) -> None:
        nonlocal lost
        if lost == 0 and not any(court.numbered.is_counter[r[0]] for r in rows):
            lost = len(rows)
            return
        real(rows)

    court.memory.add = forgetful  # type: ignore[method-assign]
    await court.tick(2)
    court.memory.add = real  # type: ignore[method-assign]
    assert (await court.judge(50)).totals.lost == lost > 0


def test_latency_is_measured_in_wall_time(tmp_path: Path) -> None:
    from zhongshu.historian.latency import Latency
    from zhongshu.kernel.clock import ScaledClock, wall_clock

    clock = ScaledClock(wall_clock().wall_ns(), 1_767_225_600 * NS, speed=60.0)
    latency = Latency(clock)
    wall = clock.wall_ns()
    ages_ms = np.concatenate([np.full(98, 20.0), np.full(2, 900.0)])
    t_ns = np.array([clock.to_plant_ns(wall - round(age * 1e6)) for age in ages_ms])
    latency.add(t_ns, wall)
    p50, p99 = latency.quantiles_ms(0.5, 0.99)
    assert 20 <= p50 < 22
    assert 900 <= p99 < 960
