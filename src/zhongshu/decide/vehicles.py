"""Which vehicle drives: the nearest idle one with charge enough; and which idle one goes to a charger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zhongshu.decide.roads import Roads
from zhongshu.decide.work import Vehicle, Work

#: Percent of charge: below the first a vehicle takes no order, below the second it goes to charge when it is idle,
#: and at a charger it takes no order before it has the third.
BATTERY_LOW = 20.0
BATTERY_TO_CHARGE = 40.0
BATTERY_ENOUGH = 80.0


@dataclass(frozen=True, slots=True)
class Charge:
    """Send an idle vehicle to a charger."""

    vehicle: str
    node: str


def ready_to_drive(work: Work, now_ns: int) -> dict[str, Vehicle]:
    """Vehicles that may get an order now."""
    return {
        name: v
        for name, v in work.vehicles.items()
        if _idle(work, name, v, now_ns) and v.battery >= BATTERY_LOW
    }


def nearest(idle: dict[str, Vehicle], roads: Roads, start: str) -> str:
    """The idle vehicle that is there first; empty where none can get there."""
    best = min(idle, key=lambda name: (roads.seconds(idle[name].node, start), name))
    return best if roads.seconds(idle[best].node, start) < float("inf") else ""


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
        and work.commandable(name)
        and not waits
    )
