"""The objective, added up task by task in thousandths, so that a poor schedule is given up before it is complete."""

from __future__ import annotations

from zhongshu.decide.compiled import kernel
from zhongshu.decide.scheduling.problem import NEVER
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.journal import put

TARDINESS, MAKESPAN, FLOW, SETUP, ENERGY, STABILITY = range(6)
THOUSANDTHS = 1000


@kernel
def task_cost(d: at.Flat, task: int, unit: int) -> None:
    """Tardiness, flow, makespan and stability of a task just placed: what its order can't escape any more."""
    job, end = (d[d[at.JOB] + task], d[d[at.END] + task])
    if end > d[d[at.JOB_END] + job]:
        put(d, d[at.JOB_END] + job, end)
    end += d[d[at.AFTERWARDS] + task]
    before, cost = (d[d[at.JOB_BOUND] + job], 0)
    if end > before:
        late = max(0, end - d[d[at.DUE] + job]) - (
            max(0, before - d[d[at.DUE] + job]) if before > -NEVER else 0
        )
        flow = end - (before if before > -NEVER else d[d[at.RELEASE] + job])
        cost += late * d[d[at.WEIGHT] + job] * d[d[at.WEIGHTS] + TARDINESS] + flow * d[d[at.WEIGHTS] + FLOW]
        put(d, d[at.JOB_BOUND] + job, end)
    if end > d[d[at.MAKESPAN]]:
        cost += (end - d[d[at.MAKESPAN]]) * d[d[at.WEIGHTS] + MAKESPAN]
        put(d, d[at.MAKESPAN], end)
    if d[d[at.PREVIOUS_UNIT] + task] >= 0 and (not d[d[at.STARTED] + task]):
        shift = abs(d[d[at.START] + task] - d[d[at.PREVIOUS_START] + task])
        if d[d[at.PREVIOUS_UNIT] + task] != unit or shift > d[at.TOLERANCE]:
            cost += d[d[at.WEIGHTS] + STABILITY]
            put(d, d[at.CHURNED], d[d[at.CHURNED]] + 1)
    if cost:
        put(d, d[at.COST], d[d[at.COST]] + cost * THOUSANDTHS)


@kernel
def energy_cost(d: at.Flat, unit: int, start: int, end: int, power: int) -> int:
    """Thousandths of money for drawing ``power`` in the unit's open time of [start, end)."""
    total = 0
    for k in range(d[at.PRICES]):
        low = max(start, d[d[at.PRICE_AT] + k])
        high = end if k + 1 == d[at.PRICES] else min(end, d[d[at.PRICE_AT] + (k + 1)])
        if low < high:
            total += (high - low - closed_ticks(d, unit, low, high)) * d[d[at.PRICE] + k]
    return total * power


@kernel
def closed_ticks(d: at.Flat, unit: int, low: int, high: int) -> int:
    """Closed time of the unit within [low, high)."""
    closed = 0
    for k in range(d[d[at.CLOSED_PTR] + unit], d[d[at.CLOSED_PTR] + (unit + 1)]):
        if d[d[at.CLOSED_START] + k] >= high:
            break
        closed += max(0, min(high, d[d[at.CLOSED_END] + k]) - max(low, d[d[at.CLOSED_START] + k]))
    return closed
