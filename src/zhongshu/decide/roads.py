"""Shortest ways on the road map, by driving time; computed once per start node and remembered."""

from __future__ import annotations

import heapq
from collections import defaultdict

from zhongshu.model.plant import RoadMap


class Roads:
    """Answers how far and which way."""

    def __init__(self, roads: RoadMap) -> None:
        self._exits: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for edge in roads.edges:
            self._exits[edge.start].append((edge.end, edge.length_m / edge.speed_m_s))
        self._from: dict[str, tuple[dict[str, float], dict[str, str]]] = {}

    def seconds(self, start: str, end: str) -> float:
        """Driving time in plant seconds; infinite where no way leads."""
        return self._tree(start)[0].get(end, float("inf"))

    def route(self, start: str, end: str) -> tuple[str, ...]:
        """Nodes from start to end, both included; empty where no way leads."""
        seconds, before = self._tree(start)
        if end not in seconds:
            return ()
        nodes = [end]
        while nodes[-1] != start:
            nodes.append(before[nodes[-1]])
        return tuple(reversed(nodes))

    def _tree(self, start: str) -> tuple[dict[str, float], dict[str, str]]:
        if start not in self._from:
            self._from[start] = self._search(start)
        return self._from[start]

    def _search(self, start: str) -> tuple[dict[str, float], dict[str, str]]:
        seconds, before = {start: 0.0}, {start: start}
        queue = [(0.0, start)]
        while queue:
            passed, node = heapq.heappop(queue)
            if passed > seconds[node]:
                continue
            for neighbour, cost in self._exits[node]:
                if passed + cost < seconds.get(neighbour, float("inf")):
                    seconds[neighbour], before[neighbour] = passed + cost, node
                    heapq.heappush(queue, (passed + cost, neighbour))
        return seconds, before
