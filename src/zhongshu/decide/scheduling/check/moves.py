"""Transport: every lot that has to go is fetched once it is done, brought in time, and no vehicle is in two places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name
from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.solution import Moved


def moves(view: Schedule) -> Iterator[Violation]:
    """Each live arc that moves has its move, no other arc has one; it fetches, carries and brings as it must."""
    moved = view.solution.moved
    live = set(view.live_moves)
    for arc in moved:
        if arc not in live:
            yield _named(view, arc, "move-needless")
    for arc in view.live_moves:
        if arc not in moved:
            yield _named(view, arc, "move-missing")
            continue
        yield from _fetched(view, moved[arc])
        yield from _carried(view, moved[arc])
        drop, start = moved[arc].drop, view.start[view.problem.arcs[arc].after]
        if start < drop:
            yield _named(view, arc, "move-late", drop=drop, start=start)


def _fetched(view: Schedule, move: Moved) -> Iterator[Violation]:
    """Not before now, not before the lot is there; that it has left its unit by then is the rule of ``lefts``."""
    arc = view.problem.arcs[move.arc]
    there = arc.ready if arc.before == AT_HAND else view.end[arc.before]
    if move.pickup < max(0, there):
        yield _named(view, move.arc, "move-early", pickup=move.pickup, there=max(0, there))


def _carried(view: Schedule, move: Moved) -> Iterator[Violation]:
    """Between stations it takes the travel time, and a vehicle where the problem has any; within one, neither."""
    problem = view.problem
    here, there = stations(view, move.arc)
    travel = 0 if here == there else problem.travel[here][there]
    if move.drop != move.pickup + travel:
        yield _named(view, move.arc, "move-travel", took=move.drop - move.pickup, travel=travel)
    needs = here != there and bool(problem.vehicles)
    if needs and move.vehicle < 0:
        yield _named(view, move.arc, "move-no-vehicle")
    elif not needs and move.vehicle >= 0:
        yield _named(view, move.arc, "move-idle-vehicle")


def stations(view: Schedule, arc: int) -> tuple[int, int]:
    """From where to where the lot of an arc goes."""
    units = view.problem.units
    return units[view.origin(arc)].station, units[view.unit[view.problem.arcs[arc].after]].station


def lefts(view: Schedule) -> Iterator[Violation]:
    """A lot leaves its unit when it is done, or, where it waits to be fetched, at the latest when it is."""
    fetched: dict[int, int] = {}
    waiting = set()
    for index in view.live_moves:
        before = view.problem.arcs[index].before
        if before == AT_HAND:
            continue
        waiting.add(before)
        if index in view.solution.moved:
            pickup = view.solution.moved[index].pickup
            fetched[before] = min(pickup, fetched.get(before, pickup))
    for task, (end, left) in enumerate(zip(view.end, view.left, strict=True)):
        latest = fetched.get(task, left) if task in waiting else end
        if not end <= left <= latest:
            name = task_name(view.problem, task)
            values = {"end": end, "left": left, "latest": max(end, latest)}
            yield broken("left", "left", task, view.unit[task], task=name, **values)


def vehicles(view: Schedule) -> Iterator[Violation]:
    """Between two moves a vehicle has the time to get from where it was to where it fetches."""
    problem = view.problem
    if len({unit.station for unit in problem.units}) < 2:
        return  # there is nowhere to go; ``empty`` need not even be given
    trips: dict[int, list[Moved]] = {}
    for index in view.live_moves:
        move = view.solution.moved.get(index)
        if move is not None and move.vehicle >= 0:
            trips.setdefault(move.vehicle, []).append(move)
    for vehicle, legs in trips.items():
        legs.sort(key=lambda m: (m.pickup, m.drop, m.arc))
        first = legs[0]
        own = problem.vehicles[vehicle]
        there = own.ready + problem.empty[own.station][stations(view, first.arc)[0]]
        if first.pickup < there:
            yield _vehicle(view, vehicle, first, there)
        for before, after in pairwise(legs):
            way = problem.empty[stations(view, before.arc)[1]][stations(view, after.arc)[0]]
            if after.pickup < before.drop + way:
                yield _vehicle(view, vehicle, after, before.drop + way)


def _vehicle(view: Schedule, vehicle: int, move: Moved, there: int) -> Violation:
    after = view.problem.arcs[move.arc].after
    name = view.problem.vehicles[vehicle].name or f"V{vehicle}"
    values = {"vehicle": name, "task": task_name(view.problem, after), "pickup": move.pickup, "there": there}
    return broken("vehicle", "vehicle", after, view.unit[after], **values)


def _named(view: Schedule, arc: int, key: str, **values: int) -> Violation:
    after = view.problem.arcs[arc].after
    return broken(
        "move", key, after, view.unit[after], arc=arc, task=task_name(view.problem, after), **values
    )
