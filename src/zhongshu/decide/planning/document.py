"""A built problem and its solution → the plan document: what is stored, shown, compared and carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.decide.planning.build import MILLI, Built
from zhongshu.decide.planning.build_floor import Closure
from zhongshu.decide.scheduling.backward import latest_starts
from zhongshu.decide.scheduling.check.schedule import Schedule, shown
from zhongshu.decide.scheduling.objective import kpis as kpis_of
from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Plant

#: Closed times further ahead than this many seconds beyond the plan's end are nobody's business.
MARGIN_S = 86_400


def document(
    plant: Plant,
    built: Built,
    solution: Solution,
    *,
    version: int = 0,
    status: str = "live",
    name: str = "",
    made_ns: int | None = None,
    cause: Mapping[str, Any] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The plan as JSON values, times in s after ``origin_ns``. ``figures`` are what only the planner knows of the search
    (bound, gap_pct, first_s, improve_s, without_replan); they stand beside the figures of the plan itself."""
    view = shown(built.problem, solution)
    return {
        "version": version,
        "status": status,
        "name": name,
        "made_ns": built.origin_ns if made_ns is None else made_ns,
        "origin_ns": built.origin_ns,
        "frozen_until": plant.planning.frozen_s,
        "cause": dict(cause or {"kind": "", "text": {"zh": "", "en": ""}, "t_ns": built.origin_ns}),
        "kpis": {**figures_of(built, solution), **(figures or {})},
        "orders": _orders(built, solution),
        "units": _units(built, view),
        "vehicles": list(built.vehicles),
        "tasks": _tasks(plant, built, view, latest_starts(built.problem, solution)),
        "moves": _moves(built, solution),
    }


def figures_of(built: Built, solution: Solution) -> dict[str, Any]:
    """The figures of a plan that people compare, in s and the tariff's currency."""
    of = kpis_of(built.problem, solution)
    orders = len(built.orders)
    return {
        "tasks": len(built.tasks),
        "orders": orders,
        "late": of.late_jobs,
        "on_time_pct": round(100 * (1 - of.late_jobs / orders), 1) if orders else 100.0,
        "weighted_tardiness_s": of.weighted_tardiness,
        "makespan_s": of.makespan,
        "flow_s": of.flow,
        "setups": of.setups,
        "setup_s": of.setup_ticks,
        "energy_cost": round(of.energy_cost / MILLI, 2),
        "moved": of.moved,
        "objective": of.objective,
        "bound": None,
        "gap_pct": None,
        "without_replan": None,
        "first_s": None,
        "improve_s": None,
    }


def _orders(built: Built, solution: Solution) -> list[dict[str, Any]]:
    ends = kpis_of(built.problem, solution).job_ends
    product_of = {lot.order: lot for lot in built.lots.values() if not lot.parent}
    pieces: dict[str, int] = {}
    for lot in built.lots.values():
        if not lot.parent:
            pieces[lot.order] = pieces.get(lot.order, 0) + lot.quantity
    return [
        {
            "id": order,
            "product": product_of[order].product if order in product_of else "",
            "quantity": pieces.get(order, 0),
            "weight": job.weight,
            "due": job.due,
            "end": end,
            "late_s": max(0, end - job.due),
        }
        for order, job, end in zip(built.orders, built.problem.jobs, ends, strict=True)
    ]


def _units(built: Built, view: Schedule) -> list[dict[str, Any]]:
    until = max((0, *view.end)) + MARGIN_S

    def shown(closures: list[Closure]) -> list[list[Any]]:
        return [[c.start, min(c.end, until), c.kind] for c in closures if c.start < until]

    return [
        {
            "id": unit,
            "closed": sorted(shown(list(built.closures.get(i, ()))), key=lambda c: (c[0], c[1], c[2])),
        }
        for i, unit in enumerate(built.units)
    ]


def _tasks(plant: Plant, built: Built, view: Schedule, latest: list[int]) -> dict[str, list[Any]]:
    problem = built.problem
    setup = [0] * len(built.tasks)
    for _, block, needed in view.setups:
        for task in block.members:
            setup[task] = needed
    frozen = {task for _, tasks in problem.frozen for task in tasks}
    moved = set(view.moved_tasks)
    pins = problem.pin_of
    lots = [built.lots[ref.lot] for ref in built.tasks]
    routing = [plant.product_of[lot.product].routing for lot in lots]
    many = range(len(built.tasks))
    return {
        "id": [ref.id for ref in built.tasks],
        "order": [task.job for task in problem.tasks],
        "lot": [lot.number for lot in lots],
        "product": [lot.product for lot in lots],
        "operation": [r[ref.step].operation for ref, r in zip(built.tasks, routing, strict=True)],
        "unit": list(view.unit),
        "start": list(view.start),
        "end": list(view.end),
        "left": list(view.left),
        "setup": setup,
        "latest": latest,
        "batch": list(view.batch),
        "moved": [int(i in moved) for i in many],
        "frozen": [int(i in frozen) for i in many],
        "pinned": [int(i in pins and not pins[i].started) for i in many],
        "status": ["running" if view.started[i] else "planned" for i in many],
        "actual_start": [view.start[i] if view.started[i] else None for i in many],
        "actual_end": [None for _ in many],
    }


def _moves(built: Built, solution: Solution) -> dict[str, list[Any]]:
    problem = built.problem
    columns: dict[str, list[Any]] = {
        key: [] for key in ("lot", "order", "vehicle", "from", "to", "pickup", "drop")
    }
    unit = [problem.tasks[p.task].modes[p.mode].unit for p in solution.placed]
    for moved in sorted(solution.moved.values(), key=lambda m: (m.pickup, m.arc)):
        arc = problem.arcs[moved.arc]
        row = (
            built.carried[moved.arc],
            problem.tasks[arc.after].job,
            moved.vehicle,
            arc.origin if arc.before == AT_HAND else unit[arc.before],
            unit[arc.after],
            moved.pickup,
            moved.drop,
        )
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    return columns


def at(doc: Mapping[str, Any], tick: int) -> int:
    """The plant time in ns of one of the document's times."""
    return int(doc["origin_ns"]) + tick * NS
