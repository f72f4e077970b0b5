"""Tools, people, materials, maintenance and aims of the file → what the planner reads, checked against the rest of the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from zhongshu.kernel.plantfile.hours import DAY_MIN
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.spec import PlantSpec, ProductSpec
from zhongshu.model.planning import Aims, Arrival, Maintenance, Material, Planning, Pool, Supply
from zhongshu.model.text import Text


def pools(spec: PlantSpec, findings: Findings) -> tuple[Pool, ...]:
    """Tools and crews."""
    shifts = [s.id for s in spec.shifts]
    areas = [a.id for a in spec.areas]
    made = []
    for name, pool in spec.pools.items():
        loc: Loc = ("pools", name)
        for shift in pool.shifts:
            if shift not in shifts:
                findings.unknown((*loc, "shifts", shift), "shift", shift, shifts, "under shifts")
        if pool.area is not None and pool.area not in areas:
            findings.unknown((*loc, "area"), "area", pool.area, areas, "under areas")
        by_shift = {s: n for s, n in pool.shifts.items() if s in shifts}
        made.append(
            Pool(name, pool.name or Text(name, name), pool.kind, pool.count, by_shift, pool.area or "")
        )
    return tuple(made)


def needs(spec: PlantSpec, wanted: Mapping[str, int], loc: Loc, findings: Findings) -> dict[str, int]:
    """Which pools a capability or a step needs; no more than there ever are."""
    for name, amount in wanted.items():
        pool = spec.pools.get(name)
        if pool is None:
            findings.unknown((*loc, name), "pool", name, spec.pools, "under pools")
        elif amount > max(pool.count, *pool.shifts.values(), 0):
            findings.error(
                (*loc, name),
                f"It needs {amount} of “{name}”, but there are never more than "
                f"{max(pool.count, *pool.shifts.values(), 0)}.",
                "Need fewer, or raise the pool's count.",
            )
    return {name: amount for name, amount in wanted.items() if amount and name in spec.pools}


def supplies(spec: PlantSpec, product: ProductSpec, loc: Loc, findings: Findings) -> Iterator[Supply]:
    """What is bought for a product, and at which operation it is taken."""
    steps = [step.capability for step in product.routing]
    for name, supply in product.materials.items():
        where: Loc = (*loc, "materials", name)
        if name not in spec.materials:
            findings.unknown(where, "material", name, spec.materials, "under materials")
            continue
        at = supply.at or steps[0]
        if at not in steps:
            findings.unknown((*where, "at"), "step in this routing", at, steps)
        elif at in spec.operations:
            yield Supply(name, supply.quantity, spec.operations[at].number)
        if not spec.materials[name].stock and not spec.materials[name].arrivals:
            findings.warning(
                ("materials", name),
                f"There is no “{name}”, and none comes in: nothing of “{product.name or loc[-1]}” could be made.",
                "Add “stock” or “arrivals”.",
            )


def materials(spec: PlantSpec) -> tuple[Material, ...]:
    """What is bought."""
    return tuple(
        Material(
            name,
            material.name or Text(name, name),
            material.uom,
            material.stock,
            tuple(Arrival(tuple(a.days), a.at, a.quantity) for a in material.arrivals),
        )
        for name, material in spec.materials.items()
    )


def maintenance(spec: PlantSpec, units: Collection[str], findings: Findings) -> tuple[Maintenance, ...]:
    """Planned maintenance, every week or on one day."""
    made = []
    ids: set[str] = set()
    for i, work in enumerate(spec.maintenance):
        loc: Loc = ("maintenance", i)
        if work.id in ids:
            findings.error(
                (*loc, "id"), f"There is a maintenance “{work.id}” already.", "Rename one of the two."
            )
        ids.add(work.id)
        for k, unit in enumerate(work.units):
            if unit not in units:
                findings.unknown((*loc, "units", k), "unit", unit, units, "in a line")
        if bool(work.days) == bool(work.date):
            findings.error(
                loc,
                "It says both “days” and “date”." if work.date else "It does not say when.",
                "Write either “days: [mon]” for every week or “date: 2026-11-23” for once.",
            )
        if work.date and not _is_date(work.date):
            findings.error((*loc, "date"), f"There is no day {work.date}.", "Write it like 2026-11-23.")
        end = work.end if work.end > work.start else work.end + DAY_MIN
        name = work.name or Text(work.id, work.id)
        made.append(
            Maintenance(work.id, name, tuple(work.units), tuple(work.days), work.date, work.start, end)
        )
    return tuple(made)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def planning(spec: PlantSpec, findings: Findings) -> Planning:
    """How it wants to be planned; nothing may draw more than the cap on its own."""
    plan = spec.planning
    for type_id, type_ in spec.types.items():
        for name, able in type_.capabilities.items():
            if plan.cap_kw is not None and able.power_kw > plan.cap_kw:
                findings.error(
                    ("types", type_id, "capabilities", name, "power_kw"),
                    f"It draws more than all may together (planning.cap_kw: {plan.cap_kw:g}).",
                    "Raise the cap, or correct the power.",
                )
    aims = plan.aims
    return Planning(
        plan.frozen_s,
        plan.horizon_h * 3600,
        plan.churn,
        plan.moved_s,
        plan.pick_s,
        plan.drop_s,
        round(60 * plan.away_min),
        round(60 * plan.repair_min),
        plan.cap_kw,
        dict(plan.weights),
        Aims(aims.tardiness, aims.makespan, aims.flow, aims.setup, aims.energy, aims.stability),
    )


def check_batches(spec: PlantSpec, findings: Findings) -> None:
    """Ovens count in lots or in pieces; all that can do the same work count alike."""
    counts: dict[str, tuple[bool, str]] = {}
    for type_id, type_ in spec.types.items():
        loc: Loc = ("types", type_id)
        if type_.batch > 1 and type_.batch_pieces:
            findings.error(
                (*loc, "batch_pieces"), "It says both “batch” and “batch_pieces”.", "Keep one of the two."
            )
        if type_.batch == 1 and not type_.batch_pieces:
            continue
        for name in type_.capabilities:
            in_pieces, other = counts.setdefault(name, (type_.batch_pieces > 0, type_id))
            if in_pieces != (type_.batch_pieces > 0):
                findings.error(
                    (*loc, "batch_pieces" if type_.batch_pieces else "batch"),
                    f"“{other}” counts in {'pieces' if in_pieces else 'lots'} for “{name}”.",
                    "Let all types that can do it count in the same.",
                )
