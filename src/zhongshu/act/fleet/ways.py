"""Ways past others and through where they rest: who is in the way goes on, and those who block one another are planned together."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.plans import Car, Plans
from zhongshu.act.fleet.search import Begin, Search, Stop, Way

#: Who rests is asked to give way if that saves another one more than this (s).
GIVE_WAY_S = 3.0
#: So long somebody who gives way takes to be gone (s); where those in the way must wait for one another, longer.
GO_S = 3.0
LATER_S = (GO_S, 15.0, 60.0)
#: So many orders are tried in which vehicles that block one another get their ways.
MOST_ORDERS = 24
#: So many choices are tried of where those may rest who go out of the way.
MOST_SHY = 12
#: Who asks one to go that asks one to go … that is enough when the ways hold so many lanes.
MOST_LANES = 60
#: After how many seconds a vehicle that rests would be off its lane; infinite if it stays.
Gone = Callable[[Car], float]


def stays(_car: Car) -> float:
    """Who rests may not be asked for anything."""
    return math.inf


def makes_room(car: Car) -> float:
    """Who rests and has nothing left to do but what is planned goes when it is asked."""
    return GO_S if car.is_planned and not car.is_stuck else math.inf


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to plan several together: those in the way are gone ``gone_s`` after they could leave; ``aside``: who has something
    to do goes out of the way of the others first, who else could not leave; ``no_rest``: nobody rests on these lanes.
    ``only_idle``: who has something else to do is not asked."""

    gone_s: float
    aside: bool = False
    no_rest: frozenset[int] = frozenset()
    only_idle: bool = False

    def gone(self, car: Car) -> float:
        """When it would be off its lane."""
        if car.is_stuck or (self.only_idle and not car.is_planned):
            return math.inf
        return self.gone_s


