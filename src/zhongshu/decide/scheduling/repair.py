"""The plan in force, made valid again for what is measured now: kept where it can be, re-routed where it can't, in milliseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.problem import NEVER, Before, Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.costs import THOUSANDTHS
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.hours import fit
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.solution import Solution

#: A task that its unit's closed time holds up for longer than this many ticks looks for another unit.
PATIENCE = 300
#: What the plan in force begins within so many ticks should stay; what comes later may be planned anew at no price.
NEAR = 7200
#: A plan that its list gives again is preferred to one that is better by no more than this.
ALIKE = 1.02


@dataclass(frozen=True, slots=True)
class Course:
    """The list that the plan in force was decoded from, in this problem's indexes: the same list gives the same plan again.

    Without it, tasks are taken by their starts, which gives a valid plan but seldom the same: who is placed first gets
    the vehicle. ``delay``: ticks before which a task should not start, for cheaper energy. ``fetch`` None: not known.
    ``late``: (task before or -1, task behind) of lots that are fetched only when the task behind is placed.
    """

    order: Sequence[int] = ()
    delay: Mapping[int, int] = field(default_factory=dict)
    fetch: bool | None = None
    late: frozenset[tuple[int, int]] = frozenset()


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


def repair(problem: Problem, memory: Memory, course: Course | None = None) -> Repaired:
    """Units and order as in ``problem.previous``; new tasks by their due dates; whoever's unit is shut goes elsewhere.

    The plan is first carried on as it is; that the floor is behind or ahead of it moves nobody. Only when units are shut
    that it needs, or it can't be carried on, are tasks re-routed, ``problem.churn`` of them at most, and only if that is
    worth the price of moving them. Leaves ``previous`` of the result in the memory, for the search that goes on from it.
    """
    course = course or Course()
    _forget_previous(memory)
    carried = _carried(memory, problem, course)
    waiting, late = (carried.cost, carried.tardiness) if carried is not None else (IMPOSSIBLE, 0)
    best = carried
    held = _held_up(memory, problem, carried)
    price = carried.cost if carried is not None else IMPOSSIBLE
    for free in _shares(problem, len(held), carried):
        tried = _decoded(memory, problem, course, free=held[:free])
        if tried is None:
            continue
        moved = _moved(problem, tried, carried)
        affordable = carried is None or problem.churn is None or moved <= problem.churn
        if affordable and tried.cost + _price(problem, moved) < price:
            best, price = tried, tried.cost + _price(problem, moved)
    if best is None:
        best = _decoded(memory, problem, course, free=[b.task for b in problem.previous], urgent=True)
    if best is None:
        return Repaired(None, memory.genes.copy(), IMPOSSIBLE, waiting, late, problem.previous)
    return _told(memory, problem, _followable(memory, best), carried, (waiting, late))


class _Decoded(NamedTuple):
    """One way to go on: its genes and state as the memory held them, the start and unit of each task."""

    cost: int
    tardiness: int
    genes: Ints
    state: Ints
    start: Ints
    unit: Ints


def _carried(memory: Memory, problem: Problem, course: Course) -> _Decoded | None:
    """As it was; if that runs into a deadlock, with what has its time already placed first."""
    manners = (course.fetch,) if course.fetch is not None else (True, False)
    for urgent in (False, True):
        found = [
            made
            for fetch in manners
            if (made := _decoded(memory, problem, course, urgent=urgent, fetch=fetch))
        ]
        if found:
            return min(found, key=lambda made: made.cost)
        manners = (True, False)
    return None


def _decoded(
    memory: Memory,
    problem: Problem,
    course: Course,
    *,
    free: Sequence[int] = (),
    urgent: bool = False,
    fetch: bool | None = None,
) -> _Decoded | None:
    """Decode the plan in force; ``free`` tasks choose their unit. The memory then holds genes and schedule."""
    memory.reset_genes()
    block = memory.block
    fixed, modes, stuck = block(at.FIXED), block(at.MODE), block(at.STUCK)
    for was in problem.previous:
        mode = next((k for k, m in enumerate(problem.tasks[was.task].modes) if m.unit == was.unit), None)
        if mode is not None and not stuck[was.task]:
            modes[was.task], fixed[was.task] = mode, 1
    free = [task for task in free if not stuck[task]]
    fixed[free] = 0
    _batches_again(memory, problem)
    for task, tick in course.delay.items():
        block(at.DELAY)[task] = max(0, tick) if fixed[task] else 0
    for arc, ends in enumerate(zip(block(at.BEFORE).tolist(), block(at.AFTER).tolist(), strict=True)):
        if ends in course.late:
            block(at.EARLY)[arc] = 0
    memory.set_order(_order(memory, problem, course, urgent=urgent))
    block(at.SETTINGS)[0] = fetch if fetch is not None else course.fetch is not False
    block(at.SETTINGS)[1] = 1  # tasks whose mode is not fixed choose it as they are placed
    memory.clear()
    begin(memory.d)
    cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
    block(at.SETTINGS)[1] = 0
    if cost >= IMPOSSIBLE:
        return None
    return _kept(memory, cost)


def _order(memory: Memory, problem: Problem, course: Course, *, urgent: bool) -> Ints:
    """The plan's list, new tasks where their latest start puts them; ``urgent``: what has its time already comes first."""
    block, count = memory.block, len(problem.tasks)
    start = np.full(count, NEVER)
    known = np.zeros(count, np.bool_)
    for was in problem.previous:
        known[was.task], start[was.task] = True, was.start
    latest = block(at.DUE)[block(at.JOB)] - block(at.REMAINING)
    start[~known] = np.maximum(0, latest[~known])
    listed = np.array([task for task in course.order if known[task]], np.int64)
    place = np.searchsorted(np.sort(start[listed]), start) - 0.5
    place[listed] = np.arange(len(listed))
    order = np.lexsort((latest, start, place)).astype(np.int64)
    if urgent:
        order = np.concatenate([memory.urgent, order[~np.isin(order, memory.urgent)]]).astype(np.int64)
    return order


