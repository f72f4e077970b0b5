"""Repair: the same list gives the same plan, drift moves nobody, shut units are left, budgets and begun work hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.plant_day import day, rules
from zhongshu.decide.planner import course
from zhongshu.decide.planner.mended import better, mended
from zhongshu.decide.planning.build import build
from zhongshu.decide.planning.document import document
from zhongshu.decide.planning.overdrawn import borne
from zhongshu.decide.scheduling.carry import Course
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import (
    AT_HAND,
    Arc,
    Before,
    Closed,
    Job,
    Mode,
    Pin,
    Pool,
    Problem,
    Task,
    Unit,
    Weights,
)
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.kernel.clock import NS

TWO = (Unit("A"), Unit("B"))
EITHER = (Mode(0, 600), Mode(1, 600))
AIMS = Weights(tardiness=1, makespan=0, stability=100)


def line(count: int, **more: object) -> Problem:
    """All of them on A, one after the other, and due when they end there; B is free."""
    jobs = tuple(Job(due=600 * (k + 1), weight=1) for k in range(count))
    tasks = tuple(Task(k, EITHER) for k in range(count))
    previous = tuple(Before(k, 0, 600 * k) for k in range(count))
    made = Problem(TWO, jobs, tasks, previous=previous, moved_tolerance=60, weights=AIMS)
    return replace(made, **more)  # type: ignore[arg-type]


def mend(problem: Problem, course_: Course | None = None):  # type: ignore[no-untyped-def]
    done = repair(problem, Memory(problem), course_)
    assert done.solution is not None
    told = replace(problem, previous=done.previous)
    assert violations(told, done.solution) == ()
    return done, kpis(told, done.solution)


def units(problem: Problem, done: object) -> list[int]:
    return [problem.tasks[p.task].modes[p.mode].unit for p in done.solution.placed]  # type: ignore[attr-defined]


def test_a_plan_that_holds_stays() -> None:
    problem = line(5)
    done, figures = mend(problem)
    assert figures.moved == 0
    assert [p.start for p in done.solution.placed] == [0, 600, 1200, 1800, 2400]
    assert done.cost == done.waiting == 0


def test_being_behind_moves_nobody() -> None:
    late = tuple(Before(k, 0, 600 * k - 900) for k in range(5))
    done, figures = mend(line(5, previous=late))
    assert figures.moved == 0
    assert [p.start for p in done.solution.placed] == [0, 600, 1200, 1800, 2400]


def test_whoever_is_held_up_goes_elsewhere_and_nobody_else() -> None:
    shut = replace(TWO[0], closed=(Closed(0, 1800, resumable=False),))
    problem = line(5, units=(shut, TWO[1]))
    done, figures = mend(problem)
    assert 1 in units(problem, done)
    assert 0 in units(problem, done)
    assert figures.weighted_tardiness < done.waiting_tardiness
    assert 0 < figures.moved < 5


@pytest.mark.parametrize("budget", [0, 1, 2])
def test_the_churn_budget_is_kept(budget: int) -> None:
    shut = replace(TWO[0], closed=(Closed(0, 7200, resumable=False),))
    problem = line(5, units=(shut, TWO[1]), churn=budget)
    done, figures = mend(problem)
    assert figures.moved <= budget
    assert units(problem, done).count(1) <= budget


def test_moving_has_its_price() -> None:
    """What waiting costs is less than what moving one task would."""
    shut = replace(TWO[0], closed=(Closed(0, 400, resumable=False),))
    problem = line(1, units=(shut, TWO[1]), weights=replace(AIMS, stability=10_000))
    assert units(problem, mend(problem)[0]) == [0]
    assert units(problem, mend(replace(problem, weights=AIMS))[0]) == [1]


def test_what_lies_far_ahead_is_free() -> None:
    far = tuple(Before(k, 0, 600 * k + 9000) for k in range(3))
    problem = line(3, previous=far)
    done, figures = mend(problem)
    assert done.previous == ()
    assert figures.moved == 0


def test_a_sequence_does_not_wait_for_a_lot_that_comes_two_hours_late() -> None:
    tasks = tuple(Task(k, EITHER[:1]) for k in range(6))
    late = line(6, tasks=tasks, arcs=(Arc(AT_HAND, 0, ready=7200),))
    done, figures = mend(late)
    assert done.waiting_tardiness == 6 * 7200
    assert figures.weighted_tardiness == 7200
    assert [p.start for p in done.solution.placed] == [7200, 0, 600, 1200, 1800, 2400]


def test_a_lot_that_comes_late_leaves_its_oven_load_and_not_the_whole_plan() -> None:
    """The one that waits at the oven may not wait for it any longer: it is cured alone, and everything else stays."""
    mill, oven, other = Unit("mill", ready=900), Unit("oven", capacity=2), Unit("A")
    tasks = (
        Task(0, (Mode(1, 300),)),
        Task(1, (Mode(0, 300),)),
        Task(1, (Mode(1, 300),)),
        Task(2, (Mode(2, 600),)),
        Task(3, (Mode(2, 600),)),
    )
    arcs = (Arc(AT_HAND, 0, lag_max=400, origin=1), Arc(1, 2))
    previous = (Before(0, 1, 300), Before(1, 0, 0), Before(2, 1, 300), Before(3, 2, 0), Before(4, 2, 600))
    jobs = tuple(Job(due=600, weight=1) for _ in range(4))
    problem = Problem((mill, oven, other), jobs, tasks, arcs, previous=previous, weights=AIMS)
    done, _ = mend(problem, Course(order=(3, 4, 1, 0, 2)))
    assert [p.start for p in done.solution.placed] == [0, 900, 1200, 0, 600]


def test_what_is_shared_in_slices_is_cut_at_the_same_instants_whenever_the_plan_is_carried_on() -> None:
    """Two that share a crew touch at 90; a slice that began with the plan would hold both and push the second to 120."""
    crew = Pool("crew", levels=((0, 1),))
    tasks = tuple(Task(k, (Mode(k, 90 if k else 60, demands=((0, 1),)),)) for k in range(2))
    jobs = tuple(Job(due=600, weight=1) for _ in range(2))
    begun = Pin(0, 0, -30, 30, started=True)
    problem = Problem(
        TWO, jobs, tasks, pools=(crew,), pins=(begun,), previous=(Before(1, 1, 30),), weights=AIMS, since=30
    )
    done, _ = mend(
        replace(problem, jobs=(*jobs, Job(due=400_000)), tasks=(*tasks, Task(2, (Mode(0, 360_000),))))
    )
    assert done.solution.placed[1].start == 30


def test_begun_work_over_the_limit_is_lived_with() -> None:
    """Two begun tasks draw 12 kW where 10 are allowed: they end, others keep to the cap."""
    draw = ((0, 6),)
    tasks = tuple(Task(k, (Mode(k % 3, 300, draw),)) for k in range(4))
    pins = {0: Pin(0, 0, -100, 200, started=True), 1: Pin(1, 1, -100, 200, started=True)}
    pools = borne((Pool("power", ((0, 10),)),), tasks, pins)
    assert pools[0].levels == ((0, 12), (200, 10))
    three = (*TWO, Unit("C"))
    problem = Problem(
        three, (Job(),) * 4, tasks, pools=pools, pins=tuple(pins.values()), previous=(Before(2, 2, 0),)
    )
    done, _ = mend(problem)
    assert done.solution.placed[2].start >= 200


def test_the_kitchens_plan_is_carried_on_to_the_second_and_drift_moves_nobody() -> None:
    plant, work, now = day(1)
    settled = rules(work, 1)
    first = mended(build(plant, work, now, settled), None)
    assert first is not None
    first = better(first, 2.0) or first
    made = document(plant, first.built, first.solution, figures=first.figures) | {"course": first.course}
    again = mended(build(plant, work, now, settled, made), made)
    assert again is not None
    made = document(plant, again.built, again.solution, figures=again.figures) | {"course": again.course}
    third = mended(build(plant, work, now, settled, made), made)
    assert third is not None
    assert len(third.built.tasks) > 2000
    assert [p.start for p in third.solution.placed] == [p.start for p in again.solution.placed]
    assert kpis(third.problem, third.solution).moved == 0
    later = mended(build(plant, work, now + 100 * NS, settled, made), made)
    assert later is not None
    assert kpis(later.problem, later.solution).moved == 0
    assert later.figures["rerouted"] == 0
    assert len(course.read(made, later.built).order) > 2000
