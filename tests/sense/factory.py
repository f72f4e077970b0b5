"""A small plant whose devices number their samples honestly, and may drop some of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zhongshu.kernel.ports import Reads
from zhongshu.model.batch import GOOD
from zhongshu.model.plant import Connection, Plant, Point, RoadMap, Text, Unit
from zhongshu.model.roles import SAMPLE_COUNT

NS = 1_000_000_000


def plant_of(
    units: int = 4, points: int = 6, connections: int = 1, *, deadband: float = 0.0, numbered: bool = True
) -> Plant:
    """``units`` per connection; each unit has ``points`` measurements and, last, its sample_count."""
    text = Text("厂", "plant")
    made: list[Unit] = []
    number = 0
    for c in range(connections):
        for u in range(units):
            unit = f"u{c}-{u}"
            own = []
            for p in range(points + numbered):
                role = SAMPLE_COUNT if p == points else ""
                own.append(point_of(number, unit, f"p{p}", role, 0.0 if role else deadband))
                number += 1
            made.append(
                Unit(unit, f"s/a/l/{unit}", text, "t", "a", "l", f"c{c}", 0.0, 0.0, "", tuple(own), {})
            )
    links = tuple(Connection(f"c{c}", "opcua", {}) for c in range(connections))
    return Plant("p", text, "s", "UTC", (), (), tuple(made), links, (), (), (), "CNY", RoadMap((), (), ()))


def point_of(
    number: int, unit: str, name: str, role: str = "", deadband: float = 0.0, scale: float = 1.0
) -> Point:
    label = Text(name, name)
    return Point(
        id=number, path=f"s/a/l/{unit}/{name}", unit=unit, name=name, label=label, kind="float", uom="", role=role,
        rate_hz=1.0, deadband=deadband, low=None, high=None, writable=False, choices={}, scale=scale, offset=0.0,
        address={},
    )  # fmt: skip


@dataclass
class Device:
    """Makes samples of one unit available at ticks; every second tick ends with a counter sample."""

    unit: Unit
    seed: int = 0
    count: int = 0
    ticks: int = 0
    made: list[tuple[int, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)

    def tick(self, t_ns: int) -> list[tuple[int, int, float]]:
        """The samples of this tick: (point, t_ns, value)."""
        plain = [p for p in self.unit.points if p.role != SAMPLE_COUNT]
        chosen = [p for p in plain if self._random.random() < 0.7]
        rows = [(p.id, t_ns, float(np.round(self._random.normal(), 3))) for p in chosen]
        self.ticks += 1
        counter = next((p for p in self.unit.points if p.role == SAMPLE_COUNT), None)
        if counter is not None and self.ticks % 2 == 0:
            rows.append((counter.id, t_ns, float(self.count + len(rows) + 1)))
        self.count += len(rows)
        self.made += rows
        return rows


def reads(rows: list[tuple[int, int, float]], received_ns: int, quality: int = GOOD) -> Reads:
    return Reads(
        np.array([r[0] for r in rows], np.int32),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
        np.full(len(rows), quality, np.uint8),
        received_ns,
    )
