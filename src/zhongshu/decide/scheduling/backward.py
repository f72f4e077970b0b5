"""Backward scheduling: from the due dates back, how late each task of a schedule could begin without making any order later."""

from __future__ import annotations

from zhongshu.decide.scheduling.check.schedule import Schedule, shown
from zhongshu.decide.scheduling.problem import AT_HAND, Problem
from zhongshu.decide.scheduling.solution import Solution


def latest_starts(problem: Problem, solution: Solution) -> list[int]:
    """Per task, in ticks; at least its planned start. Sequences, units and drives stay as planned; an order that is late
    anyway is due at its planned end. Closed time within a task is kept as it is (the CPM backward pass, Kelley 1961)."""
    view = shown(problem, solution)
    ends = [max((view.end[t] for t in tasks), default=0) for tasks in problem.tasks_of]
    latest = [max(job.due, end) for job, end in zip(problem.jobs, ends, strict=True)]
    behind = _behind(problem, view)
    found = [0] * len(problem.tasks)
    for task in sorted(range(len(found)), key=lambda t: (view.start[t], view.end[t]), reverse=True):
        span, until = view.end[task] - view.start[task], latest[problem.tasks[task].job]
        for index in problem.arcs_out[task]:
            until = min(until, _arc_until(problem, solution, index, found, span))
        for after, setup in behind.get(task, ()):
            until = min(until, found[after] - setup)
        found[task] = max(view.start[task], until - span)
    return found


def _arc_until(problem: Problem, solution: Solution, index: int, found: list[int], span: int) -> int:
    """The latest end of the arc's first task."""
    arc = problem.arcs[index]
    pin = problem.pin_of.get(arc.after)
    if arc.before == AT_HAND or (pin is not None and pin.started):
        return 2**60
    moved = solution.moved.get(index)
    drive = moved.drop - moved.pickup if moved is not None else 0
    until = found[arc.after] - max(arc.lag_min, drive)
    return until + span if arc.overlap is not None else until


def _behind(problem: Problem, view: Schedule) -> dict[int, list[tuple[int, int]]]:
    """Task → those that follow it on its unit, with the set-up between."""
    setup = {member: needed for _, block, needed in view.setups for member in block.members}
    lines: dict[int, list[int]] = {}
    for task in sorted(range(len(view.start)), key=lambda t: (view.start[t], view.end[t], t)):
        lines.setdefault(view.unit[task], []).append(task)
    found: dict[int, list[tuple[int, int]]] = {}
    for line in lines.values():
        for k, task in enumerate(line):
            after = next((n for n in line[k + 1 :] if view.start[n] >= view.end[task]), None)
            if after is not None:
                found[task] = [(after, setup.get(after, 0))]
    return found
