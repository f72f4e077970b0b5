"""Vehicles: rides in, one route a vehicle out, with the empty travel between two rides.

All vehicles share one set of arcs: who comes next does not depend on the vehicle, only who comes first does. The number
of literals is rides squared plus rides times vehicles, where a circuit for each vehicle would multiply the two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise, product

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal, Ride

#: Vehicles that a window may use beside those that carry its rides now, and its pairs of rides (times stations).
FEW = 3
WINDOW = 5_000


def route_all(draft: Draft) -> None:
    """Give every ride between two stations a vehicle."""
    if not draft.problem.vehicles:
        return
    rides = [ride for ride in draft.rides.values() if ride.carried is not False]
    if not rides:
        return
    vehicles = _vehicles(draft, rides)
    stay = {} if draft.whole else _staying(draft, vehicles)
    everything = {ride.arc: ride for ride in rides} | stay
    node = {k: n for n, k in enumerate(everything, start=1)}
    follows = _guessed(draft, everything)
    arcs: list[tuple[int, int, Literal]] = []
    leads: dict[int, list[Literal]] = {v: [] for v in vehicles}
    begun = _begun(draft, stay)
    for k, ride in everything.items():
        if ride.carried is not True:
            arcs.append((node[k], node[k], ride.carried.negated()))
        arcs.append((node[k], 0, draft.flag((k, None) in follows)))
        begins = _begins(draft, k, ride, follows, leads, begun)
        if begins is not None:
            arcs.append((0, node[k], begins))
    free_at: dict[tuple[int, int], Expr] = {}
    for a, b in _pairs(draft, everything, stay):
        then = draft.flag((a, b) in follows)
        draft.follows[a, b] = then
        arcs.append((node[a], node[b], then))
        _empty(draft, everything[a], everything[b], then, free_at)
    for first in leads.values():
        draft.model.add_at_most_one(first)
    # One route that carries nothing: CP-SAT's presolve takes a start without any route for a contradiction.
    idle = len(everything) + 1
    arcs += [(0, idle, True), (idle, 0, True)]
    draft.model.add_multiple_circuit(arcs)


def _begins(
    draft: Draft,
    k: int,
    ride: Ride,
    follows: set[tuple[int | None, int | None]],
    leads: dict[int, list[Literal]],
    begun: dict[int, int],
) -> Literal | None:
    """The literal that a ride is the first of some vehicle; each vehicle has one first ride at most."""
    mine: list[Literal] = []
    for v, firsts in leads.items():
        vehicle = draft.problem.vehicles[v]
        if (v in begun and begun[v] != k) or (k not in draft.rides and draft.plan.moved[k].vehicle != v):
            continue
        hinted = (-1 - v, k) in follows
        literal = draft.flag(hinted)
        draft.follows[-1 - v, k] = literal
        firsts.append(literal)
        mine.append(literal)
        if v in begun:
            draft.model.add(literal == 1)
            continue
        for station, there in ride.from_at.items():
            reached = vehicle.ready + draft.problem.empty[vehicle.station][station]
            if reached <= draft.soonest(k):
                continue
            conditions = [literal] if there is True else [literal, there]
            _at_least(draft, ride.pickup, reached, conditions)
    if not mine:
        return None
    total = draft.flag(any((-1 - v, k) in follows for v in leads))
    draft.model.add(sum(mine) == total)
    return total


def _at_least(draft: Draft, pickup: Expr, reached: Expr, conditions: list[Literal]) -> None:
    if isinstance(pickup, int) and isinstance(reached, int):
        if pickup < reached:
            draft.model.add_bool_or([c.negated() for c in conditions])
        return
    draft.model.add(pickup >= reached).only_enforce_if(conditions)


def _empty(draft: Draft, a: Ride, b: Ride, then: Literal, free_at: dict[tuple[int, int], Expr]) -> None:
    """The vehicle travels empty from where it brought the one to where it fetches the next."""
    for station, there in b.from_at.items():
        known = free_at.get((a.arc, station))
        if known is None:
            known = free_at[a.arc, station] = _free_at(draft, a, station)
        _at_least(draft, b.pickup, known, [then] if there is True else [then, there])


def _free_at(draft: Draft, a: Ride, station: int) -> Expr:
    """When the vehicle of a ride can be at a station next."""
    empty = draft.problem.empty
    if len(a.to_at) == 1:
        (at,) = a.to_at
        return a.drop + empty[at][station]
    ticks = {empty[at][station] for at in a.to_at}
    if len(ticks) == 1:
        return a.drop + ticks.pop()
    return a.drop + sum(empty[at][station] * literal for at, literal in a.to_at.items())


def _vehicles(draft: Draft, rides: list[Ride]) -> list[int]:
    """All vehicles; in a window those that carry the free rides now and the few that have least to do meanwhile."""
    everybody = list(range(len(draft.problem.vehicles)))
    if draft.whole:
        return everybody
    moved = draft.plan.moved
    mine = {moved[ride.arc].vehicle for ride in rides} - {-1}

    def busy(v: int) -> int:
        line = draft.plan.rides[v]
        begin = bisect_left(line, draft.first, key=lambda k: moved[k].drop)
        return bisect_right(line, draft.last, key=lambda k: moved[k].pickup) - begin

    others = sorted((v for v in everybody if v not in mine), key=lambda v: (busy(v), v))
    return sorted([*mine, *others[:FEW]])


def _staying(draft: Draft, vehicles: list[int]) -> dict[int, Ride]:
    """Rides of the plan that stay: those that reach into the window, and of each vehicle one before and one after."""
    found: dict[int, Ride] = {}
    for v in vehicles:
        line = [k for k in draft.plan.rides[v] if k not in draft.rides]
        inside = [
            n
            for n, k in enumerate(line)
            if draft.plan.moved[k].drop >= draft.first and draft.plan.moved[k].pickup <= draft.last
        ]
        before = sum(draft.plan.moved[k].drop < draft.first for k in line)
        first, last = (inside[0], inside[-1] + 1) if inside else (before, before)
        for k in line[max(0, first - 1) : last + 1]:
            found[k] = _constant(draft, k)
    return found


def _constant(draft: Draft, k: int) -> Ride:
    arc, moved, units = draft.problem.arcs[k], draft.plan.moved[k], draft.problem.units
    origin = arc.origin if arc.before < 0 else draft.plan.unit[arc.before]
    to = units[draft.plan.unit[arc.after]].station
    return Ride(k, moved.pickup, moved.drop, {units[origin].station: True}, {to: True}, True)


def _begun(draft: Draft, stay: dict[int, Ride]) -> dict[int, int]:
    """By vehicle, its last ride before the window, which stays its own."""
    found: dict[int, int] = {}
    for k, ride in stay.items():
        v = draft.plan.moved[k].vehicle
        if ride.drop < draft.first:
            found[v] = k
    return found


def _guessed(draft: Draft, everything: dict[int, Ride]) -> set[tuple[int | None, int | None]]:
    """Pairs of rides that follow each other in the guess; (-1 - vehicle, first), (last, None)."""
    if draft.guess is None:
        return set()
    found: set[tuple[int | None, int | None]] = set()
    for v, line in enumerate(draft.guess.rides):
        here = [k for k in line if k in everything]
        if here:
            found |= {(-1 - v, here[0]), (here[-1], None), *pairwise(here)}
    return found


def _pairs(draft: Draft, everything: dict[int, Ride], stay: dict[int, Ride]) -> Iterator[tuple[int, int]]:
    """Who may follow whom. Rides that stay on a vehicle keep their order; of too many only near ones count."""
    # Each pair costs a literal, and a relation for every station where the next one may be fetched.
    stations = sum(len(ride.from_at) for ride in everything.values()) / len(everything)
    budget = int((draft.arcs_budget / 2 if draft.whole else WINDOW) / stations)
    near = None
    if len(everything) ** 2 > budget:
        draft.thinned = True
        near = _near(draft, everything, max(8, budget // len(everything)))
    following: set[tuple[int, int]] = set()
    latest: dict[int, int] = {}
    for k in stay:
        v = draft.plan.moved[k].vehicle
        if v in latest:
            following.add((latest[v], k))
        latest[v] = k
    pairs = set(product(everything, repeat=2)) if near is None else near
    for a, b in sorted(pairs | following):
        if a == b or (a in stay and b in stay and (a, b) not in following):
            continue
        if a in stay and b not in stay and stay[a].pickup > draft.last:
            continue
        yield a, b


def _near(draft: Draft, everything: dict[int, Ride], width: int) -> set[tuple[int, int]]:
    """Pairs close in time in the guess, or by earliest start without one; successors in the guess among them."""
    if draft.guess is not None:
        rank = {k: draft.guess.moved[k].pickup for k in everything}
    else:
        rank = {k: draft.facts.earliest[draft.problem.arcs[k].after] for k in everything}
    line = sorted(everything, key=lambda k: (rank[k], k))
    half = max(1, width // 2)
    found = {(a, b) for n, a in enumerate(line) for b in line[max(0, n - half) : n + half + 1]}
    return found | {
        (a, b) for a, b in _guessed(draft, everything) if a is not None and b is not None and a >= 0
    }
