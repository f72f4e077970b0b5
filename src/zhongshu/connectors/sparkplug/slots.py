"""One slot a point: what the host knows of its metric between the birth that announced it and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zhongshu.connectors.sparkplug.codec import datatype_of
from zhongshu.connectors.sparkplug.config import PointAddress, UnitAddress
from zhongshu.model.plant import Point, Unit


class Slot:
    """A metric of ours: the point it feeds, the data type of its last birth, and the newest value and time (ns)."""

    __slots__ = ("datatype", "metric", "point", "t_ns", "unit", "value")

    def __init__(self, unit: str, point: Point) -> None:
        self.unit = unit
        self.point = point
        self.metric = PointAddress.model_validate(dict(point.address)).metric
        self.datatype: int = datatype_of(point.kind)
        self.value = float("nan")
        self.t_ns = 0


class Device:
    """A device of the edge node and the slots of its unit, by metric name."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit.id
        self.device = UnitAddress.model_validate(dict(unit.address)).device
        self.slots = {slot.metric: slot for slot in (Slot(unit.id, point) for point in unit.points)}
        self.of_role = {slot.point.role: slot for slot in self.slots.values() if slot.point.role}
        self.is_born = False
        self.was_born = False
        #: Plant time of the first and last data that came while it was not born, ns.
        self.dropped: tuple[int, int] | None = None
        self.absent: tuple[str, ...] = ()

    def note_absent(self, metrics: Sequence[Any]) -> None:
        """Remember which of our metrics a birth did not announce."""
        named = {metric.name for metric in metrics}
        self.absent = tuple(name for name in self.slots if name not in named)
