"""Why an order is late, and what would save it: every remedy was planned in and its effect seen before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from zhongshu.decide.planner.binding import chain_of
from zhongshu.decide.planner.desk import Desk, InForce
from zhongshu.decide.planner.edits import edited
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.words import both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.engine import Limits, solve
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.kernel.clock import NS

#: Wall time for each remedy that is tried, and how many are.
SEARCH_S, REMEDIES_MAX = 0.5, 5
OVERTIME_S = 3600


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something people could do, as an edit of the plan, with words for it and for its price."""

    text: dict[str, str]
    edit: dict[str, Any]
    cost: dict[str, str] | None = None


def why(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{order} → the binding chain and the remedies that help, verified by re-solving."""
    now = desk.now
    if now is None:
        raise Refusal("ask.no_plan")
    order = str(ask["order"])
    if order not in now.built.orders:
        raise Refusal("ask.no_order", order=order)
    job = now.built.orders.index(order)
    chain = chain_of(desk.plant, now.built, now.solution, job)
    late_s = max(0, _end(now.built, now, job) - now.built.problem.jobs[job].due)
    unlock = []
    if late_s > 0:
        for remedy in list(_remedies(now, order, job, chain))[:REMEDIES_MAX]:
            tried = _tried(desk, now, order, late_s, remedy)
            if tried is not None:
                unlock.append(tried)
    unlock.sort(key=lambda u: (u["late_s"], -u["saves_orders"]))
    return {"late_s": late_s, "chain": chain, "unlock": unlock, "verified": True}


def _end(built: Built, now: InForce, job: int) -> int:
    return max((now.solution.placed[t].end for t in built.problem.tasks_of[job]), default=0)


def _remedies(now: InForce, order: str, job: int, chain: list[dict[str, Any]]) -> Iterator[Remedy]:
    """What the chain suggests: time for units that are shut, this order first, the one in front of it later."""
    priority = now.situation.work.orders[order].priority
    if priority > 1:
        yield Remedy(both("unlock.priority"), {"kind": "order", "order": order, "priority": 1})
    for other in _in_front(now, job):
        later = now.situation.work.orders[other]
        edit = {"kind": "order", "order": other, "priority": min(9, later.priority + 4)}
        yield Remedy(both("unlock.give_way", order=other), edit)
    shut = set()
    for link in chain:
        unit = link["unit"]
        closing = _next_break(now, unit, link["start_ns"])
        if closing is None or (unit, closing) in shut:
            continue
        shut.add((unit, closing))
        edit = {"kind": "overtime", "unit": unit, "start_ns": closing, "end_ns": closing + OVERTIME_S * NS}
        cost = both("unlock.cost_overtime", hours=1)
        yield Remedy(both("unlock.overtime", unit=unit, minutes=OVERTIME_S // 60), edit, cost)


def _in_front(now: InForce, job: int) -> list[str]:
    """Orders whose tasks run right before this order's on its units, the most frequent first."""
    problem, placed = now.built.problem, now.solution.placed
    unit_of = [problem.tasks[p.task].modes[p.mode].unit for p in placed]
    by_unit: dict[int, list[int]] = {}
    for task in sorted(range(len(placed)), key=lambda t: placed[t].start):
        by_unit.setdefault(unit_of[task], []).append(task)
    counts: dict[int, int] = {}
    for line in by_unit.values():
        for before, task in pairwise(line):
            other = problem.tasks[before].job
            if problem.tasks[task].job == job and other != job and placed[before].left == placed[task].start:
                counts[other] = counts.get(other, 0) + 1
    return [now.built.orders[j] for j in sorted(counts, key=lambda j: -counts[j])[:2]]


def _next_break(now: InForce, unit: str, start_ns: int) -> int | None:
    """When the unit's closed time begins that the order's task has to wait for."""
    index = now.built.units.index(unit)
    tick = (start_ns - now.built.origin_ns) // NS
    before = [
        c for c in now.built.problem.units[index].closed if c.resumable and c.start <= tick and c.end > 0
    ]
    return now.built.origin_ns + max(0, before[-1].start) * NS if before else None


def _tried(desk: Desk, now: InForce, order: str, late_s: int, remedy: Remedy) -> dict[str, Any] | None:
    """Plan with the remedy; None where the order gets no earlier for it."""
    changed = edited(now.situation, [remedy.edit])
    built = now.situation.problem(changed.rules, now.document, changed.work)
    problem = replace(built.problem, churn=None)
    mended = repair(problem, Memory(problem))
    result = solve(problem, Limits(SEARCH_S, workers=1), start=mended.solution)
    if result.solution is None or order not in built.orders:
        return None
    job = built.orders.index(order)
    end = max(result.solution.placed[t].end for t in problem.tasks_of[job])
    late = max(0, end - problem.jobs[job].due)
    if late >= late_s - 60:
        return None
    ends = kpis(problem, result.solution).job_ends
    was = dict(zip(now.built.orders, kpis(now.built.problem, now.solution).job_ends, strict=True))
    due = {o: j.due for o, j in zip(built.orders, problem.jobs, strict=True)}
    saved = sum(1 for o, e in zip(built.orders, ends, strict=True) if o in was and e <= due[o] < was[o])
    later = sum(1 for o, e in zip(built.orders, ends, strict=True) if o in was and was[o] <= due[o] < e)
    cost = remedy.cost or (both("unlock.cost_orders", count=later) if later else both("unlock.cost_nothing"))
    return {
        "text": remedy.text,
        "edit": remedy.edit,
        "end_ns": built.origin_ns + end * NS,
        "late_s": late,
        "cost": cost,
        "saves_orders": saved,
    }
