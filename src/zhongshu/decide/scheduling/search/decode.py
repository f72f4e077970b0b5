"""From genes to a schedule: place the list's tasks one after the other, from the start or from a saved point on."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.buffers import RESOLVED, enter_output, resolve_unit
from zhongshu.decide.scheduling.search.closure import place_all
from zhongshu.decide.scheduling.search.commit import commit
from zhongshu.decide.scheduling.search.costs import THOUSANDTHS
from zhongshu.decide.scheduling.search.journal import forget, put

IMPOSSIBLE = 2**62


@kernel
def begin(d: at.Flat) -> None:
    """What stands at tick 0: started tasks, lots at hand. ``s`` is an empty state."""
    forget(d)
    for job in range(d[at.JOBS]):
        d[d[at.JOB_END] + job] = -NEVER
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
        )


@kernel
def decode(d: at.Flat, first: int, limit: int) -> int:
    """Place the list from index ``first`` on. Returns the cost in thousandths, IMPOSSIBLE when it can't be done or
    exceeds ``limit``."""
    for k in range(first, d[at.TASKS]):
        task = d[d[at.ORDER] + k]
        if d[d[at.DONE] + task]:
            continue
        if not place_all(d, task) or d[d[at.COST]] > limit:
            return IMPOSSIBLE
    return finish_all(d)


@kernel
def finish_all(d: at.Flat) -> int:
    """Let the last lots leave; check the limits on the whole."""
    if d[d[at.CHURNED]] > d[at.CHURN]:
        return IMPOSSIBLE
    for unit in range(d[at.UNITS]):
        forget(d)
        if resolve_unit(d, unit) != RESOLVED:
            return IMPOSSIBLE
    return d[d[at.COST]]


@kernel
def objective(cost: int) -> float:
    """Thousandths back into the objective."""
    return cost / THOUSANDTHS
