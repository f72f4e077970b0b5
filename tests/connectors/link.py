"""What the contract suite needs of a protocol (Link), and the small plants, machines and sinks it is fed with."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zhongshu.kernel.ports import Peer, Reads
from zhongshu.model.batch import BAD, GOOD, QUALITY_MASK
from zhongshu.model.commands import Answer, Call, Outcome, Result
from zhongshu.model.plant import (
    Area,
    Connection,
    Line,
    Plant,
    Point,
    RoadMap,
    Text,
    Unit,
    UnitType,
)
from zhongshu.model.roles import SAMPLE_COUNT, SCAN_TIME

MS = 1_000_000
START_NS = 1_767_225_600_000_000_000  # 2026-01-01, on a whole second


@dataclass(frozen=True)
class Link:
    """One protocol's ground for the contract suite; see README.md beside this file."""

    plant: Plant
    connection: Connection
    units: tuple[Unit, ...]
    secrets: Path
    float_point: str
    writable: str = ""
    calls: bool = False
    whole_image: bool = False
    broker: AbstractAsyncContextManager[Any] | None = None
    tick_s: float = 0.1


def make_point(unit: str, name: str, kind: str = "float", *, role: str = "", **more: Any) -> Point:
    """A point of ``unit`` with id -1; ``more`` overrides any field of ``Point``."""
    values: dict[str, Any] = {
        "id": -1, "path": f"site/area/line/{unit}/{name}", "unit": unit, "name": name, "label": Text(name, name),
        "kind": kind, "uom": "", "role": role, "rate_hz": 10.0, "deadband": 0.0, "low": None, "high": None,
        "writable": False, "choices": {}, "scale": 1.0, "offset": 0.0, "address": {},
    }  # fmt: skip
    return Point(**{**values, **more})


def make_unit(
    name: str, points: Sequence[Point], *, connection: str = "c1", address: Mapping[str, Any] | None = None
) -> Unit:
    """A machine with these points."""
    return Unit(
        id=name, path=f"site/area/line/{name}", name=Text(name, name), type="machine", area="area", line="line",
        connection=connection, x_m=0.0, y_m=0.0, station="", points=tuple(points), address=address or {},
    )  # fmt: skip


def make_plant(units: Sequence[Unit], connection: Connection, *, vehicles: bool = False) -> Plant:
    """A plant of these units on one connection, with point ids 0, 1, 2 … in plant order."""
    number = iter(range(1_000_000))
    numbered = tuple(_with_ids(unit, number.__next__) for unit in units)
    kind = UnitType(
        id="machine", name=Text("机", "machine"), icon="", capabilities=(), setups={}, is_vehicle=vehicles,
        buffer_in=0, buffer_out=0, parameters=(),
    )  # fmt: skip
    line = Line("line", Text("线", "line"), tuple(u.id for u in units))
    return Plant(
        id="p1", name=Text("厂", "plant"), site="site", timezone="Asia/Shanghai",
        areas=(Area("area", Text("区", "area"), 0.0, 0.0, 10.0, 10.0, (line,)),), types=(kind,), units=numbered,
        connections=(connection,), products=(), shifts=(), tariff=(), currency="CNY", roads=RoadMap((), (), ()),
    )  # fmt: skip


def _with_ids(unit: Unit, next_id: Callable[[], int]) -> Unit:
    from dataclasses import replace

    return replace(unit, points=tuple(replace(p, id=next_id()) for p in unit.points))


