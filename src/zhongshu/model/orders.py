"""Orders: what the customer wants (WorkOrder), what a vehicle shall move (TransportOrder)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """So many of a product by a due time (plant time); lower ``priority`` goes first."""

    id: str
    product: str
    quantity: int
    due_ns: int
    release_ns: int
    priority: int = 5


@dataclass(frozen=True, slots=True)
class TransportOrder:
    """Drive ``route`` (road-map nodes, the vehicle's last node first), pick ``lot`` at ``pick``, drop it at ``drop``.

    ``pick_unit``/``drop_unit`` name the machines whose buffers are meant. ``pick`` and ``drop`` are on the route, in that
    order; their indexes are ``pick_at`` and ``drop_at``. A move without load has lot 0 and empty units.

    Of the route only the first ``released`` nodes may be driven (VDA 5050's base), all of them where it is 0; the rest is
    what is intended. An update of the order (``update`` counts them, from 1) is the whole order again: what was released
    stays as it was, more is released, and what is ahead may be another way.
    """

    key: int
    vehicle: str
    lot: int
    route: tuple[str, ...]
    pick_at: int
    drop_at: int
    pick_unit: str
    drop_unit: str
    released: int = 0
    update: int = 0
    stitch: int = 0

    @property
    def base(self) -> int:
        """How many nodes of the route may be driven."""
        return self.released or len(self.route)

    def to_args(self) -> dict[str, Any]:
        """Plain values for ``Call.args``; what tells of a part of the route only where it is not 0."""
        part = {"released": self.released, "update": self.update, "stitch": self.stitch}
        part = {name: value for name, value in part.items() if value}
        return {
            **part,
            "lot": self.lot,
            "route": list(self.route),
            "pick_at": self.pick_at,
            "drop_at": self.drop_at,
            "pick_unit": self.pick_unit,
            "drop_unit": self.drop_unit,
        }

    @classmethod
    def from_args(cls, key: int, vehicle: str, args: dict[str, Any]) -> Self:
        """The order again, from ``to_args``."""
        return cls(key=key, vehicle=vehicle, **{**args, "route": tuple(args["route"])})
