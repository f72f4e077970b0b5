"""Shared things: tools, people and power are never demanded beyond their level, tick by tick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zhongshu.decide.scheduling.check.schedule import Block, Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name

#: At one tick what is freed comes first, then the level changes, then what is taken.
FREES, LEVEL, TAKES = 0, 1, 2
#: (tick, FREES, LEVEL or TAKES, by how much or to which level, task)
Change = tuple[int, int, int, int]


def pools(view: Schedule) -> Iterator[Violation]:
    """Demands over worked time, at or after tick 0, stay within the level; a batch demands what its greediest member does."""
    if not view.problem.pools:
        return
    changes: dict[int, list[Change]] = defaultdict(list)
    for block in view.blocks:
        demands = _demands(view, block)
        if demands:
            pieces = worked(view, block)
            for pool, amount in demands.items():
                for start, end in pieces:
                    changes[pool].append((start, TAKES, amount, block.members[0]))
                    changes[pool].append((end, FREES, -amount, block.members[0]))
    for pool, found in changes.items():
        yield from _overdrawn(view, pool, found)


def _demands(view: Schedule, block: Block) -> dict[int, int]:
    """By pool; a mode that names a pool twice demands both amounts."""
    most: dict[int, int] = {}
    for task in block.members:
        own: dict[int, int] = {}
        for pool, amount in view.mode[task].demands:
            own[pool] = own.get(pool, 0) + amount
        for pool, amount in own.items():
            most[pool] = max(amount, most.get(pool, 0))
    return {pool: amount for pool, amount in most.items() if amount}


def worked(view: Schedule, block: Block) -> list[tuple[int, int]]:
    """The open pieces of a block's time, from tick 0 on."""
    start = max(0, block.start)
    pieces = []
    for closed in view.calendar(block.unit).overlapping(start, block.end):
        if start < closed.start:
            pieces.append((start, closed.start))
        start = max(start, closed.end)
    if start < block.end:
        pieces.append((start, block.end))
    return pieces


def _overdrawn(view: Schedule, pool: int, changes: list[Change]) -> Iterator[Violation]:
    """Sweeps over time, keeping who holds how much; a level may also fall under what runs."""
    changes += [(tick, LEVEL, level, -1) for tick, level in view.problem.pools[pool].levels]
    changes.sort(key=lambda c: (c[0], c[1]))
    level = used = 0
    holds: dict[int, int] = {}
    for tick, kind, amount, task in changes:
        if kind == LEVEL:
            level = amount
            if used > level:
                yield _short(view, pool, next(iter(holds)), tick, used, level)
            continue
        used += amount
        holds[task] = holds.get(task, 0) + amount
        if not holds[task]:
            del holds[task]
        if kind == TAKES and used > level:
            yield _short(view, pool, task, tick, used, level)


def _short(view: Schedule, pool: int, task: int, tick: int, used: int, level: int) -> Violation:
    name = view.problem.pools[pool].name or f"pool {pool}"
    values = {"pool": name, "tick": tick, "used": used, "level": level, "task": task_name(view.problem, task)}
    return broken("pool", "pool", task, view.unit[task], **values)
