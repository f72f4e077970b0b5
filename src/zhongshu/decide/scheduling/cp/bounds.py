"""A bound without a solver: every task alone on its fastest unit, as early as its predecessors let it; a problem in."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.facts import facts_of
from zhongshu.decide.scheduling.problem import Problem


def lower_bound(problem: Problem) -> float:
    """No solution's objective is smaller: tardiness, makespan and flow of the longest paths; the rest counts nothing.

    Negative prices of energy would break that; with one the bound is minus infinity.
    """
    weights = problem.weights
    if weights.energy and any(price < 0 for _, price in problem.prices):
        return float("-inf")
    facts = facts_of(problem)
    end = [facts.earliest_end(task) for task in range(len(problem.tasks))]
    tardiness = flow = 0
    for job, tasks in zip(problem.jobs, problem.tasks_of, strict=True):
        last = max((end[t] for t in tasks), default=job.release)
        tardiness += job.weight * max(0, last - job.due)
        flow += last - job.release
    return float(weights.tardiness * tardiness + weights.makespan * max((0, *end)) + weights.flow * flow)
