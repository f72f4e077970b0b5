"""When a rehearsed plant is sampled: units at which something happened, vehicles under way, and every unit now and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from zhongshu.model import roles
from zhongshu.model.batch import Int64s
from zhongshu.model.plant import Plant
from zhongshu.twin.face import is_settable
from zhongshu.twin.floor import Floor

#: Every unit is sampled once in so many ticks, well before its values would count as stale.
ROUND = 20
_NONE: Int64s = np.zeros(0, dtype=np.int64)


class Rare:
    """Stands in for ``Timing``. ``note`` is to be told of what happens on the floor, as its book is."""

    def __init__(self, plant: Plant, floor: Floor) -> None:
        self._floor = floor
        self._own: list[Int64s] = []
        self._number = {unit.id: number for number, unit in enumerate(plant.units)}
        start = 0
        for unit in plant.units:
            rest = plant.type_of[unit.type].rest
            heat = rest.measured if rest is not None else ""
            points = [
                k for k, p in enumerate(unit.points) if _matters(p.role) or is_settable(p) or p.name == heat
            ]
            self._own.append(np.array(points, dtype=np.int64) + start)
            start += len(unit.points)
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
        units = self._touched | set(range(tick % ROUND, len(self._own), ROUND)) | set(self._driving())
        self._touched.clear()
        return np.concatenate([_NONE, *(self._own[number] for number in sorted(units))])

    def _driving(self) -> Iterable[int]:
        return (self._number[name] for name, v in self._floor.vehicles.items() if v.running)


def _matters(role: str) -> bool:
    """Decisions rest on roles, set-points and the heat of ovens; other measurements are for people, who do not watch here."""
    return bool(role) and role not in roles.OF_THE_WIRE
