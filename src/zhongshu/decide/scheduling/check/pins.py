"""What people and the plant have settled: pinned units and times, the frozen window, how much may move at most."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name, unit_name


def pins(view: Schedule) -> Iterator[Violation]:
    """Unit, start and end are as pinned, where they are."""
    problem = view.problem
    for pin in problem.pins:
        task = pin.task
        name = task_name(problem, task)
        if pin.unit is not None and view.unit[task] != pin.unit:
            wanted, got = unit_name(problem, pin.unit), unit_name(problem, view.unit[task])
            yield broken("pin", "pin-unit", task, pin.unit, task=name, wanted=wanted, got=got)
        if pin.start is not None and view.start[task] != pin.start:
            unit = view.unit[task]
            yield broken("pin", "pin-start", task, unit, task=name, wanted=pin.start, got=view.start[task])
        if pin.end is not None and view.end[task] != pin.end:
            unit = view.unit[task]
            yield broken("pin", "pin-end", task, unit, task=name, wanted=pin.end, got=view.end[task])


def frozen(view: Schedule) -> Iterator[Violation]:
    """The frozen tasks of a unit run there, in their order, and nothing unstarted begins before the last of them."""
    for unit, tasks in view.problem.frozen:
        yield from _frozen_place(view, unit, tasks)
        yield from _frozen_order(view, unit, tasks)
        yield from _frozen_intruders(view, unit, tasks)


def _frozen_place(view: Schedule, unit: int, tasks: tuple[int, ...]) -> Iterator[Violation]:
    for task in tasks:
        if view.unit[task] != unit:
            got = unit_name(view.problem, view.unit[task])
            name = task_name(view.problem, task)
            yield broken(
                "frozen", "frozen-unit", task, unit, task=name, wanted=unit_name(view.problem, unit), got=got
            )


def _frozen_order(view: Schedule, unit: int, tasks: tuple[int, ...]) -> Iterator[Violation]:
    for first, second in pairwise(tasks):
        if view.start[second] < view.start[first]:
            names = {"first": task_name(view.problem, first), "second": task_name(view.problem, second)}
            yield broken("frozen", "frozen-order", second, unit, unit=unit_name(view.problem, unit), **names)


def _frozen_intruders(view: Schedule, unit: int, tasks: tuple[int, ...]) -> Iterator[Violation]:
    """Whoever shares the oven batch of a frozen task is no intruder."""
    if not tasks:
        return
    last = max(view.start[task] for task in tasks)
    for block in view.sequences[unit]:
        if block.start >= last:
            continue
        if set(tasks).isdisjoint(block.members):
            for task in block.members:
                if not view.started[task]:
                    names = {
                        "task": task_name(view.problem, task),
                        "last": task_name(view.problem, tasks[-1]),
                    }
                    name = unit_name(view.problem, unit)
                    yield broken("frozen", "frozen-intruder", task, unit, unit=name, **names)


def churn(view: Schedule) -> Iterator[Violation]:
    """No more tasks are moved from the plan in force than the budget allows."""
    budget = view.problem.churn
    if budget is not None and len(view.moved_tasks) > budget:
        task = view.moved_tasks[budget]
        yield broken("churn", "churn", task, view.unit[task], moved=len(view.moved_tasks), budget=budget)
