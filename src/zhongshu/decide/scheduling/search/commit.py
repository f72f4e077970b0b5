"""Writing down a task, or a batch, that has found its unit and time: buffers, pools, materials, costs."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.buffers import enter_output, leave_input, room_from
from zhongshu.decide.scheduling.search.costs import ENERGY, SETUP, THOUSANDTHS, energy_cost, task_cost
from zhongshu.decide.scheduling.search.journal import put
from zhongshu.decide.scheduling.search.supplies import add_made, use_pool
from zhongshu.decide.scheduling.search.trips import drive


@kernel
def commit(
    d: at.Flat, unit: int, count: int, span: tuple[int, int], setup: int, why: tuple[int, int], demands: int
) -> None:
    """MEMBERS[:count] run on ``unit`` in ``span``; ``why``: BOUND and REASON; ``demands``: how many are in DEMAND."""
    put(d, d[at.LAST] + unit, d[d[at.MEMBERS] + 0])
    power = 0
    for m in range(count):
        task = d[d[at.MEMBERS] + m]
        put(d, d[at.START] + task, span[0])
        put(d, d[at.END] + task, span[1])
        put(d, d[at.DONE] + task, 1)
        put(d, d[at.BOUND] + task, why[0])
        put(d, d[at.REASON] + task, why[1])
        put(d, d[at.SETUP_TICKS] + task, setup)
        put(d, d[at.LOG] + d[d[at.COUNT_PLACED]], task)
        put(d, d[at.COUNT_PLACED], d[d[at.COUNT_PLACED]] + 1)
        task_cost(d, task, unit)
        power = max(power, d[d[at.MODE_POWER] + (d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task])])
        arrive(d, task, unit, span[0])
        consume(d, task)
        finish(d, task, unit, span[1])
    cost = setup * d[d[at.WEIGHTS] + SETUP] * THOUSANDTHS
    if d[d[at.WEIGHTS] + ENERGY] and power:
        cost += energy_cost(d, unit, span[0], span[1], power) * d[d[at.WEIGHTS] + ENERGY]
    if cost:
        put(d, d[at.COST], d[d[at.COST]] + cost)
    take_pools(d, unit, count, span, demands)


@kernel
def take_pools(d: at.Flat, unit: int, count: int, span: tuple[int, int], demands: int) -> None:
    """Use the pools while the members are worked on."""
    pauses = 1
    for m in range(count):
        pauses = min(pauses, d[d[at.INTERRUPTIBLE] + d[d[at.MEMBERS] + m]])
    for n in range(demands):
        use_pool(d, d[d[at.DEMAND] + 2 * n], d[d[at.DEMAND] + 2 * n + 1], unit, span, pauses)


@kernel
def arrive(d: at.Flat, task: int, unit: int, start: int) -> None:
    """The task's lots leave the input buffer."""
    if d[d[at.STARTED] + task]:
        return
    for k in range(d[d[at.IN_PTR] + task], d[d[at.IN_PTR] + (task + 1)]):
        arc = d[d[at.IN_ARC] + k]
        there = not d[d[at.MOVES] + arc] and d[d[at.BEFORE] + arc] < 0 and (d[d[at.ORIGIN] + arc] == unit)
        if d[d[at.BUFFER_IN] + unit] < 0 or not (d[d[at.MOVES] + arc] or there):
            continue
        if there or d[d[at.WAITS] + arc]:
            put(d, d[at.IN_PROMISED] + unit, d[d[at.IN_PROMISED] + unit] - 1)
        if there or d[d[at.DROP] + arc] < start:
            leave_input(d, unit, start)


@kernel
def consume(d: at.Flat, task: int) -> None:
    """Materials go into the task."""
    if d[d[at.STARTED] + task]:
        return
    for k in range(d[d[at.CONSUME_PTR] + task], d[d[at.CONSUME_PTR] + (task + 1)]):
        slot = d[at.CONSUMED] + d[d[at.CONSUME_MATERIAL] + k]
        put(d, slot, d[slot] + d[d[at.CONSUME_QUANTITY] + k])


@kernel
def finish(d: at.Flat, task: int, unit: int, end: int) -> None:
    """What comes out: materials, and lots that wait to be fetched."""
    for k in range(d[d[at.PRODUCE_PTR] + task], d[d[at.PRODUCE_PTR] + (task + 1)]):
        add_made(d, d[d[at.PRODUCE_MATERIAL] + k], end, d[d[at.PRODUCE_QUANTITY] + k])
    lots = 0
    for k in range(d[d[at.OUT_PTR] + task], d[d[at.OUT_PTR] + (task + 1)]):
        arc = d[d[at.OUT_ARC] + k]
        if d[d[at.MOVES] + arc] and (not d[d[at.STARTED] + d[d[at.AFTER] + arc]]):
            lots += 1
            enter_output(d, unit, arc)
    put(d, d[at.LEFT] + task, end if lots == 0 or d[d[at.BUFFER_OUT] + unit] < 0 else at.UNKNOWN)


@kernel
def fetch_at_once(d: at.Flat, task: int) -> None:
    """Bring the task's lots on their way as soon as they are there, as far as there is room where they go."""
    unit = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task])]
    if d[d[at.BUFFER_OUT] + unit] < 0:
        return
    for k in range(d[d[at.OUT_PTR] + task], d[d[at.OUT_PTR] + (task + 1)]):
        arc = d[d[at.OUT_ARC] + k]
        after = d[d[at.AFTER] + arc]
        if not d[d[at.MOVES] + arc] or d[d[at.STARTED] + after] or d[d[at.DONE] + after]:
            continue
        if d[d[at.EARLY] + arc] == 0:
            continue
        to = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + after] + d[d[at.MODE] + after])]
        room = room_from(d, to, 0)
        if d[d[at.SETTINGS] + 1]:
            d[d[at.EARLY] + arc] = (
                room >= 0
            )  # decoded again, there may be room by then: that would be another schedule
        if room < 0:
            continue
        drive(d, arc, d[d[at.STATION] + unit], d[d[at.STATION] + to], d[d[at.END] + task], room)
        if d[d[at.BUFFER_IN] + to] >= 0:
            put(d, d[at.WAITS] + arc, 1)
            put(d, d[at.IN_PROMISED] + to, d[d[at.IN_PROMISED] + to] + 1)
        d[d[at.FIXED] + after] = 1
