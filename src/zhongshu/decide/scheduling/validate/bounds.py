"""Earliest times of every task under everything that only delays, each with its reason; what is pinned earlier clashes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from zhongshu.decide.scheduling.check.words import task_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Mode, Pin, Problem
from zhongshu.decide.scheduling.validate.hours import earliest
from zhongshu.decide.scheduling.validate.reasons import END, START, Why, constraints_of, told

#: After so many delays of one task we ask whether it delays itself.
PATIENCE = 20
LONG_AGO = -(2**62)


def bounds(problem: Problem) -> Iterator[Fault]:
    """The first clash between what delays and what may not be delayed, if there is any."""
    waits = any(arc.lag_max is not None for arc in problem.arcs)
    # Without calendars a ring of delays proves that nothing can satisfy it; with them it may only be slow to settle.
    faults = Bounds(problem, static=True).faults if waits or problem.frozen else []
    yield from faults or Bounds(problem, static=False).faults


class Bounds:
    """Lower bounds of start and end, by task, each with why it is no lower. ``static``: calendars are left out."""

    def __init__(self, problem: Problem, *, static: bool) -> None:
        count = len(problem.tasks)
        self.problem = problem
        self.faults: list[Fault] = []
        self._static = static
        self._bound = ([LONG_AGO] * count, [LONG_AGO] * count)
        self._why: tuple[list[Why | None], list[Why | None]] = ([None] * count, [None] * count)
        self._fixed = {pin.task for pin in problem.pins if pin.started}
        self._modes = [self._allowed(task) for task in range(count)]
        self._next = self._frozen_next()
        self._delays = [0] * count
        self._queue: deque[int] = deque()
        self._queued: set[int] = set()
        for task in range(count):
            self._open(task)
        for arc in problem.arcs:
            if arc.before == AT_HAND and arc.after not in self._fixed:
                since = arc.ready + max(arc.lag_min, self._travel(arc))
                self._delay(arc.after, START, since, Why("lag_min", "at-hand", arc.after, since))
        self._settle()

    def _allowed(self, task: int) -> tuple[Mode, ...]:
        pin = self.problem.pin_of.get(task)
        modes = self.problem.tasks[task].modes
        return modes if pin is None or pin.unit is None else tuple(m for m in modes if m.unit == pin.unit)

    def _frozen_next(self) -> dict[int, tuple[int, int]]:
        """Frozen task → the next one on its unit, and the unit."""
        following: dict[int, tuple[int, int]] = {}
        for unit, order in self.problem.frozen:
            following |= {first: (second, unit) for first, second in pairwise(order)}
        return following

    def _open(self, task: int) -> None:
        """What holds by itself: now, release, ready unit, pins."""
        problem = self.problem
        pin = problem.pin_of.get(task) or Pin(task)
        if pin.started:
            self._bound[START][task], self._bound[END][task] = pin.start or 0, pin.end or 0
            self._changed(task)
            return
        release = problem.jobs[problem.tasks[task].job].release
        self._delay(task, START, 0, Why("release", "now", task))
        self._delay(task, START, release, Why("release", "release", task, release))
        first = min((problem.units[m.unit].ready, m.unit) for m in self._modes[task])
        self._delay(task, START, first[0], Why("ready", "ready", task, first[0], unit=first[1]))
        for side, tick in ((START, pin.start), (END, pin.end)):
            if tick is not None:
                self._delay(task, side, tick, _pinned(task, side, tick))

    def _settle(self) -> None:
        """Until nothing delays anything any more, or a clash is found."""
        rounds = PATIENCE * len(self.problem.tasks) + 1000
        while self._queue and not self.faults and rounds:
            rounds -= 1
            task = self._queue.popleft()
            self._queued.discard(task)
            if task not in self._fixed:
                self._work(task)
            for index in self.problem.arcs_out[task]:
                self._forward(self.problem.arcs[index])
            for index in self.problem.arcs_into[task]:
                self._backward(self.problem.arcs[index])
            if task in self._next:
                after, unit = self._next[task]
                why = Why("frozen", "frozen", after, 0, (task, START), unit)
                self._delay(after, START, self._bound[START][task], why)

    def _work(self, task: int) -> None:
        """Start → end by the quickest mode in open hours, end → start by the slowest."""
        problem, modes, start = self.problem, self._modes[task], self._bound[START][task]
        interruptible = problem.tasks[task].interruptible
        work = Why("duration", "work", task, 0, (task, START))
        if self._static:
            self._delay(task, END, start + min(m.duration for m in modes), work)
        else:
            spans = [s for m in modes if (s := earliest(problem, m, start, interruptible)) is not None]
            if spans:
                begin = min(span[0] for span in spans)
                self._delay(task, START, begin, Why("calendar", "hours", task, begin, (task, START)))
                self._delay(task, END, min(span[1] for span in spans), work)
        # A batch takes as long as its longest member, and a break in between counts as well.
        if not interruptible and all(problem.units[m.unit].capacity == 0 for m in modes):
            latest = self._bound[END][task] - max(m.duration for m in modes)
            self._delay(task, START, latest, Why("duration", "work", task, 0, (task, END)))

    def _forward(self, arc: Arc) -> None:
        """From a task to what waits for it."""
        if arc.after in self._fixed:
            return
        before, after = arc.before, arc.after
        start, end = self._bound[START][before], self._bound[END][before]
        if arc.overlap is None:
            travel = self._travel(arc) if arc.moves else 0
            if end + max(travel, arc.lag_min) <= self._bound[START][after]:
                return  # nothing new, which is what most looks find
            kind = ("move", "move") if travel > arc.lag_min else ("lag_min", "lag-min")
            lag = max(travel, arc.lag_min)
            self._delay(after, START, end + lag, Why(*kind, after, lag, (before, END)))
        else:
            why = Why("lag_min", "lag-min", after, arc.lag_min, (before, START))
            self._delay(after, START, start + arc.lag_min, why)
            why = Why("overlap", "overlap", after, arc.overlap, (before, END))
            self._delay(after, END, end + arc.overlap, why)

    def _backward(self, arc: Arc) -> None:
        """A maximum wait holds the one before back for as long as the one after cannot begin."""
        if arc.lag_max is None or arc.after in self._fixed:
            return
        bound = self._bound[START][arc.after] - arc.lag_max
        side = END if arc.overlap is None else START
        if arc.before != AT_HAND and bound <= self._bound[side][arc.before]:
            return
        if arc.before == AT_HAND:
            if bound > arc.ready:
                why = Why("lag_max", "lag-max", arc.after, arc.lag_max, (AT_HAND, END))
                self._clash(arc.after, why, self._why[START][arc.after])
            return
        why = Why("lag_max", "held-back", arc.before, arc.lag_max, (arc.after, START))
        self._delay(arc.before, side, bound, why)

    def _travel(self, arc: Arc) -> int:
        """The shortest way that the lot may go."""
        units = self.problem.units
        if not arc.moves:
            return 0
        ends = {units[mode.unit].station for mode in self._modes[arc.after]}
        if arc.before == AT_HAND:
            begins = {units[arc.origin].station}
        else:
            begins = {units[mode.unit].station for mode in self._modes[arc.before]}
        if len(begins) == len(ends) == 1:
            (here,), (there,) = begins, ends
            return 0 if here == there else self.problem.travel[here][there]
        return min(0 if a == b else self.problem.travel[a][b] for a in begins for b in ends)

    def _delay(self, task: int, side: int, tick: int, why: Why) -> None:
        if tick <= self._bound[side][task] or self.faults:
            return
        pin = self.problem.pin_of.get(task)
        pinned = None if pin is None else (pin.start, pin.end)[side]
        if pinned is not None and tick > pinned:
            self._clash(task, _pinned(task, side, pinned), why)
            return
        self._bound[side][task], self._why[side][task] = tick, why
        self._changed(task)
        if self._static and self._delays[task] % PATIENCE == 0:
            self._look_for_ring(task, side)

    def _changed(self, task: int) -> None:
        self._delays[task] += 1
        if task not in self._queued:
            self._queued.add(task)
            self._queue.append(task)

    def _look_for_ring(self, task: int, side: int) -> None:
        """Does the chain of reasons come back to where it began?"""
        chain, closed = self._chain(self._why[side][task], (task, side))
        if closed:
            english_chinese = told(self.problem, chain)
            name = task_name(self.problem, task)
            self.faults.append(conflict(constraints_of(chain), "ring", task, task=name, why=english_chinese))

    def _clash(self, task: int, limit: Why, why: Why | None) -> None:
        """What may not be later against the chain of what delays it."""
        chain, _ = self._chain(why, None)
        kinds = constraints_of([limit, *chain])
        against = told(self.problem, chain)
        values = {"limit": told(self.problem, [limit]), "why": against, "task": task_name(self.problem, task)}
        self.faults.append(conflict(kinds, "clash", task, **values))

    def _chain(self, why: Why | None, home: tuple[int, int] | None) -> tuple[list[Why], bool]:
        """Reasons of reasons, until a fact, or until one comes round; True when that one is ``home``."""
        chain: list[Why] = []
        seen: set[tuple[int, int]] = set()
        while why is not None:
            chain.append(why)
            source = why.source
            if source is None or source in seen:
                break
            if source == home:
                return chain, True
            seen.add(source)
            why = self._why[source[1]][source[0]]
        return chain, False


def _pinned(task: int, side: int, tick: int) -> Why:
    return Why("pin", "pin-start" if side == START else "pin-end", task, tick)