class Machines:
    """A PlantSide that remembers what it was asked; ``answer`` is what it says, ``delay_s`` how late."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.writes: list[tuple[str, str, float]] = []
        self.answer = Answer(Outcome.ACCEPTED)
        self.delay_s = 0.0

    async def written(self, unit: str, point: str, value: float) -> Answer:
        self.writes.append((unit, point, value))
        await asyncio.sleep(self.delay_s)
        return self.answer

    async def called(self, call: Call) -> Answer:
        self.calls.append(call)
        await asyncio.sleep(self.delay_s)
        return self.answer

    def refuse(self, result: Result) -> None:
        """From now on every request is refused with that result."""
        self.answer = Answer(Outcome.REFUSED, result, result.name.lower())


@dataclass
class Recorder:
    """A Sink that keeps everything, and can be waited on."""

    point: list[int] = field(default_factory=list)
    t_ns: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    received_ns: list[int] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    keep_alives: int = 0

    def reads(self, reads: Reads) -> None:
        n = len(reads.point)
        assert len(reads.t_ns) == len(reads.value) == len(reads.quality) == n
        assert (reads.point.dtype, reads.t_ns.dtype) == (np.int32, np.int64)
        assert (reads.value.dtype, reads.quality.dtype) == (np.float64, np.uint8)
        self.point += reads.point.tolist()
        self.t_ns += reads.t_ns.tolist()
        self.value += reads.value.tolist()
        self.quality += reads.quality.tolist()
        self.received_ns += [reads.received_ns] * n

    def connected(self) -> None:
        self.events.append(("connected",))

    def lost(self, reason: str) -> None:
        self.events.append(("lost", reason))

    def alive(self, units: Sequence[str] | None = None) -> None:
        self.keep_alives += 1

    def unit_up(self, unit: str) -> None:
        self.events.append(("unit_up", unit))

    def unit_lost(self, unit: str, reason: str) -> None:
        self.events.append(("unit_lost", unit, reason))

    def missed(
        self,
        cause: str,
        *,
        units: Sequence[str] = (),
        points: Sequence[int] = (),
        start_ns: int,
        end_ns: int,
        missing: int,
    ) -> None:
        self.events.append(("missed", cause, tuple(units), tuple(points), start_ns, end_ns, missing))

    def text(self, point: int, t_ns: int, text: str) -> None:
        self.events.append(("text", point, t_ns, text))

    def count(self, name: str) -> int:
        """How often an event of that name came."""
        return sum(1 for event in self.events if event[0] == name)

    @property
    def downs(self) -> int:
        """How often the connection or a device behind it was reported gone."""
        return self.count("lost") + self.count("unit_lost")

    def samples(self, *, good_only: bool = True) -> list[tuple[int, int]]:
        """(point, t_ns) of everything with a source time that was read."""
        keep = (GOOD,) if good_only else (GOOD, 1, BAD)
        rows = zip(self.point, self.t_ns, self.quality, strict=True)
        return [(p, t) for p, t, q in rows if t and q & QUALITY_MASK in keep]

    def doubles(self) -> dict[tuple[int, int], int]:
        """Samples that were read more than once."""
        return {sample: n for sample, n in Counter(self.samples(good_only=False)).items() if n > 1}

    async def until(self, condition: Callable[[], bool], *, seconds: float = 15.0, what: str = "") -> None:
        """Wait, or fail with what was seen instead."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(
                    f"{what or 'condition'} not met in {seconds} s; events: {self.events[-12:]}"
                )
            await asyncio.sleep(0.01)


class Feed:
    """Publishes honestly numbered ticks into a peer: the counter of a unit counts every sample, itself included.

    Each ``tick`` changes ``float_point`` (and nothing else but the counter) of every unit, or the whole image.
    ``made`` holds every (point id, t_ns) that was made available.
    """

    def __init__(self, link: Link, peer: Peer, *, start_ns: int = START_NS) -> None:
        self._link, self._peer = link, peer
        self.t_ns, self.ticks = start_ns, 0
        self.made: list[tuple[int, int]] = []
        self.counts = dict.fromkeys((u.id for u in link.units), 0)
        self._values = [0.0 for u in link.units for _ in u.points]

    async def tick(self, quality: int = GOOD, step_ms: int = 0) -> None:
        """One scan of all units, ``step_ms`` of plant time after the last one (default: the link's tick)."""
        self.ticks += 1
        self.t_ns += (step_ms or round(self._link.tick_s * 1000)) * MS
        index, values, n = [], [], 0
        for unit in self._link.units:
            changed = [
                k for k, p in enumerate(unit.points)
                if self.ticks == 1 or self._link.whole_image or p.name == self._link.float_point or p.role == SAMPLE_COUNT
            ]  # fmt: skip
            self.counts[unit.id] += len(changed)
            for k in changed:
                self._values[n + k] = self._value(unit, unit.points[k], n + k)
                index.append(n + k)
                values.append(self._values[n + k])
                self.made.append((unit.points[k].id, self.t_ns))
            n += len(unit.points)
        size = len(index)
        self._peer.publish(
            np.array(index, np.int64), np.full(size, self.t_ns, np.int64), np.array(values, np.float64),
            np.full(size, quality, np.uint8),
        )  # fmt: skip
        await self._peer.flush()

    def begin_again(self) -> None:
        """Forget what was made while nobody listened; the next tick publishes everything."""
        self.made.clear()
        self.ticks = 0

    async def run(self, ticks: int) -> None:
        """So many ticks at the link's own pace."""
        for _ in range(ticks):
            await self.tick()
            await asyncio.sleep(self._link.tick_s)

    def _value(self, unit: Unit, point: Point, index: int) -> float:
        if point.role == SAMPLE_COUNT:
            return float(self.counts[unit.id])
        if point.role == SCAN_TIME:
            return self.t_ns / MS
        if point.name == self._link.float_point:
            return self.ticks + 0.5
        return self._values[index]
