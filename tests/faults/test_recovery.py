"""The whole plant is hurt in every way it may be: it comes back by itself, and afterwards every sample is accounted for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.honesty import compare, jobs_started
from tests.faults.whole import Demo, all_connected, nothing_unknown
from zhongshu.kernel.plantfile import load_plant

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]
BACK_WITHIN_S = 15.0
BRAIN = ("brain", "historian", "web", "bus")


@pytest_asyncio.fixture
async def demo(tmp_path: Path, free_ports: Callable[[], int]) -> AsyncIterator[Demo]:
    """A demo in which every device is connected; it is stopped at the end whatever happened."""
    running = Demo(tmp_path, free_ports)
    running.start()
    try:
        await running.until(all_connected, 90)
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.stop()


async def finish(demo: Demo) -> None:
    """Stop it in good order and hold what it remembers against the truth."""
    await asyncio.sleep(6)
    await demo.until(nothing_unknown, 60)
    assert demo.stop() == 0
    verdict = compare(demo.data, demo.plant_file, demo.truth)
    print(verdict)
    assert verdict.made > 10_000
    assert verdict.lost == 0, verdict
    assert verdict.doubled == 0, verdict
    assert verdict.invented == 0, verdict
    assert verdict.different == 0, verdict
    assert verdict.ledger_says == verdict.in_gaps, verdict
    twice = {key: count for key, count in jobs_started(demo.truth).items() if count > 1}
    assert not twice
    assert demo.left_behind() == []


async def test_a_dropped_connection_a_restarted_server_and_a_killed_brain(demo: Demo) -> None:
    await asyncio.sleep(10)
    demo.fault("drop", "opc-bending", 4)
    demo.fault("drop", "mb-joining", 4)
    await asyncio.sleep(5)
    await demo.until(all_connected, BACK_WITHIN_S)
    demo.fault("restart", "opc-assembly")
    await asyncio.sleep(2)
    await demo.until(all_connected, BACK_WITHIN_S)
    demo.kill("brain")
    await asyncio.sleep(0.5)
    await demo.until(all_connected, BACK_WITHIN_S)
    demo.kill("historian")
    await asyncio.sleep(0.5)
    await demo.until(all_connected, BACK_WITHIN_S)
    await finish(demo)


@pytest.mark.long
async def test_every_connection_every_server_and_every_process(demo: Demo) -> None:
    seconds: dict[str, float] = {}
    for connection in load_plant(demo.plant_file).connections:
        for kind, value in (("drop", 4.0), ("restart", None)):
            await asyncio.sleep(4)
            demo.fault(kind, connection.id, value)
            await asyncio.sleep(value or 1.0)
            seconds[f"{kind} {connection.id}"] = await demo.until(all_connected, BACK_WITHIN_S)
    for name in BRAIN:
        await asyncio.sleep(8)
        demo.kill(name)
        await asyncio.sleep(0.5)
        seconds[f"kill -9 {name}"] = await demo.until(all_connected, BACK_WITHIN_S)
    print({what: round(s, 1) for what, s in seconds.items()})
    await finish(demo)


async def test_killing_the_parent_leaves_no_process_and_the_next_start_continues(demo: Demo) -> None:
    assert demo.process is not None
    os.kill(demo.process.pid, 9)
    demo.process.wait()
    await asyncio.sleep(3)
    assert demo.left_behind() == []
    demo.start()
    await demo.until(all_connected, 60)
    assert demo.stop() == 0
    await asyncio.sleep(1)
    assert demo.left_behind() == []
