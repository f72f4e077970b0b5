"""Batch ovens: tasks that may share a unit in, batches with one leading task each out.

A batch is named after its lowest task, its leader: a task either leads or joins a leader below it, of its family and at
the same time. That leaves one name for each batch and only pairs within a family.
"""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal, Piece
from zhongshu.decide.scheduling.cp.incumbent import Block
from zhongshu.decide.scheduling.cp.opentime import join, runs

#: What one batch may be: its ticks of work and whether it may pause.
Shape = tuple[int, bool]


def batches_on(
    draft: Draft, unit: int, tasks: list[int], fixed: list[int]
) -> list[tuple[int, Literal, Expr, Expr]]:
    """(leader, its literal, when its last lot leaves, for how long it stays) for each batch that ``tasks`` may form on the unit; ``fixed``:
    positions of blocks that stay and may be joined."""
    joins = draft.joins.setdefault(unit, {})
    for task in tasks:
        mine: list[Literal] = [
            joins.setdefault((task, r), _pair(draft, unit, task, r))
            for r in tasks
            if _may(draft, unit, task, r)
        ]
        for position in fixed:
            block = draft.plan.blocks[unit][position]
            if _fits(draft, unit, task, block):
                mine.append(
                    joins.setdefault((task, -1 - position), _join_block(draft, unit, task, position, block))
                )
        draft.require(sum(mine) == draft.on(task, unit))
    for position in fixed:
        _room_left(draft, unit, position)
    return [(r, joins[r, r], *_lead(draft, unit, r, tasks)) for r in tasks]


def _may(draft: Draft, unit: int, task: int, leader: int) -> bool:
    """Whether one task may join another; started ones keep to themselves."""
    mine, other = draft.problem.tasks[task], draft.problem.tasks[leader]
    if task == leader:
        return True
    return (
        leader < task
        and mine.family == other.family
        and mine.size + other.size <= draft.problem.units[unit].capacity
        and draft.facts.started[task] == draft.facts.started[leader]
    )


def _pair(draft: Draft, unit: int, task: int, leader: int) -> Literal:
    """The literal that a task is in the batch of a leader here."""
    hinted = None
    if draft.guess is not None:
        hinted = draft.guess.unit[task] == unit and draft.guess.leader(task) == leader
    literal = draft.flag(hinted)
    if task != leader:
        draft.require(draft.start(task) == draft.start(leader), literal)
        draft.require(draft.end(task) == draft.end(leader), literal)
    return literal


def _lead(draft: Draft, unit: int, leader: int, tasks: list[int]) -> tuple[Expr, Expr]:
    """Capacity, length and last departure of the batch that a task leads; returns departure and stay."""
    joins = draft.joins[unit]
    members = [t for t in tasks if (t, leader) in joins]
    others, here = [t for t in members if t != leader], joins[leader, leader]
    sizes, capacity = draft.problem.tasks, draft.problem.units[unit].capacity
    draft.model.add(
        sum(sizes[t].size * joins[t, leader] for t in others) <= max(0, capacity - sizes[leader].size) * here
    )
    if sizes[leader].size > capacity:
        draft.model.add(here == 0)
    for t in others:
        draft.model.add_implication(joins[t, leader], here)
    started = draft.facts.started[leader]
    if not started and (unit, sizes[leader].family) in draft.facts.uneven:
        _shape(draft, unit, leader, members)
    lefts = [t for t in members if draft.left(t) is not draft.end(t)]
    if not lefts:
        return draft.end(leader), draft.stay(leader)
    hinted = None
    if draft.guess is not None:
        block = draft.guess.block(leader)
        leads = draft.guess.unit[leader] == unit and draft.guess.leader(leader) == leader
        hinted = block.left if leads else max(block.left, draft.guess.placed[leader].end)
    last = draft.number(draft.first, draft.last, hinted)
    draft.require(last >= draft.end(leader), here)
    for t in members:
        draft.require(last >= draft.left(t), joins[t, leader])
    start = None if draft.guess is None else draft.guess.placed[leader].start
    return last, draft.apart(
        draft.start(leader), last, None if start is None or hinted is None else hinted - start
    )


