"""The earliest way through what others have planned: safe-interval path planning (Phillips & Likhachev, ICRA 2011) over lanes."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from zhongshu.act.fleet.network import Network

#: A search that has looked at so many labels gives up; the kitchen's need a few hundred.
LABELS_MAX = 20_000
#: A second on the way to a place to rest counts as this much of one on the way to a stop.
REST_WEIGHT = 0.2
#: Times in s, ascending, in which nobody else is at a place; the last one may have no end.
Free = Callable[[int], Sequence[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Stop:
    """Stand at a node for so long (s); ``name`` tells one stop of an order from another."""

    node: int
    dwell_s: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """From the end of a lane into ``node``: not before ``ready``, and off that lane by ``until`` (s)."""

    node: int
    ready: float
    until: float


@dataclass(frozen=True, slots=True)
class Leg:
    """Enter ``lane`` at ``start``, and make these stops at its end; ``tail`` beyond the last stop."""

    lane: int
    start: float
    stops: tuple[Stop, ...]
    tail: bool


@dataclass(frozen=True, slots=True)
class Way:
    """Stops made before driving off, the legs, and when the last stop is done (s)."""

    here: tuple[Stop, ...]
    legs: tuple[Leg, ...]
    done: float


@dataclass(slots=True)
class _Label:
    phase: int
    lane: int
    until: float
    t: float
    done: float
    start: float
    before: _Label | None


class Search:
    """One search for one vehicle."""

    def __init__(self, network: Network, free: Free, stops: Sequence[Stop], no_rest: Collection[int]) -> None:
        self._network, self._free, self._stops, self._no_rest = network, free, stops, no_rest
        self._to = [network.seconds_to(stop.node) for stop in stops]
        after = [0.0] * (len(stops) + 1)  # what is left once the way to a stop is driven
        for k in range(len(stops) - 1, -1, -1):
            onward = self._to[k + 1][stops[k].node] if k + 1 < len(stops) else 0.0
            after[k] = stops[k].dwell_s + onward + after[k + 1]
        self._after = after
        self._heap: list[tuple[float, int, _Label]] = []
        self._seen: dict[tuple[int, int, float], float] = {}
        self._count = itertools.count()
        self._known: dict[int, Sequence[tuple[float, float]]] = {}  # by place, what ``free`` says of it

    def run(self, begin: Begin) -> Way | None:
        """The way on which the last stop is done first, and which ends where the vehicle may rest for ever; or None."""
        self._push(_Label(0, -1, begin.until, begin.ready, begin.ready, begin.ready, None), begin.node)
        for _ in range(LABELS_MAX):
            if not self._heap:
                return None
            label = heapq.heappop(self._heap)[2]
            node = begin.node if label.lane < 0 else self._network.lanes[label.lane].end
            if self._is_end(label):
                return self._way(label)
            self._stop(label, node)
            for lane in self._network.out[node]:
                self._enter(label, node, lane)
        return None

    def least(self, begin: Begin) -> float:
        """When the last stop would be done if nobody else were there."""
        return begin.ready + self._ahead(0, begin.node)

    def _is_end(self, label: _Label) -> bool:
        return label.phase == len(self._stops) and label.until == math.inf and label.lane not in self._no_rest

    def _stop(self, label: _Label, node: int) -> None:
        """The stop that is next is made here if there is time."""
        if label.phase == len(self._stops) or self._stops[label.phase].node != node:
            return
        t = label.t + self._stops[label.phase].dwell_s
        if t < label.until:
            self._push(_Label(label.phase + 1, label.lane, label.until, t, t, label.start, label), node)

    def _enter(self, label: _Label, node: int, number: int) -> None:
        lane = self._network.lanes[number]
        for begin, end in self._times(number):
            if begin >= label.until:
                return
            first = max(label.t, begin)
            if first + lane.seconds + lane.crossing_s >= end:
                continue  # whenever it gets through the crossing
            start = self._through(node, first, lane.crossing_s)
            if start + lane.crossing_s > label.until:
                return
            arrive = start + lane.seconds
            if self._seen.get((label.phase, number, end), math.inf) <= arrive:
                continue  # nothing that would be pushed
            if arrive + lane.crossing_s < end:
                done = label.done if label.phase == len(self._stops) else arrive
                self._push(_Label(label.phase, number, end, arrive, done, start, label), lane.end)

    def _through(self, node: int, t: float, seconds: float) -> float:
        """The first time from ``t`` on at which the crossing is free for so long."""
        for begin, end in self._times(self._network.crossing(node)):
            start = begin if begin > t else t
            if start + seconds <= end:
                return start
        return math.inf

    def _times(self, place: int) -> Sequence[tuple[float, float]]:
        times = self._known.get(place)
        if times is None:
            times = self._known[place] = self._free(place)
        return times

    def _push(self, label: _Label, node: int) -> None:
        key = (label.phase, label.lane, label.until)
        if self._seen.get(key, math.inf) <= label.t:
            return
        cost = label.t + self._ahead(label.phase, node)
        if label.phase == len(self._stops):
            cost = label.done + REST_WEIGHT * (label.t - label.done)
        if cost < math.inf:
            self._seen[key] = label.t
            heapq.heappush(self._heap, (cost, next(self._count), label))

    def _ahead(self, phase: int, node: int) -> float:
        return self._to[phase][node] + self._after[phase] if phase < len(self._stops) else 0.0

    def _way(self, label: _Label) -> Way:
        """Back from the end: labels of one lane differ by the stops made at its end."""
        legs: list[Leg] = []
        made: list[Stop] = []
        now: _Label | None = label
        while now is not None:
            before = now.before
            if before is not None and before.lane == now.lane and before.phase < now.phase:
                made.insert(0, self._stops[before.phase])
            elif now.lane >= 0:
                tail = now.phase == len(self._stops) and not made
                legs.insert(0, Leg(now.lane, now.start, tuple(made), tail))
                made = []
            now = before
        return Way(tuple(made), tuple(legs), label.done)