def _shares(problem: Problem, held: int, carried: _Decoded | None) -> list[int]:
    """How many of the tasks that are held up are let go elsewhere, try by try: all, the first half of them, a quarter."""
    most = held if problem.churn is None or carried is None else min(held, problem.churn)
    return [share for share in dict.fromkeys((most, most // 2, most // 4)) if share]


def _held_up(memory: Memory, problem: Problem, carried: _Decoded | None) -> list[int]:
    """Tasks of units that are shut when the plan needs them, as far as that delays them; the earliest first."""
    shut: set[int] = set()
    alone: list[Before] = []
    for was in problem.previous:
        task = problem.tasks[was.task]
        mode = next((m for m in task.modes if m.unit == was.unit), None)
        if mode is None or len(task.modes) < 2 or memory.block(at.STUCK)[was.task]:
            continue
        tick = max(0, was.start)
        first, _ = fit(memory.d, was.unit, tick, mode.duration, int(task.interruptible))
        if first - tick > PATIENCE:
            shut.add(was.unit)
            alone.append(was)
    if carried is not None:
        held = [b for b in problem.previous if b.unit in shut and carried.start[b.task] - b.start > PATIENCE]
    else:
        held = alone
    return [b.task for b in sorted(held, key=lambda b: (b.start, b.task))]


def _near(problem: Problem) -> list[Before]:
    return [b for b in problem.previous if b.start < NEAR]


def _expected(was: Before, start: int, carried: _Decoded | None) -> Before:
    """Between where the plan in force has a task and where it comes to lie as the plan is carried on, nobody moved it."""
    there = was.start if carried is None else int(carried.start[was.task])
    return Before(was.task, was.unit, min(max(start, min(was.start, there)), max(was.start, there)))


def _moved(problem: Problem, made: _Decoded, carried: _Decoded | None) -> int:
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


def _followable(memory: Memory, made: _Decoded) -> _Decoded:
    """Where units were chosen on the way, the list with these units may decode to something else: if that is as good, it is
    the plan, because it is what the list says at the next re-plan too."""
    if memory.block(at.FIXED).all():
        return made
    memory.genes[:] = made.genes
    memory.clear()
    begin(memory.d)
    cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
    return made if cost > made.cost * ALIKE else _kept(memory, cost)


def _kept(memory: Memory, cost: int) -> _Decoded:
    """What the memory holds now."""
    block = memory.block
    unit = block(at.MODE_UNIT)[block(at.MODE_PTR)[:-1] + block(at.MODE)]
    late = int((np.maximum(0, block(at.JOB_END) - block(at.DUE)) * block(at.WEIGHT)).sum())
    return _Decoded(cost, late, memory.genes.copy(), memory.state.copy(), block(at.START).copy(), unit)


def _told(
    memory: Memory, problem: Problem, best: _Decoded, carried: _Decoded | None, waited: tuple[int, int]
) -> Repaired:
    memory.genes[:], memory.state[:] = best.genes, best.state
    genes = best.genes.copy()
    previous = tuple(_expected(b, int(best.start[b.task]), carried) for b in _near(problem))
    solution = solution_of(memory)
    for was in previous:
        memory.block(at.PREVIOUS_UNIT)[was.task] = was.unit
        memory.block(at.PREVIOUS_START)[was.task] = was.start
    return Repaired(solution, genes, best.cost, *waited, previous)


def _batches_again(memory: Memory, problem: Problem) -> None:
    """Tasks that were to start together in one oven, and still go there, share a batch again."""
    mates, fixed, together = (
        memory.block(at.MATE),
        memory.block(at.FIXED),
        defaultdict[tuple[int, int, int], list[int]](list),
    )
    for was in problem.previous:
        task = problem.tasks[was.task]
        if problem.units[was.unit].capacity and fixed[was.task] and not memory.block(at.STARTED)[was.task]:
            together[was.unit, was.start, task.family].append(was.task)
    for (unit, _, _), members in together.items():
        room, kept = problem.units[unit].capacity, list[int]()
        for member in members:
            if problem.tasks[member].size <= room:
                room -= problem.tasks[member].size
                kept.append(member)
        for member, following in zip(kept, [*kept[1:], *kept[:1]], strict=True):
            mates[member] = following
