"""Local search over lists: simulated annealing that decodes only from the first changed place on, and gives up early."""

from __future__ import annotations

import math
from typing import Any

from zhongshu.decide.chance import draw, share
from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.closure import place_all
from zhongshu.decide.scheduling.search.costs import ENERGY
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, decode, finish_all
from zhongshu.decide.scheduling.search.moves import (
    NOTHING,
    beside_family,
    bound_by,
    critical_task,
    join_batch,
    late_job,
    later_or_at_once,
    leave_batch,
    shift_job,
    to_mode,
    to_place,
)

#: Entries of ``log``: current and best cost, evaluations, moves taken, improvements.
CURRENT, BEST, EVALUATED, TAKEN, IMPROVED = range(5)


@kernel
def improve(
    d: at.Flat,
    saved: Any,
    current: Any,
    best: Any,
    placed_at: Any,
    log: Any,
    chance: Any,
    heat: float,
    work: int,
) -> None:
    """``work`` evaluations at temperature ``heat`` (thousandths of the objective).

    ``saved[k]``: the state before list index k * step; ``current``: the genes of the current schedule; ``best``: genes
    and state of the best; ``placed_at``: at which index of the list each task was placed. All are kept up to date.
    """
    genes, state = d[at.ORDER], d[at.START]
    points = len(saved) - 1
    step = max(1, -(-d[at.TASKS] // points))
    for _ in range(work):
        log[EVALUATED] += 1
        first = move(d, placed_at, chance)
        if first == NOTHING:
            copy_into(d, genes, current)
            continue
        point = min(first // step, points - 1)
        copy_into(d, state, saved[point])
        limit = log[CURRENT] + int(-math.log(share(chance)) * heat)
        cost = decode(d, point * step, limit)
        if cost > limit:
            copy_into(d, genes, current)
            copy_into(d, state, saved[points])
            continue
        log[TAKEN] += 1
        copy_into(d, state, saved[point])
        log[CURRENT] = decode_saving(d, saved, point, placed_at)
        copy_from(d, genes, current)
        if cost < log[BEST]:
            log[BEST] = cost
            log[IMPROVED] += 1
            copy_from(d, genes, best)


@kernel
def decode_saving(d: at.Flat, saved: Any, point: int, placed_at: Any) -> int:
    """Decode from a saved point on, and save the points that follow; the whole comes last."""
    points = len(saved) - 1
    step = max(1, -(-d[at.TASKS] // points))
    for k in range(point * step, d[at.TASKS]):
        if k % step == 0:
            copy_from(d, d[at.START], saved[k // step])
        task, before = d[d[at.ORDER] + k], d[d[at.COUNT_PLACED]]
        if not d[d[at.DONE] + task] and not place_all(d, task):
            return IMPOSSIBLE
        for n in range(before, d[d[at.COUNT_PLACED]]):
            placed_at[d[d[at.LOG] + n]] = k
    cost = finish_all(d)
    copy_from(d, d[at.START], saved[points])
    return cost


@kernel
def move(d: at.Flat, placed_at: Any, chance: Any) -> int:
    """Change the genes; the state still shows the schedule that they came from. Returns the first index to decode."""
    kind = draw(chance, 100)
    if kind < 12:
        return shift_job(d, placed_at, late_job(d, chance), -1 - draw(chance, 1 + d[at.TASKS] // 8))
    if kind < 18:
        job = draw(chance, d[at.JOBS])
        reach = 1 + draw(chance, 1 + d[at.TASKS] // 8)
        return shift_job(d, placed_at, job, reach if draw(chance, 2) else -reach)
    task = critical_task(d, chance, late_job(d, chance)) if kind < 80 else draw(chance, d[at.TASKS])
    if task < 0 or d[d[at.STARTED] + task]:
        return NOTHING
    unit = d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task]]
    if d[at.PRICES] > 1 and d[d[at.WEIGHTS] + ENERGY] and draw(chance, 8) == 0:
        return later_or_at_once(d, placed_at, chance, task)
    how = draw(chance, 100)
    if how < 35:
        before = bound_by(d, task)
        if d[d[at.BOUND] + task] <= at.FROM_UNIT and before >= 0:
            return to_place(d, placed_at, task, d[d[at.PLACE] + before])
        return to_place(d, placed_at, task, d[d[at.PLACE] + task] - 1 - draw(chance, 1 + d[at.TASKS] // 16))
    if how < 60:
        return to_mode(d, placed_at, chance, task)
    if how < 75 and d[d[at.CAPACITY] + unit] > 0:
        if d[d[at.MATE] + task] != task and draw(chance, 3) == 0:
            return leave_batch(d, placed_at, task)
        return join_batch(d, placed_at, chance, task)
    if how < 85 and d[d[at.UNIT_SETUPS] + unit] >= 0:
        return beside_family(d, placed_at, chance, task)
    reach = 1 + draw(chance, 1 + d[at.TASKS] // 20)
    return to_place(d, placed_at, task, d[d[at.PLACE] + task] + (reach if draw(chance, 2) else -reach))


@kernel
def copy_into(d: at.Flat, start: int, values: Any) -> None:
    """Overwrite d from ``start`` on."""
    for k in range(len(values)):
        d[start + k] = values[k]


@kernel
def copy_from(d: at.Flat, start: int, values: Any) -> None:
    """Keep d from ``start`` on."""
    for k in range(len(values)):
        values[k] = d[start + k]
