"""What the master knows of one vehicle: its connection, the continuity of its messages, and its states as readings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhongshu.connectors.vda5050.codec import parse_timestamp
from zhongshu.connectors.vda5050.config import serial_of
from zhongshu.connectors.vda5050.messages import ConnectionMessage, Header, State, Visualization
from zhongshu.connectors.vda5050.points import MOVING, Image, VehiclePoints
from zhongshu.kernel.ports import Reads, Sink
from zhongshu.model.batch import GOOD
from zhongshu.model.plant import RoadMap, Unit

#: headerId is a uint32; a step further back than this is a restarted vehicle, not a late message.
_HEADERS = 2**32


@dataclass(slots=True)
class VehicleCounters:
    """What one vehicle sent; for diagnostics."""

    states: int = 0
    repeated_images: int = 0
    repeated_headers: int = 0
    header_gaps: int = 0
    images_missed: int = 0
    restarts: int = 0


class Vehicle:
    """The master's picture of one vehicle; speaks to the sink in the right order."""

    def __init__(self, unit: Unit, roads: RoadMap) -> None:
        self.unit = unit.id
        self.serial = serial_of(unit.address)
        self.state: State | None = None
        self._presence: bool | None = None  # None: not known
        self.is_heard = False  # a state came since our session began
        self.heard_wall_ns = 0
        self.counters = VehicleCounters()
        self._points = VehiclePoints(unit.points, roads)
        self._ids = np.array([point.id for point in unit.points], np.int32)
        self._moving = [i for i, point in enumerate(unit.points) if point.role in MOVING]
        self._header: int | None = None
        self._count: int | None = None
        self._t_ns = 0
        self._heard_ns = 0

    @property
    def is_up(self) -> bool:
        """The vehicle is known to be there."""
        return self._presence is True

    def forget(self) -> None:
        """Our own session ended: whether the vehicle is there is not known any more."""
        self._presence = None
        self.is_heard = False

    def connection(self, message: ConnectionMessage, sink: Sink) -> None:
        """The vehicle said, or the broker for it, whether it is there."""
        if message.connection_state == "ONLINE":
            self._up(sink)
        elif self._presence is not False:
            self._presence = False
            sink.unit_lost(self.unit, message.connection_state.lower())

    def read(self, state: State, received_ns: int, sink: Sink) -> bool:
        """One state message; False for one that came twice. Raises Malformed."""
        image = self._points.image(state)
        lost = self._follow(state)
        if lost is None:
            return False
        self.counters.states += 1
        self.state = state
        self.is_heard, self.heard_wall_ns = True, received_ns
        self._up(sink)
        if image.count is None:
            is_new = image.t_ns > self._t_ns
            if lost:
                self._missed("header_gap", image, lost * len(image.index), sink)
        else:
            is_new = image.count != self._count
            self._compare_counts(image, lost, sink)
        if is_new and image.index:
            sink.reads(self._reads(image, received_ns))
        else:
            self.counters.repeated_images += 1
            sink.alive([self.unit])
        if is_new:
            self._count, self._t_ns = image.count, image.t_ns
        self._heard_ns = max(self._heard_ns, image.t_ns)
        return True

    def look(self, message: Visualization, received_ns: int, sink: Sink) -> None:
        """Position and velocity between two states. Raises Malformed."""
        t_ns = parse_timestamp(message.timestamp)
        if t_ns <= self._t_ns or not self._moving:
            return
        fields = message.model_dump(exclude={"agv_position", "velocity"})
        state = State(**fields, agv_position=message.agv_position, velocity=message.velocity)
        found = self._points.of_roles(state)
        index = [i for i in self._moving if found[i] is not None]
        value = [number for i in self._moving if (number := found[i]) is not None]
        if index:
            sink.reads(self._reads(Image(index, value, [GOOD] * len(index), t_ns, None), received_ns))
            self._t_ns = t_ns

    def _up(self, sink: Sink) -> None:
        if not self.is_up:
            self._presence = True
            sink.unit_up(self.unit)

    def _follow(self, header: Header) -> int | None:
        """How many state messages are missing before this one; None if it is the last one again."""
        expected = None if self._header is None else (self._header + 1) % _HEADERS
        if (
            header.header_id == self._header
            and self.state is not None
            and header.timestamp == self.state.timestamp
        ):
            self.counters.repeated_headers += 1
            return None
        self._header = header.header_id
        ahead = 0 if expected is None else header.header_id - expected
        if ahead < 0:
            self.counters.restarts += 1
        elif ahead > 0:
            self.counters.header_gaps += 1
        return max(ahead, 0)

    def _compare_counts(self, image: Image, lost: int, sink: Sink) -> None:
        """Every image counts all points of the vehicle; a larger step means images that never came."""
        if self._count is None or image.count is None or image.count <= self._count:
            return
        missing = image.count - self._count - len(image.index)
        if missing > 0:
            self._missed("header_gap" if lost else "images_not_sent", image, missing, sink)

    def _missed(self, cause: str, image: Image, missing: int, sink: Sink) -> None:
        self.counters.images_missed += -(-missing // max(len(image.index), 1))
        start_ns = min(self._heard_ns + 1, image.t_ns)
        end_ns = max(image.t_ns - 1, start_ns)
        sink.missed(cause, units=(self.unit,), start_ns=start_ns, end_ns=end_ns, missing=missing)

    def _reads(self, image: Image, received_ns: int) -> Reads:
        return Reads(
            point=self._ids[image.index],
            t_ns=np.full(len(image.index), image.t_ns, np.int64),
            value=np.array(image.value, np.float64),
            quality=np.array(image.quality, np.uint8),
            received_ns=received_ns,
        )
