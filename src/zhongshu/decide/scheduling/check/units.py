"""Working time: nobody begins too early, works for exactly as long as it takes, in open hours, one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from zhongshu.decide.scheduling.check.schedule import Block, Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import job_name, task_name, unit_name


def releases(view: Schedule) -> Iterator[Violation]:
    """Nothing unstarted begins before 0, before its job is released, or before its unit is ready."""
    problem = view.problem
    releases = [max(0, job.release) for job in problem.jobs]
    for task, start in enumerate(view.start):
        if view.started[task]:
            continue
        job = problem.tasks[task].job
        unit = view.unit[task]
        if start < releases[job]:
            names = {"task": task_name(problem, task), "job": job_name(problem, job)}
            yield broken("release", "release", task, unit, start=start, release=releases[job], **names)
        if start < problem.units[unit].ready > 0:
            names = {"task": task_name(problem, task), "unit": unit_name(problem, unit)}
            ready = problem.units[unit].ready
            yield broken("ready", "ready", task, unit, start=start, ready=ready, **names)


def durations(view: Schedule) -> Iterator[Violation]:
    """The open ticks of a block are its duration; a batch takes as long as its longest member."""
    for block in view.blocks:
        if block.started:
            continue  # its pin says both ends
        wanted = max(view.mode[task].duration for task in block.members)
        interruptible = _interruptible(view, block)
        worked = (
            view.open_ticks(block.unit, block.start, block.end) if interruptible else block.end - block.start
        )
        if worked != wanted:
            yield _named(view, block, "duration", "duration", worked=worked, wanted=wanted)
        elif wanted == 0 and block.end != block.start:
            yield _named(view, block, "duration", "duration", worked=block.end - block.start, wanted=0)


def calendars(view: Schedule) -> Iterator[Violation]:
    """Interruptible work may pause over a resumable closed time, no other; it neither begins nor ends in one."""
    for block in view.blocks:
        calendar = view.calendar(block.unit)
        if block.started or not calendar.closed:
            continue
        interruptible = _interruptible(view, block)
        for closed in calendar.overlapping(block.start, block.end):
            if not (interruptible and closed.resumable):
                yield _named(view, block, "calendar", "closed", since=closed.start, until=closed.end)
        if interruptible and view.open_ticks(block.unit, block.start, block.start + 1) == 0:
            yield _named(view, block, "calendar", "closed-start", start=block.start)
        if interruptible and block.end > block.start:
            if view.open_ticks(block.unit, block.end - 1, block.end) == 0:
                yield _named(view, block, "calendar", "closed-end", end=block.end)


def _interruptible(view: Schedule, block: Block) -> bool:
    return all(view.problem.tasks[task].interruptible for task in block.members)


def exclusive(view: Schedule) -> Iterator[Violation]:
    """On one unit the next begins when the lot before has left, not earlier."""
    for blocks in view.sequences:
        for first, second in pairwise(blocks):
            if second.start < first.left:
                before = task_name(view.problem, first.members[0])
                yield _named(view, second, "unit", "unit", start=second.start, left=first.left, before=before)


def batches(view: Schedule) -> Iterator[Violation]:
    """On a batch unit every task has a batch, elsewhere none; members agree, fit in, and were all started or none."""
    problem = view.problem
    for task, batch in enumerate(view.batch):
        if (batch >= 0) != (problem.units[view.unit[task]].capacity > 0) or batch < -1:
            names = {"task": task_name(problem, task), "unit": unit_name(problem, view.unit[task])}
            yield broken("batch", "batch-number", task, view.unit[task], batch=batch, **names)
    for block in view.blocks:
        capacity = problem.units[block.unit].capacity
        if capacity <= 0:
            continue
        size = sum(problem.tasks[task].size for task in block.members)
        if size > capacity:
            yield _named(view, block, "batch", "batch-size", size=size, capacity=capacity)
        for task in block.members[1:]:
            yield from _agrees(view, block, task)


def _agrees(view: Schedule, block: Block, task: int) -> Iterator[Violation]:
    """A member against the first one."""
    first = block.members[0]
    tasks = view.problem.tasks
    names = {"task": task_name(view.problem, task), "first": task_name(view.problem, first)}
    if (view.start[task], view.end[task]) != (view.start[first], view.end[first]):
        yield broken("batch", "batch-times", task, block.unit, **names)
    if tasks[task].family != tasks[first].family:
        yield broken("batch", "batch-family", task, block.unit, **names)
    if view.started[task] != view.started[first]:
        yield broken("batch", "batch-started", task, block.unit, **names)


def _named(view: Schedule, block: Block, constraint: str, key: str, **values: int | str) -> Violation:
    task = block.members[0]
    names = {"task": task_name(view.problem, task), "unit": unit_name(view.problem, block.unit)}
    return broken(constraint, key, task, block.unit, **names, **values)
