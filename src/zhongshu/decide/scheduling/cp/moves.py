"""Lots on their way: arcs along which something moves in, pickup, drop and travel out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.arcs import touching
from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal, Ride
from zhongshu.decide.scheduling.problem import AT_HAND, Arc


def move_all(draft: Draft) -> None:
    """A ride for every carried arc that touches a free task."""
    for k in touching(draft):
        if draft.problem.arcs[k].moves:
            draft.rides[k] = _ride(draft, k)


def _ride(draft: Draft, k: int) -> Ride:
    arc = draft.problem.arcs[k]
    known = None if draft.guess is None else draft.guess.moved[k]
    low = max(0, arc.ready) if arc.before == AT_HAND else 0
    pickup = draft.number(low, draft.last, None if known is None else known.pickup)
    _leave_by(draft, arc, pickup)
    from_at, to_at = _fetched_at(draft, arc, k), _stations(draft, arc.after, k, "to")
    if len(from_at) == len(to_at) == 1:
        (a,), (b,) = from_at, to_at
        drop = pickup + (draft.problem.travel[a][b] if a != b else 0)
        carried: Literal = a != b
    else:
        drop = draft.number(low, draft.last, None if known is None else known.drop)
        apart = None if draft.guess is None else _apart(draft, k)
        carried = draft.flag(apart) if _may_differ(from_at, to_at) else False
        _travel(draft, pickup, drop, from_at, to_at, carried)
    draft.model.add(draft.start(arc.after) >= drop)
    return Ride(k, pickup, drop, from_at, to_at, carried)


def _leave_by(draft: Draft, arc: Arc, pickup: Expr) -> None:
    """A lot leaves its unit after the end, and the output buffer after it left the unit."""
    if arc.before == AT_HAND:
        return
    draft.model.add(pickup >= draft.end(arc.before))
    if arc.before in draft.left_of and draft.left_of[arc.before] is not draft.end_of.get(arc.before):
        draft.model.add(pickup >= draft.left_of[arc.before])


def _fetched_at(draft: Draft, arc: Arc, k: int) -> dict[int, Literal]:
    if arc.before == AT_HAND:
        return {draft.problem.units[arc.origin].station: True}
    return _stations(draft, arc.before, k, "from")


def _stations(draft: Draft, task: int, k: int, which: str) -> dict[int, Literal]:
    """By station the literal that the task is there; a single one is settled."""
    units = draft.problem.units
    if task not in draft.is_free:
        return {units[draft.plan.unit[task]].station: True}
    if task in draft.stations_of:
        return draft.stations_of[task]
    modes = draft.problem.tasks[task].modes
    by_station: dict[int, list[Literal]] = {}
    for m, used in draft.uses[task].items():
        by_station.setdefault(units[modes[m].unit].station, []).append(used)
    found: dict[int, Literal] = {}
    for station, literals in by_station.items():
        if len(by_station) == 1:
            found[station] = True
        elif len(literals) == 1:
            found[station] = literals[0]
        else:
            hinted = None if draft.guess is None else units[draft.guess.unit[task]].station == station
            found[station] = draft.flag(hinted)
            draft.model.add(sum(literals) == found[station])
    draft.stations_of[task] = found
    return found


def _may_differ(from_at: dict[int, Literal], to_at: dict[int, Literal]) -> bool:
    return len(from_at) > 1 or len(to_at) > 1 or from_at.keys() != to_at.keys()


def _apart(draft: Draft, k: int) -> bool:
    """Whether the guess has this move between two stations."""
    arc, guess = draft.problem.arcs[k], draft.plan
    units = draft.problem.units
    origin = arc.origin if arc.before == AT_HAND else guess.unit[arc.before]
    return units[origin].station != units[guess.unit[arc.after]].station


def _travel(
    draft: Draft,
    pickup: Expr,
    drop: Expr,
    from_at: dict[int, Literal],
    to_at: dict[int, Literal],
    carried: Literal,
) -> None:
    """Travel takes its time between two stations, none within one."""
    for a, here in from_at.items():
        for b, there in to_at.items():
            both = [literal for literal in (here, there) if literal is not True]
            ticks = draft.problem.travel[a][b] if a != b else 0
            draft.model.add(drop == pickup + ticks).only_enforce_if(both)
            if carried is not False:
                draft.model.add(carried == int(a != b)).only_enforce_if(both)
