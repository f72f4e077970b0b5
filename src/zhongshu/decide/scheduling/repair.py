"""The plan in force, made valid again for what is measured now: kept where it can be, re-routed where it can't, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.carry import (
    ALIKE,
    Carried,
    Course,
    Ease,
    Ground,
    carried_on,
    decoded,
    eased,
    ground_of,
    slips,
    snapshot,
    wanted_starts,
)
from zhongshu.decide.scheduling.problem import Before, Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.costs import THOUSANDTHS
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.dispatch import ATCS, ODD
from zhongshu.decide.scheduling.search.hours import fits
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.search.rules import Manner, dispatched, latest_starts
from zhongshu.decide.scheduling.solution import Solution

#: A task that its unit's closed time holds up for longer than this many ticks looks for another unit.
PATIENCE = 300
#: What the plan in force begins within so many ticks should stay; what comes later may be planned anew at no price.
NEAR = 7200
#: How a plan that slips is dispatched anew, by its own times (ODD) on its own units or on any; and by due dates alone.
BY_ITS_TIMES = (
    (True, Manner(ODD, 0.5, 2.0, 0, True)),
    (True, Manner(ODD, 0.5, 2.0, 0, False)),
    (False, Manner(ODD, 0.5, 1.0, 0, True)),
    (False, Manner(ODD, 2.0, 1.0, 0, False)),
)
BY_DUE_DATES = (Manner(ATCS, 0.5, 2.0, 10, True), Manner(ODD, 0.5, 2.0, 0, True))


class Repaired(NamedTuple):
    """The repaired plan, its list, and its cost in thousandths without what moves cost.

    ``waiting`` is the cost of carrying on with units and order as they were, IMPOSSIBLE if that can't be;
    ``waiting_tardiness`` the weighted ticks late of that. ``previous``: where each task that begins soon was to be
    expected; what lies elsewhere has moved.
    """

    solution: Solution | None
    genes: Ints
    cost: int
    waiting: int
    waiting_tardiness: int
    previous: tuple[Before, ...]


def repair(
    problem: Problem, memory: Memory, course: Course | None = None, *, exact: bool = False
) -> Repaired:
    """Units and order as in ``problem.previous``; new tasks by their due dates; whoever's unit is shut goes elsewhere.

    The plan is first carried on as it is; that the floor is behind or ahead of it moves nobody. Only when units are shut
    that it needs, or it can't be carried on, are tasks re-routed, ``problem.churn`` of them at most, and only if that is
    worth the price of moving them. ``exact``: lots are fetched in the old order, whatever that costs. Leaves ``previous`` of the result in the memory, for the search that goes on from it.
    """
    _forget_previous(memory)
    ground = ground_of(memory, problem, course or Course())
    carried = carried_on(ground, exact=exact)
    waits = carried is not None and not carried.ease.free
    waiting, late = (carried.cost, carried.tardiness) if carried is not None and waits else (IMPOSSIBLE, 0)
    best = carried
    held = _held_up(memory, problem, carried)
    price = carried.cost if carried is not None else IMPOSSIBLE
    for tried in _rivals(ground, held, carried):
        moved = _moved(problem, tried, carried)
        affordable = carried is None or problem.churn is None or moved <= problem.churn
        if affordable and tried.cost + _price(problem, moved) < price:
            best, price = tried, tried.cost + _price(problem, moved)
    if best is None:
        urgent = tuple(memory.urgent)
        best = eased(ground, Ease(frozenset(b.task for b in problem.previous), first=urgent))
    if best is None:
        return Repaired(None, memory.genes.copy(), IMPOSSIBLE, waiting, late, problem.previous)
    return _told(memory, problem, _followable(memory, best), carried, (waiting, late))


def _rivals(ground: Ground, held: Sequence[int], carried: Carried | None) -> Iterator[Carried]:
    """Other ways to go on: what is held up goes elsewhere; where the plan slips, it is dispatched anew."""
    ease = carried.ease if carried is not None else Ease()
    for free in _shares(ground.problem, len(held), carried):
        made = decoded(ground, replace(ease, free=ease.free | frozenset(held[:free])))
        if made is not None:
            yield made
    if carried is None or slips(ground, carried):
        yield from _anew(ground)


def _anew(ground: Ground) -> Iterator[Carried]:
    """By rules, which wait for nothing that comes late: sequences that were planned to the minute cost an evening then."""
    memory, block = ground.memory, ground.memory.block
    everything = Ease(free=frozenset(range(len(ground.order))))
    for stays, manner in BY_ITS_TIMES:
        memory.reset_genes()
        if stays:
            block(at.MODE)[ground.tasks], block(at.FIXED)[ground.tasks] = ground.modes, 1
        made = dispatched(memory, manner, wanted_starts(memory, ground.problem))
        if made.cost < IMPOSSIBLE:
            yield snapshot(memory, made.cost, Ease() if stays else everything)
    for manner in BY_DUE_DATES:
        memory.reset_genes()
        made = dispatched(memory, manner, latest_starts(memory))
        if made.cost < IMPOSSIBLE:
            yield snapshot(memory, made.cost, everything)


def _shares(problem: Problem, held: int, carried: Carried | None) -> list[int]:
    """How many of the tasks that are held up are let go elsewhere, try by try: all, the first half of them, a quarter."""
    most = held if problem.churn is None or carried is None else min(held, problem.churn)
    return [share for share in dict.fromkeys((most, most // 2, most // 4)) if share]


def _held_up(memory: Memory, problem: Problem, carried: Carried | None) -> list[int]:
    """Tasks of units that are shut when the plan needs them, as far as that delays them; the earliest first."""
    stuck = memory.block(at.STUCK).tolist()
    movable = [b for b in problem.previous if len(problem.tasks[b.task].modes) > 1 and not stuck[b.task]]
    of = {b.task: next((m for m in problem.tasks[b.task].modes if m.unit == b.unit), None) for b in movable}
    alone, asked = [], []
    for was in movable:
        mode = of[was.task]
        if mode is not None:
            pauses = int(problem.tasks[was.task].interruptible)
            asked.append((was.unit, max(0, was.start), mode.duration, pauses))
            alone.append(was)
    first = np.empty(len(asked), np.int64)
    fits(memory.d, np.array(asked, np.int64).reshape(-1, 4), first)
    alone = [b for b, tick in zip(alone, first.tolist(), strict=True) if tick - max(0, b.start) > PATIENCE]
    shut = {b.unit for b in alone}
    if carried is not None:
        held = [b for b in problem.previous if b.unit in shut and carried.start[b.task] - b.start > PATIENCE]
    else:
        held = alone
    return [b.task for b in sorted(held, key=lambda b: (b.start, b.task))]


def _near(problem: Problem) -> list[Before]:
    return [b for b in problem.previous if b.start < NEAR]


def _expected(was: Before, start: int, carried: Carried | None) -> Before:
    """Between where the plan in force has a task and where it comes to lie as the plan is carried on, nobody moved it."""
    there = was.start if carried is None else int(carried.start[was.task])
    return Before(was.task, was.unit, min(max(start, min(was.start, there)), max(was.start, there)))


def _moved(problem: Problem, made: Carried, carried: Carried | None) -> int:
    """How many that begin soon are on another unit, or later or earlier than was to be expected."""
    count = 0
    for was in _near(problem):
        start = int(made.start[was.task])
        away = abs(start - _expected(was, start, carried).start) > problem.moved_tolerance
        count += away or made.unit[was.task] != was.unit
    return count


def _price(problem: Problem, moved: int) -> int:
    return problem.weights.stability * moved * THOUSANDTHS


def _forget_previous(memory: Memory) -> None:
    """Decoding prices no moves: what has moved is known afterwards."""
    memory.block(at.PREVIOUS_UNIT)[:] = -1


def _followable(memory: Memory, made: Carried) -> Carried:
    """Where units were chosen on the way, the list with these units may decode to something else: if that is as good, it is
    the plan, because it is what the list says at the next re-plan too."""
    if memory.block(at.FIXED).all():
        return made
    memory.genes[:] = made.genes
    memory.clear()
    begin(memory.d)
    cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
    return made if cost > made.cost * ALIKE else snapshot(memory, cost, made.ease)


def _told(
    memory: Memory, problem: Problem, best: Carried, carried: Carried | None, waited: tuple[int, int]
) -> Repaired:
    memory.genes[:], memory.state[:] = best.genes, best.state
    genes = best.genes.copy()
    previous = tuple(_expected(b, int(best.start[b.task]), carried) for b in _near(problem))
    solution = solution_of(memory)
    for was in previous:
        memory.block(at.PREVIOUS_UNIT)[was.task] = was.unit
        memory.block(at.PREVIOUS_START)[was.task] = was.start
    return Repaired(solution, genes, best.cost, *waited, previous)
