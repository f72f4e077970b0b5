"""The plan in force, made valid again for what is measured now: kept where it can be, re-routed where it can't, in milliseconds."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.problem import NEVER, Problem
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE, begin, decode
from zhongshu.decide.scheduling.search.hours import fit
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.solution import Solution

#: A task that its unit's closed time holds up for longer than this many ticks looks for another unit.
PATIENCE = 300


class Repaired(NamedTuple):
    """The repaired plan and its cost in thousandths; ``waiting`` is the cost of only shifting right, IMPOSSIBLE if it can't."""

    solution: Solution | None
    genes: Ints
    cost: int
    waiting: int


def repair(problem: Problem, memory: Memory) -> Repaired:
    """Units and order as in ``problem.previous``; new tasks by their due dates; whoever's unit is shut goes elsewhere.

    Lots are fetched at once or only when they are needed, whichever is better: the plan does not say which it was.
    """
    best = Repaired(None, memory.genes.copy(), IMPOSSIBLE, IMPOSSIBLE)
    waiting = IMPOSSIBLE
    for reroute in (False, True):
        for fetch in (True, False):
            cost = _decoded(memory, problem, reroute=reroute, fetch=fetch)
            if not reroute:
                waiting = min(waiting, cost)
            if cost < best.cost:
                best = Repaired(solution_of(memory), memory.genes.copy(), cost, waiting)
    return best._replace(waiting=waiting)


def _decoded(memory: Memory, problem: Problem, *, reroute: bool, fetch: bool) -> int:
    """Decode the plan in force; the memory then holds genes and schedule."""
    memory.reset_genes()
    block = memory.block
    known, start = np.zeros(len(problem.tasks), np.bool_), np.full(len(problem.tasks), NEVER)
    fixed, modes = block(at.FIXED), block(at.MODE)
    for was in problem.previous:
        known[was.task], start[was.task] = True, was.start
        mode = next((k for k, m in enumerate(problem.tasks[was.task].modes) if m.unit == was.unit), None)
        if mode is None or block(at.STUCK)[was.task]:
            continue
        modes[was.task] = mode
        fixed[was.task] = not (reroute and _held_up(memory, problem, was.task, mode, was.start))
    _batches_again(memory, problem)
    new = np.flatnonzero(~known)
    latest = block(at.DUE)[block(at.JOB)] - block(at.REMAINING)
    start[new] = np.maximum(0, latest[new])
    order = np.lexsort((latest, start)).astype(np.int64)
    memory.set_order(np.concatenate([memory.urgent, order[~np.isin(order, memory.urgent)]]).astype(np.int64))
    block(at.SETTINGS)[0] = fetch
    block(at.SETTINGS)[1] = 1  # tasks whose mode is not fixed choose it as they are placed
    memory.clear()
    begin(memory.d)
    cost = int(decode(memory.d, 0, IMPOSSIBLE - 1))
    block(at.SETTINGS)[1] = 0
    if cost < IMPOSSIBLE:
        memory.set_order(block(at.LOG).copy())
    return cost


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


def _held_up(memory: Memory, problem: Problem, task: int, mode: int, start: int) -> bool:
    """Its unit is shut when the task should run."""
    unit, duration = problem.tasks[task].modes[mode].unit, problem.tasks[task].modes[mode].duration
    first, _ = fit(memory.d, unit, max(0, start), duration, int(problem.tasks[task].interruptible))
    return bool(first - max(0, start) > PATIENCE)
