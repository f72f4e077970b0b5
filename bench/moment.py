"""A plan and a tick of it → the problem as it stands at that moment if all went by plan: done, running and open work.

It is what the planner would build from the plant then: lots lie where the plan has brought them, vehicles stand or drive
where they were sent, what begins soon is frozen, and the plan is the one in force.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.problem import (
    AT_HAND,
    NEVER,
    Arc,
    Before,
    Closed,
    Job,
    Material,
    Pin,
    Problem,
    Unit,
    Vehicle,
)
from zhongshu.decide.scheduling.solution import Solution

Steps = tuple[tuple[int, int], ...]


def moment(problem: Problem, solution: Solution, now: int, frozen: int, down: int, down_for: int) -> Problem:
    """The problem at tick ``now`` with unit ``down`` (-1: none) closed for ``down_for`` ticks from then.

    Tasks that begin within ``frozen`` ticks keep their order on units that work. Ticks count from ``now``.
    """
    floor = _Floor(problem, solution, now)
    made = replace(
        problem,
        units=floor.units(down, down_for),
        jobs=floor.jobs(),
        tasks=tuple(problem.tasks[t] for t in floor.open),
        arcs=floor.arcs(),
        pools=tuple(replace(p, levels=_from(p.levels, now)) for p in problem.pools),
        materials=floor.materials(),
        vehicles=floor.vehicles(),
        prices=_from(problem.prices, now),
        pins=floor.pins(),
        frozen=(),
        previous=floor.previous(),
        since=problem.since + now,
    )
    return replace(made, frozen=_frozen(made, frozen, down))


def open_tasks(solution: Solution, now: int) -> list[int]:
    """Tasks that have not ended by then, in the order of their new indexes."""
    return [placed.task for placed in solution.placed if placed.end > now]


class _Floor:
    """Where everything is at a tick of the plan."""

    def __init__(self, problem: Problem, solution: Solution, now: int) -> None:
        self.problem, self.solution, self.now = problem, solution, now
        self.view = Schedule(problem, solution)
        self.open = open_tasks(solution, now)
        self.index = {t: i for i, t in enumerate(self.open)}
        self.begun = {t for t, start in enumerate(self.view.start) if start < now}

    def units(self, down: int, down_for: int) -> tuple[Unit, ...]:
        """Shifted hours, and the family that each is set up for, or is being set up for."""
        last: dict[int, tuple[int, int]] = {}
        for t in self.begun:
            begun = (self.view.start[t], self.problem.tasks[t].family)
            last[self.view.unit[t]] = max(last.get(self.view.unit[t], begun), begun)
        fitted = self._setups_begun()
        made = []
        for u, unit in enumerate(self.problem.units):
            closed = tuple(
                Closed(max(0, c.start - self.now), c.end - self.now, c.resumable)
                for c in unit.closed
                if c.end > self.now
            )
            if u == down:
                rest = (replace(c, start=max(down_for, c.start)) for c in closed if c.end > down_for)
                closed = (Closed(0, down_for, False), *rest)
            family = last[u][1] if u in last else unit.family
            ready = max(0, unit.ready - self.now)
            if u in fitted and u != down:
                ready, family = max(ready, fitted[u][0] - self.now), fitted[u][1]
            made.append(replace(unit, closed=closed, family=family, ready=ready))
        return tuple(made)

    def _setups_begun(self) -> dict[int, tuple[int, int]]:
        """Units that are being set up: the start and the family of what they are being set up for."""
        return {
            block.unit: (block.start, block.family)
            for _, block, needed in self.view.setups
            if block.start >= self.now and self.view.open_ticks(block.unit, self.now, block.start) < needed
        }

    def jobs(self) -> tuple[Job, ...]:
        """An order of which nothing is left can't be late any more."""
        left = {self.problem.tasks[t].job for t in self.open}
        return tuple(
            replace(
                job, release=max(0, job.release - self.now), due=job.due - self.now if j in left else NEVER
            )
            for j, job in enumerate(self.problem.jobs)
        )

    def arcs(self) -> tuple[Arc, ...]:
        """Between open tasks as they were; lots of finished ones lie somewhere, or are on their way."""
        made = []
        for k, arc in enumerate(self.problem.arcs):
            if arc.after not in self.index:
                continue
            if arc.before in self.index:
                made.append(replace(arc, before=self.index[arc.before], after=self.index[arc.after]))
            elif arc.overlap is None and arc.after not in self.begun:
                made.append(self._at_hand(k, arc))
        return tuple(made)

    def _at_hand(self, k: int, arc: Arc) -> Arc:
        known = arc.before == AT_HAND
        since = (arc.ready if known else self.view.end[arc.before]) - self.now
        origin = arc.origin if known else self.view.unit[arc.before] if arc.moves else -1
        ready, moves = max(0, since), arc.moves
        moved = self.solution.moved.get(k)
        if moved is not None and moved.pickup < self.now:
            ready, moves, origin = max(0, moved.drop - self.now), False, self.view.unit[arc.after]
        return replace(
            arc,
            before=AT_HAND,
            after=self.index[arc.after],
            lag_min=max(0, since + arc.lag_min - ready),
            lag_max=None if arc.lag_max is None else max(0, since + arc.lag_max - ready),
            moves=moves,
            origin=origin,
            ready=ready,
        )

    def materials(self) -> tuple[Material, ...]:
        """What is in stock after all that began and ended so far."""
        stock = [
            m.stock + sum(quantity for tick, quantity in m.arrivals if tick <= self.now)
            for m in self.problem.materials
        ]
        for t, task in enumerate(self.problem.tasks):
            for material, quantity in task.consumes if t in self.begun and not self.view.started[t] else ():
                stock[material] -= quantity
            for material, quantity in task.produces if t not in self.index else ():
                stock[material] += quantity
        return tuple(
            replace(m, stock=left, arrivals=tuple((t - self.now, q) for t, q in m.arrivals if t > self.now))
            for m, left in zip(self.problem.materials, stock, strict=True)
        )

    def vehicles(self) -> tuple[Vehicle, ...]:
        """Each stands where it set down last, or is on the way to where it will."""
        made = [replace(v, ready=max(0, v.ready - self.now)) for v in self.problem.vehicles]
        for moved in sorted(self.solution.moved.values(), key=lambda m: m.pickup):
            if moved.vehicle >= 0 and moved.pickup < self.now:
                unit = self.view.unit[self.problem.arcs[moved.arc].after]
                station = self.problem.units[unit].station
                vehicle = made[moved.vehicle]
                made[moved.vehicle] = replace(vehicle, station=station, ready=max(0, moved.drop - self.now))
        return tuple(made)

    def pins(self) -> tuple[Pin, ...]:
        """Running work, and what people decided of the rest."""
        view, made = self.view, []
        for t in self.open:
            pin = self.problem.pin_of.get(t)
            if t in self.begun:
                start, end = view.start[t] - self.now, view.end[t] - self.now
                made.append(Pin(self.index[t], view.unit[t], start, end, started=True))
            elif pin is not None:
                start_, end_ = (None if x is None else x - self.now for x in (pin.start, pin.end))
                made.append(replace(pin, task=self.index[t], start=start_, end=end_))
        return tuple(made)

    def previous(self) -> tuple[Before, ...]:
        """The plan itself."""
        return tuple(
            Before(self.index[t], self.view.unit[t], self.view.start[t] - self.now)
            for t in self.open
            if t not in self.begun
        )


def _frozen(problem: Problem, within: int, down: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """What begins soon on units that work and waits for nothing but begun or frozen tasks, as the planner freezes it."""
    started = {p.task for p in problem.pins if p.started}
    near = [
        b for b in problem.previous if b.start < within and b.unit != down and b.task not in problem.pin_of
    ]
    kept = {b.task for b in near}
    while lost := {
        a.after
        for a in problem.arcs
        if a.after in kept and a.before >= 0 and a.before not in kept and a.before not in started
    }:
        kept -= lost
    by_unit: defaultdict[int, list[int]] = defaultdict(list)
    for before in sorted(near, key=lambda b: (b.start, b.task)):
        if before.task in kept:
            by_unit[before.unit].append(before.task)
    return tuple((unit, tuple(tasks)) for unit, tasks in sorted(by_unit.items()))


def _from(steps: Steps, now: int) -> Steps:
    """A step function from a tick on."""
    before = [value for tick, value in steps if tick <= now]
    later = tuple((tick - now, value) for tick, value in steps if tick > now)
    return ((0, before[-1]), *later) if before else later
