"""Placing one task, or one oven batch, behind everything placed before: the heart of the decoder."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.buffers import RESOLVED, resolve_unit, room_from
from zhongshu.decide.scheduling.search.commit import commit
from zhongshu.decide.scheduling.search.hours import after_open, fit
from zhongshu.decide.scheduling.search.journal import take_back
from zhongshu.decide.scheduling.search.supplies import demand_of, material_from, pool_conflict
from zhongshu.decide.scheduling.search.trips import best_trip, drive

PLACED, FAILED = (-1, -2)
TRIES_MAX = 2000


@kernel
def place(d: at.Flat, task: int) -> int:
    """Place the task and its mates. Either everything of it is written, or nothing (needs, failures of a trial)."""
    unit = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task])]
    count = gather(d, task, unit)
    if count < 0:
        return FAILED
    need = what_first(d, unit, count)
    if need != PLACED:
        return need
    mark = d[d[at.JOURNAL]]
    setup, free, last = setup_before(d, unit, d[d[at.FAMILY] + task])
    ready, bound, jit = bring(d, unit, count)
    free = after_open(d, unit, free, setup)
    if free >= ready and (last >= 0 or free > ready):
        ready, bound = (free, at.FROM_UNIT - last if last >= 0 else at.BY_RELEASE)
    demands = demand_of(d, count)
    for _ in range(TRIES_MAX):
        start, end, reason = when(d, unit, count, ready, demands)
        if start >= NEVER:
            take_back(d, mark)
            return FAILED
        here = d[d[at.JOURNAL]]
        late = bring_just_in_time(d, unit, jit, start)
        if late == start:
            commit(d, unit, count, (start, end), setup, (bound, reason), demands)
            if not in_time(d, count, start):
                take_back(d, mark)
                return FAILED
            return PLACED
        take_back(d, here)
        ready = late
    take_back(d, mark)
    return FAILED


@kernel
def gather(d: at.Flat, task: int, unit: int) -> int:
    """All members of the batch into MEMBERS; -1 when they don't belong together."""
    count, size, member = (0, 0, task)
    while True:
        d[d[at.MEMBERS] + count] = member
        count += 1
        size += d[d[at.SIZE] + member]
        other = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + member] + d[d[at.MODE] + member])] != unit
        if (
            other
            or d[d[at.FAMILY] + member] != d[d[at.FAMILY] + task]
            or (d[d[at.PIN_UNIT] + member] >= 0 and d[d[at.PIN_UNIT] + member] != unit)
        ):
            return -1
        member = d[d[at.MATE] + member]
        if member == task:
            break
    if (count > 1 and d[d[at.CAPACITY] + unit] == 0) or (
        d[d[at.CAPACITY] + unit] > 0 and size > d[d[at.CAPACITY] + unit]
    ):
        return -1
    return count


@kernel
def what_first(d: at.Flat, unit: int, count: int) -> int:
    """Predecessors, the frozen tasks of the unit, whoever blocks the unit, and who makes the material."""
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + (task + 1)]):
            arc = d[d[at.IN_ARC] + k]
            before = d[d[at.BEFORE] + arc]
            if before >= 0 and (not d[d[at.DONE] + before]):
                return before
            if (
                before < 0
                and (not d[d[at.MOVES] + arc])
                and (d[d[at.ORIGIN] + arc] >= 0)
                and (d[d[at.ORIGIN] + arc] != unit)
            ):
                return FAILED
        if d[d[at.FROZEN_RANK] + task] >= 0 and unit_of_frozen(d, task) != unit:
            return FAILED
    frozen = first_frozen(d, unit)
    if frozen >= 0:
        for m in range(count):
            if d[d[at.MEMBERS] + m] == frozen:
                frozen = -1
                break
        if frozen >= 0:
            return frozen
    need = resolve_unit(d, unit)
    if need == RESOLVED:
        return material_first(d, count)
    return FAILED if need >= NEVER else need


@kernel
def unit_of_frozen(d: at.Flat, task: int) -> int:
    """The unit whose frozen sequence holds the task."""
    for unit in range(d[at.UNITS]):
        k = d[d[at.FROZEN_PTR] + unit] + d[d[at.FROZEN_RANK] + task]
        if k < d[d[at.FROZEN_PTR] + (unit + 1)] and d[d[at.FROZEN_TASK] + k] == task:
            return unit
    return -1


