"""Local search over lists: simulated annealing that decodes only from the first changed place on, and gives up early."""

from __future__ import annotations

import math
from typing import Any

from zhongshu.decide.chance import draw, share
from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.costs import ENERGY
from zhongshu.decide.scheduling.search.decode import decode_at, nothing_compared
from zhongshu.decide.scheduling.search.flat import address
from zhongshu.decide.scheduling.search.journal import again, forget, take_back
from zhongshu.decide.scheduling.search.moves import (
    NOTHING,
    beside_family,
    bound_by,
    critical_task,
    early_or_late,
    join_batch,
    late_job,
    later_or_at_once,
    leave_batch,
    shift_job,
    to_mode,
    to_place,
)

#: Entries of ``log``: current and best cost, evaluations, moves taken, improvements, and the index of the list before
#: which the state stands.
CURRENT, BEST, EVALUATED, TAKEN, IMPROVED, STANDS = range(6)
#: With so many tasks, a schedule is given up that costs a DOUBT-th more than the current one part of the way.
MANY, DOUBT = 200, 256


@kernel
def improve(array: Any, current: Any, best: Any, log: Any, chance: Any, heat: float, work: int) -> None:
    """``work`` evaluations at temperature ``heat`` (thousandths of the objective).

    ``current``: the genes of the current schedule; ``best``: genes and state of the best. The journal holds the current
    schedule: the state stands at some index of its list and is taken back or written again to where a move begins.
    """
    d = address(array)
    genes = d[at.ORDER]
    for _ in range(work):
        log[EVALUATED] += 1
        first = move(d, chance)
        if first == NOTHING:
            copy_into(d, genes, current)
            continue
        stand_at(d, log, first)
        limit = log[CURRENT] + int(-math.log(share(chance)) * heat)
        swap_journals(d)
        forget(d)
        nothing_compared(d)
        since = d[at.TASKS] if d[at.TASKS] < MANY else last_changed(d, current)
        cost = decode_at(d, first, limit, since, limit - log[CURRENT] + log[CURRENT] // DOUBT)
        if d[at.OVERFLOWN]:
            swap_journals(d)
            return
        if cost > limit or d[d[at.JOURNAL]] + d[d[at.SPARE_JOURNAL]] > d[at.JOURNAL_SIZE]:
            take_back(d, 0)
            swap_journals(d)
            copy_into(d, genes, current)
            continue
        swap_journals(d)
        log[TAKEN] += 1
        log[CURRENT] = cost
        keep(d, log, first)
        copy_from(d, genes, current)
        if cost < log[BEST]:
            log[BEST] = cost
            log[IMPROVED] += 1
            copy_from(d, genes, best)


@kernel
def last_changed(d: at.Flat, current: Any) -> int:
    """The last index at which the list is not the current schedule's; 0 when it is the same."""
    k = d[at.TASKS] - 1
    while k > 0 and d[d[at.ORDER] + k] == current[k]:
        k -= 1
    return k


@kernel
def swap_journals(d: at.Flat) -> None:
    """Between that of the current schedule and that of the one tried."""
    d[at.JOURNAL], d[at.SPARE_JOURNAL] = d[at.SPARE_JOURNAL], d[at.JOURNAL]


@kernel
def stand_at(d: at.Flat, log: Any, first: int) -> None:
    """Let the state show the current schedule's list before index ``first``."""
    mark = d[d[at.MARK_AT] + first]
    if first < log[STANDS]:
        take_back(d, mark)
    else:
        again(d, mark)
    log[STANDS] = first


@kernel
def keep(d: at.Flat, log: Any, first: int) -> None:
    """What was tried from ``first`` on, and what its journal holds, is now the current schedule, and the state shows it."""
    journal, spare, tasks = d[at.JOURNAL], d[at.SPARE_JOURNAL], d[at.TASKS]
    mark = d[journal]
    for k in range(2 * d[spare]):
        d[journal + 1 + 2 * mark + k] = d[spare + 1 + k]
    d[journal] = mark + d[spare]
    for k in range(first, tasks + 1):
        d[d[at.MARK_AT] + k] = mark + d[d[at.TRIED_MARK_AT] + k]
        d[d[at.COUNT_AT] + k] = d[d[at.TRIED_COUNT_AT] + k]
        d[d[at.COST_AT] + k] = d[d[at.TRIED_COST_AT] + k]
    for k in range(first, tasks):
        for n in range(d[d[at.COUNT_AT] + k], d[d[at.COUNT_AT] + k + 1]):
            d[d[at.PLACED_AT] + d[d[at.LOG] + n]] = k
    d[d[at.MARK_AT] + tasks] = d[journal]
    log[STANDS] = tasks
    for task in range(tasks):
        d[d[at.SEEN_START] + task] = d[d[at.START] + task]
        d[d[at.SEEN_END] + task] = d[d[at.END] + task]
        d[d[at.SEEN_BOUND] + task] = d[d[at.BOUND] + task]
        before = d[d[at.COMPARED_AT] + task]  # as long as nothing from there on was decoded anew
        tried = d[d[at.TRIED_COMPARED_AT] + task]
        d[d[at.COMPARED_AT] + task] = min(before, tried) if before < first else tried
    for job in range(d[at.JOBS]):
        d[d[at.SEEN_JOB_END] + job] = d[d[at.JOB_END] + job]


@kernel
def adopt(array: Any, log: Any) -> None:
    """The schedule just decoded as a whole is the current one."""
    d = address(array)
    swap_journals(d)
    d[d[at.JOURNAL]] = 0
    keep(d, log, 0)


@kernel
def move(d: at.Flat, chance: Any) -> int:
    """Change the genes; the state still shows the schedule that they came from. Returns the first index to decode."""
    kind = draw(chance, 100)
    if kind < 12:
        return shift_job(d, late_job(d, chance), -1 - draw(chance, 1 + d[at.TASKS] // 8))
    if kind < 18:
        job = draw(chance, d[at.JOBS])
        reach = 1 + draw(chance, 1 + d[at.TASKS] // 8)
        return shift_job(d, job, reach if draw(chance, 2) else -reach)
    task = critical_task(d, chance, late_job(d, chance)) if kind < 80 else draw(chance, d[at.TASKS])
    if task < 0 or d[d[at.STARTED] + task]:
        return NOTHING
    unit = d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task]]
    if d[at.PRICES] > 1 and d[d[at.WEIGHTS] + ENERGY] and draw(chance, 8) == 0:
        return later_or_at_once(d, chance, task)
    if draw(chance, 12) == 0:
        return early_or_late(d, chance, task)
    how = draw(chance, 100)
    if how < 35:
        before = bound_by(d, task)
        if d[d[at.BOUND] + task] <= at.FROM_UNIT and before >= 0:
            return to_place(d, task, d[d[at.PLACE] + before])
        return to_place(d, task, d[d[at.PLACE] + task] - 1 - draw(chance, 1 + d[at.TASKS] // 16))
    if how < 60:
        return to_mode(d, chance, task)
    if how < 75 and d[d[at.CAPACITY] + unit] > 0:
        if d[d[at.MATE] + task] != task and draw(chance, 3) == 0:
            return leave_batch(d, task)
        return join_batch(d, chance, task)
    if how < 85 and d[d[at.UNIT_SETUPS] + unit] >= 0:
        return beside_family(d, chance, task)
    reach = 1 + draw(chance, 1 + d[at.TASKS] // 20)
    return to_place(d, task, d[d[at.PLACE] + task] + (reach if draw(chance, 2) else -reach))


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
