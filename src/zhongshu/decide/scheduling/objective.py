"""What a schedule is worth: a problem and a solution in, the objective and the figures people compare out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from zhongshu.decide.scheduling.check.schedule import Schedule, shown
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution


@dataclass(frozen=True, slots=True)
class Kpis:
    """Figures of one schedule, in ticks unless said otherwise.

    ``weighted_tardiness``: weight x ticks late, summed over jobs. ``late_jobs``, ``setups``, ``moved`` count. ``flow``: sum of
    job end - release. ``setup_ticks``: open ticks that the sequences need for set-ups, ``setups`` how many of those there are.
    ``energy_cost``: money. ``job_ends``: by job; a job without tasks ends at its release.
    """

    objective: float
    weighted_tardiness: int
    late_jobs: int
    makespan: int
    flow: int
    setup_ticks: int
    setups: int
    energy_cost: float
    moved: int
    job_ends: tuple[int, ...]


def kpis(problem: Problem, solution: Solution) -> Kpis:
    """The objective (smaller is better) and its parts, of a solution that the checker found valid."""
    return _kpis(shown(problem, solution))


@lru_cache(maxsize=3)
def _kpis(view: Schedule) -> Kpis:
    problem = view.problem
    weights = problem.weights
    ends = job_ends(view)
    late = [max(0, end - job.due) for end, job in zip(ends, problem.jobs, strict=True)]
    tardiness = sum(job.weight * ticks for job, ticks in zip(problem.jobs, late, strict=True))
    makespan = max((0, *view.end))
    flow = sum(end - job.release for end, job in zip(ends, problem.jobs, strict=True))
    needed = setups_needed(view)
    cost = energy_cost(view)
    moved = len(view.moved_tasks)
    objective = (
        weights.tardiness * tardiness
        + weights.makespan * makespan
        + weights.flow * flow
        + weights.setup * sum(needed)
        + weights.energy * cost
        + weights.stability * moved
    )
    late_jobs = sum(ticks > 0 for ticks in late)
    count = sum(ticks > 0 for ticks in needed)
    return Kpis(float(objective), tardiness, late_jobs, makespan, flow, sum(needed), count, cost, moved, ends)


def job_ends(view: Schedule) -> tuple[int, ...]:
    """For each job the end of its last task; its release where it has none."""
    problem = view.problem
    return tuple(
        max((view.end[task] for task in tasks), default=job.release)
        for tasks, job in zip(problem.tasks_of, problem.jobs, strict=True)
    )


def setups_needed(view: Schedule) -> list[int]:
    """Ticks of every set-up that the sequences ask for, those of 0 ticks included."""
    return [needed for _, _, needed in view.setups]


def energy_cost(view: Schedule) -> float:
    """Sum of power x price x worked ticks / 1000 over tasks; a batch draws the most that one member draws."""
    problem = view.problem
    if not problem.prices:
        return 0.0
    total, spans = 0, _spans(problem.prices)
    for block in view.blocks:
        power = max(view.mode[task].power for task in block.members)
        if power:
            start = max(0, block.start)
            total += power * sum(
                price * view.open_ticks(block.unit, max(start, since), min(block.end, until))
                for since, until, price in spans
                if since < block.end and until > start
            )
    return total / 1000


def _spans(steps: tuple[tuple[int, int], ...]) -> list[tuple[int, int, int]]:
    """(from, until, value) of a step function; its last value holds for ever."""
    untils = [since for since, _ in steps[1:]] + [2**62]
    return [(since, until, value) for (since, value), until in zip(steps, untils, strict=True)]
