"""Traffic control: plans a way for every vehicle, lets it drive as far as its turn has come, and plans anew what can't go on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.plans import Car, Plans, Step
from zhongshu.act.fleet.search import Stop
from zhongshu.act.fleet.ways import Ways

#: A vehicle that has not come so far within so many seconds beyond what was to be expected is not counted on any more.
PATIENCE_S = 60.0
#: Another plan is taken up for an order that ends so much sooner by it (s).
WORTH_S = 2.0
#: A vehicle gives way when the one for which it does will be there in so many seconds.
LEAD_S = 20.0
#: Where even together there was no way, that is tried again after so long (s).
AGAIN_S = 10.0
#: Who has got no way for so long (s) gets it at others' cost.
INSIST_S = 30.0


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
        self._ways = Ways(network, self.plans)
        self.limits, self.patience_s = limits or Limits(), patience_s
        self._together_at = -math.inf
        self._insists_at: dict[str, float] = {}  # by vehicle that has got no way
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
        car.todo = tuple(stops)
        if not self._ways.plan(car, now) and not self._at_last(car, now):
            car.todo = ()
            self.refused += 1
            return False
        self._insists_at.pop(name, None)
        car.has_order = True
        return True

    def _at_last(self, car: Car, now: float) -> bool:
        """Who has asked in vain for long gets a way together with all who are in it, at whatever cost to them."""
        at = self._insists_at.setdefault(car.name, now + INSIST_S)
        if now < at:
            return False
        saved = self.plans.save()
        self.plans.drop(car)
        if self._ways.together([car], now):
            return True
        self.plans.restore(saved)
        self._insists_at[car.name] = now + AGAIN_S
        return False

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
        stopped = [c for c in cars.values() if c.ahead and (c.is_stuck or self._waits_in_vain(c))]
        stopped += [c for c in self.plans.circle() if c not in stopped]
        for car in stopped:
            self.plans.drop(car)
        for car in cars.values():
            if not car.is_planned and car.ahead and car.ahead[0].tail:
                self.plans.drop(car)  # it is out of the way now
        rank = {name: i for i, name in enumerate(order)}
        unplanned = [c for c in cars.values() if not c.is_stuck and self._wants_way(c)]
        unplanned.sort(key=lambda c: (not c.has_order, rank.get(c.name, len(rank)), c.name))
        return sorted({c.name for c in (*stopped, *self._planned(unplanned, now))})

    def _planned(self, cars: Sequence[Car], now: float) -> list[Car]:
        """Those of them that have a plan now: each on its own if it can, else together with those in its way, else all at once."""
        left = []
        for car in cars:
            self.plans.forecast(now)
            if not self._ways.plan(car, now):
                left.append(car)
        if left and now >= self._together_at:
            left = [c for c in left if not c.ahead and not self._ways.together([c], now)]
            left = [c for c in left if not c.ahead and self._ways.is_hopeful(c)]
            if len(left) > 1 and self._ways.together(left, now):
                left = []
            if left:
                self._together_at = now + AGAIN_S
        return [c for c in cars if c.ahead]

    def improve(self, now: float) -> int:
        """Once in a while: who would be there sooner another way, or before somebody who is late, gets another plan. Returns
        how many did."""
        found = 0
        self.plans.forecast(now)
        for car in sorted(self.plans.cars.values(), key=lambda c: c.name):
            last = next((s for s in reversed(car.ahead) if s.stops), None)
            if last is None or car.is_stuck:
                continue
            if last.ready - self._ways.least(car) < WORTH_S:
                continue
            if self._ways.plan(car, now, before=last.ready - WORTH_S):
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
        """It has stops to make that are not planned, or stands where others are planned to come."""
        if car.ahead:
            return not car.is_planned
        return bool(car.todo) or any(True for _ in self.plans.behind(car.steps[-1]))

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
