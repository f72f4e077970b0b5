"""The planner's process on a bus: it answers while it plans, survives whatever is asked or fails, and hurries when needed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.decide.planner.desks import desk_of, orders_for, two_lines
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.planner import Planner
from zhongshu.decide.scheduling.warm import warm_search
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.status import summary
from zhongshu.kernel.store import Store
from zhongshu.model import subjects
from zhongshu.model.messages import StateChanged


@pytest.fixture
def sqlite(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    return store


class Running:
    """A planner on a bus in memory, with a brain that says how the floor stands."""

    def __init__(self, store: Store) -> None:
        warm_search()
        self.seed = desk_of(store, orders_for(two_lines(), 6))
        self.bus, self.clock = MemoryBus(), self.seed.clock
        self.planner = Planner(self.seed.plant, self.bus, store, self.clock)
        self.planner._pace = Pace(improve_s=0.2)
        self.silent = False

    async def __aenter__(self) -> Running:
        await self.bus.respond(subjects.floor_ask("small"), self._floor)
        self.task = asyncio.create_task(self.planner.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _floor(self, _: bytes) -> bytes:
        return b"{" if self.silent else json.dumps(self.seed.floor).encode()

    async def ask(self, what: str, **values: Any) -> dict[str, Any]:
        payload = json.dumps({"what": what, "by": "Li", **values}).encode()
        return json.loads(await self.bus.request(subjects.plan_ask("small"), payload, timeout_s=10))  # type: ignore[no-any-return]

    async def until(self, holds: Callable[[], object], patience_s: float = 20) -> None:
        end_s = monotonic_s() + patience_s
        while not holds():
            assert monotonic_s() < end_s
            assert not self.task.done(), "the planner lives"
            await asyncio.sleep(0.02)

    def version(self) -> int:
        return int(self.planner.figures()["version"])


async def test_it_plans_and_answers(sqlite: Store) -> None:
    async with Running(sqlite) as room:
        await room.until(room.version)
        said = await room.ask("quote", product="hood", quantity=5)
        assert said["ok"], said
        figures = room.planner.figures()
        assert figures["tasks"] == 24
        assert figures["late"] == 0
        assert all(figures[f"{step}_ms"] >= 0 for step in ("read", "build", "repair", "save"))
        block = summary({"planner": figures})["plan"]
        assert block["version"] == room.version()
        assert block["repair_ms"] == figures["repair_ms"]
        assert set(summary({})["plan"].values()) == {None}, "no planner, no figures"


async def test_nothing_that_is_asked_ends_it(sqlite: Store) -> None:
    async with Running(sqlite) as room:
        await room.until(room.version)
        for payload in (b"", b"[]", b"null", b"{", b'{"what": 5}', b'{"what": "try", "edits": 7}', b"\xff"):
            said = json.loads(await room.bus.request(subjects.plan_ask("small"), payload, timeout_s=10))
            assert said["ok"] is False
            assert said["error"]["zh"]
        assert (await room.ask("solve"))["ok"]


async def test_a_re_plan_that_fails_is_followed_by_one_that_does_not(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with Running(sqlite) as room:
        await room.until(room.version)
        before, real = room.version(), room.planner.desk.replan

        def broken(*_: object) -> bool:
            raise RuntimeError("as planned")

        monkeypatch.setattr(room.planner.desk, "replan", broken)
        await room.ask("solve")
        await room.until(lambda: "as planned" in caplog.text)
        monkeypatch.setattr(room.planner.desk, "replan", real)
        await room.ask("solve")
        await room.until(lambda: room.version() > before)
        room.silent = True
        said = await room.ask("quote", product="hood", quantity=5)
        assert said["ok"] is False


async def test_asks_do_not_wait_for_a_re_plan_and_a_breakdown_cuts_it_short(sqlite: Store) -> None:
    async with Running(sqlite) as room:
        await room.until(room.version)
        await room.until(lambda: room.planner.desk.times and not room.planner.desk._lock.locked())
        room.planner._pace = Pace(improve_s=30.0)
        await room.ask("solve")
        before = room.version()
        await room.until(lambda: room.version() > before)
        began_s = monotonic_s()
        assert (await room.ask("why", order="W-3"))["ok"]
        assert monotonic_s() - began_s < 8
        assert room.planner.desk._lock.locked(), "it still improves"
        room.seed.floor["states"]["coat-1"] = ("ABORTED", "PRODUCTION")
        event = StateChanged(
            "small", "test", room.clock.now_ns(), "coat-1", "ABORTED", "PRODUCTION", "EXECUTE", "PRODUCTION"
        )
        began_s = monotonic_s()
        room.planner._answer(event)
        await room.until(lambda: cause_of(room) == "breakdown")
        assert monotonic_s() - began_s < 10, "the 30 s of improvement are not waited for"
        room.planner._pace = Pace(improve_s=0.1)
        room.planner.want("people", "test")  # nor are those after it


def cause_of(room: Running) -> str:
    now = room.planner.desk.now
    return str(now.document["cause"]["kind"]) if now is not None else ""
