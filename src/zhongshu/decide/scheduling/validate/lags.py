"""Lags that contradict one another: an arc whose least wait is longer than its greatest."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.check.words import both, task_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.problem import AT_HAND, Problem


def lags(problem: Problem) -> Iterator[Fault]:
    """Arcs into started tasks bind nobody; origins against the units that a task can use are told here as well."""
    started = {pin.task for pin in problem.pins if pin.started}
    for arc in problem.arcs:
        if arc.after in started:
            continue
        after = task_name(problem, arc.after)
        if arc.lag_max is not None and arc.lag_min > arc.lag_max:
            at_hand = arc.before == AT_HAND
            before = both("reason.lot") if at_hand else task_name(problem, arc.before)
            values = {"least": arc.lag_min, "most": arc.lag_max, "before": before, "after": after}
            yield conflict(("lag_min", "lag_max"), "lags", arc.after, **values)
        if arc.before == AT_HAND and not arc.moves and arc.origin >= 0:
            pin = problem.pin_of.get(arc.after)
            units = {mode.unit for mode in problem.tasks[arc.after].modes}
            if pin is not None and pin.unit is not None:
                units &= {pin.unit}
            if arc.origin not in units:
                name = problem.units[arc.origin].name
                kinds = ("origin", "pin") if pin is not None and pin.unit is not None else ("origin",)
                yield conflict(kinds, "origin", arc.after, arc.origin, task=after, unit=name)
