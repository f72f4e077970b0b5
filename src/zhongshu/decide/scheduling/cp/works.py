"""Work that draws on something shared: placed tasks and batches in, spans with what they draw meanwhile out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal
from zhongshu.decide.scheduling.problem import Closed, Mode


@dataclass(frozen=True, slots=True)
class Work:
    """One way a task or batch can be worked on; ``members``: (mode's demands, its literal) of each that may be in it.
    ``length``: ticks from start to end where settled. ``over``: pauses in between."""

    task: int
    unit: int
    start: Expr
    end: Expr
    length: int | None
    present: Literal
    over: tuple[Closed, ...]
    members: tuple[tuple[dict[int, int], Literal], ...]
    hinted: int | None


def works(draft: Draft) -> Iterator[Work]:
    """All works that demand something from pools, of tasks that are free and not started."""
    for task in draft.free:
        if draft.facts.started[task]:
            continue
        for piece in draft.pieces[task]:
            mode = draft.problem.tasks[task].modes[piece.mode]
            if draft.problem.units[mode.unit].capacity == 0 and mode.demands:
                yield Work(
                    task, mode.unit, draft.start(task), draft.end(task), piece.length, piece.literal, piece.over,
                    ((_demands(mode), True),), _length(draft, task),
                )  # fmt: skip
    for unit, joins in draft.joins.items():
        for task, leader in joins:
            if task == leader and not draft.facts.started[task]:
                yield from _batch_works(draft, unit, leader)


def _demands(mode: Mode) -> dict[int, int]:
    """By pool; a mode that names a pool twice demands both amounts."""
    found: dict[int, int] = {}
    for pool, amount in mode.demands:
        found[pool] = found.get(pool, 0) + amount
    return found


def _length(draft: Draft, task: int) -> int | None:
    return None if draft.guess is None else draft.guess.placed[task].end - draft.guess.placed[task].start


def _batch_works(draft: Draft, unit: int, leader: int) -> Iterator[Work]:
    there: list[tuple[Mode, Literal, Literal]] = []
    for (task, other), joined in draft.joins[unit].items():
        if other == leader:
            modes = draft.problem.tasks[task].modes
            there += [
                (modes[m], joined, used) for m, used in draft.uses[task].items() if modes[m].unit == unit
            ]
    if not any(mode.demands for mode, _, _ in there):
        return
    members = [
        (_demands(mode), joined if used is True else _both(draft, joined, used))
        for mode, joined, used in there
    ]
    leads = draft.joins[unit][leader, leader]
    ways = draft.batch_ways.get((unit, leader))
    if ways is None:
        modes = draft.problem.tasks[leader].modes
        ways = [p for p in draft.pieces[leader] if modes[p.mode].unit == unit]
    for way in ways:
        present = leads if len(ways) == 1 or way.literal is True else _both(draft, leads, way.literal)
        yield Work(
            leader, unit, draft.start(leader), draft.end(leader), way.length, present, way.over, tuple(members),
            _length(draft, leader),
        )  # fmt: skip


def _both(draft: Draft, a: Literal, b: Literal) -> Literal:
    """A literal that is true exactly where both are."""
    hinted = None
    if draft.guess is not None:
        hinted = draft.hinted_literal(a) and draft.hinted_literal(b)
    made = draft.flag(hinted)
    draft.model.add_bool_and([a, b]).only_enforce_if(made)
    draft.model.add_bool_or([a.negated(), b.negated(), made])
    return made
