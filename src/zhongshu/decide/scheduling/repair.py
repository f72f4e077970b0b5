"""The plan in force, made valid again for what is measured now: kept where it can be, re-routed where it can't, in milliseconds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.problem import NEVER, Before, Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.costs import THOUSANDTHS
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.hours import fits
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.solution import Solution

#: A task that its unit's closed time holds up for longer than this many ticks looks for another unit.
PATIENCE = 300
#: What the plan in force begins within so many ticks should stay; what comes later may be planned anew at no price.
NEAR = 7200
#: A plan slips when more than FEW of its tasks begin later than planned by so many ticks.
SLIPPED, FEW = 1800, 0.01
#: So often a plan gives something up before it is made anew.
EASED_MAX = 24
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


def repair(
    problem: Problem, memory: Memory, course: Course | None = None, *, exact: bool = False
) -> Repaired:
    """Units and order as in ``problem.previous``; new tasks by their due dates; whoever's unit is shut goes elsewhere.

    The plan is first carried on as it is; that the floor is behind or ahead of it moves nobody. Only when units are shut
    that it needs, or it can't be carried on, are tasks re-routed, ``problem.churn`` of them at most, and only if that is
    worth the price of moving them. ``exact``: lots are fetched in the old order, whatever that costs. Leaves ``previous`` of the result in the memory, for the search that goes on from it.
    """
    _forget_previous(memory)
    ground = _ground(memory, problem, course or Course())
    carried = _carried(ground, exact=exact)
    waits = carried is not None and not carried.ease.free
    waiting, late = (carried.cost, carried.tardiness) if carried is not None and waits else (IMPOSSIBLE, 0)
    best = carried
    held = _held_up(memory, problem, carried)
    price = carried.cost if carried is not None else IMPOSSIBLE
    for free in _shares(problem, len(held), carried):
        ease = carried.ease if carried is not None else Ease()
        tried = _decoded(ground, replace(ease, free=ease.free | frozenset(held[:free])))
        if tried is None:
            continue
        moved = _moved(problem, tried, carried)
        affordable = carried is None or problem.churn is None or moved <= problem.churn
        if affordable and tried.cost + _price(problem, moved) < price:
            best, price = tried, tried.cost + _price(problem, moved)
    if best is None:
        urgent = tuple(memory.urgent)
        best = _eased(ground, Ease(frozenset(b.task for b in problem.previous), first=urgent))
    if best is None:
        return Repaired(None, memory.genes.copy(), IMPOSSIBLE, waiting, late, problem.previous)
    return _told(memory, problem, _followable(memory, best), carried, (waiting, late))


@dataclass(frozen=True, slots=True)
class Ease:
    """What a plan gives up to go on: ``free`` tasks choose their unit anew, those ``apart`` leave their oven batch, those
    ``first`` are placed before all others."""

    free: frozenset[int] = frozenset()
    apart: frozenset[int] = frozenset()
    first: tuple[int, ...] = ()


class _Decoded(NamedTuple):
    """One way to go on: its genes and state as the memory held them, the start and unit of each task, what it gave up."""

    cost: int
    tardiness: int
    genes: Ints
    state: Ints
    start: Ints
    unit: Ints
    ease: Ease


def _carried(ground: _Ground, *, exact: bool) -> _Decoded | None:
    """As it was, giving up as little as possible; if even that runs into a deadlock, what has its time already first."""
    wanted = ground.course.fetch
    manners = (wanted,) if wanted is not None else (True, False)
    for first in ((), tuple(ground.memory.urgent)):
        found = [made for fetch in manners if (made := _eased(ground, Ease(first=first), fetch=fetch))]
        if found:
            best = min(found, key=lambda made: made.cost)
            return best if exact else _less_upset(ground, best)
        manners = (True, False)
    return None


def _less_upset(ground: _Ground, made: _Decoded) -> _Decoded:
    """Where lots come a little later than planned, vehicles may meet them in another order, and a whole evening slips: then
    the same units and sequences with another order of fetching may lose far less."""
    planned = np.full(len(ground.order), NEVER)
    planned[[b.task for b in ground.problem.previous]] = [b.start for b in ground.problem.previous]
    if (made.start - planned > SLIPPED).mean() < FEW:
        return made
    by_start = ground.order[np.argsort(planned[ground.order], kind="stable")]
    at_once = replace(ground, late=ground.late[:0])
    tried = (at_once, replace(at_once, order=by_start))
    others = [other for way in tried if (other := _decoded(way, made.ease)) is not None]
    best = min(others, key=lambda other: other.cost, default=made)
    return best if best.cost * ALIKE < made.cost else made


def _eased(ground: _Ground, ease: Ease, *, fetch: bool | None = None) -> _Decoded | None:
    """Decode; where a task can't be placed, it and those tied to it give something up, and once more.

    A lot that came a little later than planned must not cost the whole plan: first its oven batch is dissolved, then it may
    go to another unit, then it is placed before all others.
    """
    memory, failures = ground.memory, Counter[int]()
    for _ in range(EASED_MAX):
        made = _decoded(ground, ease, fetch=fetch)
        if made is not None:
            return made
        culprit = _culprit(memory)
        tied = frozenset(_tied(memory, ground.problem, culprit))
        failures[culprit] += 1
        if failures[culprit] == 1 and any(memory.block(at.MATE)[t] != t for t in tied):
            ease = replace(ease, apart=ease.apart | tied)
        elif failures[culprit] <= 2:
            ease = replace(ease, apart=ease.apart | tied, free=ease.free | tied)
        elif failures[culprit] == 3:
            front = sorted(tied, key=lambda t: int(memory.block(at.PLACE)[t]))
            ease = replace(ease, first=(*front, *(t for t in ease.first if t not in tied)))
        else:
            return None
    return None


def _culprit(memory: Memory) -> int:
    """After a decode that failed: the first of the list that has no place."""
    order = memory.block(at.ORDER)
    return int(order[np.argmin(memory.block(at.DONE)[order])])


def _tied(memory: Memory, problem: Problem, task: int) -> set[int]:
    """The task with its batch, and all that maximum waits tie to one of them."""
    mate, found, open_ = memory.block(at.MATE), {task}, [task]
    while open_:
        now = open_.pop()
        into = (problem.arcs[k] for k in problem.arcs_into[now])
        out = (problem.arcs[k] for k in problem.arcs_out[now])
        near = {int(mate[now])}
        near |= {a.before for a in into if a.lag_max is not None and a.before >= 0}
        near |= {a.after for a in out if a.lag_max is not None}
        fresh = near - found
        found |= fresh
        open_ += fresh
    return found


def _decoded(ground: _Ground, ease: Ease, *, fetch: bool | None = None) -> _Decoded | None:
    """Decode the plan in force, eased. The memory then holds genes and schedule."""
    memory, course = ground.memory, ground.course
    memory.reset_genes()
    block = memory.block
    fixed, stuck = block(at.FIXED), block(at.STUCK)
    block(at.MODE)[ground.tasks], fixed[ground.tasks] = ground.modes, 1
    fixed[[task for task in ease.free if not stuck[task]]] = 0
    _batches_again(memory, ground.problem, ease.apart)
    for task, tick in course.delay.items():
        block(at.DELAY)[task] = max(0, tick) if fixed[task] else 0
    block(at.EARLY)[ground.late] = 0
    order = ground.order
    if ease.first:
        order = np.concatenate([np.array(ease.first, np.int64), order[~np.isin(order, ease.first)]])
    memory.set_order(order.astype(np.int64))
    block(at.SETTINGS)[0] = fetch if fetch is not None else course.fetch is not False
    block(at.SETTINGS)[1] = 1  # tasks whose mode is not fixed choose it as they are placed
    memory.clear()
    begin(memory.d)
    cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
    block(at.SETTINGS)[1] = 0
    if cost >= IMPOSSIBLE:
        return None
    return _kept(memory, cost, ease)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every decode of one repair starts from: ``modes`` that ``tasks`` had, arcs that are fetched ``late``, the list."""

    memory: Memory
    problem: Problem
    course: Course
    tasks: Ints
    modes: Ints
    late: Ints
    order: Ints


