"""Form of what is to be done: jobs, tasks, modes, arcs, and what is settled about them; an index must lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.check.words import job_name, unit_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, malformed
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Mode, Pin, Problem, Task


def work_form(problem: Problem) -> Iterator[Fault]:
    """Everything malformed in jobs, tasks and arcs. The plant's own form is sound by now."""
    for index, job in enumerate(problem.jobs):
        if job.weight < 0:
            yield malformed("objective", "job-weight", job=job_name(problem, index))
    for index, task in enumerate(problem.tasks):
        yield from _task(problem, index, task)
    for index, arc in enumerate(problem.arcs):
        yield from _arc(problem, index, arc)


def settled_form(problem: Problem) -> Iterator[Fault]:
    """Everything malformed in pins, frozen windows and the plan in force. Tasks are sound by now."""
    pinned = set()
    for pin in problem.pins:
        if not 0 <= pin.task < len(problem.tasks):
            yield malformed("pin", "index", where="pins", value=pin.task, count=len(problem.tasks))
        elif pin.task in pinned:
            yield malformed("pin", "pin-twice", pin.task, task=label(problem, pin.task))
        else:
            pinned.add(pin.task)
            yield from _pin(problem, pin)
    yield from _frozen(problem)
    for before in problem.previous:
        if not 0 <= before.task < len(problem.tasks):
            yield malformed("churn", "index", where="previous", value=before.task, count=len(problem.tasks))
    tasks = [before.task for before in problem.previous]
    if len(set(tasks)) != len(tasks):
        yield malformed("churn", "previous-twice")


def label(problem: Problem, task: int) -> str:
    """A task's name that needs no sound problem."""
    return problem.tasks[task].name or f"T{task}"


def _task(problem: Problem, index: int, task: Task) -> Iterator[Fault]:
    name = label(problem, index)
    if not 0 <= task.job < len(problem.jobs):
        where = f"{name}: job"
        yield malformed("shape", "index", index, where=where, value=task.job, count=len(problem.jobs))
    if not task.modes:
        yield malformed("shape", "no-mode", index, task=name)
    if task.size < 0:
        yield malformed("batch", "size", index, task=name)
    for material, quantity in (*task.consumes, *task.produces):
        if not 0 <= material < len(problem.materials):
            where, count = f"{name}: material", len(problem.materials)
            yield malformed("material", "index", index, where=where, value=material, count=count)
        if quantity < 0:
            yield malformed("material", "quantity", index, task=name)
    for mode in task.modes:
        yield from _mode(problem, index, task, mode)


def _mode(problem: Problem, index: int, task: Task, mode: Mode) -> Iterator[Fault]:
    name = label(problem, index)
    if not 0 <= mode.unit < len(problem.units):
        count = len(problem.units)
        yield malformed("shape", "index", index, where=f"{name}: unit", value=mode.unit, count=count)
        return
    if mode.duration < 0 or mode.power < 0:
        yield malformed(
            "duration", "duration", index, mode.unit, task=name, unit=unit_name(problem, mode.unit)
        )
    for pool, amount in mode.demands:
        if not 0 <= pool < len(problem.pools):
            where = f"{name}: pool"
            yield malformed("pool", "index", index, where=where, value=pool, count=len(problem.pools))
        if amount < 0:
            yield malformed("pool", "quantity", index, task=name)
    setups = problem.units[mode.unit].setups
    if setups >= 0 and not 0 <= task.family < len(problem.setups[setups]):
        where, count = f"{name}: family", len(problem.setups[setups])
        yield malformed("setup", "index", index, mode.unit, where=where, value=task.family, count=count)


def _arc(problem: Problem, index: int, arc: Arc) -> Iterator[Fault]:
    where, count = f"arcs[{index}]", len(problem.tasks)
    for value in (arc.after,) if arc.before == AT_HAND else (arc.before, arc.after):
        if not 0 <= value < count:
            yield malformed("shape", "index", where=where, value=value, count=count)
    if not -1 <= arc.origin < len(problem.units):
        yield malformed(
            "origin", "index", where=f"{where}.origin", value=arc.origin, count=len(problem.units)
        )
    if arc.before == arc.after:
        yield malformed("lag_min", "arc-self", where=where)
    if arc.moves and arc.before == AT_HAND and arc.origin < 0:
        yield malformed("move", "arc-origin", where=where)
    if arc.overlap is not None and (arc.overlap < 0 or arc.moves or arc.before == AT_HAND):
        yield malformed("overlap", "arc-overlap", where=where)


def _pin(problem: Problem, pin: Pin) -> Iterator[Fault]:
    name, task = label(problem, pin.task), problem.tasks[pin.task]
    if pin.unit is not None and pin.unit not in {mode.unit for mode in task.modes}:
        yield malformed("pin", "pin-unit", pin.task, task=name, unit=_unit_label(problem, pin.unit))
    if pin.started and (pin.unit is None or pin.start is None or pin.end is None or pin.start > 0):
        yield malformed("pin", "pin-started", pin.task, task=name)
    if pin.start is not None and pin.end is not None and pin.end < pin.start:
        yield malformed("pin", "pin-backwards", pin.task, task=name)


def _frozen(problem: Problem) -> Iterator[Fault]:
    units, tasks = set(), set()
    for unit, order in problem.frozen:
        if not 0 <= unit < len(problem.units):
            yield malformed("frozen", "index", where="frozen", value=unit, count=len(problem.units))
            continue
        if unit in units:
            yield malformed("frozen", "frozen-twice", None, unit, unit=unit_name(problem, unit))
        units.add(unit)
        for task in order:
            if not 0 <= task < len(problem.tasks):
                yield malformed("frozen", "index", where="frozen", value=task, count=len(problem.tasks))
            elif task in tasks:
                yield malformed("frozen", "frozen-task-twice", task, unit, task=label(problem, task))
            elif unit not in {mode.unit for mode in problem.tasks[task].modes}:
                names = {"task": label(problem, task), "unit": unit_name(problem, unit)}
                yield malformed("frozen", "frozen-unit", task, unit, **names)
            tasks.add(task)


def _unit_label(problem: Problem, unit: int) -> str:
    return unit_name(problem, unit) if 0 <= unit < len(problem.units) else f"U{unit}"
