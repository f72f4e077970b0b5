"""The array that kernels work on, made from a problem; here alone Python looks into it by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhongshu.decide.scheduling.problem import AT_HAND, NEVER, Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints, arrays_of
from zhongshu.decide.scheduling.search.tails import afterwards, tails

#: Entries of the journal for each task and arc: many times what one needs.
JOURNAL_EACH = 96


class Memory:
    """One problem, one list of genes, one schedule. ``d`` goes to the kernels; ``coarser``: see ``arrays_of``."""

    def __init__(self, problem: Problem, coarser: int = 1) -> None:
        arrays = arrays_of(problem, coarser)
        arrays[at.REMAINING], arrays[at.AFTERWARDS] = tails(arrays), afterwards(arrays)
        numbers = _numbers(problem, arrays)
        arrays[at.STUCK] = np.zeros(len(problem.tasks), np.int64)
        sizes = {which: len(values) for which, values in arrays.items()}
        sizes |= _gene_sizes(numbers) | _state_sizes(numbers) | _scratch_sizes(numbers)
        offsets, end = np.zeros(at.HEADER, np.int64), at.HEADER
        for which in (*at.PROBLEM, *at.GENES, *at.STATE, *at.SCRATCH):
            offsets[which], end = end, end + sizes[which]
        self._sizes = sizes
        self.d: Any = np.zeros(end, np.int64)
        self.d[: at.HEADER] = offsets
        for which, value in numbers.items():
            self.d[which] = value
        for which, values in arrays.items():
            self.block(which)[:] = values
        self.state: Ints = self.d[offsets[at.START] : offsets[at.JOURNAL]]
        self.genes: Ints = self.d[offsets[at.ORDER] : offsets[at.START]]
        self._empty = self.state.copy()
        self._first_genes()
        self.clear()
        self._empty = self.state.copy()
        self.urgent = self._urgent_tasks()

    def block(self, which: int) -> Ints:
        """A view of a block."""
        start = int(self.d[which])
        view: Ints = self.d[start : start + self._sizes[which]]
        return view

    def clear(self) -> None:
        """Nothing placed yet."""
        self.state[:] = self._empty
        for which in (at.START, at.LEFT, at.PICKUP, at.DROP):
            self.block(which)[:] = at.UNKNOWN
        for which in (at.VEHICLE, at.FOLLOWING, at.LEADING, at.LAST, at.HEAD, at.TAIL):
            self.block(which)[:] = -1

    def set_order(self, order: Ints) -> None:
        """Write the list and its inverse."""
        self.block(at.ORDER)[:] = order
        self.block(at.PLACE)[order] = np.arange(len(order))

    def reset_genes(self) -> None:
        """First modes (or those that stand), no batches but those already running; FIXED says which modes are no choice."""
        fixed, mode, mate = self.block(at.FIXED), self.block(at.MODE), self.block(at.MATE)
        mode[:], mate[:], fixed[:] = self._modes, self._mates, self._fixed
        self.block(at.SETTINGS)[:] = 0
        self.block(at.DELAY)[:] = 0
        self.block(at.EARLY)[:] = 1

    def _first_genes(self) -> None:
        count = int(self.d[at.TASKS])
        self._modes, self._fixed = np.zeros(count, np.int64), np.zeros(count, np.int64)
        pin, started = self.block(at.PIN_UNIT), self.block(at.STARTED)
        for task in np.flatnonzero(pin >= 0).tolist():
            self._stand(task, int(pin[task]))
        pointers, frozen = self.block(at.FROZEN_PTR), self.block(at.FROZEN_TASK)
        for unit in range(int(self.d[at.UNITS])):
            for task in frozen[pointers[unit] : pointers[unit + 1]].tolist():
                self._stand(task, unit)
        origin, moves, after = self.block(at.ORIGIN), self.block(at.MOVES), self.block(at.AFTER)
        there = (self.block(at.BEFORE) == AT_HAND) & (moves == 0) & (origin >= 0)
        for arc in np.flatnonzero(there).tolist():
            if not started[after[arc]]:
                self._stand(int(after[arc]), int(origin[arc]))
        self.block(at.STUCK)[:] = self._fixed
        self._mates = self._running_batches()
        self.reset_genes()

    def _urgent_tasks(self) -> list[int]:
        """What has its time already: lots that may wait only so long, pinned starts, frozen tasks; earliest first."""
        latest: dict[int, int] = {}
        arcs = (at.AFTER, at.BEFORE, at.LAG_MAX, at.ARC_READY)
        started, ends = self.block(at.STARTED).tolist(), self.block(at.PIN_END).tolist()
        for after, before, lag, ready in zip(*(self.block(b).tolist() for b in arcs), strict=True):
            if lag < NEVER and (before == AT_HAND or started[before]):
                since = ready if before == AT_HAND else ends[before]
                latest[after] = min(latest.get(after, NEVER), since + lag)
        for task, start in enumerate(self.block(at.PIN_START).tolist()):
            if start > -NEVER:
                latest[task] = min(latest.get(task, NEVER), start)
        timed = [task for _, task in sorted((tick, task) for task, tick in latest.items())]
        frozen = [task for task in self.block(at.FROZEN_TASK).tolist() if task not in latest]
        return [task for task in (*timed, *frozen) if not started[task]]

    def _stand(self, task: int, unit: int) -> None:
        """The task can run nowhere else."""
        pointers, units = self.block(at.MODE_PTR), self.block(at.MODE_UNIT)
        there = np.flatnonzero(units[pointers[task] : pointers[task + 1]] == unit)
        if len(there):
            self._modes[task], self._fixed[task] = int(there[0]), 1

    def _running_batches(self) -> Ints:
        mates = np.arange(int(self.d[at.TASKS]), dtype=np.int64)
        unit, start, capacity = self.block(at.PIN_UNIT), self.block(at.PIN_START), self.block(at.CAPACITY)
        running: dict[tuple[int, int], list[int]] = {}
        for task in np.flatnonzero(self.block(at.STARTED)).tolist():
            if capacity[unit[task]] > 0:
                running.setdefault((int(unit[task]), int(start[task])), []).append(task)
        for tasks in running.values():
            for task, following in zip(tasks, [*tasks[1:], tasks[0]], strict=True):
                mates[task] = following
        return mates


def _numbers(problem: Problem, arrays: dict[int, Ints]) -> dict[int, int]:
    inward, outward, capacity = (arrays[b] for b in (at.BUFFER_IN, at.BUFFER_OUT, at.CAPACITY))
    lying = (arrays[at.BEFORE] == AT_HAND) & (arrays[at.MOVES] > 0) & (arrays[at.ORIGIN] >= 0)
    most_lying = int(np.bincount(arrays[at.ORIGIN][lying]).max(initial=0)) if lying.any() else 0
    lots = int(max([1, *capacity.tolist()]))
    bounded = bool((outward >= 0).any())
    return {
        at.TASKS: len(problem.tasks),
        at.ARCS: len(problem.arcs),
        at.UNITS: len(problem.units),
        at.JOBS: len(problem.jobs),
        at.VEHICLES: len(problem.vehicles),
        at.STATIONS: max(1, len(problem.travel)),
        at.PRICES: len(problem.prices),
        at.MATERIALS: len(problem.materials),
        at.POOLS: len(problem.pools),
        at.SLICE_TICKS: int(arrays.pop(at.SLICE_TICKS)[0]),
        at.SLICE_SINCE: int(arrays.pop(at.SLICE_SINCE)[0]),
        at.SLICES: int(arrays.pop(at.SLICES)[0]),
        at.TOLERANCE: problem.moved_tolerance,
        at.CHURN: 2**40 if problem.churn is None else problem.churn,
        at.IN_WIDTH: int(max([1, *inward.tolist()])),
        at.OUT_WIDTH: (int(max(outward)) + lots) * 2 + 4 + most_lying if bounded else 1,
        at.MADE_WIDTH: int(np.diff(arrays[at.PRODUCER_PTR]).max(initial=0)),
        at.JOURNAL_SIZE: JOURNAL_EACH * (len(problem.tasks) + len(problem.arcs) + 64),
        at.OVERFLOWN: 0,
        at.INDEX: 0,
    }


def _gene_sizes(n: dict[int, int]) -> dict[int, int]:
    return {**dict.fromkeys(at.GENES, n[at.TASKS]), at.EARLY: n[at.ARCS], at.SETTINGS: 4}


def _state_sizes(n: dict[int, int]) -> dict[int, int]:
    per_task = (at.START, at.END, at.LEFT, at.DONE, at.BOUND, at.REASON, at.LOG, at.SETUP_TICKS)
    per_arc = (
        at.PICKUP,
        at.DROP,
        at.VEHICLE,
        at.FOLLOWING,
        at.LEADING,
        at.TRIP_FROM,
        at.TRIP_TO,
        at.WAITS,
    )
    return {
        **dict.fromkeys(per_task, n[at.TASKS]),
        **dict.fromkeys(per_arc, n[at.ARCS]),
        **dict.fromkeys((at.LAST, at.IN_PROMISED, at.IN_COUNT, at.OUT_COUNT), n[at.UNITS]),
        at.IN_STARTS: n[at.UNITS] * n[at.IN_WIDTH],
        at.OUT_ARCS: n[at.UNITS] * n[at.OUT_WIDTH],
        **dict.fromkeys((at.HEAD, at.TAIL), n[at.VEHICLES]),
        at.USAGE: n[at.POOLS] * n[at.SLICES],
        **dict.fromkeys((at.CONSUMED, at.MADE_COUNT), n[at.MATERIALS]),
        at.MADE: n[at.MATERIALS] * n[at.MADE_WIDTH] * 2,
        **dict.fromkeys((at.JOB_END, at.JOB_BOUND), n[at.JOBS]),
        **dict.fromkeys((at.COST, at.COUNT_PLACED, at.CHURNED, at.MAKESPAN), 1),
    }


def _scratch_sizes(n: dict[int, int]) -> dict[int, int]:
    marks = (at.MARK_AT, at.COUNT_AT, at.COST_AT, at.TRIED_MARK_AT, at.TRIED_COUNT_AT, at.TRIED_COST_AT)
    per_task = (at.WAITING, at.NOT_BEFORE, at.JOINT, at.FIXED, at.MISSING, at.ASIDE, at.WANTED, at.PLACED_AT)
    compared = (at.COMPARED_AT, at.TRIED_COMPARED_AT)
    return {
        **dict.fromkeys((at.MEMBERS, at.COMPONENT, at.ABLE), n[at.TASKS] + 1),
        **dict.fromkeys((at.JOURNAL, at.SPARE_JOURNAL), 2 * n[at.JOURNAL_SIZE] + 1),
        **dict.fromkeys((at.SEEN_START, at.SEEN_END, at.SEEN_BOUND), n[at.TASKS]),
        at.SEEN_JOB_END: n[at.JOBS],
        **dict.fromkeys(marks, n[at.TASKS] + 1),
        at.STACK: 2 * n[at.TASKS] + 8,
        **dict.fromkeys((*per_task, *compared), n[at.TASKS]),
        at.JUST_IN_TIME: n[at.ARCS] + 1,
        at.SORTED: n[at.ARCS] + 1,
        at.DEMAND: n[at.POOLS] * 2 + 2,
        at.HOW: 8,
    }
