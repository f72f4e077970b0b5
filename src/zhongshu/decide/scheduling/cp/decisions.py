"""Decisions that stand: pins, the frozen sequence of a unit and the limit of churn in, constraints out."""

from __future__ import annotations

import itertools

from zhongshu.decide.scheduling.cp.draft import Draft, Literal


def decide_all(draft: Draft) -> None:
    """Pins of ends (units and starts are settled in placing), frozen sequences, moved tasks."""
    for task in draft.free:
        pin = draft.problem.pin_of.get(task)
        if pin is not None and pin.end is not None and not pin.started:
            draft.model.add(draft.end(task) == pin.end)
    for unit, tasks in draft.problem.frozen:
        if tasks:
            _freeze(draft, unit, tasks)
    _stay(draft)


def _freeze(draft: Draft, unit: int, tasks: tuple[int, ...]) -> None:
    """These come first, in this order; nobody else starts there before the last, unless in a batch with one of them."""
    for a, b in itertools.pairwise(tasks):
        if (a in draft.is_free or b in draft.is_free) and not draft.facts.started[b]:
            draft.model.add(draft.start(b) >= draft.start(a))
    first_here = draft.start(tasks[-1])
    others = range(len(draft.problem.tasks)) if tasks[-1] in draft.is_free else draft.free
    for other in others:
        if other in tasks or draft.facts.started[other]:
            continue
        here = draft.on(other, unit)
        if here is False or (other not in draft.is_free and tasks[-1] not in draft.is_free):
            continue
        if other not in draft.is_free and not set(tasks).isdisjoint(draft.plan.block(other).members):
            continue
        excused = [s for t in tasks if (s := _share(draft, unit, other, t)) is not False]
        free_from = [here] if here is not True else []
        later = draft.flag(_later(draft, other, tasks[-1]))
        draft.model.add(draft.start(other) >= first_here).only_enforce_if(later)
        draft.model.add_bool_or([later, *excused, *(h.negated() for h in free_from)])


def _later(draft: Draft, task: int, other: int) -> bool | None:
    return None if draft.guess is None else draft.guess.placed[task].start >= draft.guess.placed[other].start


def _share(draft: Draft, unit: int, task: int, frozen: int) -> Literal:
    """A literal that, where true, puts both in one batch."""
    joins = draft.joins.get(unit, {})
    both = []
    for (t, leader), literal in list(joins.items()):
        if t != task:
            continue
        if leader < 0:
            if frozen in draft.plan.blocks[unit][-1 - leader].members:
                both.append(literal)
        elif (frozen, leader) in joins:
            shared = draft.flag(draft.hinted_literal(literal) and draft.hinted_literal(joins[frozen, leader]))
            draft.model.add_bool_and([literal, joins[frozen, leader]]).only_enforce_if(shared)
            both.append(shared)
    if not both:
        return False
    if len(both) == 1:
        return both[0]
    made = draft.flag(any(draft.hinted_literal(b) for b in both))
    draft.model.add_bool_or([made.negated(), *both])
    return made


def _stay(draft: Draft) -> None:
    """Count the tasks that move against the plan in force: their price and, where it is limited, their number."""
    problem = draft.problem
    if not problem.weights.stability and problem.churn is None:
        return
    moved: list[Literal] = []
    hinted = elsewhere = 0
    for before in problem.previous:
        task = before.task
        if draft.facts.started[task]:
            continue
        moves = None
        if draft.guess is not None:
            apart = abs(draft.guess.placed[task].start - before.start) > problem.moved_tolerance
            moves = apart or draft.guess.unit[task] != before.unit
        if task not in draft.is_free:
            elsewhere += bool(moves)
            continue
        literal = draft.flag(moves)
        moved.append(literal)
        hinted += bool(moves)
        _stays_unless(draft, task, before.unit, before.start, literal)
    if problem.churn is not None and moved:
        draft.model.add(sum(moved) <= problem.churn - elsewhere)
    elif problem.churn is not None and elsewhere > problem.churn:
        draft.impossible()
    if moved:
        draft.price(problem.weights.stability * draft.scale, sum(moved), hinted)


def _stays_unless(draft: Draft, task: int, unit: int, start: int, moved: Literal) -> None:
    """Without being moved it keeps its unit and, but for the tolerance, its start."""
    here = draft.on(task, unit)
    if here is False:
        draft.model.add(moved == 1)
        return
    if here is not True:
        draft.model.add_implication(moved.negated(), here)
    tolerance = draft.problem.moved_tolerance
    near = draft.model.add_linear_constraint(draft.start(task), start - tolerance, start + tolerance)
    near.only_enforce_if(moved.negated())
