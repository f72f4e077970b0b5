"""Small plants and measured work for the planner's tests: stations in a row, 10 s apart, and everything idle at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.decide.small_plant import make_plant
from zhongshu.decide.planning.build import Built, build
from zhongshu.decide.work import Lot, LotStatus, Order, Vehicle, Work
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Plant, Product, Step, UnitType

#: Monday 2026-11-23, 12:00 in Shanghai.
NOW = round(datetime(2026, 11, 23, 4, tzinfo=UTC).timestamp()) * NS
UNITS = {"cut-1": "a-cut", "cut-2": "a-cut", "coat-1": "b-coat", "oven-1": "c-cure", "pack-1": "d-pack"}


def step(operation: int, capability: str, **more: Any) -> Step:
    """A step without times of its own."""
    return Step(operation, capability, None, {}, **more)


def product(name: str, code: int, *steps: Step, **more: Any) -> Product:
    """A finished product of lots of five."""
    values = {"components": (), "sellable": True, "family": "steel", "lot_size": 5} | more
    return Product(name, code, make_plant({"x": "x"}).name, routing=steps, **values)


def plant_of(*products: Product, units: Mapping[str, str] = UNITS, vehicles: int = 1, **more: Any) -> Plant:
    """A plant of these units; ``more`` replaces fields of the plant."""
    return replace(make_plant(dict(units), vehicles, products or None), **more)


def changed_type(plant: Plant, type_id: str, able: Mapping[str, Any] | None = None, **more: Any) -> Plant:
    """Fields of a type, or of its capability, replaced."""

    def new(kind: UnitType) -> UnitType:
        if kind.id != type_id:
            return kind
        capabilities = tuple(replace(c, **(able or {})) for c in kind.capabilities)
        return replace(kind, capabilities=capabilities, **more)

    return replace(plant, types=tuple(map(new, plant.types)))


def idle(plant: Plant) -> Work:
    """Nothing to do; vehicles stand at n0."""
    work = Work(plant)
    for unit in plant.units:
        work.states[unit.id] = ("IDLE", "PRODUCTION")
    for unit in plant.vehicles:
        work.vehicles[unit.id] = Vehicle(node="n0", battery=90.0)
    return work


def order(work: Work, name: str, quantity: int = 5, **more: Any) -> Order:
    """An order of the plant's first product, due in an hour, not yet released."""
    values = {
        "product": work.plant.products[0].id,
        "due_ns": NOW + 3600 * NS,
        "release_ns": NOW,
        "priority": 5,
    }
    made = Order(name, quantity=quantity, created_ns=NOW - NS, **(values | more))
    work.orders[name] = made
    return made


def lot(work: Work, number: int, of: str, **more: Any) -> Lot:
    """A lot of an order, of the order's product unless told."""
    work.orders[of].status = "released"
    values = {"product": work.orders[of].product, "quantity": 5, "good": 5} | more
    made = Lot(number, of, **values)
    work.lots[number] = made
    return made


def waiting(work: Work, number: int, of: str, place: str, done: int, **more: Any) -> Lot:
    """A lot in front of a unit (or ``at_output``), so many operations done."""
    return lot(work, number, of, status=LotStatus.WAITING, place=place, next_step=done, **more)


def built(work: Work, *args: Any, **more: Any) -> Built:
    """The problem at NOW."""
    return build(work.plant, work, NOW, *args, **more)


def modes(made: Built, task: str) -> dict[str, int]:
    """Unit → duration of a task."""
    return {made.units[m.unit]: m.duration for m in made.problem.tasks[made.index[task]].modes}


def arcs(made: Built) -> set[tuple[str, str, bool]]:
    """(before, after, moves) by task id; "" for material at hand."""
    names = [ref.id for ref in made.tasks]
    return {("" if a.before < 0 else names[a.before], names[a.after], a.moves) for a in made.problem.arcs}
