"""What the shop floor measures right now, read from the newest values into the work: unit states, vehicle places, charge."""

from __future__ import annotations

import numpy as np

from zhongshu.decide.work import Advice, LotStatus, Vehicle, Work
from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.batch import Bytes, Floats, Int32s
from zhongshu.model.plant import Point
from zhongshu.model.states import UnitMode, UnitState, named


class Floor:
    """Looks up the points once, reads them at every pass."""

    def __init__(self, work: Work, latest: Latest) -> None:
        self._work, self._latest = work, latest
        plant = work.plant
        self._units = [u.id for u in plant.units]
        self._state = [plant.role(u, roles.UNIT_STATE) for u in plant.units]
        self._mode = [plant.role(u, roles.UNIT_MODE) for u in plant.units]
        points = [p.id for p in (*self._state, *self._mode) if p is not None]
        self._looked_at: Int32s = np.array([max(0, p) for p in points], np.int32)
        self._seen: tuple[Floats, Bytes] | None = None
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
        """All of them, but only if one of them moved: they seldom do."""
        values = self._latest.values[self._looked_at]
        qualities = self._latest.qualities[self._looked_at]
        if self._seen is not None:
            old_values, old_qualities = self._seen
            same = np.array_equal(old_values, values, equal_nan=True)
            if same and np.array_equal(old_qualities, qualities):
                return
        self._seen = (values, qualities)
        for unit, state, mode in zip(self._units, self._state, self._mode, strict=True):
            self._work.states[unit] = (
                named(UnitState, self._value(state, 0)),
                named(UnitMode, self._value(mode, 0)),
            )

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
