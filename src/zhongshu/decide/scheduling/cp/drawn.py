"""What the plan round a window draws from pools and materials: an indexed solution in, constants for the model out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.incumbent import Incumbent
from zhongshu.decide.scheduling.cp.opentime import open_spans


def drawn_by_the_rest(draft: Draft, pool: int) -> list[tuple[int, int, int]]:
    """(since, until, amount) drawn from a pool by all that is not free, within the window, disjoint and sorted."""
    changes: dict[int, int] = {}
    for since, until, amount, task in _drawn(draft.plan).get(pool, []):
        if task not in draft.is_free and since <= draft.last and until > draft.first:
            changes[since] = changes.get(since, 0) + amount
            changes[until] = changes.get(until, 0) - amount
    found, level, before = [], 0, 0
    for at in sorted(changes):
        if level:
            found.append((before, at, level))
        level, before = level + changes[at], at
    return found


def _drawn(plan: Incumbent) -> dict[int, list[tuple[int, int, int, int]]]:
    """By pool: (since, until, amount, task) of every block; made once for a solution."""
    if plan.drawn is None:
        plan.drawn = {}
        tasks = plan.problem.tasks
        for unit, blocks in enumerate(plan.blocks):
            closed = plan.problem.units[unit].closed
            for block in blocks:
                most: dict[int, int] = {}
                for t in block.members:
                    for pool, amount in tasks[t].modes[plan.placed[t].mode].demands:
                        most[pool] = max(most.get(pool, 0), amount)
                if most:
                    spans = open_spans(
                        closed, max(0, block.start) if block.started else block.start, block.end
                    )
                    for pool, amount in most.items():
                        found = plan.drawn.setdefault(pool, [])
                        found.extend((since, until, amount, block.members[0]) for since, until in spans)
    return plan.drawn


def stock_changes(draft: Draft, material: int) -> dict[int, int]:
    """By tick, what arrivals and the tasks that are not free add to a material or take from it; the stock at tick 0."""
    found = draft.problem.materials[material]
    changes = {0: found.stock}
    for tick, quantity in found.arrivals:
        changes[max(0, tick)] = changes.get(max(0, tick), 0) + quantity
    if not draft.whole:
        for task, quantity, consumes in _flows(draft.plan).get(material, []):
            if task not in draft.is_free:
                placed = draft.plan.placed[task]
                tick = max(0, placed.start if consumes else placed.end)
                changes[tick] = changes.get(tick, 0) + (-quantity if consumes else quantity)
    return changes


def _flows(plan: Incumbent) -> dict[int, list[tuple[int, int, bool]]]:
    """By material: (task, quantity, whether it consumes), without what started tasks took before the plan began."""
    if plan.flows is None:
        plan.flows = {}
        for i, task in enumerate(plan.problem.tasks):
            for material, quantity in task.produces:
                plan.flows.setdefault(material, []).append((i, quantity, False))
            if not plan.facts.started[i]:
                for material, quantity in task.consumes:
                    plan.flows.setdefault(material, []).append((i, quantity, True))
    return plan.flows
