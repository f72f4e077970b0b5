"""What the vehicles measure, as traffic control needs it: place, heading, order and load, of values that are Good now."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.plant import Plant, Point
from zhongshu.model.states import COMMANDABLE, TransportState, UnitState


@dataclass(frozen=True, slots=True)
class Seen:
    """One vehicle now. ``heading`` and ``at_m`` are None where they are not known; ``at_m`` is not older than ``node``.
    ``is_broken``: it is in no state to drive, and says so."""

    node: str
    heading: float | None
    at_m: tuple[float, float] | None
    order: int
    state: TransportState
    load: int
    may_command: bool
    is_broken: bool


class Sight:
    """Looks up the points once, reads them at every look."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest = latest
        self._points = {u.id: {p.role: p for p in u.points if p.role} for u in plant.vehicles}
        self._ids = {name: np.array([p.id for p in points.values()]) for name, points in self._points.items()}
        self._last: dict[str, tuple[tuple[bytes, ...], Seen | None]] = {}
        self._names = {node.number: node.id for node in plant.roads.nodes}

    def see(self, vehicle: str) -> Seen | None:
        """What it measures; None while place, order or the order's state are not known, or the state is older than the order."""
        ids, latest = self._ids[vehicle], self._latest
        now = tuple(of[ids].tobytes() for of in (latest.values, latest.times_ns, latest.qualities))
        before = self._last.get(vehicle)
        if before is None or before[0] != now:  # most looks find nothing new
            before = self._last[vehicle] = now, self._look(vehicle)
        return before[1]

    def _look(self, vehicle: str) -> Seen | None:
        points = self._points[vehicle]
        node, order = self._value(points.get(roles.LAST_NODE)), self._value(points.get(roles.ORDER_KEY))
        state = self._value(points.get(roles.ORDER_STATE))
        name = self._names.get(int(node), "") if node is not None else ""
        if not name or order is None or state is None or int(state) not in TransportState._value2member_map_:
            return None
        if self._time(points[roles.ORDER_STATE]) < self._time(points[roles.ORDER_KEY]):
            return None
        mode = self._value(points.get(roles.UNIT_MODE))
        return Seen(
            name,
            self._value(points.get(roles.HEADING)),
            self._place(points),
            int(order),
            TransportState(int(state)),
            int(self._value(points.get(roles.LOAD)) or 0),
            mode is None or mode in COMMANDABLE,
            self._value(points.get(roles.UNIT_STATE)) == UnitState.ABORTED,
        )

    def _place(self, points: dict[str, Point]) -> tuple[float, float] | None:
        x, y = points.get(roles.POSITION_X), points.get(roles.POSITION_Y)
        if x is None or y is None:
            return None
        x_m, y_m = self._value(x), self._value(y)
        if x_m is None or y_m is None:
            return None
        is_new = max(self._time(x), self._time(y)) >= self._time(points[roles.LAST_NODE])
        return (x_m, y_m) if is_new else None

    def _value(self, point: Point | None) -> float | None:
        if point is None or not self._latest.fresh(point.id):
            return None
        return self._latest.value(point.id)

    def _time(self, point: Point) -> int:
        return int(self._latest.times_ns[point.id])
