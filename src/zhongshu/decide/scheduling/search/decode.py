"""From genes to a schedule: place the list's tasks one after the other, from the start or from a saved point on."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.buffers import RESOLVED, enter_output, resolve_unit
from zhongshu.decide.scheduling.search.closure import place_all
from zhongshu.decide.scheduling.search.commit import commit
from zhongshu.decide.scheduling.search.costs import THOUSANDTHS
from zhongshu.decide.scheduling.search.flat import address
from zhongshu.decide.scheduling.search.journal import forget, put
from zhongshu.decide.scheduling.search.supplies import demand_of

IMPOSSIBLE = 2**62


@kernel
def begin(array: Any) -> None:
    """What stands at tick 0: started tasks, lots at hand. The state is empty before."""
    begin_at(address(array))


@kernel
def begin_at(d: at.Flat) -> None:
    """``begin``, by the array's address."""
    forget(d)
    d[at.OVERFLOWN] = 0
    d[at.INDEX] = 0
    nothing_compared(d)
    for job in range(d[at.JOBS]):
        d[d[at.JOB_END] + job] = -NEVER
        d[d[at.JOB_BOUND] + job] = -NEVER
    for arc in range(d[at.ARCS]):
        if d[d[at.BEFORE] + arc] >= 0 or d[d[at.STARTED] + d[d[at.AFTER] + arc]]:
            continue
        if d[d[at.MOVES] + arc]:
            enter_output(d, d[d[at.ORIGIN] + arc], arc)
        elif d[d[at.ORIGIN] + arc] >= 0:
            put(
                d, d[at.IN_PROMISED] + d[d[at.ORIGIN] + arc], d[d[at.IN_PROMISED] + d[d[at.ORIGIN] + arc]] + 1
            )
    for _ in range(d[at.TASKS]):
        first, task = (NEVER, -1)
        for k in range(d[at.TASKS]):
            if d[d[at.STARTED] + k] and (not d[d[at.DONE] + k]) and (d[d[at.PIN_END] + k] < first):
                first, task = (d[d[at.PIN_END] + k], k)
        if task < 0:
            break
        count, mate = (0, task)
        while True:
            d[d[at.MEMBERS] + count] = mate
            count += 1
            mate = d[d[at.MATE] + mate]
            if mate == task:
                break
        unit = d[d[at.MODE_UNIT] + (d[d[at.MODE_PTR] + task] + d[d[at.MODE] + task])]
        forget(d)
        commit(
            d,
            unit,
            count,
            (d[d[at.PIN_START] + task], d[d[at.PIN_END] + task]),
            0,
            (at.BY_RELEASE, at.BY_PIN),
            demand_of(d, count),
        )


@kernel
def nothing_compared(d: at.Flat) -> None:
    """No task's place in the list has mattered yet to the schedule that is tried."""
    for task in range(d[at.TASKS]):
        d[d[at.TRIED_COMPARED_AT] + task] = NEVER


@kernel
def decode(array: Any, first: int, limit: int) -> int:
    """Place the list from index ``first`` on. Returns the cost in thousandths, IMPOSSIBLE when it can't be done or
    exceeds ``limit``."""
    d = address(array)
    return decode_at(d, first, limit, d[at.TASKS], 0)


@kernel
def decode_at(d: at.Flat, first: int, limit: int, since: int, excess: int) -> int:
    """``decode``, by the array's address. From index ``since`` on it is also given up when it has cost more than
    ``excess`` over the current schedule's cost at the same index: hardly any makes up for that."""
    for k in range(first, d[at.TASKS]):
        d[d[at.TRIED_MARK_AT] + k] = d[d[at.JOURNAL]]
        d[d[at.TRIED_COUNT_AT] + k] = d[d[at.COUNT_PLACED]]
        d[d[at.TRIED_COST_AT] + k] = d[d[at.COST]]
        d[at.INDEX] = k
        task = d[d[at.ORDER] + k]
        if not d[d[at.DONE] + task] and (not place_all(d, task) or d[d[at.COST]] > limit):
            return IMPOSSIBLE
        if since <= k < d[at.TASKS] - 1 and d[d[at.COST]] - d[d[at.COST_AT] + k + 1] > excess:
            return IMPOSSIBLE
    d[d[at.TRIED_MARK_AT] + d[at.TASKS]] = d[d[at.JOURNAL]]
    d[d[at.TRIED_COUNT_AT] + d[at.TASKS]] = d[d[at.COUNT_PLACED]]
    cost = finish_all(d)
    return IMPOSSIBLE if d[at.OVERFLOWN] else cost


@kernel
def finish_all(d: at.Flat) -> int:
    """Let the last lots leave; check the limits on the whole."""
    if d[d[at.CHURNED]] > d[at.CHURN]:
        return IMPOSSIBLE
    for unit in range(d[at.UNITS]):
        if resolve_unit(d, unit) != RESOLVED:
            return IMPOSSIBLE
    return d[d[at.COST]]


@kernel
def objective(cost: int) -> float:
    """Thousandths back into the objective."""
    return cost / THOUSANDTHS
