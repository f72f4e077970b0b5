"""Limited buffers: when there is room in front of a unit, and when a finished lot can leave its unit (blocking)."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.journal import put

RESOLVED = -1


@kernel
def room_from(d: at.Flat, unit: int, own: int) -> int:
    """From when on a lot may be dropped in front of the unit, -1: only in the moment in which it is worked on.

    A place is counted as taken until the start of the lot's task, whenever it was brought; so no later drop can
    overfill the buffer at any earlier instant. ``own``: lots of the same task that wait there already.
    """
    if d[d[at.BUFFER_IN] + unit] < 0:
        return 0
    free = d[d[at.BUFFER_IN] + unit] - 1 - d[d[at.IN_PROMISED] + unit] - own
    if free < 0:
        return -1
    if d[d[at.IN_COUNT] + unit] <= free:
        return 0
    return d[d[at.IN_STARTS] + unit * d[at.IN_WIDTH] + free]


@kernel
def leave_input(d: at.Flat, unit: int, start: int) -> None:
    """Keep the latest starts of lots that wait before the unit, latest first; no more than the buffer holds."""
    width, base = (min(d[d[at.BUFFER_IN] + unit], d[at.IN_WIDTH]), d[at.IN_STARTS] + unit * d[at.IN_WIDTH])
    count = d[d[at.IN_COUNT] + unit]
    k = count
    while k > 0 and d[base + k - 1] < start:
        if k < width:
            put(d, base + k, d[base + k - 1])
        k -= 1
    if k < width:
        put(d, base + k, start)
        if count < width:
            put(d, d[at.IN_COUNT] + unit, count + 1)


@kernel
def resolve_unit(d: at.Flat, unit: int) -> int:
    """Find out when the unit's last lots left it: RESOLVED, a task that must be placed before, or NEVER (deadlock)."""
    first = d[d[at.LAST] + unit]
    task = first
    while task >= 0:
        if d[d[at.LEFT] + task] == at.UNKNOWN:
            need = resolve_task(d, unit, task)
            if need != RESOLVED:
                return need
        task = d[d[at.MATE] + task]
        if task == first:
            break
    return RESOLVED


@kernel
def resolve_task(d: at.Flat, unit: int, task: int) -> int:
    """The lot leaves at its end or as soon as one of those before it in the output buffer, or itself, is fetched."""
    end = d[d[at.END] + task]
    own, own_open, own_pickup = (0, 0, NEVER)
    for k in range(d[d[at.OUT_PTR] + task], d[d[at.OUT_PTR] + (task + 1)]):
        arc = d[d[at.OUT_ARC] + k]
        if d[d[at.MOVES] + arc] and (not d[d[at.STARTED] + d[d[at.AFTER] + arc]]):
            own += 1
            if d[d[at.PICKUP] + arc] == at.UNKNOWN:
                own_open += 1
            else:
                own_pickup = min(own_pickup, d[d[at.PICKUP] + arc])
    base, known, unknown = (d[at.OUT_ARCS] + unit * d[at.OUT_WIDTH], 0, 0)
    for k in range(d[d[at.OUT_COUNT] + unit]):
        arc = d[base + k]
        if d[d[at.BEFORE] + arc] >= 0 and d[d[at.LEFT] + d[d[at.BEFORE] + arc]] == at.UNKNOWN:
            continue
        pickup = d[d[at.PICKUP] + arc]
        if pickup == at.UNKNOWN:
            unknown += 1
        elif pickup > end:
            known = insert_sorted(d, known, pickup)
    room = d[d[at.BUFFER_OUT] + unit] - own - unknown
    if room >= 0:
        left = end if known <= room else d[d[at.SORTED] + room]
        put(d, d[at.LEFT] + task, min(left, own_pickup))
        forget_fetched(d, unit, end)
        return RESOLVED
    if own_open == 0:
        put(d, d[at.LEFT] + task, own_pickup)
        return RESOLVED
    return next_to_fetch(d, unit, task)


@kernel
def insert_sorted(d: at.Flat, count: int, value: int) -> int:
    """Insert into SORTED, largest first; returns the new count."""
    k, values = count, d[at.SORTED]
    while k > 0 and d[values + k - 1] < value:
        d[values + k] = d[values + k - 1]
        k -= 1
    d[values + k] = value
    return count + 1


@kernel
def next_to_fetch(d: at.Flat, unit: int, task: int) -> int:
    """Of the lots that could make room, the task which takes the one that is first in the list; NEVER: none can."""
    base, best, best_place = (d[at.OUT_ARCS] + unit * d[at.OUT_WIDTH], NEVER, NEVER)
    for k in range(d[d[at.OUT_COUNT] + unit]):
        arc = d[base + k]
        before, after = (d[d[at.BEFORE] + arc], d[d[at.AFTER] + arc])
        if d[d[at.PICKUP] + arc] != at.UNKNOWN or d[d[at.WAITING] + after]:
            continue
        if before >= 0 and before != task and (d[d[at.LEFT] + before] == at.UNKNOWN):
            continue
        d[d[at.TRIED_COMPARED_AT] + after] = min(d[d[at.TRIED_COMPARED_AT] + after], d[at.INDEX])
        if d[d[at.PLACE] + after] < best_place:
            best, best_place = (after, d[d[at.PLACE] + after])
    return best


@kernel
def forget_fetched(d: at.Flat, unit: int, tick: int) -> None:
    """Lots fetched by ``tick`` are in nobody's way any more."""
    base, kept = (d[at.OUT_ARCS] + unit * d[at.OUT_WIDTH], 0)
    count = d[d[at.OUT_COUNT] + unit]
    for k in range(count):
        arc = d[base + k]
        pickup = d[d[at.PICKUP] + arc]
        if pickup == at.UNKNOWN or pickup > tick:
            if kept != k:
                put(d, base + kept, arc)
            kept += 1
    if kept != count:
        put(d, d[at.OUT_COUNT] + unit, kept)


@kernel
def enter_output(d: at.Flat, unit: int, arc: int) -> bool:
    """A lot will lie behind the unit; False when the list of them is full (a problem stranger than foreseen)."""
    count = d[d[at.OUT_COUNT] + unit]
    if d[d[at.BUFFER_OUT] + unit] < 0:
        return True
    if count >= d[at.OUT_WIDTH]:
        return False
    put(d, d[at.OUT_ARCS] + unit * d[at.OUT_WIDTH] + count, arc)
    put(d, d[at.OUT_COUNT] + unit, count + 1)
    return True
