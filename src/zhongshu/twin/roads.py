"""The road map under the vehicles, and where two of them meet: one vehicle a lane, one in a crossing at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from zhongshu.model.plant import Edge, Node
from zhongshu.twin.shop import Shop

if TYPE_CHECKING:
    from zhongshu.twin.vehicle import Vehicle

#: The first metres of a lane lie in the crossing from which it leads away, but never more than half of it.
CROSSING_M = 2.0


class Roads:
    """The road map by name, shared by all vehicles; ``collisions`` counts what must never happen.

    A vehicle is on the lane by which it came, at whose end it stands before the crossing, until it is through that crossing
    on its next lane; it is on that one from the moment it drives off. Nothing stops two vehicles but their orders.
    """

    def __init__(self, shop: Shop) -> None:
        roads = shop.plant.roads
        self.nodes: dict[str, Node] = {n.id: n for n in roads.nodes}
        self.edges: dict[tuple[str, str], Edge] = {(e.start, e.end): e for e in roads.edges}
        self._into: dict[str, list[str]] = {n.id: [] for n in roads.nodes}
        for edge in roads.edges:
            self._into[edge.end].append(edge.start)
        self.chargers = frozenset(roads.chargers)
        self.vehicles: list[Vehicle] = []
        self.collisions = 0

    def behind(self, node: str, heading: float) -> str:
        """Where a vehicle came from that stands at a node and looks along a lane; empty where no lane leads there so."""
        for start in self._into.get(node, ()):
            here, there = self.nodes[start], self.nodes[node]
            off = math.atan2(there.y_m - here.y_m, there.x_m - here.x_m) - heading
            if math.cos(off) > 0.99:
                return start
        return ""

    def met(self, vehicle: Vehicle, lane: Edge) -> Iterator[tuple[Vehicle, str]]:
        """Vehicles in the crossing or on the lane that this one now drives into, and where."""
        for other in self.vehicles:
            if other is vehicle:
                continue
            ways, crossing = self._where(other)
            if (lane.start, lane.end) in ways or crossing == lane.start:
                self.collisions += 1
                yield other, lane.id if (lane.start, lane.end) in ways else lane.start

    def _where(self, vehicle: Vehicle) -> tuple[set[tuple[str, str]], str]:
        """The lanes a vehicle is on, and the crossing it is in, if any."""
        known = (vehicle.came,) if vehicle.came else self._into.get(vehicle.node, ())
        behind = {(start, vehicle.node) for start in known}
        lane = vehicle.edge()
        if lane is None:
            return behind, ""
        passed_m = vehicle.share() * lane.length_m
        if passed_m < min(CROSSING_M, lane.length_m / 2):
            return {*behind, (lane.start, lane.end)}, vehicle.node
        return {(lane.start, lane.end)}, ""
