"""Which tasks to free next: an indexed plan and a seeded random source in, sets of related tasks out.

Every chooser is pure: the same plan and the same state of the random source give the same set. None of them returns
started tasks. ``size`` is about how many tasks; a batch comes or stays as a whole, so that a set may be a little larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from zhongshu.decide.scheduling.cp.incumbent import Incumbent
from zhongshu.decide.scheduling.problem import AT_HAND

Chooser = Callable[[Incumbent, Random, int], frozenset[int]]


def choose(plan: Incumbent, random: Random, size: int) -> frozenset[int]:
    """A set by one of the choosers, picked at random; empty only where every task has started."""
    order = list(CHOOSERS)
    random.shuffle(order)
    for chooser in order:
        found = chooser(plan, random, size)
        if found:
            return found
    return frozenset()


def time_window(plan: Incumbent, random: Random, size: int) -> frozenset[int]:
    """The tasks nearest in time to a random one, on the units that can do what it needs."""
    seed = _any_task(plan, random)
    if seed is None:
        return frozenset()
    units = set(plan.facts.units_of(seed))
    while len(units) < len(plan.blocks) and random.random() < 0.5:
        more = _any_task(plan, random)
        units |= set(plan.facts.units_of(more)) if more is not None else set()
    near = plan.placed[seed].start
    here = [t for u in sorted(units) for block in plan.blocks[u] for t in block.members]
    return _take(plan, sorted(here, key=lambda t: (abs(plan.placed[t].start - near), t)), size)


def late_job(plan: Incumbent, random: Random, size: int) -> frozenset[int]:
    """A late job (the costlier the likelier), and those just before its tasks on their units; any job if none is late."""
    costs = [
        job.weight * max(0, end - job.due) for job, end in zip(plan.problem.jobs, plan.job_end, strict=True)
    ]
    if sum(costs) > 0:
        job = random.choices(range(len(costs)), costs)[0]
    else:
        last = max(plan.job_end, default=0)
        candidates = [j for j, end in enumerate(plan.job_end) if end == last and plan.problem.tasks_of[j]]
        if not candidates:
            return frozenset()
        job = random.choice(candidates)
    mine = list(plan.problem.tasks_of[job])
    before = [t for task in mine for t in _just_before(plan, task, 1 + size // max(1, 2 * len(mine)))]
    return _take(plan, [*mine, *before], max(size, len(mine)))


def segment(plan: Incumbent, random: Random, size: int) -> frozenset[int]:
    """A run of blocks that follow each other on one unit."""
    seed = _any_task(plan, random)
    if seed is None:
        return frozenset()
    blocks = plan.blocks[plan.unit[seed]]
    begin = max(0, plan.place[seed] - random.randrange(size))
    return _take(plan, [t for block in blocks[begin:] for t in block.members], size)


def tree(plan: Incumbent, random: Random, size: int) -> frozenset[int]:
    """The tasks that a random one hangs together with by arcs, nearest first: an order's routing or assembly tree."""
    seed = _any_task(plan, random)
    if seed is None:
        return frozenset()
    found, seen, at = [seed], {seed}, 0
    while at < len(found) and len(found) < 2 * size:
        for k in plan.facts.arcs_of[found[at]]:
            arc = plan.problem.arcs[k]
            for task in (arc.before, arc.after):
                if task != AT_HAND and task not in seen:
                    seen.add(task)
                    found.append(task)
        at += 1
    mine = plan.problem.tasks_of[plan.problem.tasks[seed].job]
    return _take(plan, [*found, *mine], size)


def related(plan: Incumbent, random: Random, size: int) -> frozenset[int]:
    """A walk from task to task: to a neighbour on the unit, along an arc, or to somebody at the same time elsewhere."""
    task = _any_task(plan, random)
    if task is None:
        return frozenset()
    found = [task]
    for _ in range(4 * size):
        near = list(_neighbours(plan, task))
        task = random.choice(near) if near and random.random() < 0.9 else random.choice(found)
        found.append(task)
        if len(set(found)) >= size:
            break
    return _take(plan, found, size)


CHOOSERS: tuple[Chooser, ...] = (time_window, late_job, segment, tree, related)


def _any_task(plan: Incumbent, random: Random) -> int | None:
    """A random task that has not started."""
    count = len(plan.placed)
    for _ in range(32):
        task = random.randrange(count) if count else 0
        if count and not plan.facts.started[task]:
            return task
    return next((t for t in range(count) if not plan.facts.started[t]), None)


def _take(plan: Incumbent, tasks: Iterable[int], size: int) -> frozenset[int]:
    """The first ``size`` of them that have not started, each with its whole batch."""
    found: set[int] = set()
    for task in tasks:
        if len(found) >= size:
            break
        if not plan.facts.started[task]:
            found |= set(plan.block(task).members)
    return frozenset(found)


def _just_before(plan: Incumbent, task: int, count: int) -> list[int]:
    """Members of the last ``count`` blocks before a task on its unit."""
    blocks, place = plan.blocks[plan.unit[task]], plan.place[task]
    return [t for block in reversed(blocks[max(0, place - count) : place]) for t in block.members]


def _neighbours(plan: Incumbent, task: int) -> Iterable[int]:
    """Tasks beside a task on its unit, and those it hangs together with by arcs or shares a unit choice with."""
    blocks, place = plan.blocks[plan.unit[task]], plan.place[task]
    for block in blocks[max(0, place - 1) : place + 2]:
        yield from block.members
    for k in plan.facts.arcs_of[task]:
        arc = plan.problem.arcs[k]
        yield arc.after
        if arc.before != AT_HAND:
            yield arc.before
    for unit in plan.facts.units_of(task):
        beside = plan.beside(unit, plan.placed[task].start)
        if beside is not None:
            yield from beside.members
