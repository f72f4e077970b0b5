"""Is it a solution of this problem at all? Asked first, so that no other rule stumbles over a wrong index."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


def misshapen(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Every task is placed once, in order, on a mode that it has; every move names an arc and a vehicle that exist."""
    if len(solution.placed) != len(problem.tasks):
        yield broken("shape", "shape-count", got=len(solution.placed), wanted=len(problem.tasks))
        return
    for index, placed in enumerate(solution.placed):
        yield from _placed(problem, index, placed)
    for arc, moved in solution.moved.items():
        yield from _moved(problem, arc, moved)


def _placed(problem: Problem, index: int, placed: Placed) -> Iterator[Violation]:
    if placed.task != index:
        yield broken("shape", "shape-order", index, place=index, task=placed.task)
    elif not all(_whole(v) for v in (placed.mode, placed.start, placed.end, placed.left, placed.batch)):
        yield broken("shape", "shape-whole", index, task=task_name(problem, index))
    elif not 0 <= placed.mode < len(problem.tasks[index].modes):
        yield broken("shape", "shape-mode", index, task=task_name(problem, index), mode=placed.mode)


def _moved(problem: Problem, arc: int, moved: Moved) -> Iterator[Violation]:
    if not all(_whole(v) for v in (moved.arc, moved.vehicle, moved.pickup, moved.drop)):
        yield broken("shape", "shape-move-whole", arc=arc)
    elif moved.arc != arc or not 0 <= arc < len(problem.arcs):
        yield broken("shape", "shape-arc", arc=arc, said=moved.arc)
    elif not -1 <= moved.vehicle < len(problem.vehicles):
        yield broken("shape", "shape-vehicle", arc=arc, vehicle=moved.vehicle)


def _whole(value: object) -> bool:
    """Engines compute in numpy; its integers behave, its floats do not."""
    return type(value) is int or (hasattr(value, "__index__") and not isinstance(value, bool))
