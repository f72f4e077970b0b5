"""The checker against the same rules told tick by tick, on imagined problems and schedules: they name the same rules."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings

from tests.decide.scheduling.check.by_tick import ByTick
from tests.decide.scheduling.check.imagined import problems_and_solutions
from zhongshu.decide.scheduling.check import CONSTRAINTS, violations
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution

SEEN: Counter[str] = Counter()


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(problems_and_solutions())
def test_both_name_the_same_rules(drawn: tuple[Problem, Solution]) -> None:
    problem, solution = drawn
    said = {v.constraint for v in violations(problem, solution)}
    assert said == ByTick(problem, solution).names()
    SEEN.update(said or {"valid"})


def test_every_rule_was_broken_and_some_schedules_were_right() -> None:
    """Runs after the one above, and tells whether that one could have failed."""
    if SEEN:
        assert set(CONSTRAINTS) - {"shape"} <= set(SEEN), SEEN
        assert SEEN["valid"] >= 20, SEEN
