"""The road map as traffic control counts it: lanes and crossings by number, driving times, and who stands where by its heading."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

from zhongshu.model.plant import RoadMap

#: A vehicle is past a crossing when it has driven so far on the lane behind it (m), or half of a shorter lane.
CROSSING_M = 2.0
#: A measured heading tells the lane a vehicle came by if it is off that lane's direction by at most so much (rad).
HEADING_RAD = 0.3


@dataclass(frozen=True, slots=True)
class Lane:
    """A directed lane between two nodes (numbers): how long a vehicle drives on it, and how much of that in the crossing."""

    start: int
    end: int
    seconds: float
    crossing_s: float
    length_m: float
    heading: float


class Network:
    """Places are numbers: lanes come first, ``crossing(node)`` after them."""

    def __init__(self, roads: RoadMap) -> None:
        self.names = [node.id for node in roads.nodes]
        self.node = {name: i for i, name in enumerate(self.names)}
        self.at = [(node.x_m, node.y_m) for node in roads.nodes]
        self.lanes: list[Lane] = []
        self.out: list[list[int]] = [[] for _ in self.names]
        self.into: list[list[int]] = [[] for _ in self.names]
        self.lane: dict[tuple[int, int], int] = {}
        for edge in roads.edges:
            start, end = self.node[edge.start], self.node[edge.end]
            (x0, y0), (x1, y1) = self.at[start], self.at[end]
            seconds = edge.length_m / edge.speed_m_s
            share = min(0.5, CROSSING_M / edge.length_m)
            number = self.lane[start, end] = len(self.lanes)
            heading = math.atan2(y1 - y0, x1 - x0)
            self.lanes.append(Lane(start, end, seconds, seconds * share, edge.length_m, heading))
            self.out[start].append(number)
            self.into[end].append(number)
        self.chargers = frozenset(self.node[name] for name in roads.chargers)
        self._to: dict[int, list[float]] = {}

    @property
    def places(self) -> int:
        """How many there are."""
        return len(self.lanes) + len(self.names)

    def crossing(self, node: int) -> int:
        """The place that a crossing is."""
        return len(self.lanes) + node

    def seconds_to(self, target: int) -> list[float]:
        """Least driving time to a node from every node; infinite where no way leads."""
        found = self._to.get(target)
        if found is None:
            found = self._to[target] = self._search(target)
        return found

    def route(self, start: int, target: int) -> list[str]:
        """Names of the nodes on the quickest way, both ends included; just the first where no way leads."""
        left, names = self.seconds_to(target), [self.names[start]]
        while start != target and left[start] < math.inf:
            lanes = (self.lanes[i] for i in self.out[start])
            start = min(lanes, key=lambda lane: lane.seconds + left[lane.end]).end
            names.append(self.names[start])
        return names

    def standing_on(self, node: int, heading: float | None) -> tuple[int, ...]:
        """The lanes at whose end a vehicle at a node may stand: the one it looks along, or else all that end there."""
        if heading is not None:
            fits = [(abs(_turn(self.lanes[i].heading - heading)), i) for i in self.into[node]]
            best = min(fits, default=(math.inf, -1))
            if best[0] <= HEADING_RAD:
                return (best[1],)
        return tuple(self.into[node])

    def past_crossing(self, lane: int, x_m: float, y_m: float) -> bool:
        """Whether a measured position on that lane is beyond the crossing at its begin, with half a metre to spare."""
        (x0, y0), way = self.at[self.lanes[lane].start], self.lanes[lane]
        along = (x_m - x0) * math.cos(way.heading) + (y_m - y0) * math.sin(way.heading)
        aside = abs((y_m - y0) * math.cos(way.heading) - (x_m - x0) * math.sin(way.heading))
        return along > min(CROSSING_M, way.length_m / 2) + 0.5 and aside < 1.0

    def _search(self, target: int) -> list[float]:
        seconds = [math.inf] * len(self.names)
        seconds[target] = 0.0
        queue = [(0.0, target)]
        while queue:
            passed, node = heapq.heappop(queue)
            if passed > seconds[node]:
                continue
            for number in self.into[node]:
                lane = self.lanes[number]
                if passed + lane.seconds < seconds[lane.start]:
                    seconds[lane.start] = passed + lane.seconds
                    heapq.heappush(queue, (seconds[lane.start], lane.start))
        return seconds


def _turn(angle: float) -> float:
    return math.atan2(math.sin(angle), math.cos(angle))
