"""What a vehicle of ours says of itself: images of its points, its order and errors become state messages."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhongshu.connectors.vda5050.codec import SAMPLES, STATE, TIME, Headers, encode, timestamp
from zhongshu.connectors.vda5050.messages import State
from zhongshu.connectors.vda5050.mission import Mission
from zhongshu.connectors.vda5050.points import MODES, VehiclePoints, exact_references
from zhongshu.model import roles
from zhongshu.model.batch import Bytes, Floats
from zhongshu.model.plant import Point, RoadMap
from zhongshu.model.states import TransportState, UnitMode, UnitState

#: Refused orders and instant actions that are remembered in states; older ones are forgotten.
REMEMBERED = 8
#: Of several names for one mode the first.
_MODE_NAMES = {mode: name for name, mode in reversed(list(MODES.items()))}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One image of all points; ``value`` NaN where there is none yet."""

    t_ns: int
    value: list[float]
    quality: list[int]


class Body:
    """Points, order and errors of one vehicle. ``take`` new values, ``say`` a state."""

    def __init__(self, points: Sequence[Point], roads: RoadMap, headers: Headers, map_id: str) -> None:
        self._points = VehiclePoints(points, roads)
        self._index = {point.role: i for i, point in enumerate(points) if point.role}
        self._node = {node.number: node.id for node in roads.nodes}
        self._headers = headers
        self._map_id = map_id
        self._value = np.full(len(points), np.nan)
        self._quality = np.zeros(len(points), np.uint8)
        self.newest: Snapshot | None = None
        self.mission: Mission | None = None
        self._is_awaited = False  # the twin has not yet published the order that it accepted
        self._errors: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._instant: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)

    def restart(self) -> None:
        """Everything volatile is lost; the points are the machine's, not ours."""
        self.mission = None
        self._errors.clear()
        self._instant.clear()
        self._headers.restart()

    def take(self, index: Sequence[int], t_ns: int, value: Floats, quality: Bytes) -> Snapshot:
        """New values of one scan; returns the image they make."""
        self._value[index], self._quality[index] = value, quality
        self.newest = Snapshot(t_ns, self._value.tolist(), self._quality.tolist())
        self._follow(self.newest)
        return self.newest

    def begin(self, mission: Mission) -> None:
        """The machine accepted an order: earlier errors and actions are over."""
        self.mission, self._is_awaited = mission, True
        self._errors.clear()
        self._instant.clear()

    def refuse(self, error: dict[str, Any]) -> None:
        """Remember a refusal until the next order is accepted."""
        self._errors = deque((e for e in self._errors if e != error), maxlen=REMEMBERED)
        self._errors.append(error)

    def acted(self, action_id: str, action_type: str, status: str, text: str) -> None:
        """Remember how an instant action ended."""
        known = {
            "actionId": action_id,
            "actionType": action_type,
            "actionStatus": status,
            "resultDescription": text,
        }
        self._instant = deque((a for a in self._instant if a["actionId"] != action_id), maxlen=REMEMBERED)
        self._instant.append(known)

    def say(self, snapshot: Snapshot, t_ns: int) -> bytes:
        """A state message with this image; ``t_ns`` is the message's own time."""
        state = {**self._headers.next(STATE, t_ns), **self._fields(snapshot)}
        seen = State.model_validate_json(encode(state))
        exact = exact_references(self._points, seen, snapshot.value, snapshot.quality)
        references = {TIME: timestamp(snapshot.t_ns), **exact}
        state["information"] = [
            {
                "infoType": SAMPLES,
                "infoLevel": "INFO",
                "infoReferences": [{"referenceKey": k, "referenceValue": v} for k, v in references.items()],
            }
        ]
        return encode(state)

    def _follow(self, snapshot: Snapshot) -> None:
        """Tell the mission where the vehicle is; another order key from the machine ends it."""
        if self.mission is None:
            return
        key = round(self._of(snapshot, roles.ORDER_KEY))
        if key == self.mission.key:
            self._is_awaited = False
            node = self._node.get(round(self._of(snapshot, roles.LAST_NODE)), "")
            number = round(self._of(snapshot, roles.ORDER_STATE))
            state = (
                TransportState(number) if number in TransportState._value2member_map_ else TransportState.NONE
            )
            self.mission.follow(node, round(self._of(snapshot, roles.LOAD)), state)
        elif not self._is_awaited:
            self.mission = None

    def _fields(self, snapshot: Snapshot) -> dict[str, Any]:
        of = self._of
        node, load = round(of(snapshot, roles.LAST_NODE)), round(of(snapshot, roles.LOAD))
        mode = _MODE_NAMES.get(_mode(of(snapshot, roles.UNIT_MODE, UnitMode.PRODUCTION)), "SERVICE")
        order = self._order_fields(snapshot)
        order["actionStates"] += list(self._instant)
        return {
            **order,
            "lastNodeId": self._node.get(node, ""),
            "driving": of(snapshot, roles.DRIVING) != 0,
            "operatingMode": mode,
            "loads": [{"loadId": str(load)}] if load else [],
            "agvPosition": {
                "x": of(snapshot, roles.POSITION_X),
                "y": of(snapshot, roles.POSITION_Y),
                "theta": of(snapshot, roles.HEADING),
                "mapId": self._map_id,
                "positionInitialized": True,
            },
            "velocity": {"vx": of(snapshot, roles.VELOCITY), "vy": 0.0, "omega": 0.0},
            "batteryState": {
                "batteryCharge": of(snapshot, roles.BATTERY),
                "charging": of(snapshot, roles.CHARGING) != 0,
            },
            "errors": self._error_fields(snapshot),
            "safetyState": {
                "eStop": "MANUAL" if of(snapshot, roles.E_STOP) else "NONE",
                "fieldViolation": False,
            },
        }

    def _order_fields(self, snapshot: Snapshot) -> dict[str, Any]:
        """The mission, or an order of earlier of which only the key is known."""
        if self.mission is not None:
            return self.mission.fields()
        key = round(self._of(snapshot, roles.ORDER_KEY))
        return {
            "orderId": str(key) if key else "",
            "orderUpdateId": 0,
            "lastNodeSequenceId": 0,
            "nodeStates": [],
            "edgeStates": [],
            "actionStates": [],
        }

    def _error_fields(self, snapshot: Snapshot) -> list[dict[str, Any]]:
        """As many errors as the machine has, the refused requests, and the failed order. A vehicle that has broken down is in no
        state to drive, which is FATAL; the error names no order, for that one stays."""
        own = round(self._of(snapshot, roles.ERRORS))
        errors: list[dict[str, Any]] = [
            {"errorType": "vehicleError", "errorLevel": "WARNING"} for _ in range(min(own, 100))
        ]
        aborted = round(self._of(snapshot, roles.UNIT_STATE)) == UnitState.ABORTED
        if errors and aborted and not self._of(snapshot, roles.E_STOP):
            errors[0] = {"errorType": "vehicleFault", "errorLevel": "FATAL"}
        failed = round(self._of(snapshot, roles.ORDER_STATE)) == TransportState.FAILED
        if failed and self.mission is not None and not self._is_awaited:
            about = [{"referenceKey": "orderId", "referenceValue": self.mission.order_id}]
            errors.append({"errorType": "orderFailed", "errorLevel": "FATAL", "errorReferences": about})
        return errors + list(self._errors)

    def _of(self, snapshot: Snapshot, role: str, default: float = 0.0) -> float:
        i = self._index.get(role)
        value = default if i is None else snapshot.value[i]
        return value if math.isfinite(value) else default


def _mode(value: float) -> UnitMode:
    number = round(value)
    return UnitMode(number) if number in UnitMode._value2member_map_ else UnitMode.UNDEFINED