class Ways:
    """Finds ways in the plans of all. What it changes in them is right whether or not the way that was asked for is taken."""

    def __init__(self, network: Network, plans: Plans) -> None:
        self._network, self._plans = network, plans

    def plan(self, car: Car, now: float, before: float = math.inf) -> bool:
        """A way over all it has to do, past everybody who rests; or, where it is shorter, through where others rest, who then go
        on to another place. False, and it keeps the plan it has, where it would not be done ``before`` (s)."""
        way = self._past(car, now)
        if way is not None and way.done < before:
            self.take(car, way)
            return True
        return way is None and before == math.inf and self._through(car, now)

    def _past(self, car: Car, now: float) -> Way | None:
        """Past who rests; others may have got plans to rest elsewhere, which harm nobody if the way is not taken."""
        hard = self._way(car, stays)
        if not car.todo or (hard is not None and hard.done - self.least(car) < GIVE_WAY_S):
            return hard
        soft = self._way(car, makes_room)
        if soft is None or (hard is not None and hard.done - soft.done < GIVE_WAY_S):
            return hard
        return self._way(car, stays) if self._make_room(car, soft, (), now) else hard

    def _through(self, car: Car, now: float) -> bool:
        """Where there is no room beside a way: it is entered, and whoever rests on it goes before, to wherever it can; also
        behind the one for whom it goes."""
        saved = self._plans.save()
        self._plans.drop(car)
        if self._in_order([car], Attempt(GO_S, only_idle=True)):
            self._plans.forecast(now)
            return True
        self._plans.restore(saved)
        self._plans.forecast(now)
        return False

    def least(self, car: Car) -> float:
        """When all that it has to do would be done if nobody else were there (s)."""
        return self._search(car, car.todo, stays).least(self._begin(car))

    def take(self, car: Car, way: Way) -> None:
        """That is its plan now."""
        self._plans.drop(car)
        if way.here:
            base = car.base
            if base.reached:
                base.arrive, base.stops = base.ready, ()
            base.stops += way.here
            base.ready += sum(stop.dwell_s for stop in way.here)
            car.todo, car.stops_here = car.todo[len(way.here) :], True
        self._plans.append(car, way.legs)

    def together(self, cars: Sequence[Car], now: float) -> bool:
        """Vehicles of which none may have a way while the others stand get theirs at once, one after the other, and whoever rests
        in their way goes before them. All of them or none: then nothing is changed."""
        self._plans.forecast(now)
        if not all(self.is_hopeful(car) for car in cars):
            return False
        for attempt, order in zip(self._attempts(), itertools.cycle(_orders(cars)), strict=False):
            saved = self._plans.save()
            if self._in_order(order, attempt):
                self._plans.forecast(now)
                return True
            self._plans.restore(saved)
            self._plans.forecast(now)
        return False

    def is_hopeful(self, car: Car) -> bool:
        """It would have a way if everybody went who can."""
        return self._way(car, Attempt(GO_S).gone) is not None

    def _attempts(self) -> Iterator[Attempt]:
        """First what costs least; then who goes rests elsewhere than it would by itself, by chance."""
        lanes, draw = range(len(self._network.lanes)), random.Random(0)
        for shy in range(MOST_SHY):
            no_rest = (
                frozenset(draw.sample(lanes, len(lanes) * draw.randint(1, 3) // 5))
                if shy
                else frozenset[int]()
            )
            for gone_s, aside in itertools.product(LATER_S, (False, True)):
                yield Attempt(gone_s, aside, no_rest)

    def _in_order(self, order: Sequence[Car], attempt: Attempt) -> bool:
        """Each way may lead through where one stands whose turn is still to come, if it is gone by then."""
        queue, planned = list(order), set[str]()

        def free(car: Car) -> float:
            return math.inf if car.name in planned else attempt.gone(car)

        while queue:
            car = queue.pop(0)
            stops = () if car.ahead else car.todo
            if attempt.aside and stops and not self._go_aside(car, free, attempt):
                return False
            if not self._add(car, stops, free, attempt) and (
                car is order[0] or not stops or not self._go_aside(car, free, attempt)
            ):
                return False
            planned.add(car.name)
            queue += self._asked(planned | {c.name for c in queue})
        return True

    def _go_aside(self, car: Car, gone: Gone, attempt: Attempt) -> bool:
        """Out of the way of others; what it has to do is planned when it is there."""
        if car.ahead:
            return True
        way = self._search(car, (), gone, {*attempt.no_rest, *car.base.lanes, -1}).run(self._begin_after(car))
        if way is not None:
            self._plans.append(car, [replace(leg, tail=False) for leg in way.legs])
        return way is not None

    def _add(self, car: Car, stops: Sequence[Stop], gone: Gone, attempt: Attempt) -> bool:
        """A way over these stops from where its plan ends; without stops, to where it may rest."""
        begin = self._begin_after(car)
        no_rest = () if stops else attempt.no_rest
        way = self._search(car, stops, gone, no_rest).run(begin)
        if way is None and not stops:
            way = self._search(car, stops, gone, no_rest, park=True).run(begin)
        if way is None or (way.here and car.ahead):
            return False
        if car.ahead:
            self._plans.append(car, way.legs)
        else:
            self.take(car, way)
        return True

    def _asked(self, known: Collection[str]) -> list[Car]:
        """Whose plan ends where others come now, who have not been asked yet; the last one to be passed first."""
        comes = {
            car.name: min((s.start for s in self._plans.behind(car.steps[-1])), default=math.inf)
            for car in self._plans.cars.values()
            if car.name not in known and not car.is_stuck
        }
        found = [self._plans.cars[name] for name, start in comes.items() if start < math.inf]
        return sorted(found, key=lambda car: -comes[car.name])

    # --- those who rest

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
            onward = self._search(other, (), makes_room, {*lanes, *other.steps[-1].lanes, -1})
            way = onward.run(self._after(other))
            if way is not None and self._make_room(other, way, lanes, now):
                moved += [other] if self._move_on(other, lanes, now) else []
        return bool(moved)

    def _resting(self, car: Car) -> list[Car]:
        """Others whose plan ends somewhere, and who may be asked to go on from there."""
        return [c for c in self._plans.cars.values() if c is not car and makes_room(c) < math.inf]

    def _move_on(self, car: Car, lanes: Collection[int], now: float) -> bool:
        """Plan for somebody to go on from where its plan ends to a place that is on none of these lanes."""
        no_rest = {*lanes, *car.steps[-1].lanes, -1}
        for park in (False, True):
            way = self._search(car, (), stays, no_rest, park=park).run(self._after(car))
            if way is not None:
                self._plans.append(car, way.legs)
                self._plans.forecast(now)
                return True
        return False

    @staticmethod
    def _after(car: Car) -> Begin:
        """From where a plan ends whose vehicle others wait for, however long."""
        return Begin(car.steps[-1].end, car.steps[-1].ready, math.inf)

    # --- searches

    def _way(self, car: Car, gone: Gone) -> Way | None:
        return self._search(car, car.todo, gone).run(self._begin(car))

    def _search(
        self,
        car: Car,
        stops: Sequence[Stop],
        gone: Gone,
        no_rest: Collection[int] = (),
        *,
        park: bool = False,
    ) -> Search:
        """``no_rest``: lanes on which the way must not end; nor does it at a charger where nothing is to be done, unless
        it may ``park`` there."""
        known: dict[int, list[tuple[float, float]]] = {}
        goal = stops[-1].node if stops else -1
        chargers = frozenset() if park else self._network.chargers - {goal}
        no_rest = {*no_rest, *(i for node in chargers for i in self._network.into[node])}

        def free(place: int) -> list[tuple[float, float]]:
            if place not in known:
                known[place] = self._plans.free(place, car, gone)
            return known[place]

        return Search(self._network, free, stops, no_rest)

    def _begin(self, car: Car) -> Begin:
        """From where its leave ends."""
        return self._from(car, granted=True)

    def _begin_after(self, car: Car) -> Begin:
        """From where its plan ends."""
        return self._from(car, granted=False)

    def _from(self, car: Car, *, granted: bool) -> Begin:
        step = car.base if granted else car.steps[-1]
        until = min((other.start for other in self._plans.behind(step)), default=math.inf)
        return Begin(step.end, step.ready, until)


def _orders(cars: Sequence[Car]) -> list[Sequence[Car]]:
    """All orders of a few, a sample of the orders of many, as they are given first."""
    draw = random.Random(len(cars))
    if math.factorial(min(len(cars), 9)) <= MOST_ORDERS:
        return list(itertools.permutations(cars))
    return [tuple(cars), *(draw.sample(list(cars), len(cars)) for _ in range(MOST_ORDERS - 1))]
