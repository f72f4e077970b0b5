"""Everybody's plans: who passes each lane and crossing in which order, and when that will be by what is measured now."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from zhongshu.act.fleet.network import Network
from zhongshu.act.fleet.search import Leg, Stop

#: Seconds ahead of now at which is forecast what waits for somebody who has no plan to leave.
FAR = 1e6


@dataclass(slots=True, eq=False)
class Step:
    """One visit of a lane, entered over the crossing ``node``; a vehicle of unknown lane is on all of ``lanes`` (node -1).

    ``start``, ``arrive`` and ``ready`` (to leave) are forecasts in s; ``number`` counts the steps of a vehicle.
    """

    car: Car
    number: int
    lanes: tuple[int, ...]
    node: int
    end: int
    drive_s: float
    crossing_s: float
    start: float
    stops: tuple[Stop, ...] = ()
    tail: bool = False
    arrive: float = 0.0
    ready: float = 0.0
    granted: bool = False
    reached: bool = False
    places: tuple[int, ...] = ()  # its lanes and its crossing, once they were asked for

    @property
    def dwell_s(self) -> float:
        """How long it stands at the end of the lane for its stops."""
        return sum(stop.dwell_s for stop in self.stops) if self.stops else 0.0


@dataclass(slots=True, eq=False)
class Car:
    """A vehicle: ``steps`` from the lane it is on, ahead; those up to ``granted`` (a number) it may drive.

    ``todo``: stops beyond what is granted. ``has_order``: it is on its way for somebody, or wants to be. ``is_late``: it
    should long have moved; ``is_away``: nobody may command it, or it is not heard of. ``stops_here``: it is to stop where its leave ends, and has not been told.
    """

    name: str
    steps: list[Step] = field(default_factory=list)
    granted: int = 0
    todo: tuple[Stop, ...] = ()
    has_order: bool = False
    is_late: bool = False
    is_away: bool = False
    stops_here: bool = False
    due: float = math.inf

    @property
    def here(self) -> Step:
        """The lane it is on."""
        return self.steps[0]

    @property
    def base(self) -> Step:
        """The last step it may drive."""
        return self.steps[self.granted - self.steps[0].number]

    @property
    def is_stuck(self) -> bool:
        """Nobody counts on it."""
        return self.is_late or self.is_away

    @property
    def is_planned(self) -> bool:
        """All its stops are in its plan; those of a vehicle that only goes out of the way of others are not."""
        return not self.todo or any(step.stops for step in self.ahead)

    @property
    def ahead(self) -> list[Step]:
        """Planned, not granted."""
        return self.steps[self.granted - self.steps[0].number + 1 :]


@dataclass(frozen=True, slots=True)
class Saved:
    """Of each vehicle steps, ``todo``, ``stops_here``, and stops and arrival at the end of its leave; the visits by place."""

    cars: list[tuple[Car, tuple[Step, ...], tuple[Stop, ...], bool, tuple[Stop, ...], float]]
    visits: list[tuple[Step, ...]]


class Plans:
    """The order of visits at every place. Every later visit waits for the earlier ones, so it must stay without circles:
    visits enter in the order of forecast times, and a forecast keeps to the order."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.cars: dict[str, Car] = {}
        self.visits: list[list[Step]] = [[] for _ in range(network.places)]
        self._never = math.inf

    def put(self, car: Car, lanes: tuple[int, ...], end: int, now: float) -> None:
        """It stands at the end of a lane (or of one of these), whatever was known of it before."""
        number = car.steps[0].number if car.steps else 0
        for step in car.steps:
            self._leave(step)
        step = Step(car, number, lanes, -1, end, 0.0, 0.0, -math.inf, arrive=now, ready=now)
        step.granted = step.reached = True
        car.steps, car.granted, car.due = [step], number, math.inf
        for place in lanes:
            self.visits[place].insert(0, step)
        self.cars[car.name] = car

    def remove(self, name: str) -> None:
        """It is not on the roads any more."""
        for step in self.cars.pop(name).steps:
            self._leave(step)

    def append(self, car: Car, legs: Collection[Leg]) -> None:
        """Plan these legs after what is granted; each visit stands behind those that begin before it."""
        for leg in legs:
            lane, before = self.network.lanes[leg.lane], car.steps[-1]
            step = Step(
                car,
                before.number + 1,
                (leg.lane,),
                lane.start,
                lane.end,
                lane.seconds,
                lane.crossing_s,
                leg.start,
                leg.stops,
                leg.tail,
            )
            step.arrive = leg.start + lane.seconds
            step.ready = step.arrive + step.dwell_s
            car.steps.append(step)
            for place in self._places(step):
                queue = self.visits[place]
                at = next((i for i, other in enumerate(queue) if _after(other, step)), len(queue))
                queue.insert(at, step)

    def save(self) -> Saved:
        """All plans as they stand, for ``restore``."""
        cars = [
            (car, tuple(car.steps), car.todo, car.stops_here, car.base.stops, car.base.arrive)
            for car in self.cars.values()
        ]
        return Saved(cars, [tuple(queue) for queue in self.visits])

    def restore(self, saved: Saved) -> None:
        """As they were, provided that nobody has been granted anything since; forecast them again."""
        for car, steps, todo, stops_here, stops, arrive in saved.cars:
            car.steps, car.todo, car.stops_here = list(steps), todo, stops_here
            car.base.stops, car.base.arrive = stops, arrive
        self.visits = [list(queue) for queue in saved.visits]

    def drop(self, car: Car) -> list[Step]:
        """Forget what is planned beyond the granted steps."""
        gone = car.ahead
        for step in gone:
            self._leave(step)
        del car.steps[len(car.steps) - len(gone) :]
        return gone

    def release(self, car: Car, number: int) -> None:
        """It has left every lane before that step, and the crossings up to it."""
        while car.steps[0].number < number:
            self._leave(car.steps.pop(0))
        step = car.steps[0]
        if step.node >= 0 and step in self.visits[self.network.crossing(step.node)]:
            self.visits[self.network.crossing(step.node)].remove(step)

    def is_next(self, step: Step) -> bool:
        """Everybody who passes its places before it has left them."""
        return all(self.visits[place][0] is step for place in self._places(step))

    def behind(self, step: Step) -> Iterator[Step]:
        """The visits of others that are next in turn where a vehicle is, or will be."""
        for place in step.lanes if step.reached else self._places(step):
            queue = self.visits[place]
            if step in queue:  # not in the crossing any more
                yield from [s for s in queue[queue.index(step) + 1 :] if s.car is not step.car][:1]

    def never(self, step: Step) -> bool:
        """It waits for somebody who has no plan to leave."""
        return step.start > self._never

    def circle(self) -> list[Car]:
        """Vehicles of which each waits for the next one, and the last for the first; empty as long as plans are right."""
        seen: dict[int, bool] = {}  # by id of a step: True while it is on the path

        for car in self.cars.values():
            for step in car.ahead:
                if id(step) not in seen and (found := self._circle(step, seen)):
                    return found
        return []

    def _circle(self, first: Step, seen: dict[int, bool]) -> list[Car]:
        path, todo = [first], [self._waits_for(first)]
        seen[id(first)] = True
        while path:
            onward = next(todo[-1], None)
            if onward is None:
                seen[id(path.pop())] = False
                todo.pop()
            elif seen.get(id(onward)):
                circle = path[next(i for i, step in enumerate(path) if step is onward) :]
                return list({step.car.name: step.car for step in circle}.values())
            elif id(onward) not in seen:
                seen[id(onward)] = True
                path.append(onward)
                todo.append(self._waits_for(onward))
        return []

    def _waits_for(self, step: Step) -> Iterator[Step]:
        """Steps that must have begun before this one can, as far as they are planned and not granted."""
        before = self.before(step)
        if before is not None and not before.granted:
            yield before
        for place in self._places(step):
            for other in itertools.takewhile(lambda o: o is not step, self.visits[place]):
                on_lane = place < len(self.network.lanes)
                left = self.after(other) if on_lane else other
                if other.car is not step.car and left is not None and not left.granted:
                    yield left

    def after(self, step: Step) -> Step | None:
        """The step of the same vehicle behind it."""
        at = step.number - step.car.steps[0].number + 1
        return step.car.steps[at] if at < len(step.car.steps) else None

    def before(self, step: Step) -> Step | None:
        """The step of the same vehicle before it."""
        at = step.number - step.car.steps[0].number - 1
        return step.car.steps[at] if at >= 0 else None

    def forecast(self, now: float) -> None:
        """When everything will be, if everybody drives as fast as the lanes allow from where he is measured to be."""
        self._never = now + FAR / 2
        steps = [step for car in self.cars.values() for step in car.steps]
        steps.sort(key=lambda step: (step.start, step.number))
        free_at = [0.0] * self.network.places
        for step in steps:
            self._forecast(step, now, free_at)

    def _forecast(self, step: Step, now: float, free_at: list[float]) -> None:
        """The innermost of a fleet's work: every step of every vehicle, whenever anybody is planned; written for speed."""
        car, far = step.car, now + FAR
        before = car.steps[step.number - car.steps[0].number - 1] if step is not car.steps[0] else None
        dwell_s = step.dwell_s if step.stops else 0.0
        if step.reached:
            step.ready = max(step.arrive + dwell_s, now)
        else:
            if before is not None:
                step.start = before.ready if step.granted else self._turn(step, before, now, free_at)
            step.arrive = max(step.start + step.drive_s, now)
            step.ready = step.arrive + dwell_s
        if before is None:
            if car.is_stuck:
                step.ready = far
        else:
            left, crossing = step.start + step.crossing_s, self.network.crossing(step.node)
            if left > free_at[crossing]:
                free_at[crossing] = left
            for place in before.lanes:
                if left > free_at[place]:
                    free_at[place] = left
        left = far if step is car.steps[-1] else step.ready
        for place in step.lanes:
            if left > free_at[place]:
                free_at[place] = left

    def _turn(self, step: Step, before: Step, now: float, free_at: list[float]) -> float:
        """When it is there and everybody before it has left."""
        start = max(before.ready, now)
        for place in step.places or self._places(step):
            if free_at[place] > start:
                start = free_at[place]
        return start

    def free(self, place: int, me: Car, gone: Callable[[Car], float]) -> list[tuple[float, float]]:
        """When nobody else is at a place (s), by the forecast. What others are granted counts from ever; of one's own nothing
        does, since it is behind one. ``gone``: how long after it could leave a vehicle is off the place where its plan ends."""
        is_lane = place < len(self.network.lanes)
        found, t = [], -math.inf
        for step in self.visits[place]:
            if step.car is me:
                continue
            begin = -math.inf if step.granted else step.start
            if begin > t:
                found.append((t, begin))
            t = max(t, self._left(step, gone) if is_lane else step.start + step.crossing_s)
        if t < math.inf:
            found.append((t, math.inf))
        return found

    def _left(self, step: Step, gone: Callable[[Car], float]) -> float:
        """When a vehicle is off the lane of a step; never if it has no plan to go on."""
        car, onward = step.car, self.after(step)
        if onward is not None:
            left = onward.start + onward.crossing_s
            return left if left < self._never else math.inf
        return math.inf if step.ready > self._never else step.ready + gone(car)

    def _places(self, step: Step) -> tuple[int, ...]:
        if not step.places:
            step.places = step.lanes if step.node < 0 else (*step.lanes, self.network.crossing(step.node))
        return step.places

    def _leave(self, step: Step) -> None:
        for place in self._places(step):
            if step in self.visits[place]:
                self.visits[place].remove(step)


def _after(other: Step, step: Step) -> bool:
    return not other.granted and other.start > step.start
