"""Pinned times against the work itself: can a task take exactly the time it is pinned to, in open hours?"""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.check.words import task_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.problem import Mode, Pin, Problem, Task
from zhongshu.decide.scheduling.validate.hours import earliest


def pinned_times(problem: Problem) -> Iterator[Fault]:
    """Pins of start, or of start and end, that no mode can keep; pins before now; pins off the lot's own unit."""
    for pin in problem.pins:
        if pin.started:
            continue
        task, name = problem.tasks[pin.task], task_name(problem, pin.task)
        if pin.start is not None:
            modes = [m for m in task.modes if pin.unit is None or m.unit == pin.unit]
            begin = [m for m in modes if _begins(problem, task, m, pin.start)]
            if not begin:
                yield conflict(
                    ("pin", "calendar"), "pin-closed", pin.task, pin.unit, task=name, tick=pin.start
                )
            elif pin.end is not None and not any(_ends(problem, task, m, pin) for m in begin):
                values = {"start": pin.start, "end": pin.end}
                yield conflict(("pin", "duration"), "pin-length", pin.task, pin.unit, task=name, **values)
    yield from _frozen_elsewhere(problem)


def _begins(problem: Problem, task: Task, mode: Mode, start: int) -> bool:
    span = earliest(problem, mode, start, task.interruptible)
    return span is not None and span[0] == start


def _ends(problem: Problem, task: Task, mode: Mode, pin: Pin) -> bool:
    """On a batch unit another member may make it longer."""
    span = earliest(problem, mode, pin.start or 0, task.interruptible)
    if span is None or pin.end is None:
        return False
    return span[1] == pin.end or (problem.units[mode.unit].capacity > 0 and span[1] <= pin.end)


def _frozen_elsewhere(problem: Problem) -> Iterator[Fault]:
    """A frozen task pinned to another unit."""
    for unit, order in problem.frozen:
        for task in order:
            pin = problem.pin_of.get(task)
            if pin is not None and pin.unit is not None and pin.unit != unit:
                names = {
                    "task": task_name(problem, task),
                    "unit": problem.units[unit].name,
                    "other": problem.units[pin.unit].name,
                }
                yield conflict(("frozen", "pin"), "frozen-pin", task, unit, **names)
