"""Set-ups: between two families a unit needs open time, counted from when the lot before has left."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name, unit_name


def setups(view: Schedule) -> Iterator[Violation]:
    """Open ticks before each block that is not started are at least what the matrix asks for."""
    problem = view.problem
    for before, block, needed in view.setups:
        unit = problem.units[block.unit]
        since = before.left if before else max(0, unit.ready)
        given = view.open_ticks(block.unit, since, block.start)
        if given < needed:
            task = block.members[0]
            names = {"task": task_name(problem, task), "unit": unit_name(problem, block.unit)}
            yield broken("setup", "setup", task, block.unit, given=given, needed=needed, **names)
