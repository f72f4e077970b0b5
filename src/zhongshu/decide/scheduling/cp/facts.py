"""What a problem says once and for all, looked up by index: a problem in, tables for the CP-SAT models out."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter

from zhongshu.decide.scheduling.problem import AT_HAND, NEVER, Problem


@dataclass(frozen=True)
class Facts:
    """Tables of one problem; every list by task (or unit) index.

    ``options``: the modes that pins and places of material leave. ``live``: arcs that bind (not into started tasks).
    ``carried``: those of them along which a lot goes. ``lots_out``/``lots_in``: carried arcs by before and after.
    ``waiting_out``/``waiting_in``: by unit, at-hand arcs whose lot lies behind/before it. ``earliest``: a start no
    schedule undercuts. ``horizon``: some optimal schedule ends by then, if there is a schedule at all. ``uneven``:
    (batch unit, family) whose tasks don't all take equally long, so that a batch does not lie as each member would.
    """

    problem: Problem
    started: list[bool]
    options: list[tuple[int, ...]]
    live: list[int]
    carried: list[int]
    arcs_of: list[list[int]]
    lots_out: list[list[int]]
    lots_in: list[list[int]]
    waiting_out: list[list[int]]
    waiting_in: list[list[int]]
    earliest: list[int]
    horizon: int
    uneven: frozenset[tuple[int, int]]

    def units_of(self, task: int) -> tuple[int, ...]:
        """Units on which the task may run, each once."""
        modes = self.problem.tasks[task].modes
        return tuple(dict.fromkeys(modes[m].unit for m in self.options[task]))

    def shortest(self, task: int) -> int:
        """The least duration among the modes that are left."""
        modes = self.problem.tasks[task].modes
        return min((modes[m].duration for m in self.options[task]), default=0)

    def earliest_end(self, task: int) -> int:
        """An end no schedule undercuts; the expected one of a started task."""
        if self.started[task]:
            return self.problem.pin_of[task].end or 0
        return self.earliest[task] + self.shortest(task)


#: The tables of the last few problems; enough for a search that goes back and forth between a plan and a what-if.
_known: dict[int, Facts] = {}
KEPT = 8


def facts_of(problem: Problem) -> Facts:
    """The tables of a problem, made once as long as not many others come between."""
    kept = _known.get(id(problem))
    if kept is not None and kept.problem is problem:
        return kept
    made = _facts(problem)
    while len(_known) >= KEPT:
        _known.pop(next(iter(_known)), None)
    _known[id(problem)] = made
    return made


def _facts(problem: Problem) -> Facts:
    count, units = len(problem.tasks), len(problem.units)
    started = [False] * count
    for pin in problem.pins:
        started[pin.task] = pin.started
    live = [k for k, arc in enumerate(problem.arcs) if not started[arc.after]]
    arcs_of: list[list[int]] = [[] for _ in range(count)]
    lots_out: list[list[int]] = [[] for _ in range(count)]
    lots_in: list[list[int]] = [[] for _ in range(count)]
    waiting_out: list[list[int]] = [[] for _ in range(units)]
    waiting_in: list[list[int]] = [[] for _ in range(units)]
    for k in live:
        arc = problem.arcs[k]
        arcs_of[arc.after].append(k)
        if arc.before != AT_HAND:
            arcs_of[arc.before].append(k)
        if arc.moves:
            lots_in[arc.after].append(k)
            (waiting_out[arc.origin] if arc.before == AT_HAND else lots_out[arc.before]).append(k)
        elif arc.before == AT_HAND and arc.origin >= 0:
            waiting_in[arc.origin].append(k)
    carried = [k for k in live if problem.arcs[k].moves]
    options = _options(problem, live)
    earliest = _earliest(problem, started, live, options)
    return Facts(
        problem, started, options, live, carried, arcs_of, lots_out, lots_in, waiting_out, waiting_in,
        earliest, _horizon(problem), _uneven(problem),
    )  # fmt: skip


def _options(problem: Problem, live: list[int]) -> list[tuple[int, ...]]:
    """Modes by task after pins, frozen sequences and material that lies before one unit."""
    only: list[int | None] = [None] * len(problem.tasks)
    clash = [False] * len(problem.tasks)

    def keep(task: int, unit: int) -> None:
        clash[task] |= only[task] not in (None, unit)
        only[task] = unit

    for pin in problem.pins:
        if pin.unit is not None:
            keep(pin.task, pin.unit)
    for unit, tasks in problem.frozen:
        for task in tasks:
            keep(task, unit)
    for k in live:
        arc = problem.arcs[k]
        if arc.before == AT_HAND and not arc.moves and arc.origin >= 0:
            keep(arc.after, arc.origin)
    return [
        () if clash[i] else tuple(m for m, mode in enumerate(task.modes) if only[i] in (None, mode.unit))
        for i, task in enumerate(problem.tasks)
    ]


def _earliest(
    problem: Problem, started: list[bool], live: list[int], options: list[tuple[int, ...]]
) -> list[int]:
    """Longest path of shortest durations from the releases; transport and queues left out."""
    order: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(problem.tasks)), ()))
    into: list[list[int]] = [[] for _ in problem.tasks]
    for k in live:
        into[problem.arcs[k].after].append(k)
        if problem.arcs[k].before != AT_HAND:
            order.add(problem.arcs[k].after, problem.arcs[k].before)
    start = [0] * len(problem.tasks)
    end = [0] * len(problem.tasks)
    for i in order.static_order():
        task, pin = problem.tasks[i], problem.pin_of.get(i)
        if started[i] and pin is not None:
            start[i], end[i] = pin.start or 0, pin.end or 0
            continue
        modes = [task.modes[m] for m in options[i]]
        start[i] = max(
            0, problem.jobs[task.job].release, min((problem.units[m.unit].ready for m in modes), default=0)
        )
        for k in into[i]:
            arc = problem.arcs[k]
            since = arc.ready if arc.before == AT_HAND else end[arc.before]
            if arc.overlap is not None and arc.before != AT_HAND:
                since = start[arc.before]
            start[i] = max(start[i], since + arc.lag_min)
        end[i] = start[i] + min((m.duration for m in modes), default=0)
    return start


def _horizon(problem: Problem) -> int:
    """All that happens at a given date has happened, and then everything one after the other."""
    dates = [0]
    for unit in problem.units:
        dates += [unit.ready, *(x for c in unit.closed for x in (c.start, c.end) if x < NEVER)]
    dates += [job.release for job in problem.jobs] + [arc.ready for arc in problem.arcs]
    dates += [since for pool in problem.pools for since, _ in pool.levels]
    dates += [tick for material in problem.materials for tick, _ in material.arrivals]
    dates += [vehicle.ready for vehicle in problem.vehicles] + [since for since, _ in problem.prices]
    dates += [x for pin in problem.pins for x in (pin.start, pin.end) if x is not None]
    dates += [before.start + problem.moved_tolerance + 1 for before in problem.previous]
    work = sum(max((m.duration for m in task.modes), default=0) for task in problem.tasks)
    widest = max((x for matrix in problem.setups for row in matrix for x in row), default=0)
    setups = widest * (len(problem.tasks) + len(problem.units)) if problem.setups else 0
    lags = sum(max(0, arc.lag_min) + (arc.overlap or 0) for arc in problem.arcs)
    longest = max((x for row in problem.travel for x in row), default=0)
    back = max((x for row in problem.empty for x in row), default=0)
    carried = sum(arc.moves for arc in problem.arcs)
    return max(dates) + work + setups + lags + (longest + back) * carried + 1


def _uneven(problem: Problem) -> frozenset[tuple[int, int]]:
    shapes: dict[tuple[int, int], set[tuple[int, bool]]] = {}
    for task in problem.tasks:
        for mode in task.modes:
            if problem.units[mode.unit].capacity > 0:
                shapes.setdefault((mode.unit, task.family), set()).add((mode.duration, task.interruptible))
    return frozenset(where for where, kinds in shapes.items() if len(kinds) > 1)
