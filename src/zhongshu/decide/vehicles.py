"""Which vehicle drives: those with charge enough are matched with the lots that wait; one on its way may be called back for
what is better; and which idle one goes to a charger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zhongshu.decide.matching import match
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import Lot, LotStatus, Vehicle, Work
from zhongshu.model.autonomy import Level
from zhongshu.model.states import UnitState

#: Percent of charge: below the first a vehicle takes no order, below the second it goes to charge when it is idle,
#: and at a charger it takes no order before it has the third.
BATTERY_LOW = 20.0
BATTERY_TO_CHARGE = 40.0
BATTERY_ENOUGH = 80.0
#: A vehicle is called back if another one is there so much sooner (plant seconds): it loses its way so far, and a little time.
RECALL_S = 120.0
#: Who is under way takes so many times as long as on empty roads.
TRAFFIC = 1.3
#: A lot that has waited so long (plant seconds) does not wait for a vehicle that will only be free soon.
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Charge:
    """Send an idle vehicle to a charger."""

    vehicle: str
    node: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Take its order from a vehicle that has not picked yet; ``reason`` as in Proposed."""

    vehicle: str
    reason: str


def ready_to_drive(work: Work, now_ns: int) -> dict[str, Vehicle]:
    """Vehicles that may get an order now."""
    return {
        name: v
        for name, v in work.vehicles.items()
        if _idle(work, name, v, now_ns) and v.battery >= BATTERY_LOW
    }


@dataclass(frozen=True, slots=True)
class Coming:
    """A vehicle that will be free at a place in so many seconds, as far as can be said; at once if it is idle."""

    node: str
    seconds: float


def soon_free(work: Work, roads: Roads) -> dict[str, Coming]:
    """Vehicles that carry a lot, or are on their way to one, and where they will have put it down."""
    plan, units, found = work.plant.planning, work.plant.unit_of, {}
    for name, v in work.vehicles.items():
        lot = work.lots.get(v.lot)
        known = lot is not None and v.node and v.command and v.to_unit in units and not v.recalled
        if not known or lot is None or not _sound(work, name):
            continue
        node, seconds, end = v.node, plan.drop_s, units[v.to_unit].station
        if not v.load:
            if lot.place not in units:
                continue
            start = units[lot.place].station
            node, seconds = start, seconds + plan.pick_s + TRAFFIC * roads.seconds(node, start)
        found[name] = Coming(end, seconds + TRAFFIC * roads.seconds(node, end))
    return found


def matched(
    idle: Mapping[str, Vehicle], soon: Mapping[str, Coming], lots: Sequence[tuple[str, bool]], roads: Roads
) -> Iterator[tuple[int, str]]:
    """(index of a lot, idle vehicle) so that the lots are fetched soonest in all; what is better left to a vehicle that will
    soon be free is left for now. Of each lot where it lies, and whether it waits no longer than for an idle one.

    Where no vehicle can get to a lot there is no pair for it.
    """
    names = [*sorted(idle), *sorted(soon)]
    order = sorted(range(len(lots)), key=lambda i: not lots[i][1])[: len(names)]
    costs = [[_there_in(name, idle, soon, *lots[i], roads) for name in names] for i in order]
    for row, column in enumerate(match(costs)):
        if costs[row][column] < math.inf and names[column] in idle:
            yield order[row], names[column]


def _there_in(
    name: str, idle: Mapping[str, Vehicle], soon: Mapping[str, Coming], start: str, now: bool, roads: Roads
) -> float:
    """Seconds until the vehicle could be there."""
    if name in idle:
        return roads.seconds(idle[name].node, start)
    return math.inf if now else soon[name].seconds + roads.seconds(soon[name].node, start)


def recalls(
    work: Work, roads: Roads, idle: Mapping[str, Vehicle], waiting: Sequence[Lot]
) -> Iterator[Recall]:
    """A vehicle that has not picked yet is called back if an idle one that nobody else needs would be there much sooner; or,
    where none is idle, if a lot of higher priority waits. One at a time, each transport at most once."""
    out = {n: v for n, v in work.vehicles.items() if _may_be_recalled(work, n, v)}
    if idle and not waiting:
        for name, vehicle in out.items():
            start = _start(work, vehicle)
            left = roads.seconds(vehicle.node, start)
            if left - min(roads.seconds(other.node, start) for other in idle.values()) >= RECALL_S:
                yield Recall(name, "another_vehicle_is_nearer")
                return
    elif waiting and not idle:
        lot = waiting[0]
        start, priority = work.plant.unit_of[lot.place].station, work.orders[lot.order].priority
        less = [n for n, v in out.items() if work.orders[work.lots[v.lot].order].priority > priority]
        if less:
            name = min(less, key=lambda n: (roads.seconds(out[n].node, start), n))
            yield Recall(name, "a_lot_of_higher_priority_waits")


def _may_be_recalled(work: Work, name: str, vehicle: Vehicle) -> bool:
    lot = work.lots.get(vehicle.lot)
    standing = work.autonomy.units.get(name)
    if standing is not None and standing.level is not Level.ACT:
        return False  # by the time a person has agreed it may have picked, or have another order
    is_out = bool(vehicle.command) and not vehicle.load and not vehicle.recalled and _sound(work, name)
    return is_out and lot is not None and lot.status is LotStatus.MOVING and lot.place in work.plant.unit_of


def _start(work: Work, vehicle: Vehicle) -> str:
    return work.plant.unit_of[work.lots[vehicle.lot].place].station


def charges(work: Work, roads: Roads, now_ns: int) -> Iterator[Charge]:
    """Idle vehicles with little charge go to free chargers."""
    taken = {v.moving_to or v.node for v in work.vehicles.values()}
    free = [node for node in work.plant.roads.chargers if node not in taken]
    for name, vehicle in work.vehicles.items():
        if not free:
            return
        empty = vehicle.battery < BATTERY_TO_CHARGE and not vehicle.charging and not vehicle.load
        if empty and _idle(work, name, vehicle, now_ns):
            node = min(free, key=lambda n: roads.seconds(vehicle.node, n))
            free.remove(node)
            yield Charge(name, node)


def _idle(work: Work, name: str, vehicle: Vehicle, now_ns: int) -> bool:
    waits = vehicle.charging and vehicle.battery < BATTERY_ENOUGH
    return (
        bool(vehicle.node)
        and not vehicle.proposal
        and name not in work.advised
        and vehicle.not_before_ns <= now_ns
        and _sound(work, name)
        and not waits
    )


def _sound(work: Work, name: str) -> bool:
    """The brain may command it, and it has not broken down: then nothing is gained by asking it for anything."""
    return work.commandable(name) and work.states[name][0] != UnitState.ABORTED.name
