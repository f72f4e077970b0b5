"""What the shop floor measures right now, read from the newest values into the work: unit states, vehicle places, charge."""

from __future__ import annotations

import numpy as np

from zhongshu.decide.work import Advice, LotStatus, Vehicle, Work
from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.batch import Int64s, good
from zhongshu.model.plant import Plant, Point
from zhongshu.model.states import UnitMode, UnitState, named


class Floor:
    """Looks up the points once, reads them at every pass."""

    def __init__(self, work: Work, latest: Latest) -> None:
        self._work, self._latest = work, latest
        plant = work.plant
        self._units = [u.id for u in plant.units]
        self._state = _ids(plant, roles.UNIT_STATE)
        self._mode = _ids(plant, roles.UNIT_MODE)
        self._seen: tuple[Int64s, Int64s] | None = None
        self._nodes = {n.number: n.id for n in plant.roads.nodes}
        self._vehicles = {u.id: {p.role: p for p in u.points} for u in plant.vehicles}

    def refresh(self) -> None:
        """Bring states and vehicles up to date; what is not Good counts as not known."""
        self._refresh_states()
        for name, points in self._vehicles.items():
            vehicle = self._work.vehicles.setdefault(name, Vehicle())
            vehicle.node = self._nodes.get(int(self._value(points.get(roles.LAST_NODE), -1)), "")
            vehicle.battery = self._value(points.get(roles.BATTERY), 0.0)
            vehicle.charging = bool(self._value(points.get(roles.CHARGING), 0.0))
            vehicle.load = int(self._value(points.get(roles.LOAD), float(vehicle.load)))
            if vehicle.load and vehicle.load == vehicle.lot and not vehicle.took:
                vehicle.took = True
                self._work.dirty_vehicles.add(name)
            self._on_board(name, vehicle)
        for unit, advice in list(self._work.advised.items()):
            self._lapse(unit, advice)

    def _lapse(self, unit: str, advice: Advice) -> None:
        """Somebody did something with the unit: what was advised for it is of the past."""
        vehicle = self._work.vehicles.get(unit)
        state = self._work.states[unit][0]
        if state != UnitState.IDLE.name if vehicle is None else vehicle.node != advice.node:
            del self._work.advised[unit]

    def _refresh_states(self) -> None:
        """Those that moved: they seldom do."""
        states, modes = self._numbers(self._state), self._numbers(self._mode)
        moved = np.ones(len(self._units), np.bool_)
        if self._seen is not None:
            moved = (states != self._seen[0]) | (modes != self._seen[1])
        self._seen = (states, modes)
        for k in np.flatnonzero(moved).tolist():
            self._work.states[self._units[k]] = named(UnitState, states[k]), named(UnitMode, modes[k])

    def _numbers(self, points: Int64s) -> Int64s:
        """The newest values as whole numbers; 0 for what is not Good, or of which nothing was ever heard."""
        found: Int64s = np.zeros(len(points), np.int64)
        there = np.flatnonzero((points >= 0) & (points < len(self._latest)))
        there = there[good(self._latest.qualities[points[there]])]
        found[there] = self._latest.values[points[there]]
        return found

    def _on_board(self, name: str, vehicle: Vehicle) -> None:
        """What an idle vehicle carries is on it, wherever the book had it when its transport came to nothing."""
        lot = self._work.lots.get(vehicle.load)
        if lot is None or vehicle.proposal or lot.place == name:
            return
        if lot.status in (LotStatus.WAITING, LotStatus.FINISHED):
            lot.place, lot.at_output = name, True
            self._work.touch(lot)

    def _value(self, point: Point | None, otherwise: float) -> float:
        if point is None or not self._latest.fresh(point.id):
            return otherwise
        return self._latest.value(point.id)


def _ids(plant: Plant, role: str) -> Int64s:
    """Of each unit's point with that role, -1 where it has none."""
    found = (plant.role(unit, role) for unit in plant.units)
    return np.array([-1 if point is None else point.id for point in found], np.int64)
