"""Why an order is late, and what would save it: every remedy was planned in and its effect seen before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from zhongshu.decide.planner.binding import chain_of
from zhongshu.decide.planner.desk import Desk, InForce
from zhongshu.decide.planner.edits import edited
from zhongshu.decide.planner.mended import Plan, better, mended, placed_best
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.words import both, unit_name
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.kernel.clock import NS, monotonic_s

#: Wall time for each remedy that is tried, for all of them, and how many they are.
SEARCH_S, TOTAL_S, REMEDIES_MAX = 0.35, 6.0, 6
OVERTIME_S = 3600
#: An order that ends earlier by less is not helped.
HELP_S = 60


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something people could do, as an edit of the plan, with words for it and for its price. ``shifted``: the
    order whose place in the plan is sought anew."""

    text: dict[str, str]
    edit: dict[str, Any]
    cost: dict[str, str] | None = None
    shifted: str = ""


def why(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{order} → the binding chain, the remedies that help, verified by re-solving, and those that were tried in vain.

    What mere further search would gain, without the remedy, is no merit of the remedy: it is searched for as long first.
    """
    now, began_s = desk.now, monotonic_s()
    if now is None:
        raise Refusal("ask.no_plan")
    order = str(ask["order"])
    if order not in now.built.orders:
        raise Refusal("ask.no_order", order=order)
    job = now.built.orders.index(order)
    chain = chain_of(desk.plant, now.built, now.solution, job)
    late_s = _late(now.plan, order)
    unlock, vain = [], []
    if late_s > 0:
        base = _planned(now, {"kind": "name", "name": ""}, "")
        without = base if base is not None and _late(base, order) < late_s else now.plan
        for remedy in list(_remedies(desk, now, order, job, chain))[:REMEDIES_MAX]:
            if monotonic_s() - began_s > TOTAL_S:
                break
            tried = _tried(now, order, without, remedy)
            if tried is not None:
                unlock.append(tried)
            else:
                vain.append(remedy.text)
    unlock.sort(key=lambda u: (u["late_s"], -u["saves_orders"]))
    return {"late_s": late_s, "chain": chain, "unlock": unlock, "vain": vain, "verified": True}


def _remedies(
    desk: Desk, now: InForce, order: str, job: int, chain: list[dict[str, Any]]
) -> Iterator[Remedy]:
    """What the chain suggests: time for units that are shut, this order first, the one in front of it later."""
    shut = set()
    for link in chain:
        unit = link["unit"]
        closing = _next_break(now, unit, link["start_ns"])
        if closing is None or (unit, closing) in shut:
            continue
        shut.add((unit, closing))
        edit = {"kind": "overtime", "unit": unit, "start_ns": closing, "end_ns": closing + OVERTIME_S * NS}
        text = both("unlock.overtime", unit=unit_name(desk.plant, unit), minutes=OVERTIME_S // 60)
        yield Remedy(text, edit, both("unlock.cost_overtime", hours=1))
        if len(shut) == REMEDIES_MAX // 2:
            break
    if now.situation.work.orders[order].priority > 1:
        edit = {"kind": "order", "order": order, "priority": 1}
        yield Remedy(both("unlock.priority"), edit, shifted=order)
    for other in _in_front(now, job):
        later = now.situation.work.orders[other]
        edit = {"kind": "order", "order": other, "priority": min(9, later.priority + 4)}
        yield Remedy(both("unlock.give_way", order=other), edit, shifted=other)


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


def _planned(now: InForce, edit: Mapping[str, Any], shifted: str) -> Plan | None:
    """The plan in force with one edit, and the order in question put where it is best with it."""
    changed = edited(replace(now.situation, live=now.document), [edit])
    built = changed.problem(now.document)
    made = mended(replace(built, problem=replace(built.problem, churn=None)), now.document, strict=True)
    if made is None:
        return None
    if shifted:
        made = placed_best(made, shifted, SEARCH_S)
    return better(made, SEARCH_S) or made


def _tried(now: InForce, order: str, without: Plan, remedy: Remedy) -> dict[str, Any] | None:
    """Plan with the remedy; None where the order gets no earlier for it."""
    made = _planned(now, remedy.edit, remedy.shifted)
    if made is None or order not in made.built.orders:
        return None
    late = _late(made, order)
    if late > _late(without, order) - HELP_S:
        return None
    ends, was = _ends(made), _ends(without)
    due = {o: j.due for o, j in zip(without.built.orders, without.problem.jobs, strict=True)}
    saved = sum(o in was and end <= due[o] < was[o] for o, end in ends.items())
    later = sum(o in was and was[o] <= due[o] < end for o, end in ends.items())
    cost = remedy.cost or both("unlock.cost_nothing")
    if later:
        cost = both("unlock.cost_orders", count=later)
    return {
        "text": remedy.text,
        "edit": remedy.edit,
        "end_ns": made.built.origin_ns + ends[order] * NS,
        "late_s": late,
        "cost": cost,
        "saves_orders": saved,
    }


def _ends(made: Plan) -> dict[str, int]:
    return dict(zip(made.built.orders, kpis(made.problem, made.solution).job_ends, strict=True))


def _late(made: Plan, order: str) -> int:
    return max(0, _ends(made)[order] - made.problem.jobs[made.built.orders.index(order)].due)
