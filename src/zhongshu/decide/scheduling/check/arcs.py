"""Time between tasks: precedence with its least and greatest lag, overlapping lots, lots that lie ready somewhere."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name, unit_name
from zhongshu.decide.scheduling.problem import AT_HAND, Arc


def lags(view: Schedule) -> Iterator[Violation]:
    """lag_min <= start(after) - reference <= lag_max; arcs into started tasks say nothing any more."""
    for arc in view.problem.arcs:
        if view.started[arc.after]:
            continue
        waited = view.start[arc.after] - _reference(view, arc)
        if waited < arc.lag_min:
            yield _named(view, arc, "lag_min", waited=waited, lag=arc.lag_min)
        if arc.lag_max is not None and waited > arc.lag_max:
            yield _named(view, arc, "lag_max", waited=waited, lag=arc.lag_max)


def overlaps(view: Schedule) -> Iterator[Violation]:
    """Of overlapping tasks the later one ends long enough after the earlier one."""
    for arc in view.problem.arcs:
        if arc.overlap is None or arc.before == AT_HAND or view.started[arc.after]:
            continue
        after_end = view.end[arc.after] - view.end[arc.before]
        if after_end < arc.overlap:
            yield _named(view, arc, "overlap", waited=after_end, lag=arc.overlap)


def origins(view: Schedule) -> Iterator[Violation]:
    """A lot that lies in front of a unit and is not moved is worked on there."""
    for arc in view.problem.arcs:
        if arc.before != AT_HAND or arc.moves or arc.origin < 0 or view.started[arc.after]:
            continue
        if view.unit[arc.after] != arc.origin:
            problem = view.problem
            names = {
                "task": task_name(problem, arc.after),
                "unit": unit_name(problem, view.unit[arc.after]),
                "origin": unit_name(problem, arc.origin),
            }
            yield broken("origin", "origin", arc.after, view.unit[arc.after], **names)


def _reference(view: Schedule, arc: Arc) -> int:
    if arc.before == AT_HAND:
        return arc.ready
    return view.end[arc.before] if arc.overlap is None else view.start[arc.before]


def _named(view: Schedule, arc: Arc, constraint: str, **values: int) -> Violation:
    at_hand = ("what lies ready", "现有批")
    before = at_hand if arc.before == AT_HAND else task_name(view.problem, arc.before)
    names = {"before": before, "after": task_name(view.problem, arc.after)}
    key = constraint.replace("_", "-")
    return broken(constraint, key, arc.after, view.unit[arc.after], **names, **values)
