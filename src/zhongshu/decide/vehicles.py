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
RECALL_S = 60.0


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


def matched(idle: Mapping[str, Vehicle], starts: Sequence[str], roads: Roads) -> Iterator[tuple[int, str]]:
    """(index of a start, vehicle) for as many of the first starts as there are vehicles, with the least driving in all.

    Where no vehicle can get to a start there is no pair for it.
    """
    names = sorted(idle)
    costs = [[roads.seconds(idle[n].node, start) for n in names] for start in starts[: len(names)]]
    for row, column in enumerate(match(costs)):
        if costs[row][column] < math.inf:
            yield row, names[column]


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