def _shape(draft: Draft, unit: int, leader: int, members: list[int]) -> None:
    """A batch takes as long as its longest member and pauses only if all members may."""
    joins, tasks = draft.joins[unit], draft.problem.tasks
    kinds: dict[Shape, list[Literal]] = {}
    for t in members:
        for m, used in draft.uses[t].items():
            mode = tasks[t].modes[m]
            if mode.unit == unit:
                both = _both(draft, joins[t, leader], used, unit, t, m, leader)
                kinds.setdefault((mode.duration, tasks[t].interruptible), []).append(both)
    shapes = {(d, pause) for d, _ in kinds for pause in {p for _, p in kinds}}
    hinted = _shape_hint(draft, unit, leader)
    taken: dict[Shape, Literal] = {
        s: draft.flag(None if draft.guess is None else s == hinted) for s in shapes
    }
    draft.model.add(sum(taken.values()) == joins[leader, leader])
    for (d, pause), literal in taken.items():
        # Nobody in it takes longer, or may not pause where it pauses; and somebody makes it what it is.
        for (other, may_pause), there in kinds.items():
            if other > d or (pause and not may_pause):
                for one in there:
                    draft.model.add_bool_or([one.negated(), literal.negated()])
        longest = [one for (other, _), there in kinds.items() if other == d for one in there]
        draft.model.add_bool_or([*longest, literal.negated()])
        if not pause:
            stiff = [one for (_, may), there in kinds.items() if not may for one in there]
            draft.model.add_bool_or([*stiff, literal.negated()])
        _lie(draft, unit, leader, (d, pause), literal)


def _both(draft: Draft, joined: Literal, used: Literal, unit: int, task: int, m: int, leader: int) -> Literal:
    """A literal for: in that batch and in that mode."""
    if used is True:
        return joined
    hinted = None
    if draft.guess is not None:
        placed = draft.guess.placed[task]
        hinted = placed.mode == m and draft.guess.unit[task] == unit and draft.guess.leader(task) == leader
    literal = draft.flag(hinted)
    draft.model.add_bool_and([joined, used]).only_enforce_if(literal)
    draft.model.add_bool_or([joined.negated(), used.negated(), literal])
    return literal


def _shape_hint(draft: Draft, unit: int, leader: int) -> Shape | None:
    if draft.guess is None or draft.guess.unit[leader] != unit or draft.guess.leader(leader) != leader:
        return None
    placed, tasks = draft.guess.placed, draft.problem.tasks
    members = draft.guess.block(leader).members
    longest = max(tasks[t].modes[placed[t].mode].duration for t in members)
    return longest, all(tasks[t].interruptible for t in members)


def _lie(draft: Draft, unit: int, leader: int, shape: Shape, literal: Literal) -> None:
    """The calendar for a batch of one shape; its ways to lie count as pieces of the leader."""
    found = runs(draft.problem.units[unit].closed, *shape, draft.first, draft.last)
    start, end = draft.start(leader), draft.end(leader)
    ways: list[Literal] = []
    for r in found:
        hinted = None
        if draft.guess is not None:
            same = _shape_hint(draft, unit, leader) == shape
            hinted = same and r.first <= draft.guess.placed[leader].start <= r.last
        way = literal if len(found) == 1 else draft.flag(hinted)
        ways.append(way)
        draft.model.add_linear_constraint(start, r.first, r.last).only_enforce_if(way)
        draft.model.add(end == start + shape[0] + r.shift).only_enforce_if(way)
        draft.batch_ways.setdefault((unit, leader), []).append(
            Piece(-1, join([(r.first, r.last)]), shape[0] + r.shift, r.over, way)
        )
    if len(found) != 1:
        draft.model.add(sum(ways) == literal)


def _fits(draft: Draft, unit: int, task: int, block: Block) -> bool:
    """Whether a task may join a block that stays, without making it longer, hungrier or later."""
    if block.started or not draft.first <= block.start <= draft.last or draft.facts.started[task]:
        return False
    mine, tasks, placed = draft.problem.tasks[task], draft.problem.tasks, draft.plan.placed
    chosen = [tasks[t].modes[placed[t].mode] for t in block.members]
    ours = [m for m in mine.modes if m.unit == unit]
    room = draft.problem.units[unit].capacity - sum(tasks[t].size for t in block.members)
    return (
        mine.family == tasks[block.members[0]].family
        and mine.size <= room
        and all(m.duration <= max(c.duration for c in chosen) for m in ours)
        and all(set(m.demands) <= {d for c in chosen for d in c.demands} for m in ours)
        and all(m.power <= max(c.power for c in chosen) for m in ours)
        and (mine.interruptible or not _paused(draft, unit, block))
    )


def _paused(draft: Draft, unit: int, block: Block) -> bool:
    return any(c.start < block.end and block.start < c.end for c in draft.problem.units[unit].closed)


def _join_block(draft: Draft, unit: int, task: int, position: int, block: Block) -> Literal:
    literal = draft.flag(False)
    draft.require(draft.start(task) == block.start, literal)
    draft.require(draft.end(task) == block.end, literal)
    draft.require(draft.left(task) <= block.left, literal)
    return literal


def _room_left(draft: Draft, unit: int, position: int) -> None:
    """Those who join a block that stays find room in it."""
    tasks, joins = draft.problem.tasks, draft.joins[unit]
    block = draft.plan.blocks[unit][position]
    room = draft.problem.units[unit].capacity - sum(tasks[t].size for t in block.members)
    load = [tasks[t].size * literal for (t, r), literal in joins.items() if r == -1 - position]
    if load:
        draft.model.add(sum(load) <= room)
