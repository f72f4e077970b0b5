"""Numbered images over a real socket: none lost, none doubled, each missed one counted exactly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.connectors.modbus.fixture import machine
from tests.connectors.modbus.ground import Pair, free_port, one_machine, pair, units_link
from zhongshu.connectors.modbus.peer import ModbusPeer
from zhongshu.kernel.clock import wall_clock
from zhongshu.model.batch import GOOD


async def scans(p: Pair, count: int, period_s: float, late: Callable[[int], float] = lambda _: 0.0) -> None:
    """``count`` scans whose times are a period apart, each published ``late`` periods after its time."""
    clock = wall_clock()
    begin_ns = clock.wall_ns()
    for k in range(count):
        at_ns = begin_ns + round((k + late(k)) * period_s * 1e9)
        await asyncio.sleep(max(0.0, (at_ns - clock.wall_ns()) / 1e9))
        p.feed.t_ns = (begin_ns + round((k - 1) * period_s * 1e9)) // 1_000_000 * 1_000_000
        await p.feed.tick(step_ms=round(period_s * 1000))


async def test_no_image_is_lost_or_doubled() -> None:
    units = [machine(f"u{i}", i, rate_hz=10, base=50 * (i % 3)) for i in range(1, 13)]
    async with pair(units_link(units, free_port())) as p:
        await scans(p, 30, 0.1)
        await p.sink.until(lambda: len(p.sink.point) >= len(p.feed.made), seconds=2)
        assert sorted(p.sink.samples()) == sorted(p.feed.made)
        assert p.missed() == [] and p.sink.downs == 0
        looks = p.connector.diagnostics()["looks"]
        assert looks["images"] == 30 * 12
        requests = p.connector.diagnostics()["link"]["requests"]
        assert requests < 1.6 * looks["images"], "one look and a half for each scan is enough"


async def test_no_image_is_lost_when_scans_come_late() -> None:
    async with pair(units_link([machine("press", 1, rate_hz=5)], free_port())) as p:
        await scans(p, 25, 0.2, late=lambda k: 0.4 * (k % 3 == 1))
        await p.sink.until(lambda: len(p.sink.point) >= len(p.feed.made), seconds=2)
        assert sorted(p.sink.samples()) == sorted(p.feed.made) and p.missed() == []


async def test_no_image_is_lost_when_we_are_late() -> None:
    async with pair(units_link([machine("press", 1, rate_hz=5)], free_port())) as p:
        slow = p.connector._polls[0].look

        async def look(*args: object) -> int:  # our own loop stalls for 40 % of a period before each look
            await asyncio.sleep(0.08)
            return await slow(*args)  # type: ignore[arg-type]

        p.connector._polls[0].look = look  # type: ignore[method-assign, assignment]
        await scans(p, 25, 0.2)
        await p.sink.until(lambda: len(p.sink.point) >= len(p.feed.made), seconds=2)
        assert sorted(p.sink.samples()) == sorted(p.feed.made) and p.missed() == []


async def test_a_clock_that_is_hours_off_loses_nothing() -> None:
    async with pair(units_link([machine("press", 1, rate_hz=10)], free_port())) as p:
        p.feed.t_ns -= 7_200_000_000_000
        for _ in range(30):
            await p.feed.tick(step_ms=100)
            await asyncio.sleep(0.1)
        await p.sink.until(lambda: len(p.sink.point) >= len(p.feed.made), seconds=2)
        assert sorted(p.sink.samples()) == sorted(p.feed.made) and p.missed() == []
        assert p.connector.diagnostics()["link"]["requests"] < 3 * 30


async def test_what_came_and_went_unseen_is_counted_exactly() -> None:
    async with pair(one_machine()) as p:
        await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 14)
        seen_ns = p.feed.t_ns
        for _ in range(5):  # five scans without a chance to look: the first four are gone
            await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 28)
        gap = ("missed", "scans_missed", ("press",), (), seen_ns + 1, p.feed.t_ns - 1, 4 * 14)
        assert p.missed() == [gap]
        assert len(p.feed.made) == 2 * 14 + gap[-1]


async def test_missed_scans_are_counted_across_a_reconnect() -> None:
    async with pair(one_machine()) as p:
        await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 14)
        drop = asyncio.create_task(p.peer.drop(0.3))
        await asyncio.sleep(0.05)
        for _ in range(3):
            await p.feed.tick()
        await drop
        await p.sink.until(lambda: len(p.sink.point) == 28)
        assert [gap[-1] for gap in p.missed()] == [2 * 14]
        assert (p.sink.count("lost"), p.sink.count("connected")) == (1, 2)


async def test_a_restarted_counter_is_a_new_epoch() -> None:
    async with pair(one_machine()) as p:
        for _ in range(3):
            await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 14)
        await p.peer.restart()
        p.feed.counts["press"] = 0
        await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 28)
        assert [(gap[1], gap[-1]) for gap in p.missed()] == [("device_restarted", -1)]


async def test_an_unchanged_image_is_alive_until_it_is_overdue() -> None:
    link = one_machine()
    object.__setattr__(link.plant, "stale_after_s", 0.4)
    async with pair(link) as p:
        await p.feed.tick()
        await p.sink.until(lambda: p.sink.keep_alives > 2)
        assert len(p.sink.point) == 14 and p.sink.downs == 0
        await p.sink.until(lambda: p.sink.count("unit_lost") == 1, seconds=3)
        kept = p.sink.keep_alives
        await asyncio.sleep(0.3)
        assert p.sink.keep_alives == kept and p.sink.count("unit_lost") == 1
        await p.feed.tick()
        await p.sink.until(lambda: p.sink.count("unit_up") == 2)
        assert len(p.sink.point) == 28


class Tearing(ModbusPeer):
    """Publishes the next scan between the reads of one image, as long as there are any left."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.between: list[Callable[[], None]] = []
        self.reads = 0

    async def answer(self, unit_id: int, body: bytes) -> bytes | None:
        made = await super().answer(unit_id, body)
        self.reads += 1
        if self.between and self.reads % 2:
            self.between.pop(0)()
        return made


async def test_a_torn_image_is_read_again() -> None:
    link = one_machine(max_registers=20)
    async with pair(link, Tearing) as p:
        assert isinstance(p.peer, Tearing)
        loop = asyncio.get_running_loop()
        await p.feed.tick()
        await p.sink.until(lambda: len(p.sink.point) == 14)
        assert p.connector.diagnostics()["blocks"]["press"] > 1
        p.peer.between = [lambda: loop.create_task(p.feed.tick()).add_done_callback(id) for _ in range(6)]
        await p.sink.until(lambda: p.peer.between == [] and p.feed.ticks == 7)
        await p.sink.until(lambda: p.sink.t_ns[-1] == p.feed.t_ns)
        assert p.connector.diagnostics()["looks"]["torn"] > 0
        temperature, count = p.point("temperature"), p.point("count")
        images: dict[int, dict[int, float]] = {}
        for point, t_ns, value, quality in zip(
            p.sink.point, p.sink.t_ns, p.sink.value, p.sink.quality, strict=True
        ):
            images.setdefault(t_ns, {})[point] = value
            assert quality == GOOD
        assert all(image[count] == 14 * (image[temperature] - 0.5) for image in images.values())
        read = len(p.sink.point)
        assert read + sum(gap[-1] for gap in p.missed()) == len(p.feed.made)
