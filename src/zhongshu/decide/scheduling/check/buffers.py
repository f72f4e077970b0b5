"""Room to wait: lots behind a unit until they are fetched, and before a unit until they are worked on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name, unit_name
from zhongshu.decide.scheduling.problem import AT_HAND

#: (enters, leaves, task that enters it, -1 for a lot that lay there from the beginning)
Stay = tuple[int, int, int]


def outputs(view: Schedule) -> Iterator[Violation]:
    """No lot enters an output that is full: it blocks its unit instead, ``left`` says until when."""
    stays: dict[int, list[Stay]] = {}
    for index in view.live_moves:
        arc, unit = view.problem.arcs[index], view.origin(index)
        move = view.solution.moved.get(index)
        if move is None or view.problem.units[unit].buffer_out is None:
            continue
        if arc.before == AT_HAND:
            stays.setdefault(unit, []).append((arc.ready, move.pickup, -1))
        else:
            stays.setdefault(unit, []).append((view.left[arc.before], move.pickup, arc.before))
    places = {unit: view.problem.units[unit].buffer_out or 0 for unit in stays}
    yield from _overfull(view, stays, places, "buffer_out")


def inputs(view: Schedule) -> Iterator[Violation]:
    """No lot is dropped into an input that is full."""
    stays: dict[int, list[Stay]] = {}
    for index, arc in enumerate(view.problem.arcs):
        unit = view.unit[arc.after]
        if view.started[arc.after] or view.problem.units[unit].buffer_in is None:
            continue
        start = view.start[arc.after]
        move = view.solution.moved.get(index)
        if arc.moves and move is not None:
            stays.setdefault(unit, []).append((move.drop, start, arc.after))
        elif not arc.moves and arc.before == AT_HAND and arc.origin == unit:
            stays.setdefault(unit, []).append((arc.ready, start, -1))
    places = {unit: view.problem.units[unit].buffer_in or 0 for unit in stays}
    yield from _overfull(view, stays, places, "buffer_in")


def _overfull(
    view: Schedule, stays: Mapping[int, list[Stay]], places: Mapping[int, int], constraint: str
) -> Iterator[Violation]:
    """At each entrance: lots in by then, less lots out by then; who leaves at that tick is gone."""
    for unit, lots in stays.items():
        waiting = [stay for stay in lots if stay[0] < stay[1]]
        ins = sorted(stay[0] for stay in waiting)
        outs = sorted(stay[1] for stay in waiting)
        for enters, _, task in waiting:
            if task < 0:
                continue
            there = bisect_right(ins, enters) - bisect_right(outs, enters)
            if there > places[unit]:
                names = {"task": task_name(view.problem, task), "unit": unit_name(view.problem, unit)}
                values = {"tick": enters, "there": there, "places": places[unit]}
                yield broken(constraint, constraint.replace("_", "-"), task, unit, **names, **values)
