"""A vehicle's state message ⇄ the numbers of its points: by role, and exactly where our own vehicles say so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from zhongshu.connectors.vda5050.codec import POINT, QUALITY, SAMPLES, TIME, Malformed, parse_timestamp
from zhongshu.connectors.vda5050.messages import State, VehicleError
from zhongshu.model import roles
from zhongshu.model.batch import BAD, GOOD
from zhongshu.model.plant import Point, RoadMap
from zhongshu.model.states import TransportState, UnitMode, UnitState

#: The standard's modes; only AUTOMATIC leaves the whole vehicle to the master.
MODES: Mapping[str, UnitMode] = {
    "AUTOMATIC": UnitMode.PRODUCTION,
    "SEMIAUTOMATIC": UnitMode.LOCAL,
    "MANUAL": UnitMode.MANUAL,
    "SERVICE": UnitMode.MAINTENANCE,
    "TEACHIN": UnitMode.MAINTENANCE,
}
#: Something is on board, but its id is no lot number of the plant.
UNKNOWN_LOAD = -1.0
#: Actions that belong to no order, so that their failure says nothing about one.
INSTANT = frozenset(
    {
        "startPause",
        "stopPause",
        "startCharging",
        "stopCharging",
        "initPosition",
        "stateRequest",
        "factsheetRequest",
        "logReport",
        "cancelOrder",
    }
)


def refers_to(error: VehicleError, key: str, value: str) -> bool:
    """Whether an error says that it is about that order or action."""
    return any(r.reference_key == key and r.reference_value == value for r in error.error_references or ())


def answers(error: VehicleError, topic: str, header_id: int) -> bool:
    """Whether an error is about our message with that header; of one that makes no sense nothing else can be told."""
    return refers_to(error, "topic", topic) and refers_to(error, "headerId", str(header_id))


def transport_state(state: State) -> TransportState:
    """How far the order is, from what is still ahead, the actions, and errors about it."""
    if not state.order_id:
        return TransportState.NONE
    actions = [a for a in state.action_states if a.action_type not in INSTANT]
    fatal = any(e.error_level == "FATAL" and refers_to(e, "orderId", state.order_id) for e in state.errors)
    if fatal or any(a.action_status == "FAILED" for a in actions):
        return TransportState.FAILED
    is_open = state.node_states or state.edge_states or any(a.action_status != "FINISHED" for a in actions)
    return TransportState.RUNNING if is_open else TransportState.DONE


def unit_state(state: State) -> UnitState:
    """The PackML state a vehicle would be in."""
    if _e_stop(state) or any(error.error_level == "FATAL" for error in state.errors):
        return UnitState.ABORTED
    if state.paused:
        return UnitState.HELD
    if state.driving or transport_state(state) is TransportState.RUNNING:
        return UnitState.EXECUTE
    return UnitState.IDLE


def _position(axis: str) -> Callable[[State], float | None]:
    return lambda state: None if state.agv_position is None else float(getattr(state.agv_position, axis))


def _velocity(state: State) -> float | None:
    speed = state.velocity
    if speed is None or speed.vx is None:
        return None
    return math.hypot(speed.vx, speed.vy) if speed.vy else speed.vx


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _load(state: State) -> float | None:
    if state.loads is None:
        return None
    # A load that is none of our lots is not nothing on board.
    return (_whole(state.loads[0].load_id) or UNKNOWN_LOAD) if state.loads else 0.0


def _e_stop(state: State) -> float | None:
    return None if state.safety_state is None else float(state.safety_state.e_stop != "NONE")


def _mode(state: State) -> float | None:
    return (
        None if state.operating_mode is None else float(MODES.get(state.operating_mode, UnitMode.UNDEFINED))
    )


def _whole(text: str | None) -> float:
    """The number in a text that is one of ours; 0 for anything else."""
    return float(int(text)) if text and text.isascii() and text.isdigit() else 0.0


_READERS: Mapping[str, Callable[[State], float | None]] = {
    roles.POSITION_X: _position("x"),
    roles.POSITION_Y: _position("y"),
    roles.HEADING: _position("theta"),
    roles.VELOCITY: _velocity,
    roles.BATTERY: lambda s: None if s.battery_state is None else s.battery_state.battery_charge,
    roles.CHARGING: lambda s: None if s.battery_state is None else float(s.battery_state.charging),
    roles.DRIVING: lambda s: _flag(s.driving),
    roles.ORDER_KEY: lambda s: _whole(s.order_id),
    roles.ORDER_STATE: lambda s: float(transport_state(s)),
    roles.LOAD: _load,
    roles.ERRORS: lambda s: float(len(s.errors)),
    roles.E_STOP: _e_stop,
    roles.UNIT_MODE: _mode,
    roles.UNIT_STATE: lambda s: float(unit_state(s)),
}
#: What the visualization topic brings as well.
MOVING = (roles.POSITION_X, roles.POSITION_Y, roles.HEADING, roles.VELOCITY)


@dataclass(frozen=True, slots=True)
class Image:
    """The points that one state message carries: indexes into the unit's points, values, qualities, plant time in ns."""

    index: list[int]
    value: list[float]
    quality: list[int]
    t_ns: int
    #: The vehicle's own count of its samples; None where it does not number them.
    count: int | None


class VehiclePoints:
    """Reads state messages of vehicles with these points, on these roads."""

    def __init__(self, points: Sequence[Point], roads: RoadMap) -> None:
        self.points = tuple(points)
        self._number = {node.id: float(node.number) for node in roads.nodes}

    def of_roles(self, state: State) -> list[float | None]:
        """What the standard's own fields say of each point; None where they say nothing."""
        return [self._of_role(point.role, state) for point in self.points]

    def image(self, state: State) -> Image:
        """All points of the message. Raises Malformed where our own numbering in it is none."""
        exact = _references(state)
        found = self.of_roles(state)
        index, value, quality = [], [], []
        count: int | None = None
        for i, point in enumerate(self.points):
            text = exact.get(POINT + point.name)
            number = found[i] if text is None else _number(text, point.name)
            if number is None:
                continue
            index.append(i)
            value.append(number)
            level = int(_number(exact.get(QUALITY + point.name, "0"), point.name))
            quality.append(BAD if math.isnan(number) else level)
            if point.role == roles.SAMPLE_COUNT and text is not None and not math.isnan(number):
                count = int(number)
        t_ns = parse_timestamp(exact.get(TIME, state.timestamp))
        return Image(index, value, quality, t_ns, count)

    def _of_role(self, role: str, state: State) -> float | None:
        if role == roles.LAST_NODE:
            return self._number.get(state.last_node_id)
        reader = _READERS.get(role)
        return None if reader is None else reader(state)


def exact_references(
    points: VehiclePoints, state: State, value: Sequence[float], quality: Sequence[int]
) -> dict[str, str]:
    """What a vehicle of ours must add to a state so that a reader gets exactly these values and qualities."""
    added: dict[str, str] = {}
    for point, found, number, level in zip(
        points.points, points.of_roles(state), value, quality, strict=True
    ):
        if found is None or found != number:
            added[POINT + point.name] = repr(int(number)) if number.is_integer() else repr(number)
        if level != GOOD:
            added[QUALITY + point.name] = str(level)
    return added


def _references(state: State) -> dict[str, str]:
    for entry in state.information:
        if entry.info_type == SAMPLES:
            return {r.reference_key: r.reference_value for r in entry.info_references or ()}
    return {}


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Malformed(f"information.{SAMPLES}.{name}: {text!r} is no number") from error
