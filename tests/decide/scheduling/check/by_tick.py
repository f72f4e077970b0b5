"""The rules once more, tick by tick and in the plainest way: slow, and made of nothing that the checker is made of."""

from __future__ import annotations

from collections.abc import Iterator

from zhongshu.decide.scheduling.problem import AT_HAND, Problem
from zhongshu.decide.scheduling.solution import Placed, Solution


class ByTick:
    """Names of the rules that a solution of the right shape breaks; times of some dozens of ticks only."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.p, self.s = problem, solution
        self.started = {pin.task for pin in problem.pins if pin.started}
        self.live = [i for i, a in enumerate(problem.arcs) if a.moves and a.after not in self.started]
        groups: dict[object, list[Placed]] = {}
        for placed in solution.placed:
            oven = problem.units[self.unit(placed)].capacity > 0
            key = (self.unit(placed), placed.batch) if oven else ("alone", placed.task)
            groups.setdefault(key, []).append(placed)
        self.groups = list(groups.values())

    def names(self) -> set[str]:
        rules = (self.work, self.hours, self.ovens, self.queue, self.waits, self.settled)
        rules += (self.ways, self.carts, self.room_out, self.room_in, self.crews, self.stocks)
        return {name for rule in rules for name in rule()}

    def unit(self, placed: Placed) -> int:
        return self.p.tasks[placed.task].modes[placed.mode].unit

    def duration(self, placed: Placed) -> int:
        return self.p.tasks[placed.task].modes[placed.mode].duration

    def open(self, unit: int, tick: int) -> bool:
        return not any(c.start <= tick < c.end for c in self.p.units[unit].closed)

    def work(self) -> Iterator[str]:
        for x in self.s.placed:
            job, unit = self.p.jobs[self.p.tasks[x.task].job], self.p.units[self.unit(x)]
            if x.task not in self.started:
                if x.start < max(0, job.release):
                    yield "release"
                if unit.ready > 0 and x.start < unit.ready:
                    yield "ready"

    def hours(self) -> Iterator[str]:
        for group in self.groups:
            start, end = min(x.start for x in group), max(x.end for x in group)
            unit = self.unit(group[0])
            if any(x.task in self.started for x in group):
                continue
            pausing = all(self.p.tasks[x.task].interruptible for x in group)
            length = len([t for t in range(start, end) if self.open(unit, t)]) if pausing else end - start
            if length != max(self.duration(x) for x in group) or end < start:
                yield "duration"
            covered = [
                c for c in self.p.units[unit].closed if any(c.start <= t < c.end for t in range(start, end))
            ]
            if any(not (pausing and c.resumable) for c in covered):
                yield "calendar"
            if pausing and not self.open(unit, start):
                yield "calendar"
            if pausing and end > start and not self.open(unit, end - 1):
                yield "calendar"

    def ovens(self) -> Iterator[str]:
        for group in self.groups:
            capacity = self.p.units[self.unit(group[0])].capacity
            tasks = [self.p.tasks[x.task] for x in group]
            if capacity == 0:
                if group[0].batch != -1:
                    yield "batch"
            elif (
                group[0].batch < 0
                or sum(t.size for t in tasks) > capacity
                or len({t.family for t in tasks}) > 1
                or len({(x.start, x.end) for x in group}) > 1
                or len({x.task in self.started for x in group}) > 1
            ):
                yield "batch"

    def queue(self) -> Iterator[str]:
        for index, unit in enumerate(self.p.units):
            here = [g for g in self.groups if self.unit(g[0]) == index]
            here.sort(key=lambda g: (min(x.start for x in g), max(x.left for x in g), min(x.task for x in g)))
            family, since = unit.family, max(0, unit.ready)
            for place, group in enumerate(here):
                start = min(x.start for x in group)
                if place and start < since:
                    yield "unit"
                own = self.p.tasks[min(x.task for x in group)].family
                asked = not any(x.task in self.started for x in group) and unit.setups >= 0 and family >= 0
                if asked:
                    spare = len([t for t in range(since, start) if self.open(index, t)])
                    if spare < self.p.setups[unit.setups][family][own]:
                        yield "setup"
                family, since = own, max(x.left for x in group)

    def waits(self) -> Iterator[str]:
        for a in self.p.arcs:
            if a.after in self.started:
                continue
            after = self.s.placed[a.after]
            if a.before == AT_HAND:
                since = a.ready
                if not a.moves and a.origin >= 0 and self.unit(after) != a.origin:
                    yield "origin"
            else:
                before = self.s.placed[a.before]
                since = before.end if a.overlap is None else before.start
                if a.overlap is not None and after.end < before.end + a.overlap:
                    yield "overlap"
            if after.start < since + a.lag_min:
                yield "lag_min"
            if a.lag_max is not None and after.start > since + a.lag_max:
                yield "lag_max"

    def settled(self) -> Iterator[str]:
        for pin in self.p.pins:
            x = self.s.placed[pin.task]
            wanted = (pin.unit, pin.start, pin.end)
            if any(w not in (None, g) for w, g in zip(wanted, (self.unit(x), x.start, x.end), strict=True)):
                yield "pin"
        for unit, order in self.p.frozen:
            starts = [self.s.placed[t].start for t in order]
            mates = {id(x) for g in self.groups if {x.task for x in g} & set(order) for x in g}
            if any(self.unit(self.s.placed[t]) != unit for t in order) or starts != sorted(starts):
                yield "frozen"
            for x in self.s.placed:
                free = x.task not in self.started and id(x) not in mates
                if free and self.unit(x) == unit and order and x.start < max(starts):
                    yield "frozen"
        moved = [
            b
            for b in self.p.previous
            if b.task not in self.started
            and (
                self.unit(self.s.placed[b.task]) != b.unit
                or abs(self.s.placed[b.task].start - b.start) > self.p.moved_tolerance
            )
        ]
        if self.p.churn is not None and len(moved) > self.p.churn:
            yield "churn"

    def ends(self, arc: int) -> tuple[int, int]:
        a = self.p.arcs[arc]
        origin = a.origin if a.before == AT_HAND else self.unit(self.s.placed[a.before])
        return self.p.units[origin].station, self.p.units[self.unit(self.s.placed[a.after])].station

    def ways(self) -> Iterator[str]:
        if set(self.s.moved) != set(self.live):
            yield "move"
        for arc in set(self.live) & set(self.s.moved):
            a, m = self.p.arcs[arc], self.s.moved[arc]
            here, there = self.ends(arc)
            far = here != there
            ready = a.ready if a.before == AT_HAND else self.s.placed[a.before].end
            if m.pickup < ready or m.pickup < 0 or self.s.placed[a.after].start < m.drop:
                yield "move"
            if m.drop - m.pickup != (self.p.travel[here][there] if far else 0):
                yield "move"
            if (m.vehicle >= 0) != (far and len(self.p.vehicles) > 0):
                yield "move"
        for x in self.s.placed:
            out = [i for i in self.live if self.p.arcs[i].before == x.task]
            if x.left < x.end or (not out and x.left != x.end):
                yield "left"
            if any(i in self.s.moved and x.left > self.s.moved[i].pickup for i in out):
                yield "left"

    def carts(self) -> Iterator[str]:
        one_station = len({u.station for u in self.p.units}) < 2
        for number, cart in enumerate(() if one_station else self.p.vehicles):
            at, free = cart.station, cart.ready
            mine = [m for i, m in self.s.moved.items() if i in self.live and m.vehicle == number]
            for m in sorted(mine, key=lambda m: (m.pickup, m.drop, m.arc)):
                here, there = self.ends(m.arc)
                if m.pickup < free + self.p.empty[at][here]:
                    yield "vehicle"
                at, free = there, m.drop

    def room_out(self) -> Iterator[str]:
        for index, unit in enumerate(self.p.units):
            lots = []
            for i in set(self.live) & set(self.s.moved):
                a = self.p.arcs[i]
                if a.before == AT_HAND and a.origin == index:
                    lots.append((a.ready, self.s.moved[i].pickup, False))
                elif a.before != AT_HAND and self.unit(self.s.placed[a.before]) == index:
                    lots.append((self.s.placed[a.before].left, self.s.moved[i].pickup, True))
            yield from ["buffer_out"] * self.crowded(lots, unit.buffer_out)

    def room_in(self) -> Iterator[str]:
        for index, unit in enumerate(self.p.units):
            lots = []
            for i, a in enumerate(self.p.arcs):
                x = self.s.placed[a.after]
                if a.after in self.started or self.unit(x) != index:
                    continue
                if i in self.live and i in self.s.moved:
                    lots.append((self.s.moved[i].drop, x.start, True))
                elif a.before == AT_HAND and not a.moves and a.origin == index:
                    lots.append((a.ready, x.start, False))
            yield from ["buffer_in"] * self.crowded(lots, unit.buffer_in)

    @staticmethod
    def crowded(lots: list[tuple[int, int, bool]], places: int | None) -> bool:
        entering = [tick for tick, out, counts in lots if counts and tick < out]
        return places is not None and any(
            sum(since <= tick < until for since, until, _ in lots) > places for tick in entering
        )

    def crews(self) -> Iterator[str]:
        for number, pool in enumerate(self.p.pools):
            for tick in range(120):
                level = [amount for since, amount in pool.levels if since <= tick][-1]
                used = 0
                for group in self.groups:
                    unit = self.unit(group[0])
                    if min(x.start for x in group) <= tick < max(x.end for x in group) and self.open(
                        unit, tick
                    ):
                        used += max(
                            sum(q for k, q in self.p.tasks[x.task].modes[x.mode].demands if k == number)
                            for x in group
                        )
                if used > level:
                    yield "pool"

    def stocks(self) -> Iterator[str]:
        for number, material in enumerate(self.p.materials):
            for tick in range(120):
                level = material.stock + sum(q for t, q in material.arrivals if t <= tick)
                taking = 0
                for x in self.s.placed:
                    task = self.p.tasks[x.task]
                    level += sum(q for k, q in task.produces if k == number and x.end <= tick)
                    if x.task not in self.started:
                        taken = sum(q for k, q in task.consumes if k == number and x.start <= tick)
                        level, taking = level - taken, taking + taken
                if level < 0 and taking:
                    yield "material"
