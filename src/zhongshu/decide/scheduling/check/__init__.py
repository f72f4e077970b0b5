"""The independent checker: a problem and a solution in, every broken rule out; nothing here is shared with an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from zhongshu.decide.scheduling.check.arcs import lags, origins, overlaps
from zhongshu.decide.scheduling.check.buffers import inputs, outputs
from zhongshu.decide.scheduling.check.materials import materials
from zhongshu.decide.scheduling.check.moves import lefts, moves, vehicles
from zhongshu.decide.scheduling.check.pins import churn, frozen, pins
from zhongshu.decide.scheduling.check.pools import pools
from zhongshu.decide.scheduling.check.schedule import Schedule, shown
from zhongshu.decide.scheduling.check.setups import setups
from zhongshu.decide.scheduling.check.shape import misshapen
from zhongshu.decide.scheduling.check.units import batches, calendars, durations, exclusive, releases
from zhongshu.decide.scheduling.check.violation import CONSTRAINTS, Violation
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution

__all__ = ["CONSTRAINTS", "RULES", "Violation", "violations"]

Rule = Callable[[Schedule], Iterator[Violation]]

#: One rule a kind of constraint; their order is the order in which violations are told.
RULES: tuple[Rule, ...] = (
    pins,
    releases,
    durations,
    calendars,
    batches,
    exclusive,
    setups,
    lags,
    overlaps,
    origins,
    moves,
    lefts,
    vehicles,
    outputs,
    inputs,
    pools,
    materials,
    frozen,
    churn,
)


def violations(problem: Problem, solution: Solution) -> tuple[Violation, ...]:
    """Every rule that the solution breaks; empty for a valid schedule.

    The problem must be well formed (``validate.problems_of`` finds nothing invalid). A solution of the wrong shape
    (tasks missing, modes or vehicles that do not exist) is told that and nothing else.
    """
    found = tuple(misshapen(problem, solution))
    if found:
        return found
    view = shown(problem, solution)
    return tuple(violation for rule in RULES for violation in rule(view))
