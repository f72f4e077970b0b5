"""Faults do what they say, are cleared, and are asked for over the control port by who holds the token."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from tests.twin.small import EXACT, PART, STAMP, START_NS, small_plant
from zhongshu.kernel.clock import NS, VirtualClock
from zhongshu.model.commands import Call, Result, Verb
from zhongshu.model.states import UnitMode, UnitState
from zhongshu.twin.control import Control, NotRunning, ask
from zhongshu.twin.faults import KINDS, FaultError, Faults, kinds
from zhongshu.twin.floor import Floor
from zhongshu.twin.lane import Lane
from zhongshu.twin.scan import Scan
from zhongshu.twin.timing import TICK_NS
from zhongshu.twin.twin import Twin

_ROUTE = ["lane-06", "lane-05", "lane-04", "lane-03", "lane-02", "lane-01"]


class StubPeer:
    """Remembers what was done to it."""

    def __init__(self) -> None:
        self.done: list[object] = []

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def flush(self) -> None: ...
    def publish(self, *columns: object) -> None: ...

    async def restart(self) -> None:
        self.done.append("restart")

    async def drop(self, seconds: float) -> None:
        self.done.append(seconds)


class Ground:
    """A floor with its scan and faults."""

    def __init__(self) -> None:
        self.floor = Floor(small_plant(), EXACT, 1, START_NS)
        self.scan = Scan(self.floor, {})
        self.peer = StubPeer()
        self.faults = Faults(
            self.floor,
            self.scan,
            {"machines": Lane("machines", self.peer, self.scan.timing.all, len(self.scan.points))},
        )
        self.keys = 0

    def start(self, lot: int = 1) -> Result:
        self.keys += 1
        args = {"lot": lot, "product": PART, "operation": STAMP, "quantity": 4}
        return self.floor.called(Call("press-1", Verb.START_JOB, self.keys, args)).result

    def wait(self, seconds: float, *, scan: bool = False) -> list[int]:
        """Indexes of the points that were made available meanwhile."""
        until, made = self.floor.now_ns + round(seconds * NS), []
        while scan and self.floor.now_ns < until:
            t_ns = self.floor.now_ns + TICK_NS
            self.floor.advance(t_ns)
            made += self.scan.tick(t_ns // TICK_NS, t_ns).index.tolist()
        self.floor.advance(until)
        return made

    def point(self, unit: str, name: str) -> int:
        return next(i for i, p in enumerate(self.scan.points) if (p.unit, p.name) == (unit, name))


def test_breakdown() -> None:
    ground = Ground()
    ground.start()
    ground.wait(70)
    ground.faults.make("breakdown", "press-1")
    ground.wait(1)
    assert ground.floor.machines["press-1"].state is UnitState.ABORTED
    assert not ground.faults.active


def test_slow_stretches_what_is_under_way_and_clear_ends_it() -> None:
    ground = Ground()
    ground.start()
    ground.wait(60 + 5)
    ground.faults.make("slow", "press-1", 4.0)
    machine = ground.floor.machines["press-1"]
    ground.wait(19)
    assert machine.total_good == 0
    ground.wait(2)
    assert machine.total_good == 1
    ground.faults.clear("press-1")
    ground.wait(12)
    assert machine.total_good == 2
    assert not ground.faults.active


def test_scrap() -> None:
    ground = Ground()
    ground.faults.make("scrap", "press-1", 1.0)
    ground.start()
    ground.wait(600)
    assert ground.floor.machines["press-1"].total_scrap == 4
    ground.faults.clear()
    ground.start(2)
    ground.wait(600)
    assert ground.floor.machines["press-1"].total_good == 4
    assert set(ground.floor.unaccounted().values()) == {0}


def test_local() -> None:
    ground = Ground()
    ground.faults.make("local", "press-1")
    assert ground.floor.machines["press-1"].mode is UnitMode.LOCAL
    assert ground.start() is Result.WRONG_MODE
    ground.faults.clear("press-1")
    assert ground.start() is Result.OK


def test_drift_and_frozen() -> None:
    ground = Ground()
    force = ground.point("press-1", "force")
    ground.wait(60, scan=True)
    before = ground.scan.current[force]
    ground.faults.make("drift", "press-1/force", 0.3)
    ground.wait(3600)
    ground.wait(2, scan=True)
    assert ground.scan.current[force] - before == pytest.approx(600, abs=60)
    ground.faults.make("frozen", ground.scan.points[force].path)
    made = ground.wait(20, scan=True)
    assert force not in made
    assert ground.point("press-1", "power") in made
    ground.faults.clear()
    assert force in ground.wait(20, scan=True)
    assert ground.scan.current[force] - before == pytest.approx(0, abs=60)


def test_a_lost_vehicle_is_silent_and_still() -> None:
    ground = Ground()
    args = {"lot": 0, "route": _ROUTE, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
    ground.floor.called(Call("agv-1", Verb.TRANSPORT, 1, args))
    ground.wait(5, scan=True)
    ground.faults.make("lost", "agv-1")
    own = {i for i, p in enumerate(ground.scan.points) if p.unit == "agv-1"}
    counts = ground.scan.counts.copy()
    assert not own & set(ground.wait(60, scan=True))
    assert ground.floor.vehicles["agv-1"].node == "lane-06"
    ground.faults.clear("agv-1")
    assert own & set(ground.wait(60, scan=True))
    assert ground.floor.vehicles["agv-1"].node == "lane-01"
    assert ground.scan.counts[-2] > counts[-2]


def test_a_vehicle_that_stalls_says_so_and_goes_on_by_itself() -> None:
    ground = Ground()
    args = {"lot": 0, "route": _ROUTE, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
    ground.floor.called(Call("agv-1", Verb.TRANSPORT, 1, args))
    ground.wait(5)
    ground.faults.make("stall", "agv-1")
    assert not ground.faults.active
    state = ground.point("agv-1", "unit_state")
    assert state in ground.wait(20, scan=True)
    assert ground.scan.current[state] == UnitState.ABORTED
    ground.wait(3600)
    assert ground.floor.vehicles["agv-1"].node == "lane-01"


async def test_connections_are_dropped_and_restarted() -> None:
    ground = Ground()
    ground.faults.make("drop", "machines", 2.5)
    ground.faults.make("restart", "machines")
    await asyncio.sleep(0.01)
    assert ground.peer.done == [2.5, "restart"]


def test_what_cannot_be_done_is_refused() -> None:
    ground = Ground()
    for kind, target, value in (
        ("explode", "press-1", None),
        ("breakdown", "agv-1", None),
        ("lost", "press-1", None),
        ("drop", "press-1", None),
        ("slow", "press-1", 0.1),
        ("scrap", "press-1", 1.1),
        ("clear", "press-1", None),
    ):
        with pytest.raises(FaultError):
            ground.faults.make(kind, target, value)
    assert {k["kind"] for k in kinds()} == set(KINDS)
    assert all(set(k["text"]) == {"zh", "en"} for k in kinds())


async def test_the_control_port_needs_its_token(data_dir: Path) -> None:
    twin = Twin(small_plant(), EXACT, VirtualClock(), 1)
    control = Control(data_dir, twin.answer)
    with pytest.raises(NotRunning):
        ask(data_dir, {"op": "status"})
    await control.start()
    path = data_dir / "twin.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (await asyncio.to_thread(ask, data_dir, {"op": "status"}))["samples"] == 0
    request = {"op": "fault", "kind": "local", "target": "press-2"}
    assert (await asyncio.to_thread(ask, data_dir, request))["ok"]
    assert twin.floor.machines["press-2"].local
    made = await asyncio.to_thread(ask, data_dir, {"op": "faults"})
    assert made["faults"] == [{"kind": "local", "target": "press-2", "value": 0.0}]
    wrong = await asyncio.to_thread(ask, data_dir, {"op": "fault", "kind": "local", "target": "x"})
    assert (wrong["ok"], wrong["key"]) == (False, "control.target")
    bad = await asyncio.to_thread(
        ask, data_dir, {"op": "fault", "kind": "slow", "target": "press-2", "value": "fast"}
    )
    assert not bad["ok"]
    known = json.loads(path.read_text())
    path.write_text(json.dumps({**known, "token": "guessed"}))
    assert (await asyncio.to_thread(ask, data_dir, {"op": "status"}))["key"] == "control.denied"
    await control.stop()
    with pytest.raises(NotRunning):
        ask(data_dir, {"op": "status"})
