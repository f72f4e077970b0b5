"""The demo's stagehand: which machine makes a story, when, and that the brain is told of nothing but the fault's own signs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.decide.planning.plants import NOW, plant_of
from zhongshu.cli import staging
from zhongshu.cli.staging import FIRST_WALL_S, QUIET_WALL_S, Stagehand, busiest
from zhongshu.kernel.clock import NS, VirtualClock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.wire import decode_event
from zhongshu.model import subjects
from zhongshu.model.messages import DemoStaged, StateChanged

PLANT = plant_of(units={"cut-1": "a-cut", "cut-2": "a-cut", "coat-1": "b-coat"})


def plan(**jobs: int) -> dict[str, Any]:
    """So many jobs of a minute on each unit, one after the other from now on."""
    units = list(jobs)
    rows = [(u, k * 60, k * 60 + 60) for u, name in enumerate(units) for k in range(jobs[name])]
    return {
        "origin_ns": NOW,
        "units": [{"id": unit} for unit in units],
        "tasks": {name: [row[k] for row in rows] for k, name in enumerate(("unit", "start", "end"))},
    }


@pytest.mark.parametrize(
    ("jobs", "down", "chosen"),
    [
        ({"cut-1": 4, "cut-2": 6}, set(), "cut-2"),
        ({"cut-1": 4, "cut-2": 6}, {"cut-2"}, "cut-1"),
        ({"cut-1": 2, "cut-2": 2}, set(), ""),
        ({"coat-1": 30, "cut-1": 3, "cut-2": 0}, set(), "cut-1"),
    ],
)
def test_the_busiest_machine_that_others_can_stand_in_for(
    jobs: dict[str, int], down: set[str], chosen: str
) -> None:
    made = plan(**jobs)
    made["units"] = [{"id": u} for u in jobs]
    assert busiest(PLANT, made, NOW, down) == chosen


def test_what_lies_more_than_an_hour_ahead_or_is_over_is_no_story() -> None:
    made = plan(**{"cut-1": 5, "cut-2": 3})
    assert busiest(PLANT, made, NOW - 7200 * NS, set()) == ""
    assert busiest(PLANT, made, NOW + 7200 * NS, set()) == ""


class Hand:
    """A stagehand in virtual time, a twin that does as it is asked, and what went over the bus."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.bus, self.clock = MemoryBus(), VirtualClock()
        monkeypatch.setattr(staging, "ask", self._twin)
        monkeypatch.setattr(Stagehand, "_chosen", lambda _: "cut-1")
        self.hand = Stagehand(PLANT, DataDir(tmp_path), self.bus, self.clock)

    def _twin(self, _: Path, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request["target"])
        return {"ok": True}

    async def forward(self, wall_s: float) -> None:
        """Time passes second by second; threads get their turn between."""
        for _ in range(round(wall_s)):
            await self.clock.forward(1.0)
            await asyncio.sleep(0.002)


def down(unit: str) -> StateChanged:
    return StateChanged("small", "t", 0, unit, "ABORTED", "PRODUCTION", "EXECUTE", "PRODUCTION")


async def test_it_strikes_after_a_while_and_says_so_and_not_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Hand(tmp_path, monkeypatch)
    running = asyncio.create_task(stage.hand.run())
    await stage.forward(FIRST_WALL_S - 10)
    assert stage.asked == []
    await stage.forward(20)
    assert stage.asked == ["cut-1"]
    told = await stage.bus.last(subjects.events("small", "DemoStaged"))
    assert told is not None
    said = decode_event(told.subject, told.payload)
    assert isinstance(said, DemoStaged)
    assert (said.kind, said.unit) == ("breakdown", "cut-1")
    await stage.forward(QUIET_WALL_S - 20)
    assert stage.asked == ["cut-1"]
    await stage.forward(40)
    assert stage.asked == ["cut-1", "cut-1"]
    running.cancel()


async def test_a_machine_that_breaks_down_by_itself_is_story_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Hand(tmp_path, monkeypatch)
    running = asyncio.create_task(stage.hand.run())
    await stage.forward(FIRST_WALL_S - 10)
    stage.hand._heard(down("cut-2"))
    await stage.forward(60)
    assert stage.asked == []
    stage.hand._heard(down("agv-1"))
    stage.hand._heard(down("cut-2"))
    await stage.forward(QUIET_WALL_S - 40)
    assert stage.asked == ["cut-1"]
    running.cancel()
