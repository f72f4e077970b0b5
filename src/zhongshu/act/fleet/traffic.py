"""Traffic control: plans a way for every vehicle, lets it drive as far as its turn has come, and plans anew what can't go on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.plans import Car, Plans, Step
from zhongshu.act.fleet.search import Begin, Leg, Search, Stop, Way

#: A vehicle that has not come so far within so many seconds beyond what was to be expected is not counted on any more.
PATIENCE_S = 60.0
#: Who rests is asked to give way if that saves another one more than this (s).
GIVE_WAY_S = 3.0
#: Who asks one to go that asks one to go … that is enough when the ways hold so many lanes.
MOST_LANES = 60
#: Another plan is taken up for an order that ends so much sooner by it (s).
WORTH_S = 2.0
#: A vehicle gives way when the one for which it does will be there in so many seconds.
LEAD_S = 20.0


@dataclass(frozen=True, slots=True)
class Limits:
    """So many lanes ahead a vehicle may have leave to drive; more is given only when it has ``least`` or fewer left."""

    most: int = 8
    least: int = 5


class Traffic:
    """All vehicles of one road map. Pure: it is told what is measured, and when (s)."""

    def __init__(
        self, network: Network, limits: Limits | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self.network, self.plans = network, Plans(network)
        self.limits, self.patience_s = limits or Limits(), patience_s
        self.refused = 0  # plans that could not be made at the first try

    def car(self, name: str) -> Car:
        """A vehicle that was placed."""
        return self.plans.cars[name]

    # --- what is measured

    def stand(self, name: str, node: int, heading: float | None, now: float) -> None:
        """It stands at a node, with leave to go nowhere; where it came along its way, that tells on which lane."""
        car = self.plans.cars.get(name) or Car(name)
        known = [s for s in car.steps if s.granted and s.end == node]
        lanes = known[0].lanes if known else self.network.standing_on(node, heading)
        car.todo, car.is_late = (), False
        self.plans.put(car, lanes, node, now)

    def hold(self, name: str, lanes: Sequence[int], now: float) -> None:
        """After a restart: it may drive on over these lanes from the end of the lane it stands on."""
        car, before = self.car(name), self.car(name).steps[-1]
        from_t = max(before.ready, now)
        for number in lanes:
            lane, last = self.network.lanes[number], car.steps[-1]
            step = Step(
                car,
                last.number + 1,
                (number,),
                lane.start,
                lane.end,
                lane.seconds,
                lane.crossing_s,
                from_t,
                granted=True,
            )
            step.arrive = step.ready = from_t = from_t + lane.seconds
            car.steps.append(step)
            for place in (number, self.network.crossing(lane.start)):
                self.plans.visits[place].insert(0, step)
            car.granted = step.number
        self._expect(car, now)

    def reached(self, name: str, number: int, now: float) -> None:
        """It stands at, or has passed, the end of that step."""
        car = self.car(name)
        step = next((s for s in car.steps if s.number == number), None)
        if step is None or step.reached or not step.granted:
            return
        self.plans.release(car, number)
        step.reached, step.arrive, step.ready = True, now, now + step.dwell_s
        self._moved(car, now)

    def cleared(self, name: str, number: int, now: float) -> None:
        """It has left the crossing at the begin of that step."""
        car = self.car(name)
        if car.here.number < number <= car.granted:
            self.plans.release(car, number)
            self._moved(car, now)

    def away(self, name: str, away: bool) -> None:
        """Whether it may be commanded, and is heard of."""
        self.car(name).is_away = away

    def made(self, name: str, now: float) -> None:
        """Its stop here is made, sooner or later than was to be expected."""
        car = self.car(name)
        if car.here.reached and car.here.stops:
            car.here.arrive, car.here.stops = now, ()
            self._moved(car, now)

    def done(self, name: str, now: float) -> None:
        """Its order has ended where it stands: whatever it may still do there takes no more time."""
        car = self.car(name)
        car.has_order, car.todo = False, ()
        car.here.stops = ()
        self._moved(car, now)

    # --- plans

    def send(self, name: str, stops: Sequence[Stop], now: float) -> bool:
        """Plan a way over these stops from where its leave ends; False where there is none yet, and nothing is changed."""
        car = self.car(name)
        self.plans.forecast(now)
        way = self._best_way(car, stops, now)
        if way is None:
            self.refused += 1
            return False
        car.todo, car.has_order = tuple(stops), True
        self._take(car, way)
        return True

    def give_up(self, name: str) -> None:
        """Nobody needs what was planned beyond its leave."""
        car = self.car(name)
        self.plans.drop(car)
        car.todo, car.has_order = (), False

    def look(self, now: float, order: Sequence[str] = ()) -> list[str]:
        """Once in a while: who stands too long is not counted on; who waits for such a one gets another plan. ``order``: who is
        planned first. Returns whose plan is another one now."""
        cars = self.plans.cars
        for car in cars.values():
            if now > car.due + self.patience_s:
                car.is_late = True
            if not car.has_order and car.ahead and not self._others_after(car):
                self.plans.drop(car)
        self.plans.forecast(now)
        stopped = {c.name for c in cars.values() if c.ahead and (c.is_stuck or self._waits_in_vain(c))}
        for name in stopped:
            self.plans.drop(cars[name])
        rank = {name: i for i, name in enumerate(order)}
        unplanned = [c for c in cars.values() if not c.is_stuck and not c.ahead and self._wants_way(c)]
        unplanned.sort(key=lambda c: (not c.has_order, rank.get(c.name, len(rank)), c.name))
        changed = stopped
        for car in unplanned:
            self.plans.forecast(now)
            way = self._best_way(car, car.todo, now)
            if way is not None:
                self._take(car, way)
                changed.add(car.name)
        return sorted(changed)

    def improve(self, now: float) -> int:
        """Once in a while: who would be there sooner another way, or before somebody who is late, gets another plan. Returns
        how many did."""
        found = 0
        self.plans.forecast(now)
        for car in sorted(self.plans.cars.values(), key=lambda c: c.name):
            last = next((s for s in reversed(car.ahead) if s.stops), None)
            if last is None or car.is_stuck:
                continue
            if last.ready - self._least(car, car.todo) < WORTH_S:
                continue
            way = self._best_way(car, car.todo, now)
            if way is not None and last.ready - way.done >= WORTH_S:
                self._take(car, way)
                self.plans.forecast(now)
                found += 1
        return found

    def must_go(self, name: str, now: float) -> bool:
        """An idle vehicle has to go on to where it may rest, since another one comes here, or after it on its way there."""
        car = self.car(name)
        if not car.ahead or car.has_order:
            return False
        for other in self._others_after(car):
            before = self.plans.before(other)
            if before is None or before.ready < now + LEAD_S:
                return True
        return False

    def _others_after(self, car: Car) -> list[Step]:
        """Who comes where it stands or will go."""
        return [other for step in (car.base, *car.ahead) for other in self.plans.behind(step)]

    def _waits_in_vain(self, car: Car) -> bool:
        return any(self.plans.never(step) for step in car.ahead)

    def _wants_way(self, car: Car) -> bool:
        """It has stops to make, or stands where others are planned to come."""
        return bool(car.todo) or any(True for _ in self.plans.behind(car.steps[-1]))

    def _best_way(self, car: Car, stops: Sequence[Stop], now: float) -> Way | None:
        """Past everybody who rests; or, where it is shorter, through where others rest, who then go on to another place."""
        hard = self._way(car, stops)
        if not stops or (hard is not None and hard.done - self._least(car, stops) < GIVE_WAY_S):
            return hard
        soft = self._way(car, stops, rests=False)
        if soft is None or (hard is not None and hard.done - soft.done < GIVE_WAY_S):
            return hard
        way = self._way(car, stops) if self._make_room(car, soft, (), now) else hard
        return way or self._through(car, soft)

    def _through(self, car: Car, soft: Way) -> Way | None:
        """Where there is no room beside a way: it is entered, and whoever rests on it goes before, to wherever it can; also
        behind the one for whom it goes. None where somebody can't, and nothing is changed for the one who asks."""
        old = [Leg(s.lanes[0], s.start, s.stops, s.tail) for s in car.ahead]
        lanes = {leg.lane: at for at, leg in enumerate(soft.legs)}
        there = [c for c in self._resting(car) if lanes.keys() & set(c.steps[-1].lanes)]
        self.plans.drop(car)
        self.plans.append(car, soft.legs)
        for other in sorted(there, key=lambda c: -max(lanes.get(i, -1) for i in c.steps[-1].lanes)):
            last = other.steps[-1]
            until = min((s.start for s in self.plans.behind(last)), default=math.inf)
            search = self._search(other, (), {*last.lanes, -1}, park=True)
            way = search.run(Begin(last.end, last.ready, until))
            if way is None:
                soft = Way((), tuple(old), math.inf)
                break
            self.plans.append(other, way.legs)
        self.plans.drop(car)
        self.plans.append(car, old)
        return soft if soft.done < math.inf else None

    def _make_room(self, car: Car, soft: Way, before: Collection[int], now: float) -> bool:
        """Whoever rests on that way is to go elsewhere from there; who can't, because another one rests in its way, asks
        that one first. True if anybody goes. ``before``: lanes of those who ask."""
        lanes = {*before, *(leg.lane for leg in soft.legs)}
        there = [c for c in self._resting(car) if lanes & set(c.steps[-1].lanes)]
        moved = [c for c in there if self._move_on(c, lanes, now)]
        while moved and len(moved) < len(there):
            more = [c for c in there if c not in moved and self._move_on(c, lanes, now)]
            if not more:
                break
            moved += more
        if len(moved) == len(there) or len(before) > MOST_LANES:
            return bool(moved)
        for other in (c for c in there if c not in moved):
            last = other.steps[-1]
            onward = self._search(other, (), {*lanes, *last.lanes, -1}, rests=False)
            way = onward.run(Begin(last.end, last.ready, math.inf))
            if way is not None and self._make_room(other, way, lanes, now):
                moved += [other] if self._move_on(other, lanes, now) else []
        return bool(moved)

    def _resting(self, car: Car) -> list[Car]:
        """Others whose plan ends somewhere, and who may be asked to go on from there."""
        return [c for c in self.plans.cars.values() if c is not car and not c.is_stuck and c.is_planned]

    def _move_on(self, car: Car, lanes: Collection[int], now: float) -> bool:
        """Plan for somebody to go on from where its plan ends to a place that is on none of these lanes."""
        last = car.steps[-1]
        begin, no_rest = Begin(last.end, last.ready, math.inf), {*lanes, *last.lanes, -1}
        way = self._search(car, (), no_rest).run(begin) or self._search(car, (), no_rest, park=True).run(
            begin
        )
        if way is None:
            return False
        self.plans.append(car, way.legs)
        self.plans.forecast(now)
        return True

    def _way(self, car: Car, stops: Sequence[Stop], *, rests: bool = True) -> Way | None:
        return self._search(car, stops, rests=rests).run(self._begin(car))

    def _least(self, car: Car, stops: Sequence[Stop]) -> float:
        return self._search(car, stops).least(self._begin(car))

    def _search(
        self,
        car: Car,
        stops: Sequence[Stop],
        no_rest: Collection[int] = (),
        *,
        rests: bool = True,
        park: bool = False,
    ) -> Search:
        """``no_rest``: lanes on which the way must not end; nor does it at a charger where nothing is to be done, unless
        it may ``park`` there."""
        known: dict[int, list[tuple[float, float]]] = {}
        goal = stops[-1].node if stops else -1
        chargers = frozenset() if park else self.network.chargers - {goal}
        no_rest = {*no_rest, *(i for node in chargers for i in self.network.into[node])}

        def free(place: int) -> list[tuple[float, float]]:
            if place not in known:
                known[place] = self.plans.free(place, car, rests=rests)
            return known[place]

        return Search(self.network, free, stops, no_rest)

    def _begin(self, car: Car) -> Begin:
        base = car.base
        until = min((other.start for other in self.plans.behind(base)), default=math.inf)
        return Begin(base.end, base.ready, until)

    def _take(self, car: Car, way: Way) -> None:
        self.plans.drop(car)
        if way.here:
            base = car.base
            if base.reached:
                base.arrive, base.stops = base.ready, ()
            base.stops += way.here
            base.ready += sum(stop.dwell_s for stop in way.here)
            car.todo, car.stops_here = car.todo[len(way.here) :], True
        self.plans.append(car, way.legs)

    # --- leave to drive

    def grant(self, name: str, *, tail: bool = False) -> bool:
        """Give leave for as many lanes as its turn has come for, within the limits; True if that or a stop is new.

        ``tail``: also beyond the last stop. No node twice within a leave, so that a last node tells how far a vehicle is.
        """
        car = self.car(name)
        if not self.may_grant(name):
            return False
        left = [s for s in car.steps if s.granted and not s.reached]
        last = car.here.end if car.here.reached else car.here.node
        nodes = {last, *(s.end for s in left)}
        given = 0
        for step in itertools.islice(car.ahead, max(0, self.limits.most - len(left))):
            if (step.tail and not tail) or step.end in nodes or not self.plans.is_next(step):
                break
            nodes.add(step.end)
            step.granted, given = True, given + 1
            car.granted = step.number
            car.todo = car.todo[len(step.stops) :]
        is_new, car.stops_here = given > 0 or car.stops_here, False
        return is_new

    def may_grant(self, name: str) -> bool:
        """Whether it has so little leave left that it may get more."""
        car = self.car(name)
        if car.is_stuck:
            return False
        return car.stops_here or sum(s.granted and not s.reached for s in car.steps) <= self.limits.least

    def granted(self, name: str, now: float) -> None:
        """The leave is with the vehicle, which has its time to use it from now on."""
        self._expect(self.car(name), now)

    def _moved(self, car: Car, now: float) -> None:
        car.is_late = False
        self._expect(car, now)

    def _expect(self, car: Car, now: float) -> None:
        """When it should be further than it is; never if it waits for leave."""
        onward = next((s for s in car.steps if s.granted and not s.reached), None)
        dwell_s = car.here.dwell_s if car.here.reached else 0.0
        if onward is not None:
            car.due = now + dwell_s + onward.drive_s + onward.dwell_s
        else:
            car.due = now + dwell_s if dwell_s else math.inf
