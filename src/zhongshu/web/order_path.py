"""One order end to end: its lots, each operation done, running or planned, where each lot is, and the commands about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.clock import NS
from zhongshu.kernel.store.plans import live_plan, unpack
from zhongshu.kernel.store.tables import Command, Lot, WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.web.commands import rows_of
from zhongshu.web.plan_progress import Row as Progressed

MS = 1_000_000
#: Lots and commands of one order that are shown; a large order has hundreds.
LOTS, COMMANDS = 60, 300


def order_path(
    session: Session, plant: Plant, order: str, progress: Sequence[Progressed]
) -> dict[str, Any] | None:
    """None where there is no such order. ``progress``: rows of ``PlanProgress``, what units said of the jobs. Times in plant ms."""
    found = session.get(WorkOrder, (plant.id, order))
    if found is None:
        return None
    lots = session.scalars(
        select(Lot).where(Lot.plant == plant.id, Lot.order_id == order).order_by(Lot.id).limit(LOTS)
    ).all()
    row = live_plan(session, plant.id)
    plan = unpack(row.content) | {"version": row.version} if row is not None else None
    commands = _commands(session, plant.id, lots)
    measured = {(lot, operation): rest for lot, operation, *rest in progress}
    planned = _planned(plan, {lot.id for lot in lots}, order)
    return {
        "id": order,
        "product": found.product,
        "quantity": found.quantity,
        "done": found.done,
        "scrapped": found.scrapped,
        "status": found.status,
        "due_ms": found.due_ns // MS,
        "created_ms": found.created_ns // MS,
        "end_ms": _end_ms(plan, order, found, lots),
        "plan": plan["version"] if plan is not None else 0,
        "lots": [_lot(plant, lot, planned, measured) for lot in lots],
        "planned_only": [step for name, step in planned.items() if name.startswith("-")],
        "commands": commands,
    }


def _commands(session: Session, plant: str, lots: Sequence[Lot]) -> list[dict[str, Any]]:
    subjects = [f"lot:{lot.id}" for lot in lots]
    wanted = select(Command).where(Command.plant == plant, Command.subject.in_(subjects))
    return rows_of(session, session.scalars(wanted.order_by(Command.key.desc()).limit(COMMANDS)).all())


def _planned(plan: Mapping[str, Any] | None, lots: set[int], order: str) -> dict[str, dict[str, Any]]:
    """Steps of these lots in the plan in force by task, and those of the order's lots that are not made yet (numbers below 0)."""
    if plan is None:
        return {}
    tasks, origin_ms = plan["tasks"], int(plan["origin_ns"]) // MS
    orders = [o["id"] for o in plan["orders"]]
    return {
        name: {
            "task": name,
            "operation": tasks["operation"][k],
            "product": tasks["product"][k],
            "unit": plan["units"][tasks["unit"][k]]["id"],
            "start_ms": origin_ms + tasks["start"][k] * 1000,
            "end_ms": origin_ms + tasks["end"][k] * 1000,
            "state": "planned",
        }
        for k, name in enumerate(tasks["id"])
        if tasks["lot"][k] in lots or (tasks["lot"][k] < 0 and orders[tasks["order"][k]] == order)
    }


def _lot(
    plant: Plant,
    lot: Lot,
    planned: Mapping[str, Mapping[str, Any]],
    measured: Mapping[tuple[int, int], Sequence[Any]],
) -> dict[str, Any]:
    """A lot with its way: what units measured goes before what is planned."""
    product = plant.product_of.get(lot.product)
    steps: list[dict[str, Any]] = []
    for k, step in enumerate(product.routing if product is not None else ()):
        known: dict[str, Any] = {"operation": step.operation, "unit": "", "start_ms": 0, "end_ms": 0}
        known |= planned.get(f"{lot.id}:{k}", {})
        said = measured.get((lot.id, step.operation))
        if said is not None:
            unit, start_ms, end_ms, *_ = said
            known |= {"unit": unit, "start_ms": start_ms or known["start_ms"]}
            known |= {"end_ms": end_ms} if end_ms else {}
        running = k == lot.next_step and lot.status in ("running", "starting")
        state = (
            "done" if k < lot.next_step else "running" if running else "planned" if known["unit"] else "open"
        )
        steps.append({**known, "state": state})
    return {
        "lot": lot.id,
        "product": lot.product,
        "quantity": lot.quantity,
        "good": lot.good,
        "scrap": lot.scrap,
        "status": lot.status,
        "place": lot.place,
        "target": lot.target,
        "parent": lot.parent_lot or 0,
        "steps": steps,
    }


def _end_ms(plan: Mapping[str, Any] | None, order: str, found: WorkOrder, lots: Sequence[Lot]) -> int | None:
    """When it ended; of an open order, when the plan in force ends it; None where nobody can tell."""
    if found.status == "done":
        return max((lot.updated_ns for lot in lots), default=0) // MS or None
    for known in plan["orders"] if plan is not None else ():
        if known["id"] == order:
            return int(plan["origin_ns"] + known["end"] * NS) // MS if plan is not None else None
    return None
