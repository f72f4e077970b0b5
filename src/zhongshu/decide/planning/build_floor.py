"""The plant's units and vehicles as they are now → the problem's units, travel times and carriers; read by build."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from zhongshu.decide.planning.build_rules import PlanRule, spans_of
from zhongshu.decide.planning.calendar import closed
from zhongshu.decide.roads import Roads
from zhongshu.decide.scheduling.problem import Unit as Site
from zhongshu.decide.scheduling.problem import Vehicle as Carrier
from zhongshu.decide.vehicles import BATTERY_ENOUGH, BATTERY_LOW
from zhongshu.decide.work import Vehicle, Work
from zhongshu.model.plant import Plant, RoadMap, Unit, UnitType
from zhongshu.model.states import UnitState
from zhongshu.model.worktime import Days, Span, joined, maintenance_of, off_work_of

#: A vehicle that charges, or must, is expected back at work after so long.
CHARGE_S = 1200
#: States in which a unit in production mode does not work and will not by itself for a while.
BROKEN = frozenset(
    s.name for s in (UnitState.ABORTING, UnitState.ABORTED, UnitState.STOPPING, UnitState.STOPPED)
)
Matrix = tuple[tuple[int, ...], ...]
#: Where no road leads; far beyond any plan, and sums of it still fit 64 bits.
NO_WAY = 10**7


@dataclass(frozen=True, slots=True)
class Closure:
    """Why a unit is closed from tick to tick: ``break``, ``maintenance`` or ``down``; ``overtime`` says that it is open."""

    start: int
    end: int
    kind: str


@dataclass(slots=True)
class Floor:
    """Machines by index (their station has the same), driving times between nodes, and what is closed why."""

    plant: Plant
    work: Work
    machines: tuple[Unit, ...]
    index: dict[str, int]
    roads: Roads
    closures: dict[int, list[Closure]] = field(default_factory=dict)
    nodes: dict[str, int] = field(default_factory=dict)

    def kind(self, unit: int) -> UnitType:
        """A machine's type."""
        return self.plant.type_of[self.machines[unit].type]

    def drive_s(self, a: str, b: str) -> int:
        """Driving time between road-map nodes in ticks, 0 where there are no roads."""
        seconds = self.roads.seconds(a, b) if a and b else 0.0
        return math.ceil(seconds) if seconds < NO_WAY else NO_WAY


def floor_of(work: Work) -> Floor:
    """The machines of the plant."""
    machines = work.plant.machines
    return Floor(
        work.plant, work, machines, {u.id: i for i, u in enumerate(machines)}, _roads(work.plant.roads)
    )


@lru_cache(maxsize=4)
def _roads(roads: RoadMap) -> Roads:
    """Ways are searched once for a road map, not at every plan."""
    return Roads(roads)


def sites(
    floor: Floor,
    days: Days,
    rules: Sequence[PlanRule],
    now_ns: int,
    setups: Sequence[int],
    family: Sequence[int],
) -> tuple[Site, ...]:
    """Every machine with its closed times, set-up matrix and state, buffers and place."""
    plant, plan = floor.plant, floor.plant.planning
    off = off_work_of(plant, days)
    service = maintenance_of(plant.maintenance, days)
    shared: dict[tuple[object, ...], tuple[object, ...]] = {}
    made = []
    for i, unit in enumerate(floor.machines):
        kind = floor.kind(i)
        held = spans_of(rules, ("maintenance",), unit.id, now_ns)
        hard = joined([*service.get(unit.id, ()), *held])
        down = [
            *spans_of(rules, ("exclude",), unit.id, now_ns),
            *_down(floor, unit.id, plan.away_s, plan.repair_s),
        ]
        more = spans_of(rules, ("overtime",), unit.id, now_ns)
        calendar = off[unit.calendar]
        floor.closures[i] = _closures(calendar, hard, down, more)
        key = (unit.calendar, *hard, "|", *down, "|", *more)
        if key not in shared:
            shared[key] = closed(calendar, joined([*hard, *down]), more)
        made.append(
            Site(
                name=unit.id,
                closed=shared[key],  # type: ignore[arg-type]
                setups=setups[i],
                family=family[i],
                capacity=capacity(kind),
                buffer_in=kind.buffer_in,
                buffer_out=kind.buffer_out,
                station=i,
            )
        )
    return tuple(made)


def capacity(kind: UnitType) -> int:
    """Of a batch unit in lots or pieces, 0 for others."""
    return kind.batch_pieces or (kind.batch if kind.batch > 1 else 0)


def _down(floor: Floor, unit: str, away_s: int, repair_s: int) -> list[Span]:
    """A unit that may not be commanded, or is broken, is expected back after a while."""
    if not floor.work.commandable(unit):
        return [(0, away_s)]
    return [(0, repair_s)] if floor.work.states[unit][0] in BROKEN else []


def _closures(
    off: Iterable[Span], hard: Iterable[Span], down: Iterable[Span], more: Iterable[Span]
) -> list[Closure]:
    kinds = (("break", off), ("maintenance", hard), ("down", down), ("overtime", more))
    return [Closure(a, b, kind) for kind, spans in kinds for a, b in spans]


def carriers(floor: Floor, bound: Mapping[str, tuple[int, int]]) -> tuple[Carrier, ...]:
    """Vehicles that may be planned; ``bound`` says where (machine) and when those with a transport order end up."""
    made = []
    for unit in floor.plant.vehicles:
        state = floor.work.vehicles.get(unit.id)
        if unit.id in bound:
            station, ready = bound[unit.id]
            made.append(Carrier(unit.id, station, ready))
        elif state is not None and state.node and floor.work.commandable(unit.id):
            end = state.moving_to or state.node
            ready = floor.drive_s(state.node, end) + _charge_s(state)
            made.append(Carrier(unit.id, _station(floor, end), ready))
    return tuple(made)


def _charge_s(vehicle: Vehicle) -> int:
    low = BATTERY_ENOUGH if vehicle.charging else BATTERY_LOW
    return CHARGE_S if vehicle.battery < low else 0


def _station(floor: Floor, node: str) -> int:
    """Stations beyond the machines' are the nodes where vehicles stand."""
    return floor.nodes.setdefault(node, len(floor.machines) + len(floor.nodes))


def travel(floor: Floor) -> tuple[Matrix, Matrix]:
    """Ticks between all stations with load (taking and setting down included) and without."""
    plan = floor.plant.planning
    places = (*(u.station for u in floor.machines), *floor.nodes)
    return _matrices(floor.plant.roads, places, round(plan.pick_s + plan.drop_s))


@lru_cache(maxsize=8)
def _matrices(roads: RoadMap, places: tuple[str, ...], handling: int) -> tuple[Matrix, Matrix]:
    ways = _roads(roads)
    names = sorted(set(places))
    drive = np.array([[ways.seconds(a, b) if a and b else 0.0 for b in names] for a in names])
    ticks = np.ceil(np.minimum(drive, NO_WAY)).astype(np.int64)
    at = np.array([names.index(p) for p in places])
    empty = ticks[np.ix_(at, at)]
    return _rows(empty + handling), _rows(empty)


def _rows(matrix: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
