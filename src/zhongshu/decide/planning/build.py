"""The plant, the measured work and people's rules → one scheduling problem for the whole order book; read by the planner."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zhongshu.decide.planning.build_floor import Closure, carriers, floor_of, sites, travel
from zhongshu.decide.planning.build_lots import (
    Flow,
    TaskRef,
    add_lots,
    earlier_names,
    order_rank,
    virtual_lots,
)
from zhongshu.decide.planning.build_modes import POWER, Modes, families_of, matrices
from zhongshu.decide.planning.build_rules import (
    FOR_EVER,
    InForce,
    PlanRule,
    held_orders,
    in_force,
    pins,
    without_pinned,
)
from zhongshu.decide.planning.build_waits import bounded_waits
from zhongshu.decide.planning.calendar import arrivals, prices
from zhongshu.decide.planning.overdrawn import borne
from zhongshu.decide.scheduling.problem import Job, Material, Pool, Problem, Weights
from zhongshu.decide.work import Lot, Order, Work
from zhongshu.kernel.clock import NS
from zhongshu.model.planning import Aims
from zhongshu.model.plant import Plant
from zhongshu.model.worktime import Days, levels

#: Orders of which something may still be done.
OPEN = ("received", "released", "held", "cancelling")
#: Materials and money are counted in thousandths: a problem holds whole numbers.
MILLI = 1000

__all__ = ["Built", "Measured", "PlanRule", "Receipt", "TaskRef", "build"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """So much of a bought material is expected at a plant time."""

    material: str
    quantity: float
    due_ns: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What the book does not hold: percent done of the job on a unit, the family a unit is set up for, counted stock,
    expected receipts. All may be empty: then time passed, the last lot, and the plant file's figures are taken."""

    progress: Mapping[str, float] = field(default_factory=dict)
    family: Mapping[str, str] = field(default_factory=dict)
    stock: Mapping[str, float] = field(default_factory=dict)
    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A problem and what its indexes mean. Tick 0 is ``origin_ns``.

    ``tasks``, ``orders`` (job → order id), ``units`` and ``vehicles`` by index; ``lots`` all open lots by number, those of
    orders not yet released below 0. ``closures`` say why units are closed; ``carried`` which lot goes along each arc.
    ``broken_rules``: ids of pins that cannot
    hold; ``late_waits``: tasks whose material has waited too long already, or must.
    """

    problem: Problem
    tasks: tuple[TaskRef, ...]
    origin_ns: int
    orders: tuple[str, ...]
    units: tuple[str, ...]
    vehicles: tuple[str, ...]
    lots: Mapping[int, Lot]
    closures: Mapping[int, Sequence[Closure]]
    carried: tuple[int, ...] = ()
    broken_rules: tuple[int, ...] = ()
    late_waits: tuple[int, ...] = ()

    @property
    def index(self) -> Mapping[str, int]:
        """Task ids to indexes."""
        return {ref.id: i for i, ref in enumerate(self.tasks)}


def build(
    plant: Plant,
    work: Work,
    now_ns: int,
    rules: Sequence[PlanRule] = (),
    previous: Mapping[str, Any] | None = None,
    measured: Measured | None = None,
) -> Built:
    """The whole order book as a problem; ``previous`` is the plan document in force. Pure; a tick is a second."""
    measured = measured or Measured()
    days = Days(plant.timezone, now_ns, plant.planning.horizon_s)
    floor = floor_of(work)
    pools, pool_index = _pools(plant, days)
    materials, material_index = _materials(plant, days, measured, now_ns)
    families = families_of(plant)
    modes = Modes(floor, pool_index, material_index, families=families)
    held = held_orders(rules, now_ns)
    flow = Flow(floor, modes, now_ns, measured.progress)
    flow.lots = {**work.lots, **virtual_lots(work)}
    orders = sorted((o for o in work.orders.values() if o.status in OPEN), key=order_rank)
    stopped = {o for o, end in held.items() if end >= FOR_EVER} | {
        o.id for o in orders if o.status in ("held", "cancelling")
    }
    jobs = {order.id: i for i, order in enumerate(orders)}
    add_lots(flow, jobs, frozenset(stopped))
    setups, matrix_of = matrices(floor, families)
    units = sites(floor, days, rules, now_ns, matrix_of, _set_up(flow, families, measured))
    vehicles = carriers(floor, flow.bound)
    loaded, empty = travel(floor)
    orders_as_jobs = tuple(_job(plant, o, now_ns, held.get(o.id, 0)) for o in orders)
    arcs, late_waits = bounded_waits(flow, units, [job.release for job in orders_as_jobs])
    fixed, broken_rules, stays = _decided(flow, rules, previous, now_ns)
    plan = plant.planning
    problem = Problem(
        units=units,
        jobs=orders_as_jobs,
        tasks=tuple(flow.tasks),
        arcs=tuple(arcs),
        setups=setups,
        pools=borne(pools, flow.tasks, flow.started),
        materials=materials,
        vehicles=vehicles,
        travel=loaded,
        empty=empty,
        prices=prices(plant.tariff, days),
        pins=(*flow.started.values(), *fixed),
        frozen=stays.frozen,
        previous=stays.previous,
        moved_tolerance=plan.moved_s,
        churn=plan.churn if previous is not None else None,
        weights=_weights(plant.planning.aims),
        since=now_ns // NS,
        name=plant.id,
    )
    return Built(
        problem,
        tuple(flow.refs),
        now_ns,
        tuple(o.id for o in orders),
        tuple(u.id for u in floor.machines),
        tuple(v.name for v in vehicles),
        flow.lots,
        floor.closures,
        tuple(flow.carried),
        tuple(broken_rules),
        tuple(late_waits),
    )


def _weights(aims: Aims) -> Weights:
    """Energy is counted in thousandths of the currency."""
    return Weights(
        aims.tardiness, aims.makespan, aims.flow, aims.setup, -(-aims.energy // MILLI), aims.stability
    )


def _job(plant: Plant, order: Order, now_ns: int, held_until: int) -> Job:
    waits = -((now_ns - order.release_ns) // NS) if order.status == "received" else 0
    release = max(0, waits, held_until if held_until < FOR_EVER else 0)
    due = (order.due_ns - now_ns) // NS
    return Job(release, due, plant.planning.weight(order.priority), order.id)


def _pools(plant: Plant, days: Days) -> tuple[tuple[Pool, ...], dict[str, int]]:
    shifts = {s.id: s for s in plant.shifts} | {s.id: s for c in plant.calendars.values() for s in c}
    made = [Pool(p.id, levels(p, shifts, days)) for p in plant.pools]
    cap = plant.planning.cap_kw
    if cap is not None:
        made.append(Pool(POWER, ((0, math.floor(cap)),)))
    return tuple(made), {p.name: i for i, p in enumerate(made)}


def _materials(
    plant: Plant, days: Days, measured: Measured, now_ns: int
) -> tuple[tuple[Material, ...], dict[str, int]]:
    """Thousandths of each bought material: the counted stock, else the file's."""
    made = []
    for material in plant.materials:
        single = [
            (max(1, (r.due_ns - now_ns) // NS), r.quantity)
            for r in measured.receipts
            if r.material == material.id
        ]
        coming = tuple((t, round(MILLI * q)) for t, q in arrivals(material, days, single))
        stock = measured.stock.get(material.id, material.stock)
        made.append(Material(material.id, round(MILLI * stock), coming))
    return tuple(made), {m.name: i for i, m in enumerate(made)}


def _set_up(flow: Flow, families: Mapping[str, Mapping[str, int]], measured: Measured) -> list[int]:
    """The family that each machine is set up for: as measured, else that of the last lot behind it, else unknown."""
    floor = flow.floor
    last: dict[str, tuple[int, int]] = {}
    for lot in floor.work.lots.values():
        if lot.at_output and lot.next_step and lot.place in floor.index:
            product = floor.work.product(lot)
            step = product.routing[lot.next_step - 1]
            family = families[step.capability][product.family_at(step)]
            last[lot.place] = max(last.get(lot.place, (-1, -1)), (lot.started_ns, family))
    made = []
    for i, unit in enumerate(floor.machines):
        name = measured.family.get(unit.id)
        known = {n: k for c in floor.kind(i).capabilities for n, k in families.get(c.name, {}).items()}
        made.append(known.get(name, -1) if name is not None else last.get(unit.id, (0, -1))[1])
    return made


def _decided(
    flow: Flow, rules: Sequence[PlanRule], previous: Mapping[str, Any] | None, now_ns: int
) -> tuple[list[Any], list[int], InForce]:
    """Pins of people, pins that cannot hold, and what of the plan in force stays."""
    renamed = earlier_names(flow.lots) if previous is not None or rules else {}

    def task_of(name: str) -> int | None:
        lot, _, step = name.partition(":")
        now = flow.index.get(name)
        return now if now is not None else flow.index.get(f"{renamed.get(int(lot), 0)}:{step}")

    units = flow.floor.index
    fixed, broken = pins(rules, task_of, units, flow.tasks, flow.started, now_ns)
    stays = in_force(
        previous, task_of, units, flow.tasks, flow.started, now_ns, flow.floor.plant.planning.frozen_s
    )
    stays = without_pinned(stays, {p.task: p for p in fixed})
    return fixed, broken, replace(stays, frozen=_safe(flow, stays))


def _safe(flow: Flow, stays: InForce) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Of the frozen tasks those that wait for nothing but begun or frozen ones, on units that work: they can hold."""
    down = {
        u
        for u, closed in flow.floor.closures.items()
        if any(c.kind == "down" and not c.start for c in closed)
    }
    kept = {t for unit, tasks in stays.frozen for t in tasks if unit not in down}
    while True:
        lost = {
            a.after
            for a in flow.arcs
            if a.after in kept and a.before >= 0 and a.before not in kept and a.before not in flow.started
        }
        if not lost:
            break
        kept -= lost
    rows = ((unit, tuple(t for t in tasks if t in kept)) for unit, tasks in stays.frozen)
    return tuple((unit, tasks) for unit, tasks in rows if tasks)
