"""Sense as a whole, in virtual time, against devices that number their samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from tests.sense.bench_bus import FlakyBus
from tests.sense.factory import NS, Device, plant_of, reads
from zhongshu.kernel.clock import VirtualClock
from zhongshu.model.batch import BAD, GOOD, QUALITY_MASK, RESTATED
from zhongshu.model.messages import TextReported
from zhongshu.model.numbering import countable
from zhongshu.model.plant import Plant
from zhongshu.sense import Sense, lane


class Bench:
    """A plant, its devices, a bus and sense between them."""

    def __init__(
        self, plant: Plant, bus: FlakyBus | None = None, clock: VirtualClock | None = None, **options: int
    ) -> None:
        self.plant, self.bus, self.clock = plant, bus or FlakyBus(), clock or VirtualClock()
        self.sense = Sense(plant, self.bus, None, self.clock, **options)
        self.devices = [Device(unit, seed) for seed, unit in enumerate(plant.units)]
        self.sinks = {c.id: self.sense.sink(c) for c in plant.connections}
        self.task: asyncio.Task[None] | None = None

    async def start(self, *, connected: bool = True) -> None:
        self.task = asyncio.create_task(self.sense.run())
        await asyncio.sleep(0)
        if connected:
            for sink in self.sinks.values():
                sink.connected()

    async def kill(self) -> None:
        """Sense is gone at once: nothing of what it holds goes out."""
        assert self.task is not None
        self.bus.down = True
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task
        self.bus.down = False

    async def run(
        self, seconds: float, *, silent: tuple[int, ...] = (), dropped: tuple[int, ...] = ()
    ) -> int:
        """Ticks every 100 ms; ``silent`` devices make nothing, what ``dropped`` ones make is lost. Returns how much."""
        lost = 0
        for _ in range(round(seconds * 10)):
            for index, device in enumerate(self.devices):
                if index in silent:
                    continue
                rows = device.tick(self.clock.now_ns())
                if index in dropped:
                    lost += len(rows)
                else:
                    self.sinks[device.unit.connection].reads(reads(rows, self.clock.wall_ns()))
            await self.clock.forward(0.1)
        return lost


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench(plant_of(units=4, points=6))
    await bench.start()
    yield bench
    assert bench.task is not None
    bench.task.cancel()


async def device_rows(bench: Bench) -> list[tuple[int, int, float]]:
    return [(p, t, v) for p, t, v, q in await bench.bus.rows() if countable(np.array([q], np.uint8))[0]]


async def test_everything_made_is_published_once_and_in_order(bench: Bench) -> None:
    await bench.run(5)
    await bench.clock.forward(1)
    rows = await device_rows(bench)
    assert sorted(rows) == sorted(row for device in bench.devices for row in device.made)
    for point in range(len(bench.plant.points)):
        times = [t for p, t, _ in rows if p == point]
        assert times == sorted(set(times))
    assert await bench.bus.gaps() == []


async def test_a_thousand_numbered_samples_that_vanish_are_exactly_those_in_the_ledger(bench: Bench) -> None:
    await bench.run(5)
    lost = 0
    while lost < 1000:  # device by device, tick by tick, until exactly 1,000 are gone
        device = bench.devices[2]
        rows = device.tick(bench.clock.now_ns())
        drop = rows[: 1000 - lost]
        lost += len(drop)
        if len(rows) > len(drop):
            bench.sinks["c0"].reads(reads(rows[len(drop) :], bench.clock.wall_ns()))
        bench.sinks["c0"].alive()
        await bench.clock.forward(0.01)
    await bench.run(5)
    await bench.clock.forward(4)
    gaps = await bench.bus.gaps()
    assert sum(gap.missing for gap in gaps) == 1000
    assert {gap.unit for gap in gaps} == {bench.devices[2].unit.id}
    assert {gap.cause for gap in gaps} == {"unexplained"}
    made = sum(len(device.made) for device in bench.devices)
    assert made == len(await device_rows(bench)) + 1000


async def test_a_lost_connection_is_one_gap_a_unit_with_the_exact_count(bench: Bench) -> None:
    await bench.run(4)
    sink = bench.sinks["c0"]
    sink.lost("cable")
    lost = await bench.run(6, dropped=(0, 1, 2, 3))
    sink.connected()
    await bench.run(6)
    gaps = await bench.bus.gaps()
    assert sum(gap.missing for gap in gaps) == lost
    assert sorted(gap.unit for gap in gaps) == [unit.id for unit in bench.plant.units]
    assert {gap.cause for gap in gaps} == {"connection_lost"}
    assert [link for link in await bench.bus.links() if not link[0]] == [
        ("", True, ""),
        ("", False, "cable"),
        ("", True, ""),
    ]


async def test_a_drop_in_which_nothing_was_made_is_no_gap(bench: Bench) -> None:
    await bench.run(4)
    bench.sinks["c0"].lost("cable")
    await bench.clock.forward(5)
    bench.sinks["c0"].connected()
    await bench.run(6)
    assert await bench.bus.gaps() == []
    assert ("", False, "cable") in await bench.bus.links()


async def test_lost_points_turn_bad_at_once_and_come_back_with_what_the_source_still_says(
    bench: Bench,
) -> None:
    await bench.run(3)
    before = {p: v for p, _, v, _ in await bench.bus.rows()}
    bench.sinks["c0"].lost("cable")
    await bench.clock.forward(0.1)
    newest = {p: (v, q) for p, _, v, q in await bench.bus.rows()}
    assert set(newest) == set(before)
    assert all(q & QUALITY_MASK == BAD and q & RESTATED for _, q in newest.values())
    assert all(newest[p][0] == v for p, v in before.items())
    bench.sinks["c0"].connected()
    await bench.clock.forward(3)  # the devices say nothing new
    again = {p: (v, q) for p, _, v, q in await bench.bus.rows()}
    assert all(q & QUALITY_MASK == GOOD and q & RESTATED for _, q in again.values())
    assert {p: v for p, (v, _) in again.items()} == before
    assert len(await device_rows(bench)) == sum(len(d.made) for d in bench.devices)


async def test_a_silent_unit_turns_bad_and_a_quiet_one_that_is_alive_does_not(bench: Bench) -> None:
    await bench.run(2)
    for _ in range(50):
        bench.sinks["c0"].alive([bench.plant.units[1].id])
        await bench.run(0.1, silent=(0, 1))
    newest = {p: q & QUALITY_MASK for p, _, _, q in await bench.bus.rows()}
    owner = {p.id: unit.id for unit in bench.plant.units for p in unit.points}
    assert {owner[p] for p, q in newest.items() if q == BAD} == {bench.plant.units[0].id}
    assert (bench.plant.units[0].id, False, "unit_silent") in await bench.bus.links()
    await bench.run(3)
    newest = {p: q & QUALITY_MASK for p, _, _, q in await bench.bus.rows()}
    assert set(newest.values()) == {GOOD}


async def test_a_unit_that_its_protocol_calls_lost_is_bad_until_it_is_up(bench: Bench) -> None:
    await bench.run(2)
    unit = bench.plant.units[3].id
    bench.sinks["c0"].unit_lost(unit, "death")
    for _ in range(30):
        bench.sinks["c0"].alive()
        await bench.run(0.1, silent=(3,))
    ids = {p.id for p in bench.plant.units[3].points}
    newest = {p: q & QUALITY_MASK for p, _, _, q in await bench.bus.rows()}
    assert {p for p, q in newest.items() if q == BAD} == ids
    bench.sinks["c0"].unit_up(unit)
    await bench.run(3)
    newest = {p: q & QUALITY_MASK for p, _, _, q in await bench.bus.rows()}
    assert set(newest.values()) == {GOOD}
    assert [link for link in await bench.bus.links() if link[0] == unit][-2:] == [
        (unit, False, "death"),
        (unit, True, ""),
    ]


async def test_a_point_never_heard_of_stays_absent(bench: Bench) -> None:
    await bench.run(2, silent=(0,))
    bench.sinks["c0"].lost("cable")
    await bench.clock.forward(1)
    bench.sinks["c0"].connected()
    await bench.clock.forward(3)
    heard = {p for p, _, _, _ in await bench.bus.rows()}
    assert heard.isdisjoint({p.id for p in bench.plant.units[0].points})


async def test_a_sample_older_than_our_own_word_is_not_hidden_by_it(bench: Bench) -> None:
    await bench.run(2)
    sink, point = bench.sinks["c0"], bench.plant.units[0].points[0].id
    t_ns = bench.clock.now_ns()
    await bench.clock.forward(0.2)
    sink.lost("cable")
    await bench.clock.forward(1)
    sink.connected()
    await bench.clock.forward(2)
    sink.reads(
        reads([(point, t_ns, 42.0)], bench.clock.wall_ns())
    )  # made before the loss, delivered after it
    await bench.clock.forward(2)
    newest = max((t, i, v, q) for i, (p, t, v, q) in enumerate(await bench.bus.rows()) if p == point)
    assert (newest[2], newest[3] & QUALITY_MASK) == (42.0, GOOD)


async def test_the_bus_may_be_away_for_as_long_as_the_queue_lasts(bench: Bench) -> None:
    await bench.run(2)
    bench.bus.down = True
    await bench.run(20)
    bench.bus.down = False
    await bench.run(4)
    await bench.clock.forward(2)
    assert sorted(await device_rows(bench)) == sorted(row for d in bench.devices for row in d.made)
    assert await bench.bus.gaps() == []


async def test_what_the_queue_cannot_hold_is_in_the_ledger_to_the_sample() -> None:
    bench = Bench(plant_of(units=4, points=6), room_samples=1500)
    await bench.start()
    await bench.run(2)
    bench.bus.down = True
    await bench.run(1)
    for _ in range(190):
        bench.sinks["c0"].alive()
        await bench.run(0.1, silent=(0,))
    bench.bus.down = False
    for _ in range(100):  # device 0 has nothing new to say, so only we can say what got lost
        bench.sinks["c0"].alive()
        await bench.run(0.1, silent=(0,))
    newest = {p: v for p, _, v, _ in await bench.bus.rows()}
    assert newest == {row[0]: row[2] for d in bench.devices for row in d.made}
    await bench.run(5)
    await bench.clock.forward(4)
    made = sum(len(d.made) for d in bench.devices)
    rows = await device_rows(bench)
    gaps = await bench.bus.gaps()
    assert made > len(rows) + 500
    assert made == len(rows) + sum(gap.missing for gap in gaps)
    assert {gap.cause for gap in gaps} == {"bus_out_of_reach"}
    assert bench.task is not None
    bench.task.cancel()


async def test_an_unnumbered_unit_has_gaps_as_well() -> None:
    bench = Bench(plant_of(units=2, points=4, numbered=False), room_samples=300)
    await bench.start()
    await bench.run(2)
    bench.sinks["c0"].lost("cable")
    await bench.clock.forward(3)
    bench.sinks["c0"].connected()
    await bench.run(2)
    assert [(g.missing, g.cause) for g in await bench.bus.gaps()] == [(-1, "connection_lost")] * 2
    bench.bus.down = True
    await bench.run(20)
    bench.bus.down = False
    await bench.run(3)
    dropped = sum(g.missing for g in await bench.bus.gaps() if g.cause == "bus_out_of_reach")
    assert dropped == sum(len(d.made) for d in bench.devices) - len(await device_rows(bench)) > 0
    bench.sinks["c0"].missed("overflow", units=["u0-1"], start_ns=1, end_ns=2, missing=7)
    await bench.clock.forward(1)
    assert [(g.unit, g.missing) for g in await bench.bus.gaps() if g.cause == "overflow"] == [("u0-1", 7)]
    assert bench.task is not None
    bench.task.cancel()


async def test_what_the_bus_stored_without_saying_so_is_not_stored_twice(bench: Bench) -> None:
    await bench.run(1)
    for _ in range(5):
        bench.bus.doubtful = True
        await bench.run(1)
    rows = await device_rows(bench)
    assert len(rows) == len(set(rows))
    assert await bench.bus.gaps() == []


async def test_a_protocol_s_own_report_gives_the_cause(bench: Bench) -> None:
    await bench.run(3)
    begun = bench.clock.now_ns()
    lost = await bench.run(1, dropped=(1,))
    unit = bench.plant.units[1].id
    bench.sinks["c0"].missed(
        "queue_overflow", units=[unit], start_ns=begun, end_ns=bench.clock.now_ns(), missing=-1
    )
    await bench.run(5)
    gaps = await bench.bus.gaps()
    assert sum(g.missing for g in gaps) == lost
    assert {g.cause for g in gaps} == {"queue_overflow"}


async def test_a_late_sample_makes_its_gap_smaller(bench: Bench) -> None:
    await bench.run(3)
    assert bench.devices[0].ticks % 2 == 0
    await bench.run(0.1)
    rows = bench.devices[0].tick(bench.clock.now_ns())  # ends with a counter sample
    held, rest = rows[0], rows[1:]
    bench.sinks["c0"].reads(reads(rest, bench.clock.wall_ns()))
    for _ in range(40):
        bench.sinks["c0"].alive()
        await bench.run(0.1, silent=(0,))
    assert [g.missing for g in await bench.bus.gaps()] == [1]
    bench.sinks["c0"].reads(reads([held], bench.clock.wall_ns()))
    await bench.clock.forward(3)
    assert [g.missing for g in await bench.bus.gaps()] == [0]
    assert bench.sense.figures()["surplus"] == 0


async def test_a_device_that_counts_anew_leaves_one_unknown(bench: Bench) -> None:
    await bench.run(3)
    bench.devices[0].count = 0
    await bench.run(5)
    assert [(g.missing, g.cause) for g in await bench.bus.gaps()] == [(-1, "device_restarted")]


async def test_what_is_read_before_the_bus_is_there_waits_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane, "EARLY_SAMPLES", 100)
    bench = Bench(plant_of(units=4, points=6))
    for sink in bench.sinks.values():
        sink.connected()
    await bench.run(3)
    figures = bench.sense.figures()
    assert figures["waiting"] <= 100
    assert figures["waiting"] + figures["dropped"] == sum(len(device.made) for device in bench.devices)
    await bench.start()
    await bench.clock.forward(1)
    assert len(await device_rows(bench)) == figures["waiting"]
    assert bench.task is not None
    bench.task.cancel()


async def test_text_goes_on_as_an_event(bench: Bench) -> None:
    bench.sinks["c0"].text(3, 5 * NS, "E42")
    await bench.clock.forward(1)
    assert [(e.point, e.text) for e in await bench.bus.told() if isinstance(e, TextReported)] == [(3, "E42")]
