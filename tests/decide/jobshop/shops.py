"""Small plain problems for the job-shop engine's tests, and the shortest schedule by trying everything."""

from __future__ import annotations

import random
from collections.abc import Sequence

from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Problem, Task, Unit
from zhongshu.decide.scheduling.solution import Solution

#: ft06 (Fisher & Thompson 1963): machine and duration of each task; the optimum is 55.
FT06 = (
    ((2, 1), (0, 3), (1, 6), (3, 7), (5, 3), (4, 6)),
    ((1, 8), (2, 5), (4, 10), (5, 10), (0, 10), (3, 4)),
    ((2, 5), (3, 4), (5, 8), (0, 9), (1, 1), (4, 7)),
    ((1, 5), (0, 5), (2, 5), (3, 3), (4, 8), (5, 9)),
    ((2, 9), (1, 3), (4, 5), (5, 4), (0, 3), (3, 1)),
    ((1, 3), (3, 3), (5, 9), (0, 10), (4, 4), (2, 1)),
)


def shop(jobs: Sequence[Sequence[Sequence[tuple[int, int]]]], units: int) -> Problem:
    """A problem from jobs of tasks of (unit, duration) modes."""
    tasks: list[Task] = []
    arcs = []
    for number, job in enumerate(jobs):
        for place, modes in enumerate(job):
            if place:
                arcs.append(Arc(len(tasks) - 1, len(tasks)))
            tasks.append(Task(number, tuple(Mode(unit, ticks) for unit, ticks in modes)))
    return Problem(
        tuple(Unit(f"m{k}") for k in range(units)), tuple(Job() for _ in jobs), tuple(tasks), tuple(arcs)
    )


def ft06() -> Problem:
    return shop([[[task] for task in job] for job in FT06], 6)


def random_shop(
    seed: int, jobs: int, tasks: int, units: int, *, flexible: bool, shortest: int = 0
) -> Problem:
    """Jobs of unequal length that may come back to a unit, with durations from ``shortest`` to 9."""
    dice = random.Random(seed)

    def task() -> list[tuple[int, int]]:
        count = dice.randint(1, units) if flexible else 1
        return [(unit, dice.randint(shortest, 9)) for unit in dice.sample(range(units), count)]

    return shop([[task() for _ in range(dice.randint(0, tasks))] for _ in range(jobs)], units)


def makespan(solution: Solution) -> int:
    return max((place.end for place in solution.placed), default=0)


def shortest(problem: Problem) -> int:
    """The optimum by enumeration of all semi-active schedules, job by job and mode by mode."""
    chains = [list(tasks) for tasks in problem.tasks_of]
    horizon = sum(max(mode.duration for mode in task.modes) for task in problem.tasks)

    def rest(done: tuple[int, ...], ready: tuple[int, ...], free: tuple[int, ...], best: int) -> int:
        if max(ready, default=0) >= best:
            return best
        if all(done[j] == len(chain) for j, chain in enumerate(chains)):
            return max(ready, default=0)
        for j, chain in enumerate(chains):
            if done[j] == len(chain):
                continue
            for mode in problem.tasks[chain[done[j]]].modes:
                end = max(ready[j], free[mode.unit]) + mode.duration
                best = rest(
                    (*done[:j], done[j] + 1, *done[j + 1 :]),
                    (*ready[:j], end, *ready[j + 1 :]),
                    (*free[: mode.unit], end, *free[mode.unit + 1 :]),
                    best,
                )
        return best

    zeros = tuple(0 for _ in chains)
    return rest(zeros, zeros, tuple(0 for _ in problem.units), horizon + 1)
