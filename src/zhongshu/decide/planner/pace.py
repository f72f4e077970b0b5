"""How often a planner looks again and how much it searches: by the clock where it runs a plant, by work where it rehearses one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Wall seconds, but for ``work``: evaluations of the search instead of ``improve_s``, so that the same seed gives the same
    plan on any machine. Events within ``gather_s`` are answered by one re-plan, or within
    ``urgent_s`` where one of them is urgent; without any, the plan is brought up to
    date every ``period_s``. ``answers``: False where only time makes a new plan. A plan that was repaired within ``rest_s`` of
    plant time after an improvement is not improved again, unless it has lost much.
    """

    gather_s: float = 0.6
    urgent_s: float = 0.1
    period_s: float = 25.0
    improve_s: float = 5.0
    work: int | None = None
    rules_s: float = 1.0
    answers: bool = True
    rest_s: float = 0.0


def rehearsed(speed: float) -> Pace:
    """Of a brain in virtual time that is ``speed`` times as fast: a fixed work, and that only a few times an hour."""
    return Pace(
        gather_s=6.0 / speed,
        urgent_s=1.0 / speed,
        period_s=900.0 / speed,
        work=4_000,
        rules_s=60.0,
        rest_s=900.0,
    )


def daily(speed: float) -> Pace:
    """One plan a day, searched for at length, and nothing changes it."""
    return Pace(gather_s=6.0 / speed, period_s=86_400.0 / speed, work=40_000, rules_s=60.0, answers=False)
