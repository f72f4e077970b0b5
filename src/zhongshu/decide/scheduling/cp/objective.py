"""The price of a plan: tardiness, makespan, flow, energy in, the sum that CP-SAT minimises out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft, Expr
from zhongshu.decide.scheduling.cp.energy import charge_all


def price_all(draft: Draft) -> None:
    """Everything that is priced, set-ups and moved tasks excepted: their own modules price them."""
    weights, scale = draft.problem.weights, draft.scale
    if weights.tardiness or weights.flow:
        for job, tasks in _jobs(draft):
            _price_job(draft, job, tasks)
    if weights.makespan:
        _price_makespan(draft, weights.makespan * scale)
    charge_all(draft)
    draft.model.minimize(sum(weight * expr for weight, expr in draft.prices))


def _jobs(draft: Draft) -> list[tuple[int, tuple[int, ...]]]:
    """Jobs with free tasks, and all their tasks."""
    touched = {draft.problem.tasks[t].job for t in draft.free}
    return [(job, draft.problem.tasks_of[job]) for job in sorted(touched)]


def _price_job(draft: Draft, job: int, tasks: tuple[int, ...]) -> None:
    found, weights = draft.problem.jobs[job], draft.problem.weights
    priced_late = weights.tardiness and found.weight and found.due < draft.latest
    if not priced_late and not weights.flow:
        return
    hinted = None if draft.guess is None else draft.guess.job_end[job]
    end = _end_of_all(draft, [draft.end(t) for t in _last_ones(draft, tasks)], hinted)
    if priced_late:
        late_hint = None if hinted is None else max(0, hinted - found.due)
        late = draft.number(0, max(0, draft.latest - found.due), late_hint)
        draft.model.add(late >= end - found.due)
        draft.price(weights.tardiness * found.weight * draft.scale, late, late_hint)
    draft.price(weights.flow * draft.scale, end, hinted)
    draft.offset -= weights.flow * draft.scale * found.release


def _last_ones(draft: Draft, tasks: tuple[int, ...]) -> list[int]:
    """Tasks of a job without a successor in it that must end later: only they can be its last."""
    inside = set(tasks)
    arcs = draft.problem.arcs
    found = []
    for t in tasks:
        followed = any(
            arcs[k].before == t
            and arcs[k].after in inside
            and (arcs[k].overlap or 0) >= 0
            and arcs[k].lag_min >= 0
            for k in draft.facts.arcs_of[t]
        )
        if not followed:
            found.append(t)
    return found


def _end_of_all(draft: Draft, ends: list[Expr], hinted: int | None) -> Expr:
    if len(ends) == 1:
        return ends[0]
    low = min([0, *(e for e in ends if isinstance(e, int))])
    last = draft.number(low, draft.latest, hinted)
    for e in ends:
        draft.model.add(last >= e)
    return last


def _price_makespan(draft: Draft, weight: int) -> None:
    rest = 0
    if not draft.whole:
        rest = max((p.end for p in draft.plan.placed if p.task not in draft.is_free), default=0)
    hinted = None
    if draft.guess is not None:
        hinted = max((0, *(p.end for p in draft.guess.placed)))
    last = draft.number(max(0, rest), draft.latest, hinted)
    for task in draft.free:
        if not isinstance(draft.end(task), int) or draft.end(task) > rest:
            draft.model.add(last >= draft.end(task))
    draft.price(weight, last, hinted)
