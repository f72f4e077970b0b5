"""A plant → what to expect of it: samples a second, load of its machines and vehicles; for planning a plant file.

`python -m zhongshu.kernel.plantfile.estimate plant.yaml` prints it. Estimates, not measurements.
"""

from __future__ import annotations

import heapq
import itertools
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zhongshu.kernel.plantfile.load import load_plant
from zhongshu.model import roles
from zhongshu.model.plant import Plant, Product, RoadMap

#: Values that change with what happens, not with time: about once in this many seconds of wall time.
_RARELY_S = 30.0
#: Share of jobs that begin with a change of family, where the planner groups a little.
SETUP_SHARE = 0.5
_COUNTING = frozenset({roles.SAMPLE_COUNT, roles.HEARTBEAT})


def samples_per_s(plant: Plant) -> float:
    """Samples a wall second that devices make available: every point a scan (Modbus), else what changes."""
    protocol = {c.id: c.protocol for c in plant.connections}
    total = 0.0
    for unit in plant.units:
        scanned = protocol[unit.connection] == "modbus"
        for point in unit.points:
            steady = point.kind == "float" and point.role != roles.SETPOINT and not point.writable
            always = scanned or steady or point.role in _COUNTING
            total += point.rate_hz if always else min(point.rate_hz, 1 / _RARELY_S)
    return total


@dataclass(frozen=True, slots=True)
class Balance:
    """``load`` is the busy share of each capability's machines (0..1 and beyond), set-ups included; times in plant time.

    ``vehicle_load`` is the busy share of the fleet; ``flow_min`` the minutes of an undisturbed lot through the plant
    along its longest chain of parts, moves included.
    """

    load: Mapping[str, float]
    moves_per_h: float
    move_s: float
    vehicle_load: float
    flow_min: Mapping[str, float]


def balance(plant: Plant, lots_per_h: float) -> Balance:
    """What so many lots of finished products an hour, in equal shares, ask of machines and vehicles."""
    finished = [p for p in plant.products if p.sellable]
    visits: Counter[str] = Counter()
    work_s: defaultdict[str, float] = defaultdict(float)
    pairs: Counter[tuple[str, str]] = Counter()
    for product in finished:
        _spread(plant, product, lots_per_h / len(finished), visits, work_s, pairs)
    machines = {name: _count(plant, name) for name in visits}
    setup = {name: max(c.setup_s for t in plant.types if (c := t.can(name))) for name in visits}
    load = {
        name: (work_s[name] + visits[name] * SETUP_SHARE * setup[name]) / 3600 / machines[name]
        for name in sorted(visits, key=lambda name: plant.operation_of[name].number)
    }
    moves = float(sum(pairs.values()))
    loaded_s = (
        sum(count * _mean_drive_s(plant, a, b) for (a, b), count in pairs.items()) / moves if moves else 0.0
    )
    # The way to the lot is taken to be half as long as the way with it: the nearest free vehicle goes.
    move_s = 1.5 * loaded_s + plant.planning.pick_s + plant.planning.drop_s
    vehicles = len(plant.vehicles)
    share = moves * move_s / 3600 / vehicles if vehicles else 0.0
    return Balance(load, moves, move_s, share, {p.id: _flow_s(plant, p, move_s) / 60 for p in finished})


def _spread(
    plant: Plant,
    product: Product,
    lots: float,
    visits: Counter[str],
    work_s: defaultdict[str, float],
    pairs: Counter[tuple[str, str]],
) -> None:
    """Add what ``lots`` of a product and of its parts ask for."""
    steps = product.routing
    for step in steps:
        visits[step.capability] += lots  # type: ignore[assignment]  # a Counter of shares
        work_s[step.capability] += lots * _lot_s(plant, product, step.capability, step.cycle_s)
    for a, b in itertools.pairwise(steps):
        if not b.transfer:  # what a conveyor brings needs no vehicle
            pairs[a.capability, b.capability] += lots  # type: ignore[assignment]
    for component in product.components:
        part = plant.product_of[component.product]
        needed = lots * component.quantity * product.lot_size / part.lot_size
        entry = next(s for s in steps if s.operation == component.operation)
        pairs[part.routing[-1].capability, entry.capability] += needed  # type: ignore[assignment]
        _spread(plant, part, needed, visits, work_s, pairs)


def _count(plant: Plant, capability: str) -> int:
    return sum(plant.type_of[u.type].can(capability) is not None for u in plant.units)


def _lot_s(plant: Plant, product: Product, capability: str, cycle_s: float | None) -> float:
    """Seconds for a lot, at the mean of the types that can do it where the routing says nothing."""
    if cycle_s is None:
        cycles = [c.cycle_s for u in plant.units if (c := plant.type_of[u.type].can(capability))]
        cycle_s = sum(cycles) / len(cycles)
    return cycle_s * product.lot_size


def _flow_s(plant: Plant, product: Product, move_s: float) -> float:
    """Seconds through the plant along the longest chain of parts, waiting for nothing."""
    ready = 0.0
    for i, step in enumerate(product.routing):
        arrives = ready + (move_s if i else 0.0)
        for component in product.components:
            if component.operation == step.operation:
                arrives = max(arrives, _flow_s(plant, plant.product_of[component.product], move_s) + move_s)
        ready = arrives + _lot_s(plant, product, step.capability, step.cycle_s)
    return ready


def _mean_drive_s(plant: Plant, a: str, b: str) -> float:
    """Mean seconds from a machine that can do ``a`` to the nearer half of those that can do ``b``."""
    starts = Counter(u.station for u in plant.units if plant.type_of[u.type].can(a))
    ends = Counter(u.station for u in plant.units if plant.type_of[u.type].can(b))
    total = 0.0
    for start, count in starts.items():
        away = _drive_s(plant.roads, start)
        times = sorted(away.get(end, 0.0) for end in ends.elements())
        nearer = times[: max(1, len(times) // 2)]
        total += count * sum(nearer) / len(nearer)
    return total / sum(starts.values())


def _drive_s(roads: RoadMap, start: str) -> dict[str, float]:
    """Seconds from a node to every other (Dijkstra)."""
    neighbours: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for edge in roads.edges:
        neighbours[edge.start].append((edge.end, edge.length_m / edge.speed_m_s))
    done: dict[str, float] = {}
    open_ = [(0.0, start)]
    while open_:
        at, node = heapq.heappop(open_)
        if node not in done:
            done[node] = at
            for end, seconds in neighbours[node]:
                heapq.heappush(open_, (at + seconds, end))
    return done


def report(plant: Plant, lots_per_h: float) -> str:
    """The estimate as lines of text."""
    of = balance(plant, lots_per_h)
    lines = [
        f"{len(plant.units)} devices, {len(plant.types)} types, {len(plant.points)} points, {samples_per_s(plant):.0f} samples/s",
        f"{lots_per_h:g} lots/h: {of.moves_per_h:.0f} moves/h of {of.move_s:.0f} s, vehicles {of.vehicle_load:.0%} busy",
    ]
    lines += [f"  {name:16} {_count(plant, name):3} machines {share:5.0%}" for name, share in of.load.items()]
    lines += [
        f"  {product:16} {minutes:5.0f} min through the plant" for product, minutes in of.flow_min.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(
        report(load_plant(Path(sys.argv[1])), float(sys.argv[2]) if len(sys.argv) > 2 else 12.0) + "\n"
    )
