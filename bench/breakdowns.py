"""The busiest powder booth breaks down while a plan is in force: how fast that plan is mended, and what it saves to do so."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from bench.moment import moment, open_tasks
from bench.plant_methods import Worth, worth_of
from zhongshu.decide.planner import course
from zhongshu.decide.planner.improve import improve
from zhongshu.decide.planner.mended import Plan, better, mended
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.carry import Course
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.engine import first_plans
from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Before, Problem
from zhongshu.decide.scheduling.repair import Repaired, repair
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s
from zhongshu.model.plant import Plant

#: The booth is down for so long, from a moment between these ticks of the plan on.
DOWN_S = 1800
EARLIEST_S, LATEST_S = 900, 4 * 3600
#: The capability whose machines limit the day.
BOTTLENECK = "coat"


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a day, by one plan: its objective without what moved, weighted tardiness in s, tasks that moved."""

    objective: float
    tardiness: int
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The rest of the day ``undisturbed`` had the booth not broken down, ``waited`` (None: that can't be) keeping machines
    and order, ``repaired`` at once, ``improved`` by the search that follows. ``wall_ms`` from the problem to the repaired
    plan, checked; ``mended``: False where there was no way and the rules made a new one."""

    tick: int
    tasks: int
    wall_ms: float
    mended: bool
    undisturbed: Rest
    waited: Rest | None
    repaired: Rest
    improved: Rest


def in_force(built: Built, seconds: float, seed: int) -> Plan:
    """A plan as the planner puts it in force: by the best rule, then so many seconds of its search."""
    first = mended(built, None)
    if first is None:
        raise RuntimeError("there is no plan that a machine could disturb")
    plan = better(first, seconds, seed=seed)
    if plan is None:  # it found nothing better
        plan = replace(first, course=course.written(first.memory, first.starts[0]))
    worth_of(plan.problem, plan.solution, "in force")
    return plan


def measure(plant: Plant, plan: Plan, count: int, seconds: float, seed: int) -> list[Breakdown]:
    """So many breakdowns of one plan, each at a random moment of its own; ``seconds`` of search follow each repair."""
    draw = random.Random(seed)
    ticks = [draw.randint(EARLIEST_S, LATEST_S) for _ in range(count)]
    return [_breakdown(plant, plan, tick, seconds, seed) for tick in ticks]


def busiest(plant: Plant, plan: Plan, tick: int) -> int:
    """The machine of the bottleneck with the most work ahead of it."""
    ahead = {
        u: 0 for u, unit in enumerate(plant.machines) if plant.type_of[unit.type].can(BOTTLENECK) is not None
    }
    for placed in plan.solution.placed:
        unit = plan.problem.tasks[placed.task].modes[placed.mode].unit
        if unit in ahead:
            ahead[unit] += max(0, placed.end - max(tick, placed.start))
    return max(ahead, key=lambda u: ahead[u])


def _breakdown(plant: Plant, plan: Plan, tick: int, seconds: float, seed: int) -> Breakdown:
    frozen, down = plant.planning.frozen_s, busiest(plant, plan, tick)
    calm = moment(plan.problem, plan.solution, tick, frozen, -1, 0)
    problem = moment(plan.problem, plan.solution, tick, frozen, down, DOWN_S)
    order = _course(plan, tick)
    undisturbed, *_ = _mended(calm, Memory(calm), order)
    began_s = monotonic_s()
    memory = Memory(problem)
    repaired, genes, found = _mended(problem, memory, order)
    checked = violations(problem, repaired)
    wall_ms = 1000 * (monotonic_s() - began_s)
    if checked:
        raise RuntimeError(f"a repaired plan is invalid: {checked[0].text}")
    found_later = improve(problem, memory, [genes], seconds, seed=seed)
    improved = repaired if found_later is None else found_later.solution
    waited = Rest(found.waiting / 1000, found.waiting_tardiness) if found.waiting < IMPOSSIBLE else None
    return Breakdown(
        tick,
        len(problem.tasks),
        wall_ms,
        found.solution is not None,
        _rest(calm, undisturbed, calm.previous),
        waited,
        _rest(problem, repaired, found.previous),
        _rest(problem, improved, found.previous),
    )


def _mended(problem: Problem, memory: Memory, order: Course) -> tuple[Solution, Ints, Repaired]:
    """The plan and its list; made anew by the rules where the one in force can't be mended, as the planner does."""
    found_first = repair(problem, memory, order)
    if found_first.solution is not None:
        return found_first.solution, found_first.genes, found_first
    found = Incumbent(problem, 0.0, None)
    lists = first_plans(memory, found, monotonic_s(), 1.0)
    if found.solution is None:
        raise RuntimeError("no rule finds a plan after a breakdown")
    return found.solution, lists[0], found_first


def _course(plan: Plan, tick: int) -> Course:
    """The list of what is still open then."""
    index = {task: i for i, task in enumerate(open_tasks(plan.solution, tick))}
    order = tuple(index[task] for task in plan.course["order"] if task in index)
    delay = {index[task]: until - tick for task, until in plan.course["delay"] if task in index}
    late = frozenset(
        (index.get(row, -1), index[behind]) for row, behind in plan.course["late"] if behind in index
    )
    ahead = {task: until for task, until in delay.items() if until > 0}
    return Course(order, ahead, bool(plan.course["fetch"]), late)


def _rest(problem: Problem, solution: Solution, previous: tuple[Before, ...]) -> Rest:
    """Judged without a price for moves; ``previous`` says who was to be expected where."""
    worth: Worth = worth_of(replace(problem, previous=()), solution, "after a breakdown")
    return Rest(worth.objective, worth.tardiness, kpis(replace(problem, previous=previous), solution).moved)
