"""Lot splitting: a problem and a task of it in, the same problem with the task as several smaller ones out."""

from __future__ import annotations

from dataclasses import replace

from zhongshu.decide.scheduling.problem import Arc, Problem, Task


def split(problem: Problem, task: int, parts: int) -> Problem:
    """Replace a task by ``parts`` equal ones, each with the same alternatives and with all of its arcs.

    The first part keeps the task's index, the others are appended. Each part takes
    the same unit and people as the whole, for a ``parts``-th of the ticks and of the size (both rounded up); what is
    consumed and produced is shared out, the first parts taking what does not divide. A frozen task's parts stay together
    in its place; every part of a task of the plan in force counts as that task. To split a whole chain, split each of its
    tasks in turn: parts of neighbours then wait for all parts before them.

    Raises:
        ValueError: fewer than two parts, no such task, or one that is pinned in time or has started.
    """
    if parts < 2:
        raise ValueError(f"parts must be at least 2, not {parts}")
    if not 0 <= task < len(problem.tasks):
        raise ValueError(f"there is no task {task}")
    pin = problem.pin_of.get(task)
    if pin is not None and (pin.started or pin.start is not None or pin.end is not None):
        raise ValueError(f"task {task} has started or is pinned in time; it can't be split")
    count = len(problem.tasks)
    copies = [task, *range(count, count + parts - 1)]
    made = [_part(problem.tasks[task], parts, n) for n in range(parts)]
    tasks = [*problem.tasks, *made[1:]]
    tasks[task] = made[0]
    pins = problem.pins if pin is None else (*problem.pins, *(replace(pin, task=c) for c in copies[1:]))
    known = next((b for b in problem.previous if b.task == task), None)
    previous = problem.previous
    if known is not None:
        previous = (*previous, *(replace(known, task=c) for c in copies[1:]))
    return replace(
        problem,
        tasks=tuple(tasks),
        arcs=(*problem.arcs, *(a for c in copies[1:] for a in _arcs(problem, task, c))),
        pins=pins,
        previous=previous,
        frozen=tuple((unit, _in_place(order, task, copies)) for unit, order in problem.frozen),
    )


def _part(task: Task, parts: int, n: int) -> Task:
    """Part ``n`` of a task."""
    return replace(
        task,
        modes=tuple(replace(m, duration=-(-m.duration // parts)) for m in task.modes),
        size=-(-task.size // parts),
        consumes=_share(task.consumes, parts, n),
        produces=_share(task.produces, parts, n),
        name=f"{task.name}/{n + 1}" if task.name else "",
    )


def _share(flows: tuple[tuple[int, int], ...], parts: int, n: int) -> tuple[tuple[int, int], ...]:
    """What part ``n`` has of each quantity; nothing of 0 stays."""
    shared = ((material, quantity // parts + (n < quantity % parts)) for material, quantity in flows)
    return tuple((material, quantity) for material, quantity in shared if quantity)


def _arcs(problem: Problem, task: int, copy: int) -> list[Arc]:
    """The arcs of a task, for one more part of it."""
    into = [replace(problem.arcs[k], after=copy) for k in problem.arcs_into[task]]
    return into + [replace(problem.arcs[k], before=copy) for k in problem.arcs_out[task]]


def _in_place(order: tuple[int, ...], task: int, copies: list[int]) -> tuple[int, ...]:
    """A frozen sequence with all the parts where the task was."""
    return tuple(c for t in order for c in (copies if t == task else [t]))
