"""Moves: small changes to the genes, most of them aimed at what makes an order late. Each says from which place on the list
has to be decoded again; NOTHING means that the move would change nothing."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.chance import draw
from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.dispatch import mode_on

NOTHING = -1
#: Links of the binding chain that are looked at.
CHAIN_MAX = 80


@kernel
def late_job(d: at.Flat, chance: Any) -> int:
    """An order that costs much: of a few drawn, the one with the most weighted tardiness; the last to end if none is late."""
    jobs, best, best_cost, last, last_end = d[at.JOBS], -1, 0, 0, -NEVER
    tries = jobs if jobs <= 8 or draw(chance, 4) == 0 else 8
    for k in range(tries):
        job = k if tries == jobs else draw(chance, jobs)
        end = d[d[at.SEEN_JOB_END] + job]
        cost = (end - d[d[at.DUE] + job]) * d[d[at.WEIGHT] + job]
        if cost > best_cost and (tries != jobs or draw(chance, 3) > 0):
            best, best_cost = job, cost
        if end > last_end:
            last, last_end = job, end
    return best if best >= 0 else last


@kernel
def last_task(d: at.Flat, job: int) -> int:
    """The task that ends the job."""
    for task in range(d[at.TASKS]):
        if d[d[at.JOB] + task] == job and d[d[at.SEEN_END] + task] == d[d[at.SEEN_JOB_END] + job]:
            return task
    return 0


@kernel
def bound_by(d: at.Flat, task: int) -> int:
    """The task whose end bound the start of this one, -1 if it was none."""
    bound = d[d[at.SEEN_BOUND] + task]
    if bound <= at.FROM_UNIT:
        return at.FROM_UNIT - bound
    if bound >= 0:
        return d[d[at.BEFORE] + bound]
    return -1


@kernel
def critical_task(d: at.Flat, chance: Any, job: int) -> int:
    """A task of the chain that binds the end of the job; those held up by their unit come first."""
    task, chosen, seen = last_task(d, job), -1, 0
    for _ in range(CHAIN_MAX):
        if not d[d[at.STARTED] + task]:
            weight = 4 if d[d[at.SEEN_BOUND] + task] <= at.FROM_UNIT else 1
            seen += weight
            if draw(chance, seen) < weight:
                chosen = task
        before = bound_by(d, task)
        if before < 0:
            break
        task = before
    return chosen


@kernel
def shift(d: at.Flat, origin: int, target: int) -> None:
    """Take the task at index ``origin`` of the list and put it at ``target``."""
    order, place = d[at.ORDER], d[at.PLACE]
    task = d[order + origin]
    step = 1 if target > origin else -1
    k = origin
    while k != target:
        d[order + k] = d[order + k + step]
        d[place + d[order + k]] = k
        k += step
    d[order + target] = task
    d[place + task] = target


@kernel
def to_place(d: at.Flat, task: int, target: int) -> int:
    """Move the task in the list, its batch mates with it."""
    origin, target = d[d[at.PLACE] + task], max(0, min(d[at.TASKS] - 1, target))
    if origin == target:
        return NOTHING
    shift(d, origin, target)
    first = min(origin, target, looked_at(d, task))
    mate = d[d[at.MATE] + task]
    while mate != task:
        first = min(first, d[d[at.PLACE] + mate], looked_at(d, mate))
        shift(d, d[d[at.PLACE] + mate], d[d[at.PLACE] + task])
        mate = d[d[at.MATE] + mate]
    return first


@kernel
def looked_at(d: at.Flat, task: int) -> int:
    """The index at which the task's place in the list first mattered: it was placed, or compared with another's."""
    return min(d[d[at.PLACED_AT] + task], d[d[at.COMPARED_AT] + task])


@kernel
def earliest_of(d: at.Flat, task: int) -> int:
    """The index from which on the task's genes were looked at: its own, or that of whoever comes before it."""
    first = d[d[at.PLACED_AT] + task]
    for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + task + 1]):
        before = d[d[at.BEFORE] + d[d[at.IN_ARC] + k]]
        if before >= 0:
            first = min(first, d[d[at.PLACED_AT] + before])
    return first


@kernel
def to_mode(d: at.Flat, chance: Any, task: int) -> int:
    """Another unit for the task; out of its batch if it was in one."""
    count = d[d[at.MODE_PTR] + task + 1] - d[d[at.MODE_PTR] + task]
    if count < 2 or d[d[at.STUCK] + task]:
        return NOTHING
    first = leave_batch(d, task)
    now = d[d[at.MODE] + task]
    new = draw(chance, count - 1)
    d[d[at.MODE] + task] = new + (new >= now)
    return min(first, earliest_of(d, task))


@kernel
def leave_batch(d: at.Flat, task: int) -> int:
    """Alone from now on."""
    first, before = earliest_of(d, task), task
    while d[d[at.MATE] + before] != task:
        before = d[d[at.MATE] + before]
        first = min(first, earliest_of(d, before))
    d[d[at.MATE] + before] = d[d[at.MATE] + task]
    d[d[at.MATE] + task] = task
    return first


