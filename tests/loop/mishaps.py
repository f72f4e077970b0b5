"""What goes wrong in a rehearsal, drawn from a seed: faults of machines and vehicles, of wires, and of the brain's own process."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.loop.rehearsal import Rehearsal

Mishap = Callable[[Rehearsal, random.Random], None]
PRODUCTS = ("box", "tray")


def breakdown(it: Rehearsal, draw: random.Random) -> None:
    """A machine breaks."""
    it.fault("breakdown", draw.choice(sorted(it.twin.floor.machines)))


def local_mode(it: Rehearsal, draw: random.Random) -> None:
    """Somebody turns the key of a machine or vehicle to local."""
    units = sorted(it.twin.floor.machines) + sorted(it.twin.floor.vehicles)
    it.fault("local", draw.choice(units), for_s=draw.uniform(1, 25))


def lost_vehicle(it: Rehearsal, draw: random.Random) -> None:
    """A vehicle stands still and says nothing."""
    it.fault("lost", draw.choice(sorted(it.twin.floor.vehicles)), for_s=draw.uniform(1, 25))


def scrap_burst(it: Rehearsal, draw: random.Random) -> None:
    """A machine makes mostly scrap."""
    share = draw.choice([0.3, 0.7, 1.0])
    it.fault("scrap", draw.choice(sorted(it.twin.floor.machines)), share, for_s=draw.uniform(2, 15))


def cut_wire(it: Rehearsal, draw: random.Random) -> None:
    """A connection is lost."""
    it.wires[draw.choice(sorted(it.wires))].cut(draw.uniform(0.2, 15))


def hanging_wire(it: Rehearsal, draw: random.Random) -> None:
    """A connection goes silent before it is lost."""
    it.wires[draw.choice(sorted(it.wires))].hang(draw.uniform(0.5, 12), one_way=draw.random() < 0.5)


def losing_wire(it: Rehearsal, draw: random.Random) -> None:
    """Requests and answers get lost."""
    it.wires[draw.choice(sorted(it.wires))].lose(draw.choice([0.3, 0.6, 1.0]), draw.uniform(2, 20))


def device_restart(it: Rehearsal, draw: random.Random) -> None:
    """The devices behind a connection restart."""
    it.wires[draw.choice(sorted(it.wires))].restart(draw.uniform(0.5, 5))


ON_THE_FLOOR: tuple[Mishap, ...] = (
    breakdown,
    local_mode,
    lost_vehicle,
    scrap_burst,
)
ON_THE_WIRE: tuple[Mishap, ...] = (
    cut_wire,
    hanging_wire,
    losing_wire,
    device_restart,
)


def order_some(it: Rehearsal, count: int) -> None:
    """Orders of random products, sizes and priorities."""
    for _ in range(count):
        it.order(
            it.random.choice(PRODUCTS), it.random.randint(1, 10), priority=it.random.choice([1, 5, 5, 5])
        )


async def trouble(
    it: Rehearsal,
    wall_s: float,
    kinds: tuple[Mishap, ...],
    *,
    every_s: float,
    deaths: float = 0.0,
) -> None:
    """For so long something goes wrong about every ``every_s``; that share of it is the death of the brain."""
    passed = 0.0
    while passed < wall_s:
        pause = it.random.expovariate(1 / every_s)
        await it.forward(pause)
        passed += pause
        if it.random.random() < deaths:
            await it.die(it.random.choice([0.1, 1.0, 6.0]), steps=it.random.choice([0, 3, 10, 40, 120]))
        elif kinds:
            it.random.choice(kinds)(it, it.random)
