"""A problem and the plan in force → a checked plan for now, whatever it takes: repair, then rules, then people's wishes give way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from zhongshu.decide.planner import course
from zhongshu.decide.planner.improve import improve
from zhongshu.decide.planner.insertion import Insertion
from zhongshu.decide.planner.words import both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.engine import first_plans
from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Problem
from zhongshu.decide.scheduling.repair import NEAR, Repaired, repair
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.costs import THOUSANDTHS
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.decide.scheduling.validate import problems_of
from zhongshu.kernel.clock import monotonic_s

log = logging.getLogger(__name__)
RULES_S = 1.0
#: A rule's plan can't be decoded again from its list alone; one that can, and so can be carried on exactly, may cost more.
FOLLOWABLE = 1.15


@dataclass(frozen=True, slots=True)
class Plan:
    """A solution of ``built.problem`` that the checker passed, the memory and lists that a search goes on from, and figures.

    ``built.problem.previous`` says where each task that begins soon was to be expected, so that ``moved`` counts what
    somebody moved. ``gave_way``: words for wishes that could not be kept.
    """

    built: Built
    solution: Solution
    objective: float
    memory: Memory
    starts: Sequence[Ints]
    course: Mapping[str, Any]
    figures: Mapping[str, Any]
    gave_way: tuple[dict[str, str], ...] = ()

    @property
    def problem(self) -> Problem:
        """What it solves."""
        return self.built.problem


def mended(
    built: Built, live: Mapping[str, Any] | None, *, strict: bool = False, rules_s: float = RULES_S
) -> Plan | None:
    """None where nothing can be planned; ``strict``: people's wishes and frozen tasks do not give way; ``rules_s``:
    for how long rules are tried where there is no plan to go on from."""
    began_s = monotonic_s()
    plan = _carried_on(
        built, live, began_s
    )  # nearly always; looking for what could give way takes as long again
    if plan is not None:
        return plan
    with_pins = list(_ways(built.problem))
    without = [] if strict else list(_ways_without_pins(with_pins[-1][0]))
    for tried in (with_pins[: 1 if strict else None], without):
        # Carrying on takes milliseconds, rules take up to a second.
        for make in (_carried_on, partial(_by_rules, rules_s=rules_s)):
            for problem, given_up in tried:
                plan = make(replace(built, problem=problem), live, began_s)
                if plan is not None:
                    if given_up:
                        log.warning("the plan could not keep all wishes: %s", given_up[-1]["en"])
                    return replace(plan, gave_way=given_up)
    return None


def _ways(problem: Problem) -> Iterator[tuple[Problem, tuple[dict[str, str], ...]]]:
    """The problem, then with less and less of what the plan in force has settled and of what is overdue anyway."""
    yield problem, ()
    free = replace(problem, churn=None)
    if any(p.start is not None and not p.started for p in problem.pins):
        untimed = tuple(p if p.started else replace(p, start=None, end=None) for p in problem.pins)
        free = replace(free, pins=untimed)
        yield free, (both("gave_way.times"),)
    if problem.frozen:
        free = replace(free, frozen=())
        yield free, (both("gave_way.times"), both("gave_way.frozen"))
    waits = _without_waits_begun(free)
    if waits != free.arcs:
        free = replace(free, arcs=waits)
        yield free, (both("gave_way.times"), both("gave_way.frozen"), both("gave_way.waits"))


def _ways_without_pins(problem: Problem) -> Iterator[tuple[Problem, tuple[dict[str, str], ...]]]:
    """What people pinned gives way only when nothing else is left."""
    if any(not p.started for p in problem.pins):
        free = replace(problem, pins=tuple(p for p in problem.pins if p.started))
        yield free, (both("gave_way.pins"), both("gave_way.frozen"))


def _without_waits_begun(problem: Problem) -> tuple[Arc, ...]:
    """A lot that waits already, or will as soon as its machine is done, may wait longer than it should: it is there."""
    begun = {p.task for p in problem.pins if p.started} | {AT_HAND}
    return tuple(replace(a, lag_max=None) if a.before in begun else a for a in problem.arcs)


def _carried_on(built: Built, live: Mapping[str, Any] | None, began_s: float) -> Plan | None:
    """The plan in force, repaired."""
    if live is None:
        return None
    problem, memory = built.problem, Memory(built.problem)
    done = repair(problem, memory, course.read(live, built))
    if done.solution is None:
        return None
    problem = replace(problem, previous=done.previous)
    broken = violations(problem, done.solution)
    if broken:
        log.error("a repaired plan was refused by the checker: %s", broken[0].text)
        return None
    return _repaired(replace(built, problem=problem), done, done.solution, memory, began_s)


def _by_rules(built: Built, _live: Mapping[str, Any] | None, began_s: float, rules_s: float) -> Plan | None:
    """Made anew: nothing is in force, or it can't go on."""
    problem, memory = built.problem, Memory(built.problem)
    if problems_of(
        problem
    ):  # asked only here: it takes longer than a repair, and what is repaired is checked
        return None
    found = Incumbent(problem, 0.0, None)
    starts = first_plans(memory, found, monotonic_s(), rules_s)
    if found.solution is None:
        return None
    figures = {"first_s": round(monotonic_s() - began_s, 3), "improve_s": 0.0} | compared(
        built, found.solution
    )
    return Plan(built, found.solution, found.objective, memory, starts, {}, figures)