@kernel
def join_batch(d: at.Flat, chance: Any, task: int) -> int:
    """Into the batch of another task of the same family that runs about the same time."""
    unit_task, best, best_gap = task, -1, NEVER
    for _ in range(24):
        other = draw(chance, d[at.TASKS])
        if other == task or d[d[at.FAMILY] + other] != d[d[at.FAMILY] + task] or d[d[at.STARTED] + other]:
            continue
        unit = d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + other] + d[d[at.MODE] + other]]
        if d[d[at.CAPACITY] + unit] == 0 or mode_on(d, task, unit) < 0 or in_batch(d, task, other):
            continue
        gap = abs(d[d[at.SEEN_START] + other] - d[d[at.SEEN_START] + task])
        if gap < best_gap and batch_size(d, other) + d[d[at.SIZE] + task] <= d[d[at.CAPACITY] + unit]:
            best, best_gap = other, gap
    if best < 0:
        return NOTHING
    unit = d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + best] + d[d[at.MODE] + best]]
    mode = mode_on(d, task, unit)
    if d[d[at.STUCK] + task] and mode != d[d[at.MODE] + task]:
        return NOTHING
    first = min(leave_batch(d, unit_task), earliest_of(d, best))
    d[d[at.MODE] + task] = mode
    d[d[at.MATE] + task] = d[d[at.MATE] + best]
    d[d[at.MATE] + best] = task
    return min(first, d[d[at.PLACE] + task], d[d[at.PLACE] + best])


@kernel
def in_batch(d: at.Flat, task: int, other: int) -> bool:
    """They share a batch already."""
    mate = d[d[at.MATE] + task]
    while mate != task:
        if mate == other:
            return True
        mate = d[d[at.MATE] + mate]
    return False


@kernel
def batch_size(d: at.Flat, task: int) -> int:
    """What the batch takes of the oven."""
    size, mate = d[d[at.SIZE] + task], d[d[at.MATE] + task]
    while mate != task:
        size += d[d[at.SIZE] + mate]
        mate = d[d[at.MATE] + mate]
    return size


@kernel
def shift_job(d: at.Flat, job: int, by: int) -> int:
    """All tasks of the job that far earlier (``by`` < 0) or later in the list, in their order."""
    count, first = d[at.TASKS], d[at.TASKS]
    begin, stop, step = (0, count, 1) if by < 0 else (count - 1, -1, -1)
    edge = begin
    for k in range(begin, stop, step):
        task = d[d[at.ORDER] + k]
        if d[d[at.JOB] + task] != job or d[d[at.STARTED] + task]:
            continue
        target = max(edge, k + by) if by < 0 else min(edge, k + by)
        if target != k:
            shift(d, k, target)
            first = min(first, k, target, looked_at(d, task))
        edge = target + step
    return first if first < count else NOTHING


@kernel
def beside_family(d: at.Flat, chance: Any, task: int) -> int:
    """Behind another task of the same family on a unit that can do both: saves a set-up."""
    best, best_gap = -1, NEVER
    for _ in range(32):
        other = draw(chance, d[at.TASKS])
        if other == task or d[d[at.FAMILY] + other] != d[d[at.FAMILY] + task]:
            continue
        unit = d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + other] + d[d[at.MODE] + other]]
        gap = abs(d[d[at.SEEN_START] + other] - d[d[at.SEEN_START] + task])
        if gap < best_gap and d[d[at.UNIT_SETUPS] + unit] >= 0 and mode_on(d, task, unit) >= 0:
            best, best_gap = other, gap
    if best < 0:
        return NOTHING
    unit = d[d[at.MODE_UNIT] + d[d[at.MODE_PTR] + best] + d[d[at.MODE] + best]]
    mode = mode_on(d, task, unit)
    if d[d[at.STUCK] + task] and mode != d[d[at.MODE] + task]:
        return NOTHING
    first = min(d[d[at.PLACE] + task], earliest_of(d, task))
    d[d[at.MODE] + task] = mode
    moved = to_place(d, task, d[d[at.PLACE] + best] + (draw(chance, 2) == 0))
    return first if moved == NOTHING else min(first, moved)


@kernel
def early_or_late(d: at.Flat, chance: Any, task: int) -> int:
    """Fetch a lot of the task as soon as it can be, or only when it is needed."""
    first, stop = d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + task + 1]
    if first == stop or d[d[at.SETTINGS] + 0] == 0:
        return NOTHING
    arc = d[d[at.IN_ARC] + first + draw(chance, stop - first)]
    before = d[d[at.BEFORE] + arc]
    if before < 0 or d[d[at.MOVES] + arc] == 0:
        return NOTHING
    d[d[at.EARLY] + arc] = 1 - d[d[at.EARLY] + arc]
    return d[d[at.PLACED_AT] + before]


@kernel
def later_or_at_once(d: at.Flat, chance: Any, task: int) -> int:
    """Wait for a cheaper price of energy, or wait no longer."""
    if d[d[at.DELAY] + task] > 0 and draw(chance, 2):
        d[d[at.DELAY] + task] = 0
        return earliest_of(d, task)
    price = draw(chance, d[at.PRICES])
    tick, start = d[d[at.PRICE_AT] + price], d[d[at.SEEN_START] + task]
    if draw(chance, 2):  # be through, rather than begin, when the price changes
        tick -= d[d[at.SEEN_END] + task] - start
    if tick <= start:
        return NOTHING
    d[d[at.DELAY] + task] = tick
    return earliest_of(d, task)
