"""The plan in force carried on: its units, sequences and batches decoded again from what is measured now, giving up what they must."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.problem import NEVER, Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.rules import latest_starts

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


@dataclass(frozen=True, slots=True)
class Ease:
    """What a plan gives up to go on: ``free`` tasks choose their unit anew, those ``apart`` leave their oven batch, those
    ``first`` are placed before all others."""

    free: frozenset[int] = frozenset()
    apart: frozenset[int] = frozenset()
    first: tuple[int, ...] = ()


class Carried(NamedTuple):
    """One way to go on: its genes and state as the memory held them, the start and unit of each task, what it gave up."""

    cost: int
    tardiness: int
    genes: Ints
    state: Ints
    start: Ints
    unit: Ints
    ease: Ease


@dataclass(frozen=True, slots=True)
class Ground:
    """What every decode of one repair starts from: ``modes`` that ``tasks`` had, arcs that are fetched ``late``, the list."""

    memory: Memory
    problem: Problem
    course: Course
    tasks: Ints
    modes: Ints
    late: Ints
    order: Ints


def ground_of(memory: Memory, problem: Problem, course: Course) -> Ground:
    """The plan in force in this problem's indexes; units that it no longer has, and tasks held where they are, are not fixed."""
    block, tasks, modes = memory.block, [], []
    stuck = block(at.STUCK).tolist()
    for was in problem.previous:
        mode = next((k for k, m in enumerate(problem.tasks[was.task].modes) if m.unit == was.unit), None)
        if mode is not None and not stuck[was.task]:
            tasks.append(was.task)
            modes.append(mode)
    ends = zip(block(at.BEFORE).tolist(), block(at.AFTER).tolist(), strict=True)
    late = [arc for arc, pair in enumerate(ends) if pair in course.late]
    return Ground(
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
    known, start, latest = _planned(problem) < NEVER, wanted_starts(memory, problem), latest_starts(memory)
    listed = np.array([task for task in course.order if known[task]], np.int64)
    place = np.searchsorted(np.sort(start[listed]), start) - 0.5
    place[listed] = np.arange(len(listed))
    order: Ints = np.lexsort((latest, start, place)).astype(np.int64)
    return order


def carried_on(ground: Ground, *, exact: bool) -> Carried | None:
    """As it was, giving up as little as possible; if even that runs into a deadlock, what has its time already first."""
    wanted = ground.course.fetch
    manners = (wanted,) if wanted is not None else (True, False)
    for first in ((), tuple(ground.memory.urgent)):
        found = [made for fetch in manners if (made := eased(ground, Ease(first=first), fetch=fetch))]
        if found:
            best = min(found, key=lambda made: made.cost)
            return best if exact else _less_upset(ground, best)
        manners = (True, False)
    return None


def _less_upset(ground: Ground, made: Carried) -> Carried:
    """Where lots come a little later than planned, vehicles may meet them in another order, and a whole evening slips: then
    the same units and sequences with another order of fetching may lose far less."""
    if not slips(ground, made):
        return made
    planned = _planned(ground.problem)
    by_start = ground.order[np.argsort(planned[ground.order], kind="stable")]
    at_once = replace(ground, late=ground.late[:0])
    tried = (at_once, replace(at_once, order=by_start))
    others = [other for way in tried if (other := decoded(way, made.ease)) is not None]
    best = min(others, key=lambda other: other.cost, default=made)
    return best if best.cost * ALIKE < made.cost else made


def slips(ground: Ground, made: Carried) -> bool:
    """More than a few tasks begin much later than planned."""
    return bool((made.start - _planned(ground.problem) > SLIPPED).mean() >= FEW)


def _planned(problem: Problem) -> Ints:
    """The start of each task in the plan in force, NEVER for new ones."""
    planned = np.full(len(problem.tasks), NEVER)
    planned[[b.task for b in problem.previous]] = [b.start for b in problem.previous]
    return planned


def wanted_starts(memory: Memory, problem: Problem) -> Ints:
    """The same, but new ones where their latest start puts them."""
    planned = _planned(problem)
    return np.where(planned < NEVER, planned, np.maximum(0, latest_starts(memory)))


def eased(ground: Ground, ease: Ease, *, fetch: bool | None = None) -> Carried | None:
    """Decode; where a task can't be placed, it and those tied to it give something up, and once more.

    A lot that came a little later than planned must not cost the whole plan: first its oven batch is dissolved, then it may
    go to another unit, then it is placed before all others.
    """
    memory, failures = ground.memory, Counter[int]()
    for _ in range(EASED_MAX):
        made = decoded(ground, ease, fetch=fetch)
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


def decoded(ground: Ground, ease: Ease, *, fetch: bool | None = None) -> Carried | None:
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
    return snapshot(memory, cost, ease)


def snapshot(memory: Memory, cost: int, ease: Ease) -> Carried:
    """What the memory holds now."""
    block = memory.block
    unit = block(at.MODE_UNIT)[block(at.MODE_PTR)[:-1] + block(at.MODE)]
    late = int((np.maximum(0, block(at.JOB_END) - block(at.DUE)) * block(at.WEIGHT)).sum())
    return Carried(cost, late, memory.genes.copy(), memory.state.copy(), block(at.START).copy(), unit, ease)


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
