"""What the shop floor measures right now, read from the newest values into the work: unit states, vehicle places, charge."""

from __future__ import annotations

from zhongshu.decide.work import Advice, LotStatus, Vehicle, Work
from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.plant import Point
from zhongshu.model.states import UnitMode, UnitState, named


class Floor:
    """Looks up the points once, reads them at every pass."""

    def __init__(self, work: Work, latest: Latest) -> None:
        self._work, self._latest = work, latest
        plant = work.plant
        self._state = [
            (u.id, plant.role(u, roles.UNIT_STATE), plant.role(u, roles.UNIT_MODE)) for u in plant.units
        ]
        self._nodes = {n.number: n.id for n in plant.roads.nodes}
        self._vehicles = {u.id: {p.role: p for p in u.points} for u in plant.vehicles}

    def refresh(self) -> None:
        """Bring states and vehicles up to date; what is not Good counts as not known."""
        for unit, state, mode in self._state:
            self._work.states[unit] = (
                named(UnitState, self._value(state, 0)),
                named(UnitMode, self._value(mode, 0)),
            )
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
