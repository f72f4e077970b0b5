"""The road map of the file → nodes and edges spelled out, with checks that vehicles can reach everything."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable

from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.spec import LaneSpec, RoadsSpec
from zhongshu.model.plant import Edge, Node, RoadMap

#: More stations than this are told as one problem: then it is the roads, not the stations.
_MOST_NAMED = 5


def road_map(spec: RoadsSpec, findings: Findings) -> RoadMap:
    """Lanes cut into stations, single nodes, and every edge once per direction."""
    nodes: dict[str, Node] = {}
    ways: list[tuple[str, str, bool, float, Loc]] = []
    for i, lane in enumerate(spec.lanes):
        ids = [f"{lane.id}-{k + 1:02}" for k in range(lane.stations)]
        for k, node_id in enumerate(ids):
            x, y = _along(lane, k / (lane.stations - 1))
            _add(nodes, node_id, x, y, ("roads", "lanes", i, "id"), findings)
        ways += [
            (a, b, lane.one_way, spec.speed_m_s, ("roads", "lanes", i)) for a, b in itertools.pairwise(ids)
        ]
    for i, node in enumerate(spec.nodes):
        _add(nodes, node.id, node.x_m, node.y_m, ("roads", "nodes", i, "id"), findings)
    for i, edge in enumerate(spec.edges):
        loc: Loc = ("roads", "edges", i)
        for end, name in (("start", edge.start), ("end", edge.end)):
            if name not in nodes:
                findings.unknown((*loc, end), "node", name, nodes, "under roads")
        if edge.start == edge.end:
            findings.error(loc, f"The edge leads from “{edge.start}” to itself.", "Name two different nodes.")
        elif edge.start in nodes and edge.end in nodes:
            ways.append((edge.start, edge.end, edge.one_way, edge.speed_m_s or spec.speed_m_s, loc))
    for i, charger in enumerate(spec.chargers):
        if charger not in nodes:
            findings.unknown(("roads", "chargers", i), "node", charger, nodes, "under roads")
    edges = _edges(ways, nodes, findings)
    return RoadMap(tuple(nodes.values()), tuple(edges.values()), tuple(dict.fromkeys(spec.chargers)))


def _along(lane: LaneSpec, part: float) -> tuple[float, float]:
    (x0, y0), (x1, y1) = lane.start, lane.end
    return round(x0 + (x1 - x0) * part, 2), round(y0 + (y1 - y0) * part, 2)


def _add(nodes: dict[str, Node], node_id: str, x_m: float, y_m: float, loc: Loc, findings: Findings) -> None:
    if node_id in nodes:
        findings.error(
            loc,
            f"The node “{node_id}” is there already.",
            "Rename one of the two; ids are unique on the map.",
        )
    else:
        nodes[node_id] = Node(node_id, len(nodes) + 1, x_m, y_m)


def _edges(
    ways: Iterable[tuple[str, str, bool, float, Loc]], nodes: dict[str, Node], findings: Findings
) -> dict[tuple[str, str], Edge]:
    edges: dict[tuple[str, str], Edge] = {}
    for a, b, one_way, speed, loc in ways:
        length = round(math.hypot(nodes[a].x_m - nodes[b].x_m, nodes[a].y_m - nodes[b].y_m), 3)
        if length == 0:
            findings.error(
                loc, f"“{a}” and “{b}” are at the same place.", "Move one of them; an edge needs a length."
            )
        for start, end in ((a, b),) if one_way else ((a, b), (b, a)):
            if (start, end) in edges:
                findings.error(
                    loc, f"There is an edge from “{start}” to “{end}” already.", "Delete one of the two."
                )
            edges.setdefault((start, end), Edge(f"{start}>{end}", start, end, length, speed))
    return edges


def check_reach(roads: RoadMap, wanted: dict[str, Loc], findings: Findings) -> None:
    """Every wanted node must be reachable from every other, there and back; ``wanted`` says where the file names it."""
    if not wanted:
        return
    forward: defaultdict[str, list[str]] = defaultdict(list)
    backward: defaultdict[str, list[str]] = defaultdict(list)
    for edge in roads.edges:
        forward[edge.start].append(edge.end)
        backward[edge.end].append(edge.start)
    # From the place that most others can be reached from, so that one stray node is named, not all the others.
    home = max(wanted, key=lambda node: len(_reached(forward, node) & _reached(backward, node)))
    ok = _reached(forward, home) & _reached(backward, home)
    cut_off = [node for node in wanted if node not in ok]
    if len(cut_off) > _MOST_NAMED:
        some = ", ".join(cut_off[:_MOST_NAMED])
        findings.error(
            ("roads",),
            f"No vehicle can go from “{home}” to {len(cut_off)} stations and back: {some} …",
            "Join the lanes of the road map under roads.edges.",
        )
        return
    for node in cut_off:
        findings.error(
            wanted[node],
            f"No vehicle can go from “{home}” to “{node}” and back.",
            "Join it to the road map under roads.edges, or choose another station.",
        )


def _reached(neighbours: defaultdict[str, list[str]], start: str) -> set[str]:
    seen, open_ = {start}, [start]
    while open_:
        for node in neighbours.get(open_.pop(), ()):
            if node not in seen:
                seen.add(node)
                open_.append(node)
    return seen