def _repaired(built: Built, done: Repaired, solution: Solution, memory: Memory, began_s: float) -> Plan:
    waited = None
    if done.waiting < IMPOSSIBLE:
        cost = round(done.waiting / THOUSANDTHS)
        waited = {"weighted_tardiness_s": done.waiting_tardiness, "objective": cost}
    figures = {
        "first_s": round(monotonic_s() - began_s, 3),
        "improve_s": 0.0,
        "without_replan": waited,
    } | compared(built, solution)
    objective = kpis(built.problem, solution).objective
    return Plan(built, solution, objective, memory, [done.genes], course.written(memory, done.genes), figures)


def placed_best(plan: Plan, order: str, seconds: float) -> Plan:
    """One order's tasks put where they cost least; what has begun or is pinned stays. The plan itself where that is best."""
    job = plan.built.orders.index(order)
    tasks = [t for t in plan.problem.tasks_of[job] if t not in plan.problem.pin_of]
    if not plan.course or not tasks:
        return plan
    memory = plan.memory
    starts = np.array([p.start for p in plan.solution.placed], np.int64)
    found = Insertion(plan.problem, memory, plan.starts[0], tasks).best(starts, seconds)
    if found is None:
        return plan
    memory.genes[:], memory.state[:] = found.genes, found.state
    solution = solution_of(memory)
    objective = kpis(plan.problem, solution).objective
    if objective >= plan.objective or violations(plan.problem, solution):
        return plan
    kept = course.written(memory, found.genes)
    return replace(plan, solution=solution, objective=objective, starts=[found.genes], course=kept)


def compared(built: Built, solution: Solution) -> dict[str, int]:
    """Of the tasks that the plan in force begins soon: how many there are, and how many change their unit."""
    problem = built.problem
    near = [b for b in problem.previous if b.start < NEAR]
    unit = [problem.tasks[p.task].modes[p.mode].unit for p in solution.placed]
    return {"near": len(near), "rerouted": sum(unit[b.task] != b.unit for b in near)}


def better(plan: Plan, seconds: float, worth: float = 0.0, **how: Any) -> Plan | None:
    """The plan improved for so many seconds, checked; None where it got better by no more than this share."""
    began_s = monotonic_s()
    found = improve(plan.problem, plan.memory, plan.starts, seconds, **how)
    if found is None:
        return None
    objective = kpis(plan.problem, found.solution).objective
    limit = plan.objective * (1 - worth if plan.course else FOLLOWABLE)
    if objective >= limit:
        return None
    broken = violations(plan.problem, found.solution)
    if broken:
        log.error("an improved plan was refused by the checker: %s", broken[0].text)
        return None
    figures = {
        **plan.figures,
        "improve_s": round(monotonic_s() - began_s, 3),
        **compared(plan.built, found.solution),
    }
    kept = course.written(plan.memory, found.genes)
    return replace(
        plan, solution=found.solution, objective=objective, starts=[found.genes], course=kept, figures=figures
    )