def _ground(memory: Memory, problem: Problem, course: Course) -> _Ground:
    block, tasks, modes = memory.block, [], []
    stuck = block(at.STUCK).tolist()
    for was in problem.previous:
        mode = next((k for k, m in enumerate(problem.tasks[was.task].modes) if m.unit == was.unit), None)
        if mode is not None and not stuck[was.task]:
            tasks.append(was.task)
            modes.append(mode)
    ends = zip(block(at.BEFORE).tolist(), block(at.AFTER).tolist(), strict=True)
    late = [arc for arc, pair in enumerate(ends) if pair in course.late]
    return _Ground(
        memory,
        problem,
        course,
        np.array(tasks, np.int64),
        np.array(modes, np.int64),
        np.array(late, np.int64),
        _order(memory, problem, course),
    )


def _order(memory: Memory, problem: Problem, course: Course) -> Ints:
    """The plan's list, new tasks where their latest start puts them."""
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
    order: Ints = np.lexsort((latest, start, place)).astype(np.int64)
    return order


def _shares(problem: Problem, held: int, carried: _Decoded | None) -> list[int]:
    """How many of the tasks that are held up are let go elsewhere, try by try: all, the first half of them, a quarter."""
    most = held if problem.churn is None or carried is None else min(held, problem.churn)
    return [share for share in dict.fromkeys((most, most // 2, most // 4)) if share]


def _held_up(memory: Memory, problem: Problem, carried: _Decoded | None) -> list[int]:
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
    return made if cost > made.cost * ALIKE else _kept(memory, cost, made.ease)


def _kept(memory: Memory, cost: int, ease: Ease) -> _Decoded:
    """What the memory holds now."""
    block = memory.block
    unit = block(at.MODE_UNIT)[block(at.MODE_PTR)[:-1] + block(at.MODE)]
    late = int((np.maximum(0, block(at.JOB_END) - block(at.DUE)) * block(at.WEIGHT)).sum())
    return _Decoded(cost, late, memory.genes.copy(), memory.state.copy(), block(at.START).copy(), unit, ease)


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


def _batches_again(memory: Memory, problem: Problem, apart: frozenset[int]) -> None:
    """Tasks that were to start together in one oven, and still go there, share a batch again."""
    mates, fixed, together = (
        memory.block(at.MATE),
        memory.block(at.FIXED),
        defaultdict[tuple[int, int, int], list[int]](list),
    )
    for was in problem.previous:
        task = problem.tasks[was.task]
        if was.task in apart:
            continue
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
