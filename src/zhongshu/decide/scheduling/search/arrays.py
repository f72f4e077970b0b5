"""A problem as flat blocks of integers, from which the kernels' memory is made."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from zhongshu.decide.scheduling.problem import AT_HAND, NEVER, Problem
from zhongshu.decide.scheduling.search import blocks as at

Ints = NDArray[np.int64]
#: Pools are kept in slices of time; a slice is taken as fully used by whoever uses a part of it.
SLICES_MAX = 6000
SLICE_TICKS_MAX = 60


def arrays_of(problem: Problem, coarser: int = 1) -> dict[int, Ints]:
    """Blocks of a valid problem (``validate.problems_of`` found nothing). ``coarser``: times as long slices of pools."""
    horizon = _horizon(problem)
    ticks = min(max(1, -(-horizon // SLICES_MAX)), SLICE_TICKS_MAX * coarser) if problem.pools else 1
    slices = min(-(-horizon // ticks) + 2, SLICES_MAX) if problem.pools else 1
    return {
        **_tasks(problem),
        **_arcs(problem),
        **_units(problem),
        **_setups(problem),
        at.SLICE_TICKS: _ints([ticks]),
        at.SLICE_SINCE: _ints([problem.since % ticks]),
        at.SLICES: _ints([slices]),
        at.LEVEL: _levels(problem, ticks, problem.since % ticks, slices).ravel(),
        **_materials(problem),
        at.VEHICLE_STATION: _ints(v.station for v in problem.vehicles),
        at.VEHICLE_READY: _ints(v.ready for v in problem.vehicles),
        at.TRAVEL: _matrix(problem.travel),
        at.EMPTY: _matrix(problem.empty),
        at.RELEASE: _ints(j.release for j in problem.jobs),
        at.DUE: _ints(min(j.due, NEVER) for j in problem.jobs),
        at.WEIGHT: _ints(j.weight for j in problem.jobs),
        **_standing(problem),
        at.PRICE_AT: _ints(tick for tick, _ in problem.prices),
        at.PRICE: _ints(price for _, price in problem.prices),
        at.WEIGHTS: _ints(
            (
                problem.weights.tardiness,
                problem.weights.makespan,
                problem.weights.flow,
                problem.weights.setup,
                problem.weights.energy,
                problem.weights.stability,
            )
        ),
    }


def _tasks(problem: Problem) -> dict[int, Ints]:
    modes = [m for t in problem.tasks for m in t.modes]
    return {
        at.JOB: _ints(t.job for t in problem.tasks),
        at.FAMILY: _ints(t.family for t in problem.tasks),
        at.SIZE: _ints(t.size for t in problem.tasks),
        at.INTERRUPTIBLE: _ints(t.interruptible for t in problem.tasks),
        at.MODE_PTR: _ptr(len(t.modes) for t in problem.tasks),
        at.MODE_UNIT: _ints(m.unit for m in modes),
        at.MODE_DURATION: _ints(m.duration for m in modes),
        at.MODE_POWER: _ints(m.power for m in modes),
        at.DEMAND_PTR: _ptr(len(m.demands) for m in modes),
        at.DEMAND_POOL: _ints(pool for m in modes for pool, _ in m.demands),
        at.DEMAND_AMOUNT: _ints(amount for m in modes for _, amount in m.demands),
    }


def _arcs(problem: Problem) -> dict[int, Ints]:
    arcs = problem.arcs
    return {
        at.BEFORE: _ints(a.before for a in arcs),
        at.AFTER: _ints(a.after for a in arcs),
        at.LAG_MIN: _ints(a.lag_min for a in arcs),
        at.LAG_MAX: _ints(NEVER if a.lag_max is None else a.lag_max for a in arcs),
        at.MOVES: _ints(a.moves for a in arcs),
        at.OVERLAP: _ints(-1 if a.overlap is None else a.overlap for a in arcs),
        at.ORIGIN: _ints(a.origin for a in arcs),
        at.ARC_READY: _ints(a.ready for a in arcs),
        at.IN_PTR: _ptr(map(len, problem.arcs_into)),
        at.IN_ARC: _ints(a for into in problem.arcs_into for a in into),
        at.OUT_PTR: _ptr(map(len, problem.arcs_out)),
        at.OUT_ARC: _ints(a for out in problem.arcs_out for a in out),
    }


def _units(problem: Problem) -> dict[int, Ints]:
    units = problem.units
    closed = [c for u in units for c in u.closed]
    return {
        at.CLOSED_PTR: _ptr(len(u.closed) for u in units),
        at.CLOSED_START: _ints(c.start for c in closed),
        at.CLOSED_END: _ints(c.end for c in closed),
        at.CLOSED_RESUMABLE: _ints(c.resumable for c in closed),
        at.CAPACITY: _ints(u.capacity for u in units),
        at.BUFFER_IN: _ints(-1 if u.buffer_in is None else u.buffer_in for u in units),
        at.BUFFER_OUT: _ints(-1 if u.buffer_out is None else u.buffer_out for u in units),
        at.STATION: _ints(u.station for u in units),
        at.UNIT_READY: _ints(u.ready for u in units),
        at.UNIT_SETUPS: _ints(u.setups for u in units),
        at.UNIT_FAMILY: _ints(u.family for u in units),
    }


def _setups(problem: Problem) -> dict[int, Ints]:
    return {
        at.SETUP_PTR: _ptr(len(m) * len(m) for m in problem.setups),
        at.SETUP_WIDTH: _ints(len(m) for m in problem.setups),
        at.SETUP: _ints(s for matrix in problem.setups for row in matrix for s in row),
    }


def _levels(problem: Problem, ticks: int, since: int, slices: int) -> Ints:
    """What each pool holds at least, slice by slice; ``since`` ticks of the first one lie before tick 0."""
    level = np.zeros((len(problem.pools), slices), np.int64)
    for row, pool in zip(level, problem.pools, strict=True):
        levels = [(tick + since if tick > 0 else 0, amount) for tick, amount in pool.levels]
        steps = [*levels, (NEVER, 0)]
        for (start, amount), (end, _) in itertools.pairwise(steps):
            first, last = max(0, -(-start // ticks)), min(slices, end // ticks if end < NEVER else slices)
            row[first:last] = amount
        for tick, _ in levels:
            cut = tick // ticks
            if tick % ticks and 0 <= cut < slices:
                within = [a for s, a in levels if cut * ticks < s < (cut + 1) * ticks]
                row[cut] = min([[a for s, a in levels if s <= cut * ticks][-1], *within])
    return level


def _materials(problem: Problem) -> dict[int, Ints]:
    supply = [[(0, m.stock), *sorted(m.arrivals)] for m in problem.materials]
    totals = [np.cumsum([q for _, q in s]) for s in supply]
    tasks = problem.tasks
    producers: list[list[int]] = [[] for _ in problem.materials]
    for index, task in enumerate(tasks):
        for material, _ in task.produces:
            producers[material].append(index)
    return {
        at.PRODUCER_PTR: _ptr(map(len, producers)),
        at.PRODUCER_TASK: _ints(t for made in producers for t in made),
        at.SUPPLY_PTR: _ptr(map(len, supply)),
        at.SUPPLY_AT: _ints(tick for s in supply for tick, _ in s),
        at.SUPPLY_TOTAL: _ints(int(q) for total in totals for q in total),
        at.CONSUME_PTR: _ptr(len(t.consumes) for t in tasks),
        at.CONSUME_MATERIAL: _ints(m for t in tasks for m, _ in t.consumes),
        at.CONSUME_QUANTITY: _ints(q for t in tasks for _, q in t.consumes),
        at.PRODUCE_PTR: _ptr(len(t.produces) for t in tasks),
        at.PRODUCE_MATERIAL: _ints(m for t in tasks for m, _ in t.produces),
        at.PRODUCE_QUANTITY: _ints(q for t in tasks for _, q in t.produces),
    }


def _standing(problem: Problem) -> dict[int, Ints]:
    """Decisions that stand: pins, frozen sequences, the plan in force."""
    count = len(problem.tasks)
    unit, start, end, started, rank, before_unit, before_start = (
        np.full(count, -1, np.int64) for _ in range(7)
    )
    started[:] = 0
    for pin in problem.pins:
        unit[pin.task] = -1 if pin.unit is None else pin.unit
        start[pin.task] = -NEVER if pin.start is None else pin.start
        end[pin.task] = -1 if pin.end is None else pin.end
        started[pin.task] = pin.started
    start[[t for t in range(count) if t not in problem.pin_of]] = -NEVER
    frozen: list[Sequence[int]] = [()] * len(problem.units)
    for machine, tasks in problem.frozen:
        frozen[machine] = tasks
        rank[list(tasks)] = range(len(tasks))
    for was in problem.previous:
        before_unit[was.task], before_start[was.task] = was.unit, was.start
    return {
        at.PIN_UNIT: unit,
        at.PIN_START: start,
        at.PIN_END: end,
        at.STARTED: started,
        at.FROZEN_PTR: _ptr(map(len, frozen)),
        at.FROZEN_TASK: _ints(t for tasks in frozen for t in tasks),
        at.FROZEN_RANK: rank,
        at.PREVIOUS_UNIT: before_unit,
        at.PREVIOUS_START: before_start,
    }


def _horizon(problem: Problem) -> int:
    """No sensible plan goes on longer: all work in a row after everything has arrived and opened."""
    work = sum(max((m.duration for m in t.modes), default=0) for t in problem.tasks)
    setups = max((s for matrix in problem.setups for row in matrix for s in row), default=0)
    trips = max((max(row) for row in (*problem.travel, *problem.empty) if row), default=0)
    waits = sum(a.lag_min for a in problem.arcs if a.lag_min > 0)
    events = [c.end for u in problem.units for c in u.closed if c.end < NEVER]
    events += [u.ready for u in problem.units] + [j.release for j in problem.jobs]
    events += [a.ready for a in problem.arcs if a.before == AT_HAND] + [v.ready for v in problem.vehicles]
    events += [tick for m in problem.materials for tick, _ in m.arrivals]
    events += [tick for p in problem.pools for tick, _ in p.levels]
    events += [p.end or 0 for p in problem.pins] + [p.start or 0 for p in problem.pins]
    per_task = setups + 2 * trips
    calm = max(events, default=0) + waits
    return calm + min(work + per_task * len(problem.tasks), 60 * 24 * 3600 + work // 20) + 1


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _ptr(counts: Iterable[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(np.fromiter(counts, np.int64))]).astype(np.int64)


def _matrix(rows: Sequence[Sequence[int]]) -> Ints:
    return np.array(rows, np.int64).ravel() if rows else np.zeros(1, np.int64)
