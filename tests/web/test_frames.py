"""From values on the bus to frames for the browser: snapshot, numbered deltas, slow viewers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.web.lab import MINIMAL
from zhongshu.kernel.clock import VirtualClock
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.wire import publish_batch, publish_event
from zhongshu.model import roles
from zhongshu.model.batch import BAD, Batch
from zhongshu.model.messages import CommandChanged, Proposed
from zhongshu.model.plant import Plant
from zhongshu.web.commands import CommandBoard
from zhongshu.web.frames import Frames
from zhongshu.web.live import QUEUED, Live, Viewer
from zhongshu.web.orders import OrderBoard
from zhongshu.web.scene import STALE
from zhongshu.web.watch import Watch


class Bench:
    """A watch on a bus in memory, with the frames it makes."""

    def __init__(self, tmp_path: Path) -> None:
        self.store = Store(f"sqlite:///{tmp_path / 'store.db'}")
        self.store.migrate()
        self.plant: Plant = assign_ids(load_plant(MINIMAL), self.store)
        self.clock, self.bus = VirtualClock(), MemoryBus()
        self.commands = CommandBoard(self.plant.id, self.clock)
        self.watch = Watch(self.plant, self.bus, self.clock, self.commands)
        self.orders = OrderBoard(self.plant, self.store, self.clock)
        self.frames = Frames(self.plant, self.watch, self.orders, self.clock)

    async def say(self, unit: str, quality: int = 0, **values: float) -> None:
        points = {p.role: p.id for p in self.plant.unit_of[unit].points}
        ids = np.array([points[role] for role in values], np.int32)
        n, now = len(ids), self.clock.now_ns()
        batch = Batch(
            self.plant.id, self.plant.unit_of[unit].connection, now % 1_000_000, now, ids, np.full(n, now),
            np.array(list(values.values()), float), np.full(n, quality, np.uint8),
        )  # fmt: skip
        await publish_batch(self.bus, batch, msg_id=f"{unit}{now}{values}{quality}")
        await asyncio.sleep(0.02)

    def tick(self) -> dict[str, Any]:
        return json.loads(self.frames.tick())


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    await bench.watch.start()
    return bench


async def test_a_change_goes_out_once_and_a_newcomer_gets_all(bench: Bench) -> None:
    bench.tick()
    await bench.say("press-1", unit_state=6, unit_mode=1, job_progress=40.4)
    delta = bench.tick()
    i = str(bench.plant.units.index(bench.plant.unit_of["press-1"]))
    assert list(delta["u"]) == [i]
    assert delta["u"][i][:3] == [6, 1, 40] and delta["u"][i][5] == 0
    assert "u" not in bench.tick()
    snapshot = json.loads(bench.frames.snapshot())
    assert snapshot["u"][i] == delta["u"][i] and len(snapshot["u"]) == len(bench.plant.units)
    assert snapshot["n"] == delta["n"] + 1


async def test_a_bad_state_is_stale_and_the_state_keeps_its_beginning(bench: Bench) -> None:
    await bench.say("press-1", unit_state=9, unit_mode=1)
    began = bench.tick()["u"]["0"][6]
    await bench.clock.forward(30)
    await bench.say("press-1", unit_state=9, quality=BAD)
    row = bench.tick()["u"]["0"]
    assert row[5] == STALE and row[6] == began
    await bench.clock.forward(30)
    await bench.say("press-1", unit_state=9)
    row = bench.tick()["u"]["0"]
    assert row[5] == 0 and row[6] == began


async def test_a_units_points_and_their_quality(bench: Bench) -> None:
    assert bench.frames.points("no-such-unit", whole=True) == ""
    await bench.say("press-1", power=12.5)
    whole = json.loads(bench.frames.points("press-1", whole=True))
    power = next(k for k, p in enumerate(bench.plant.unit_of["press-1"].points) if p.role == roles.POWER)
    assert whole["p"][str(power)][:2] == [12.5, 0]
    assert any(row[:2] == [None, -1] for row in whole["p"].values())
    bench.frames.points("press-1", whole=False)
    assert bench.frames.points("press-1", whole=False) == ""


async def test_a_commands_chain_grows_step_by_step(bench: Bench) -> None:
    plant, now = bench.plant.id, bench.clock.now_ns()
    args = json.dumps({"lot": 7, "product": 1, "quantity": 10, "route": ["a", "b"]})
    asked = Proposed(
        plant, "decide", now, "p1", "press-1", "START_JOB", args, "d", "why", "lot:7", now, "brain"
    )
    await publish_event(bench.bus, asked)
    for status in ("proposed", "approved", "sent", "accepted", "proven", "proven"):
        step = CommandChanged(plant, "act", now, 41, "p1", "press-1", "START_JOB", status, "", "lot:7")
        await publish_event(bench.bus, step)
    await asyncio.sleep(0.02)
    (row,) = bench.tick()["c"]
    assert [step[0] for step in row["steps"]] == ["proposed", "approved", "sent", "accepted", "proven"]
    assert row["args"] == {"lot": 7, "product": 1, "quantity": 10} and row["reason"] == "why"
    assert bench.commands.job(41) == (7, 1) and bench.commands.recent() == {"proven": 1}
    assert "c" not in bench.tick()


async def test_a_running_job_names_its_lot_and_product(bench: Bench) -> None:
    await test_a_commands_chain_grows_step_by_step(bench)
    await bench.say("press-1", unit_state=6, job_key=41)
    assert bench.tick()["u"]["0"][3:5] == [7, 1]


async def test_a_slow_viewer_gets_a_snapshot_instead_of_a_queue(bench: Bench) -> None:
    live = Live(bench.frames, bench.clock)
    slow = Viewer(None)  # type: ignore[arg-type] # nobody sends from it
    live._viewers.add(slow)
    for _ in range(QUEUED):
        live._tick(slow=False)
    assert [json.loads(frame)["k"] for frame in slow.queue] == ["s", "d"]
    live._tick(slow=False)
    assert slow.behind and not slow.queue
    live._tick(slow=False)
    assert [json.loads(frame)["k"] for frame in slow.queue] == ["s"]


async def test_values_from_before_the_start_are_found_on_the_bus(bench: Bench) -> None:
    await bench.say("press-2", unit_state=5)
    later = Watch(bench.plant, bench.bus, bench.clock, bench.commands)
    await later.start()
    await later.catch_up()
    state = bench.plant.role(bench.plant.unit_of["press-2"], roles.UNIT_STATE)
    assert state is not None and later.latest.value(state.id) == 5


async def test_health_that_falls_silent_is_silent(bench: Bench) -> None:
    await bench.bus.emit(f"zs.{bench.plant.id}.health.brain", b'{"devices": {"total": 4, "connected": 3}}')
    await asyncio.sleep(0.02)
    assert bench.watch.summary()["devices"] == {"total": 4, "connected": 3}
    await bench.clock.forward(10)
    assert bench.watch.summary()["silent"] == ["brain", "historian", "web"]
