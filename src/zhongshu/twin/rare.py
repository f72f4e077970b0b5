"""When a rehearsed plant is sampled: units at which something happened, vehicles under way, and every unit now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zhongshu.model import roles
from zhongshu.model.batch import Int64s
from zhongshu.model.plant import Plant, Point, Unit
from zhongshu.twin.face import is_settable
from zhongshu.twin.floor import Floor

#: Every unit is sampled once in so many ticks, well before its values would count as stale.
ROUND = 20
_NONE: Int64s = np.zeros(0, dtype=np.int64)


def reduced(plant: Plant) -> Plant:
    """The plant as a rehearsed brain knows it: with the points that are sampled for it and no others."""
    matters = _matters(plant)
    kept = (replace(unit, points=tuple(p for p in unit.points if matters(unit, p))) for unit in plant.units)
    return replace(plant, units=tuple(kept))


class Rare:
    """Stands in for ``Timing``. ``note`` is to be told of what happens on the floor, as its book is."""

    def __init__(self, plant: Plant, floor: Floor) -> None:
        self._floor = floor
        self._own: list[Int64s] = []
        self._number = {unit.id: number for number, unit in enumerate(plant.units)}
        start, matters = 0, _matters(plant)
        for unit in plant.units:
            points = [k for k, p in enumerate(unit.points) if matters(unit, p)]
            self._own.append(np.array(points, dtype=np.int64) + start)
            start += len(unit.points)
        self._round = _rounds(plant)
        self._touched: set[int] = set()

    @property
    def all(self) -> Int64s:
        """Every point that matters: what the first tick makes available."""
        return np.concatenate([_NONE, *self._own])

    def note(self, _kind: str, _t_ns: int, fields: Mapping[str, Any]) -> None:
        """Something happened to a unit: it is sampled at the next tick."""
        number = self._number.get(fields.get("unit", ""))
        if number is not None:
            self._touched.add(number)

    def due(self, tick: int) -> Int64s:
        """Indexes of the points that are sampled at this tick, in plant order."""
        units = self._touched | self._round[tick % ROUND] | set(self._driving())
        self._touched.clear()
        return np.concatenate([_NONE, *(self._own[number] for number in sorted(units))])

    def _driving(self) -> Iterable[int]:
        return (self._number[name] for name, v in self._floor.vehicles.items() if v.running)


def _rounds(plant: Plant) -> list[set[int]]:
    """By tick of a round, the numbers of the units that are sampled then: those of a connection together, since what it costs
    to take in samples goes by the Batch."""
    at = {c.id: k * ROUND // len(plant.connections) for k, c in enumerate(plant.connections)}
    rounds: list[set[int]] = [set() for _ in range(ROUND)]
    for number, unit in enumerate(plant.units):
        rounds[at[unit.connection]].add(number)
    return rounds


def _matters(plant: Plant) -> Callable[[Unit, Point], bool]:
    """Decisions rest on roles, set-points, what interlocks look at, and the heat of ovens; other measurements are for people,
    who do not watch here."""
    heat = {kind.id: kind.rest.measured for kind in plant.types if kind.rest is not None}
    asked = {
        (unit, lock.point) for lock in plant.interlocks for unit in ([lock.unit] if lock.unit else lock.units)
    }

    def matters(unit: Unit, p: Point) -> bool:
        by_role = bool(p.role) and p.role not in roles.OF_THE_WIRE
        return by_role or is_settable(p) or p.name == heat.get(unit.type) or (unit.id, p.name) in asked

    return matters
