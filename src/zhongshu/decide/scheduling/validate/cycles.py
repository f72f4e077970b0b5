"""Cycles: tasks that wait for one another in a ring can never begin; found from the arcs, told by the tasks' names."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.conflicts.fault import Fault, malformed
from zhongshu.decide.scheduling.problem import AT_HAND, Problem
from zhongshu.decide.scheduling.validate.form_work import label

SHOWN = 8


def cycles(problem: Problem) -> Iterator[Fault]:
    """One ring, if there is any; arcs into started tasks bind nobody."""
    started = {pin.task for pin in problem.pins if pin.started}
    follows: list[list[int]] = [[] for _ in problem.tasks]
    waits = [0] * len(problem.tasks)
    for arc in problem.arcs:
        if arc.before != AT_HAND and arc.after not in started:
            follows[arc.before].append(arc.after)
            waits[arc.after] += 1
    free = [task for task, count in enumerate(waits) if count == 0]
    while free:
        for after in follows[free.pop()]:
            waits[after] -= 1
            if waits[after] == 0:
                free.append(after)
    stuck = {task for task, count in enumerate(waits) if count}
    if stuck:
        ring = _ring(problem, stuck)
        names = [label(problem, task) for task in ring]
        shown = " → ".join([*names[:SHOWN], "…"] if len(names) > SHOWN else [*names, names[0]])
        yield malformed("lag_min", "cycle", ring[0], ring=shown)


def _ring(problem: Problem, stuck: set[int]) -> list[int]:
    """Every stuck task waits for a stuck one: going backwards must come round."""
    waits_for = {arc.after: arc.before for arc in problem.arcs if arc.after in stuck and arc.before in stuck}
    seen: dict[int, int] = {}
    task = min(stuck)
    while task not in seen:
        seen[task] = len(seen)
        task = waits_for[task]
    path = list(seen)
    return list(reversed(path[seen[task] :]))
