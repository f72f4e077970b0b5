"""Two settled things on one unit at one time: running tasks and tasks pinned in time, looked at unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zhongshu.decide.scheduling.check.words import task_name, unit_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.problem import Problem


@dataclass(frozen=True, slots=True)
class _Settled:
    """A task whose unit and start are known; ``end`` is the earliest it can be."""

    task: int
    start: int
    end: int
    started: bool


def occupied(problem: Problem) -> Iterator[Fault]:
    """Neighbours that overlap; on a batch unit those that start together must go into one batch."""
    for unit, settled in sorted(_by_unit(problem).items()):
        settled.sort(key=lambda s: (s.start, s.end, s.task))
        busy: _Settled | None = None
        for one in settled:
            if busy is not None and one.start < busy.end and not _one_batch(problem, unit, busy, one):
                names = {"first": task_name(problem, busy.task), "second": task_name(problem, one.task)}
                name = unit_name(problem, unit)
                yield conflict(("pin", "unit"), "pins-overlap", one.task, unit, unit=name, **names)
            if busy is None or one.end > busy.end:
                busy = one
        if problem.units[unit].capacity > 0:
            yield from _overfull(problem, unit, settled)


def _by_unit(problem: Problem) -> dict[int, list[_Settled]]:
    found: dict[int, list[_Settled]] = {}
    for pin in problem.pins:
        modes = problem.tasks[pin.task].modes
        units = {mode.unit for mode in modes} if pin.unit is None else {pin.unit}
        if pin.start is None or len(units) != 1:
            continue
        (unit,) = units
        shortest = min(mode.duration for mode in modes if mode.unit == unit)
        end = pin.start + shortest if pin.end is None else pin.end
        found.setdefault(unit, []).append(_Settled(pin.task, pin.start, end, pin.started))
    return found


def _one_batch(problem: Problem, unit: int, first: _Settled, second: _Settled) -> bool:
    """May two be members of the same batch?"""
    pins = problem.pin_of
    ends = {pins[first.task].end, pins[second.task].end} - {None}
    families = {problem.tasks[first.task].family, problem.tasks[second.task].family}
    return (
        problem.units[unit].capacity > 0
        and first.start == second.start
        and first.started == second.started
        and len(ends) < 2
        and len(families) == 1
    )


def _overfull(problem: Problem, unit: int, settled: list[_Settled]) -> Iterator[Fault]:
    """Those that start together and take time have to share a batch: is there room for all of them?"""
    together: dict[int, list[_Settled]] = {}
    for one in settled:
        if one.end > one.start:
            together.setdefault(one.start, []).append(one)
    for members in together.values():
        size = sum(problem.tasks[one.task].size for one in members)
        if size > problem.units[unit].capacity:
            names = {"task": task_name(problem, members[0].task), "unit": unit_name(problem, unit)}
            values = {"size": size, "capacity": problem.units[unit].capacity}
            yield conflict(("pin", "batch"), "pins-batch", members[0].task, unit, **names, **values)