@kernel
def first_frozen(d: at.Flat, unit: int) -> int:
    """The first frozen task of the unit that is not placed yet, -1 for none."""
    for k in range(d[d[at.FROZEN_PTR] + unit], d[d[at.FROZEN_PTR] + (unit + 1)]):
        if not d[d[at.DONE] + d[d[at.FROZEN_TASK] + k]] and (not d[d[at.STARTED] + d[d[at.FROZEN_TASK] + k]]):
            return d[d[at.FROZEN_TASK] + k]
    return -1


@kernel
def material_first(d: at.Flat, count: int) -> int:
    """A task that makes what is short, PLACED when nothing is."""
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        for k in range(d[d[at.CONSUME_PTR] + task], d[d[at.CONSUME_PTR] + (task + 1)]):
            material = d[d[at.CONSUME_MATERIAL] + k]
            need = d[d[at.CONSUMED] + material] + needed_by(d, count, material)
            if material_from(d, material, need) < NEVER:
                continue
            for n in range(d[d[at.PRODUCER_PTR] + material], d[d[at.PRODUCER_PTR] + (material + 1)]):
                maker = d[d[at.PRODUCER_TASK] + n]
                if not d[d[at.DONE] + maker] and (not d[d[at.WAITING] + maker]):
                    return maker
            return FAILED
    return PLACED


@kernel
def needed_by(d: at.Flat, count: int, material: int) -> int:
    """What all members consume of a material."""
    total = 0
    for m in range(count):
        for k in range(
            d[d[at.CONSUME_PTR] + d[d[at.MEMBERS] + m]], d[d[at.CONSUME_PTR] + (d[d[at.MEMBERS] + m] + 1)]
        ):
            if d[d[at.CONSUME_MATERIAL] + k] == material:
                total += d[d[at.CONSUME_QUANTITY] + k]
    return total


@kernel
def setup_before(d: at.Flat, unit: int, family: int) -> tuple[int, int, int]:
    """(ticks of set-up, when the unit is free for it, the task before or -1)."""
    last, free = (d[d[at.LAST] + unit], max(0, d[d[at.UNIT_READY] + unit]))
    came_from = d[d[at.UNIT_FAMILY] + unit]
    if last >= 0:
        came_from, task = (d[d[at.FAMILY] + last], last)
        while True:
            free = max(free, d[d[at.LEFT] + task])
            task = d[d[at.MATE] + task]
            if task == last:
                break
    k = d[d[at.UNIT_SETUPS] + unit]
    if k < 0 or came_from < 0:
        return (0, free, last)
    return (
        d[d[at.SETUP] + (d[d[at.SETUP_PTR] + k] + came_from * d[d[at.SETUP_WIDTH] + k] + family)],
        free,
        last,
    )


@kernel
def bring(d: at.Flat, unit: int, count: int) -> tuple[int, int, int]:
    """Fetch every lot for which there is room: (earliest start, what binds it, how many come just in time)."""
    ready, bound, jit, own = (max(0, d[d[at.UNIT_READY] + unit]), at.BY_RELEASE, 0, 0)
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        ready = max(ready, d[d[at.RELEASE] + d[d[at.JOB] + task]], d[d[at.NOT_BEFORE] + task])
        ready = max(ready, d[d[at.DELAY] + task])
        for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + (task + 1)]):
            arc = d[d[at.IN_ARC] + k]
            tick = lag_ready(d, arc)
            if d[d[at.MOVES] + arc]:
                if d[d[at.DROP] + arc] == at.UNKNOWN:
                    room = room_from(d, unit, own)
                    if room < 0:
                        d[d[at.JUST_IN_TIME] + jit] = arc
                        jit += 1
                    else:
                        start = station_from(d, arc)
                        drive(d, arc, start, d[d[at.STATION] + unit], lot_ready(d, arc), room)
                        own += 1
                if d[d[at.DROP] + arc] != at.UNKNOWN:
                    tick = max(tick, d[d[at.DROP] + arc])
            if tick > ready:
                ready, bound = (tick, arc)
    return (ready, bound, jit)


@kernel
def lag_ready(d: at.Flat, arc: int) -> int:
    """The earliest start that the arc's lag allows."""
    before = d[d[at.BEFORE] + arc]
    if before < 0:
        return d[d[at.ARC_READY] + arc] + d[d[at.LAG_MIN] + arc]
    if d[d[at.OVERLAP] + arc] >= 0:
        return d[d[at.START] + before] + d[d[at.LAG_MIN] + arc]
    return d[d[at.END] + before] + d[d[at.LAG_MIN] + arc]


@kernel
def lot_ready(d: at.Flat, arc: int) -> int:
    """From when on the lot can be fetched."""
    return (
        max(0, d[d[at.ARC_READY] + arc])
        if d[d[at.BEFORE] + arc] < 0
        else max(0, d[d[at.END] + d[d[at.BEFORE] + arc]])
    )


