"""Sense is killed and started again: the bus says where it stopped, nothing is doubled, what is missing is in the ledger."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from tests.sense.bench_bus import FlakyBus
from tests.sense.factory import plant_of, reads
from tests.sense.test_sense import Bench, device_rows
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Gap
from zhongshu.model.batch import BAD, QUALITY_MASK
from zhongshu.model.messages import GapRecorded
from zhongshu.sense.ledger import Ledger


async def restarted(bench: Bench) -> Bench:
    """Another process on the same bus; the devices are the same and go on."""
    again = Bench(bench.plant, bench.bus, bench.clock)
    again.devices = bench.devices
    await again.start(connected=False)
    return again


def current(bench: Bench) -> list[tuple[int, int, float]]:
    """What every source says when it is asked: the newest sample of each point, with its own old time."""
    newest = {row[0]: row for device in bench.devices for row in device.made}
    return [newest[point] for point in sorted(newest)]


async def test_after_a_kill_the_gap_is_exact_and_nothing_is_doubled() -> None:
    for seconds in (2.0, 3.3, 70.0):  # before and after the first snapshot, and with one that has followers
        bench = Bench(plant_of(units=4, points=6, deadband=0.2))
        await bench.start()
        await bench.run(seconds)
        await bench.kill()
        await bench.run(5, dropped=(0, 1, 2, 3))
        again = await restarted(bench)
        again.sinks["c0"].reads(reads(current(again), again.clock.wall_ns()))
        again.sinks["c0"].connected()
        await again.run(6)
        await again.clock.forward(4)
        rows = await device_rows(again)
        gaps = await again.bus.gaps()
        kept = await again.bus.kept_back()
        made = sum(len(device.made) for device in again.devices)
        assert len(rows) == len({(p, t) for p, t, _ in rows})
        assert made == len(rows) + kept + sum(g.missing for g in gaps)
        assert {g.cause for g in gaps} == {"process_restart"}
        assert {g.unit for g in gaps} == {u.id for u in again.plant.units}
        await again.kill()


async def test_what_a_deadband_kept_back_is_not_taken_for_new_when_it_is_said_again() -> None:
    for seconds in (5.0, 64.0):
        bench = Bench(plant_of(units=4, points=6, deadband=1.5))
        await bench.start()
        await bench.run(seconds)
        await bench.clock.forward(0.5)
        await bench.kill()
        again = await restarted(bench)
        again.sinks["c0"].reads(reads(current(again), again.clock.wall_ns()))
        again.sinks["c0"].connected()
        await again.clock.forward(0.3)
        assert again.sense.figures()["kept_back"] == 0
        await again.run(6)
        await again.clock.forward(4)
        assert again.sense.figures()["surplus"] == 0
        assert await again.bus.gaps() == []
        await again.kill()


async def test_without_deadbands_every_sample_is_a_row_or_in_the_ledger() -> None:
    bench = Bench(plant_of(units=4, points=6))
    for seconds in (2.2, 1.1, 3.7, 61.0):
        await bench.start(connected=False)
        bench.sinks["c0"].reads(reads(current(bench), bench.clock.wall_ns())) if bench.devices[
            0
        ].made else None
        bench.sinks["c0"].connected()
        await bench.run(seconds)
        await bench.kill()
        await bench.run(1.5, dropped=(0, 1, 2, 3))
        again = Bench(bench.plant, bench.bus, bench.clock)
        again.devices = bench.devices
        bench = again
    await bench.start()
    await bench.run(6)
    await bench.clock.forward(4)
    rows = await device_rows(bench)
    made = sum(len(device.made) for device in bench.devices)
    assert len(rows) == len({(p, t) for p, t, _ in rows})
    assert made == len(rows) + sum(g.missing for g in await bench.bus.gaps())


async def test_values_of_a_source_that_stays_away_turn_bad_after_a_restart() -> None:
    bench = Bench(plant_of(units=2, points=3))
    await bench.start()
    await bench.run(65)
    await bench.kill()
    again = await restarted(bench)
    await again.clock.forward(5)
    newest = {p: q & QUALITY_MASK for p, _, _, q in await again.bus.rows()}
    assert set(newest.values()) == {BAD}
    await again.kill()


async def test_an_orderly_end_sends_what_was_read() -> None:
    bench = Bench(plant_of(units=2, points=3))
    await bench.start()
    await bench.run(2)
    bench.sinks["c0"].reads(reads([(0, bench.clock.now_ns() + 1, 7.0)], bench.clock.wall_ns()))
    assert bench.task is not None
    bench.task.cancel()
    while not bench.task.done():
        await bench.clock.forward(0.1)
    assert (await device_rows(bench))[-1][2] == 7.0


async def test_the_ledger_writes_row_and_event_once(tmp_path: Path) -> None:
    import asyncio

    store, bus = Store(f"sqlite:///{tmp_path / 'store.db'}"), FlakyBus()
    store.migrate()
    bench = Bench(plant_of(), bus)
    ledger = Ledger("p", bus, store, bench.clock)
    task = asyncio.create_task(ledger.run())
    bus.down = True
    for missing in (5, 5, 3):
        gap = GapRecorded("p", "sense", 1, "u.1.9", "c0", "u0-0", (), 1, 9, missing, "unexplained")
        ledger.record(gap, f"gap.{missing}")
    await asyncio.sleep(0.3)
    bus.down = False
    async with asyncio.timeout(10):
        while len(await bus.told()) < 2:
            await bench.clock.forward(1)
            await asyncio.sleep(0.05)
    with store.read() as session:
        assert [(g.id, g.missing) for g in session.scalars(select(Gap))] == [("u.1.9", 3)]
    assert [e.missing for e in await bus.told() if isinstance(e, GapRecorded)] == [5, 3]
    task.cancel()
