"""What a schedule is worth, counted by hand."""

from __future__ import annotations

from tests.decide.scheduling.check.planted import plan, problem, task, unit
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Before, Closed, Job, Mode, Pin, Problem, Task, Weights
from zhongshu.decide.scheduling.solution import Solution

WEIGHTS = Weights(tardiness=2, makespan=3, flow=5, setup=7, energy=11, stability=13)


def everything() -> tuple[Problem, Solution]:
    units = [unit("A", setups=0, family=1, closed=(Closed(20, 24),)), unit("O", capacity=2)]
    tasks = [
        Task(0, (Mode(0, 6, power=500),)),
        Task(1, (Mode(0, 5, power=100),), family=1, interruptible=True),
        Task(0, (Mode(1, 8, power=1000),)),
        Task(1, (Mode(1, 4, power=3000),)),
    ]
    jobs = (Job(release=1, due=25, weight=4), Job(due=27, weight=9), Job(release=6, due=3))
    previous = (Before(0, 0, 4), Before(1, 1, 17), Before(2, 1, 12), Before(3, 1, 9))
    asked = problem(
        units,
        tasks,
        jobs=jobs,
        setups=(((0, 6), (4, 0)),),
        prices=((0, 2), (12, 3), (22, 5)),
        previous=previous,
        moved_tolerance=2,
        weights=WEIGHTS,
    )
    answer = plan((5, 11), (17, 26), (12, 20), (12, 20), batch={2: 0, 3: 0})
    return asked, answer


def test_every_part() -> None:
    asked, answer = everything()
    assert violations(asked, answer) == ()
    found = kpis(asked, answer)
    assert found.job_ends == (20, 26, 6), "a job without tasks ends at its release"
    assert (found.weighted_tardiness, found.late_jobs) == (3, 1)
    assert found.makespan == 26 and found.flow == 19 + 26 + 0
    assert (found.setup_ticks, found.setups) == (4 + 6, 2)
    # A: 500 kW over 5-11, 100 kW over 17-20 and 24-26; the oven: 3000 kW, its greediest member's, over 12-20.
    assert found.energy_cost == (500 * 6 * 2 + 100 * (3 * 3 + 2 * 5) + 3000 * 8 * 3) / 1000
    assert found.moved == 2, "one by its unit, one by more ticks than are tolerated"
    wanted = 2 * 3 + 3 * 26 + 5 * 45 + 7 * 10 + 11 * found.energy_cost + 13 * 2
    assert found.objective == wanted


def test_late_by_a_tick() -> None:
    asked = problem([unit()], [task((0, 4))], jobs=(Job(due=6, weight=3),), weights=Weights(1, 0))
    assert kpis(asked, plan((2, 6))).objective == 0
    assert kpis(asked, plan((3, 7))).objective == 3


def test_what_runs_already_costs_from_now_on() -> None:
    tasks = [Task(0, (Mode(0, 9, power=1000),))]
    pin = Pin(0, unit=0, start=-5, end=4, started=True)
    asked = problem([unit()], tasks, pins=(pin,), prices=((-9, 1),), previous=(Before(0, 0, 7),))
    found = kpis(asked, plan((-5, 4)))
    assert found.energy_cost == 4 and found.moved == 0 and found.setups == 0


def test_nothing_to_do_costs_nothing() -> None:
    found = kpis(Problem((), (), ()), Solution(()))
    assert (found.objective, found.makespan, found.job_ends) == (0, 0, ())