@kernel
def station_from(d: at.Flat, arc: int) -> int:
    """The station where the arc's lot is fetched."""
    before = d[d[at.BEFORE] + arc]
    if before < 0:
        return d[d[at.STATION] + d[d[at.ORIGIN] + arc]]
    return d[d[at.STATION] + d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + before] + d[d[at.MODE] + before])]]


@kernel
def when(d: at.Flat, unit: int, count: int, ready: int, demands: int) -> tuple[int, int, int]:
    """(start, end, reason) from ``ready`` on by calendar, overlap, materials, pools and pins; reason 0: ``ready`` itself."""
    duration, pauses, pinned = 0, 1, -NEVER
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        duration = max(duration, d[d[at.MODE_DURATION] + d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task]])
        pauses = min(pauses, d[d[at.INTERRUPTIBLE] + task])
        pinned = max(pinned, d[d[at.PIN_START] + task])
    reason, tick = at.NO_REASON, ready
    there = materials_there(d, count)
    if there > tick:
        tick, reason = there, at.BY_MATERIAL
    if pinned > tick:
        tick, reason = pinned, at.BY_PIN
    for _ in range(TRIES_MAX * 5):
        start, end = fit(d, unit, tick, duration, pauses)
        if start >= NEVER:
            break
        if start > tick:
            reason = at.BY_CALENDAR
        short = ends_too_early(d, count, end)
        if short < 0:
            break
        if short > 0:
            tick = start + short
            continue
        conflict = -1
        for n in range(demands):
            pool, amount = d[d[at.DEMAND] + 2 * n], d[d[at.DEMAND] + 2 * n + 1]
            conflict = max(conflict, pool_conflict(d, pool, amount, unit, (start, end), pauses))
        if conflict < 0:
            return (NEVER, NEVER, 0) if pinned > -NEVER and start != pinned else (start, end, reason)
        if conflict >= NEVER:
            break
        tick, reason = max(conflict, start + 1), at.BY_POOL
    return NEVER, NEVER, at.NO_REASON


@kernel
def materials_there(d: at.Flat, count: int) -> int:
    """From when on there is enough of all that the members consume."""
    tick = 0
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        for k in range(d[d[at.CONSUME_PTR] + task], d[d[at.CONSUME_PTR] + task + 1]):
            material = d[d[at.CONSUME_MATERIAL] + k]
            need = d[d[at.CONSUMED] + material] + needed_by(d, count, material)
            tick = max(tick, material_from(d, material, need))
    return tick


@kernel
def ends_too_early(d: at.Flat, count: int, end: int) -> int:
    """How many ticks before its pinned end, or before its predecessor's last transfer lot is through; -1: past its pin."""
    short = 0
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        pinned = d[d[at.PIN_END] + task]
        if pinned >= 0:
            if end > pinned:
                return -1
            short = max(short, pinned - end)
        for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + task + 1]):
            arc = d[d[at.IN_ARC] + k]
            if d[d[at.OVERLAP] + arc] >= 0 and d[d[at.BEFORE] + arc] >= 0:
                short = max(short, d[d[at.END] + d[d[at.BEFORE] + arc]] + d[d[at.OVERLAP] + arc] - end)
    return short


@kernel
def bring_just_in_time(d: at.Flat, unit: int, jit: int, start: int) -> int:
    """Let the lots without a place arrive exactly at ``start``; returns ``start``, or the later tick that is possible."""
    to = d[d[at.STATION] + unit]
    for k in range(jit):
        arc = d[d[at.JUST_IN_TIME] + k]
        came_from, ready = (station_from(d, arc), lot_ready(d, arc))
        _, _, pickup = best_trip(d, came_from, to, ready, start)
        drop = pickup if came_from == to else pickup + d[d[at.TRAVEL] + came_from * d[at.STATIONS] + to]
        if drop != start:
            return drop
        drive(d, arc, came_from, to, ready, start)
    return start


@kernel
def in_time(d: at.Flat, count: int, start: int) -> bool:
    """No maximum lag from what was placed before is broken (those within a component are judged together)."""
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + (task + 1)]):
            arc = d[d[at.IN_ARC] + k]
            before = d[d[at.BEFORE] + arc]
            if d[d[at.LAG_MAX] + arc] >= NEVER or (before >= 0 and d[d[at.JOINT] + before]):
                continue
            if start - (lag_ready(d, arc) - d[d[at.LAG_MIN] + arc]) > d[d[at.LAG_MAX] + arc]:
                return False
    return True
