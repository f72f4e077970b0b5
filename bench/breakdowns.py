"""The busiest powder booth breaks down while a plan is in force: how fast that plan is mended, and what it saves to do so."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bench.moment import moment
from bench.plant_methods import worth_of
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.engine import Limits, first_plans, solve
from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.repair import repair
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
class Breakdown:
    """Objectives of the rest of the day: ``undisturbed`` had the booth not broken down, ``waited`` (None: no such plan)
    keeping machines and order, ``repaired`` at once, ``improved`` after the search as well. ``mended``: False where repair
    found nothing and the rules made a new plan. ``wall_ms`` from the problem to the repaired plan."""

    tick: int
    tasks: int
    wall_ms: float
    mended: bool
    undisturbed: float
    waited: float | None
    repaired: float
    improved: float


def measure(
    plant: Plant, built: Built, plan: Solution, count: int, seconds: float, seed: int
) -> list[Breakdown]:
    """So many breakdowns of one plan, each at a random moment of its own; ``seconds`` of search follow each repair."""
    draw = random.Random(seed)
    ticks = [draw.randint(EARLIEST_S, LATEST_S) for _ in range(count)]
    return [_breakdown(plant, built, plan, tick, seconds, seed) for tick in ticks]


def busiest(plant: Plant, built: Built, plan: Solution, tick: int) -> int:
    """The machine of the bottleneck with the most work ahead of it."""
    ahead = {
        u: 0 for u, unit in enumerate(plant.machines) if plant.type_of[unit.type].can(BOTTLENECK) is not None
    }
    for placed in plan.placed:
        unit = built.problem.tasks[placed.task].modes[placed.mode].unit
        if unit in ahead:
            ahead[unit] += max(0, placed.end - max(tick, placed.start))
    return max(ahead, key=lambda u: ahead[u])


def _breakdown(
    plant: Plant, built: Built, plan: Solution, tick: int, seconds: float, seed: int
) -> Breakdown:
    frozen, down = plant.planning.frozen_s, busiest(plant, built, plan, tick)
    calm = moment(built.problem, plan, tick, frozen, -1, 0)
    problem = moment(built.problem, plan, tick, frozen, down, DOWN_S)
    undisturbed = repair(calm, Memory(calm))
    began_s = monotonic_s()
    memory = Memory(problem)
    found = repair(problem, memory)
    solution = found.solution or _anew(problem, memory)
    wall_ms = 1000 * (monotonic_s() - began_s)
    better = solve(problem, Limits(seconds, workers=1, seed=seed), start=solution)
    if better.solution is None or undisturbed.solution is None:
        raise RuntimeError(f"no plan after a breakdown at {tick}: {better.faults[:3]}")
    return Breakdown(
        tick,
        len(problem.tasks),
        wall_ms,
        found.solution is not None,
        worth_of(calm, undisturbed.solution, "undisturbed").objective,
        found.waiting / 1000 if found.waiting < IMPOSSIBLE else None,
        worth_of(problem, solution, "repaired").objective,
        worth_of(problem, better.solution, "improved").objective,
    )


def _anew(problem: Problem, memory: Memory) -> Solution:
    """As the planner does where the plan in force can't be mended."""
    found = Incumbent(problem, 0.0, None)
    first_plans(memory, found, monotonic_s(), 1.0)
    if found.solution is None:
        raise RuntimeError("no rule finds a plan after a breakdown")
    return found.solution
