"""The historian on a bus: what it is told it can tell at once, and whatever is wrong with the bus it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deltalake import DeltaTable

from tests.historian.feed import NS, START_NS, Row, batch_of, until
from tests.sense.factory import plant_of
from zhongshu.historian import writer as writer_module
from zhongshu.historian.client import HistoryClient
from zhongshu.historian.compactor import Keep
from zhongshu.historian.historian import Historian
from zhongshu.historian.query import Offline
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.clock import wall_clock
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.wire import publish_batch, publish_event
from zhongshu.model import subjects
from zhongshu.model.messages import LinkChanged
from zhongshu.model.numbering import SNAPSHOT
from zhongshu.model.plant import Plant

PLANT = plant_of(units=2, points=4)


@asynccontextmanager
async def running(
    bus: MemoryBus, directory: Path, plant: Plant = PLANT, **options: Any
) -> AsyncIterator[Historian]:
    historian = Historian(plant, bus, directory, wall_clock(), **options)
    task = asyncio.create_task(historian.run())
    try:
        yield historian
        if task.done():
            task.result()
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def some(n: int, seed: int = 0) -> list[Row]:
    rng = np.random.default_rng(seed)
    point, t_ns = rng.integers(0, 8, n), START_NS + rng.integers(0, 10**6, n) * 1000
    return list(zip(point.tolist(), t_ns.tolist(), rng.normal(size=n).tolist(), [0] * n, strict=True))


async def test_what_was_published_is_queryable_and_durable(tmp_path: Path) -> None:
    bus, rows = MemoryBus(), some(500)
    async with running(bus, tmp_path, flush_wall_s=0.5) as historian:
        client = HistoryClient(bus, "p")
        for i in range(10):
            await publish_batch(bus, batch_of(rows[i * 50 : i * 50 + 50], i))
        await publish_event(bus, LinkChanged("p", "sense", START_NS, "c0", "", True, ""))
        await until(lambda: historian.figures()["rows_total"] == 500)
        assert await client.count() == 500
        assert (await client.latest()).num_rows == 8
        await until(lambda: historian.figures()["stored_rows"] == 500)
        assert await client.count() == 500
        assert (await client.events())["kind"].to_pylist() == ["LinkChanged"]
        trend = await client.trend([0, 1], START_NS, START_NS + NS, 50)
        assert sum(trend["n"].to_pylist()) == sum(r[0] < 2 for r in rows)
        with pytest.raises(BusError, match="at least one point"):
            await client.range([], 0, 1)
    assert Offline(tmp_path).count() == 500


async def test_an_answer_too_large_for_a_message_comes_in_pages(tmp_path: Path) -> None:
    bus, rows = MemoryBus(), some(90_000)
    async with running(bus, tmp_path) as historian:
        for i in range(9):
            await publish_batch(bus, batch_of(rows[i * 10_000 : (i + 1) * 10_000], i))
        await until(lambda: historian.figures()["rows_total"] == 90_000)
        answer = await HistoryClient(bus, "p").range(list(range(8)), START_NS, START_NS + NS, limit=90_000)
        found = list(
            zip(*(answer[name].to_pylist() for name in ("point", "t_ns", "value", "quality")), strict=True)
        )
        assert sorted(found) == sorted(rows)


async def test_another_process_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    bus, rows = MemoryBus(), some(300)
    for part in range(3):
        async with running(bus, tmp_path) as historian:
            await publish_batch(bus, batch_of(rows[part * 100 : (part + 1) * 100], part))
            await until(lambda: historian.figures()["rows_total"] == (part + 1) * 100)  # noqa: B023
    offline = Offline(tmp_path)
    answer = offline.range(list(range(8)), START_NS, START_NS + NS)
    assert sorted(answer["value"].to_pylist()) == sorted(r[2] for r in rows)
    assert sum(offline.trend(list(range(8)), START_NS, START_NS + 600 * NS, 2)["n"].to_pylist()) == 300


async def test_a_snapshot_is_no_sample(tmp_path: Path) -> None:
    bus = MemoryBus()
    from zhongshu.kernel.wire import encode_batch

    async with running(bus, tmp_path) as historian:
        payload = encode_batch(batch_of([(3, START_NS, 5.0, 8)]))
        await bus.publish(subjects.points("p", "c0"), payload, headers={SNAPSHOT: "1"})
        await publish_batch(bus, batch_of([(1, START_NS, 1.0, 0)]))
        await until(lambda: historian.figures()["rows_total"] == 1)
        client = HistoryClient(bus, "p")
        assert await client.count() == 1
        assert (await client.latest([3]))["value"].to_pylist() == [5.0]


async def test_messages_that_cannot_be_read_are_counted_and_passed_over(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with running(bus, tmp_path) as historian:
        await bus.publish(subjects.points("p", "c0"), b"no arrow")
        await bus.publish(subjects.points("p", "c0"), b"")
        await bus.publish(subjects.events("p", "LinkChanged"), b"{")
        await bus.publish(subjects.events("p", "Nonsense"), b"{}")
        good = batch_of([(1, START_NS, 1.0, 0)])
        await publish_batch(bus, batch_of([(-4, START_NS, 1.0, 0)]), msg_id="negative")
        await publish_batch(bus, good, msg_id="good")
        await until(lambda: historian.figures()["rows_total"] == 1)
        await until(lambda: historian.figures()["malformed"] == 5)
        assert historian.figures()["holes"] == 3


async def test_what_the_stream_no_longer_has_is_a_hole(tmp_path: Path) -> None:
    bus = MemoryBus(keep=20)
    async with running(bus, tmp_path):
        await publish_batch(bus, batch_of([(1, START_NS, 1.0, 0)]))
        await asyncio.sleep(0.2)
    for i in range(60):
        await publish_batch(bus, batch_of([(1, START_NS + i + 1, 1.0, 0)], i + 10))
    async with running(bus, tmp_path) as historian:
        await until(lambda: historian.figures()["points_seq"] == 61)
        assert historian.figures()["holes"] == 1
        assert await HistoryClient(bus, "p").count() == 21


async def test_an_emptied_bus_is_begun_anew(tmp_path: Path) -> None:
    first = MemoryBus()
    async with running(first, tmp_path) as historian:
        for i in range(5):
            await publish_batch(first, batch_of(some(10, i), i))
        await publish_event(first, LinkChanged("p", "sense", START_NS, "c0", "", True, ""))
        await publish_event(first, LinkChanged("p", "sense", START_NS, "c0", "", False, ""))
        await until(lambda: historian.figures()["rows_total"] == 50)
    second = MemoryBus()
    await publish_batch(second, batch_of(some(7, 9), 1))
    for turn in range(2):
        async with running(second, tmp_path) as historian:
            await publish_event(second, LinkChanged("p", "sense", START_NS, f"c{turn}", "", True, ""))
            await until(lambda: historian.figures()["rows_total"] == 57)
            await until(lambda: historian.history.events().num_rows == 3 + turn)  # noqa: B023


async def test_a_disk_that_takes_nothing_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, rows = MemoryBus(), some(200)
    real, full = writer_module.Writer._flush_points, [True]

    def flush(self: Any, view: Any) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        real(self, view)

    monkeypatch.setattr(writer_module.Writer, "_flush_points", flush)
    monkeypatch.setattr(writer_module, "BACK_OFF_WALL_S", (0.1,))
    async with running(bus, tmp_path, flush_wall_s=0.1) as historian:
        await publish_batch(bus, batch_of(rows[:100], 1))
        await until(lambda: "No space left" in historian.figures()["flush_error"])
        await publish_batch(bus, batch_of(rows[100:], 2))
        await until(lambda: historian.figures()["rows_total"] == 200)
        assert await HistoryClient(bus, "p").count() == 200
        full[0] = False
        await until(lambda: historian.figures()["stored_rows"] == 200)
        assert historian.figures()["flush_error"] == ""
    assert Offline(tmp_path).count() == 200


async def test_memory_is_bounded_while_the_disk_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = MemoryBus()
    real, full = writer_module.Writer._flush_points, [True]

    def flush(self: Any, view: Any) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        real(self, view)

    monkeypatch.setattr(writer_module.Writer, "_flush_points", flush)
    monkeypatch.setattr(writer_module, "BACK_OFF_WALL_S", (0.1,))
    monkeypatch.setattr(writer_module, "ROOM_ROWS", 1000)
    async with running(bus, tmp_path, flush_wall_s=0.1) as historian:
        for i in range(30):
            await publish_batch(bus, batch_of(some(200, i), i))
            await asyncio.sleep(0.05)
        assert 1000 < historian.figures()["tail_rows"] < 6000
        full[0] = False
        await until(lambda: historian.figures()["stored_rows"] == 6000)
    assert Offline(tmp_path).count() == 6000


async def test_the_log_of_many_commits_stays_short(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with running(bus, tmp_path, keep=Keep(0, 0, 0, 0, 0)) as historian:
        for i in range(60):
            await publish_batch(bus, batch_of(some(20, i), i))
            await until(lambda: historian.figures()["rows_total"] == 20 * (i + 1))  # noqa: B023
            await asyncio.to_thread(historian._writer.flush_all, False)
        await asyncio.to_thread(historian._compactor.round)
        assert historian.figures()["files"] < 20
    checkpoints = list((tmp_path / "points" / "_delta_log").glob("*.checkpoint.parquet"))
    assert checkpoints
    assert Offline(tmp_path).count() == 1200
    assert DeltaTable(tmp_path / "points").transaction_version("bus") == 60


async def test_a_hundred_batches_a_second_are_nothing(tmp_path: Path) -> None:
    """No stopwatch, only sanity: 300k rows in batches of 300 go through well before the timeout."""
    bus, rows = MemoryBus(), some(300)
    async with running(bus, tmp_path) as historian:
        for i in range(1000):
            await publish_batch(bus, batch_of(rows, i))
        await until(lambda: historian.figures()["rows_total"] == 300_000, 30)
        assert await HistoryClient(bus, "p").count() == 300_000
