"""The job-shop engine: valid, optimal on small shops, repeatable, in time, and steady on degenerate ones."""

from __future__ import annotations

import threading
import time

import pytest

from tests.decide.jobshop.shops import ft06, makespan, random_shop, shop, shortest
from zhongshu.decide.jobshop.solve import bound_of, first_schedule, solve_jobshop, warm
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.cp.solve import solve_cp
from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Problem, Task, Unit
from zhongshu.decide.scheduling.solution import Solution


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("flexible", [False, True])
def test_small_shops_are_solved_to_the_optimum(seed: int, flexible: bool) -> None:
    problem = random_shop(seed, 3, 3, 3, flexible=flexible)
    solution = solve_jobshop(problem, seconds=9, workers=1, seed=seed, work_limit=2_000)
    assert violations(problem, solution) == ()
    best = shortest(problem)
    assert makespan(solution) == best
    assert bound_of(problem) <= best


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("flexible", [False, True])
@pytest.mark.parametrize("least", [0, 1])
def test_every_better_schedule_is_valid(seed: int, flexible: bool, least: int) -> None:
    problem = random_shop(100 + seed, 12, 9, 5, flexible=flexible, shortest=least)
    seen: list[int] = []

    def tell(solution: Solution, _after_s: float) -> None:
        assert violations(problem, solution) == ()
        seen.append(makespan(solution))

    solution = solve_jobshop(problem, seconds=9, workers=2, seed=seed, work_limit=3_000, on_better=tell)
    assert violations(problem, solution) == ()
    assert seen == sorted(set(seen), reverse=True)
    assert makespan(solution) == seen[-1] >= bound_of(problem)


def test_the_literature_s_smallest_shop() -> None:
    assert makespan(solve_jobshop(ft06(), seconds=9, workers=1, seed=1, work_limit=20_000)) == 55


@pytest.mark.parametrize("flexible", [False, True])
def test_seed_and_work_limit_decide_alone(flexible: bool) -> None:
    problem = random_shop(5, 15, 10, 6, flexible=flexible)
    first, again = (solve_jobshop(problem, seconds=9, workers=2, seed=3, work_limit=4_000) for _ in range(2))
    assert first == again


def test_more_work_is_never_worse() -> None:
    problem = random_shop(6, 15, 10, 6, flexible=False)
    spans = [
        makespan(solve_jobshop(problem, seconds=9, workers=1, seed=3, work_limit=limit))
        for limit in (0, 10, 1_000, 30_000)
    ]
    assert spans == sorted(spans, reverse=True)
    assert spans[-1] < spans[0] == makespan(first_schedule(problem, 3))


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.5])
def test_the_limit_holds_and_always_returns_a_schedule(seconds: float) -> None:
    problem = random_shop(7, 40, 20, 10, flexible=True)
    began = time.process_time(), time.monotonic()
    solution = solve_jobshop(problem, seconds=seconds, workers=2, seed=1)
    assert violations(problem, solution) == ()
    # On a busy machine the wall is not ours: the work done is what must stay within the limit of both workers.
    cpu_s, wall_s = time.process_time() - began[0], time.monotonic() - began[1]
    assert min(wall_s, cpu_s / 2) < seconds * 1.05 + 0.15


def test_what_the_listener_raises_is_raised_and_no_worker_stays() -> None:
    class Enough(Exception):
        pass

    def stop(_solution: Solution, _after_s: float) -> None:
        raise Enough

    before = threading.active_count()
    with pytest.raises(Enough):
        solve_jobshop(random_shop(8, 9, 9, 4, flexible=False), seconds=9, workers=2, seed=1, on_better=stop)
    assert threading.active_count() == before


DEGENERATE = {
    "no task": shop([], 1),
    "no unit": Problem((), (), ()),
    "jobs without tasks": shop([[], [], [[(0, 3)]]], 2),
    "one task": shop([[[(0, 5)]]], 1),
    "one task of no time": shop([[[(0, 0)]]], 1),
    "nothing takes time": shop([[[(0, 0)], [(1, 0)]] for _ in range(4)], 2),
    "one machine": shop([[[(0, k)]] for k in range(1, 7)], 1),
    "one job": shop([[[(0, 2)], [(1, 3)], [(0, 4)]]], 3),
    "a machine never used": shop([[[(2, 2)], [(2, 1)]], [[(2, 3)]]], 4),
    "one unit again and again": shop([[[(0, 2)], [(0, 3)], [(0, 1)]] for _ in range(5)], 1),
    "again and again, with a choice": shop([[[(0, 2), (1, 3)]] * 4 for _ in range(5)], 2),
    "the same unit as two modes": shop([[[(0, 4), (0, 2)]], [[(0, 3), (0, 3)]]], 1),
    "two equal units": shop([[[(0, 4), (1, 4)]] for _ in range(5)], 2),
    "a choice between nothing and something": shop(
        [[[(0, 0), (1, 5)], [(1, 1), (0, 0)]] for _ in range(4)], 2
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_shops(name: str) -> None:
    problem = DEGENERATE[name]
    assert problem.plain
    solution = solve_jobshop(problem, seconds=9, workers=2, seed=1, work_limit=300)
    assert violations(problem, solution) == ()
    if len(problem.tasks) <= 8:
        assert makespan(solution) == shortest(problem)
    timed = solve_jobshop(problem, seconds=0.05, workers=2, seed=1)
    assert violations(problem, timed) == ()


def test_very_long_tasks() -> None:
    problem = shop([[[(k % 2, 10**12 + k)], [(1 - k % 2, 10**12)]] for k in range(6)], 2)
    solution = solve_jobshop(problem, seconds=9, workers=1, seed=1, work_limit=500)
    assert violations(problem, solution) == ()


def test_what_is_not_plain_is_refused() -> None:
    problem = Problem((Unit("a", ready=4),), (Job(),), (Task(0, (Mode(0, 1),)),))
    with pytest.raises(ValueError, match="plain"):
        solve_jobshop(problem, seconds=1, workers=1, seed=1)
    backwards = Problem(
        (Unit("a"),), (Job(),), (Task(0, (Mode(0, 1),)), Task(0, (Mode(0, 1),))), (Arc(1, 0),)
    )
    with pytest.raises(ValueError, match="plain"):
        solve_jobshop(backwards, seconds=1, workers=1, seed=1)


def test_on_a_small_flexible_shop_cp_sat_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers stand aside for it, what it finds counts, and where it proves the best nobody waits for the limit."""
    problem = random_shop(11, 7, 6, 4, flexible=True)
    monkeypatch.setattr("zhongshu.decide.jobshop.turn.BEGIN", 0.0)
    monkeypatch.setattr(
        "zhongshu.decide.jobshop.solve.lower_bound", lambda _: 0
    )  # tabu search proves nothing
    began_s = time.monotonic()
    solution = solve_jobshop(problem, seconds=60, workers=2, seed=1)
    assert time.monotonic() - began_s < 40
    assert violations(problem, solution) == ()
    whole = solve_cp(problem, seconds=30)
    assert whole.status == "optimal"
    assert makespan(solution) == whole.objective


def test_a_turn_ends_with_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that reaches the bound ends CP-SAT, too, though that could go on for a minute."""
    problem = random_shop(12, 20, 12, 6, flexible=True)
    monkeypatch.setattr("zhongshu.decide.jobshop.turn.BEGIN", 0.0)
    monkeypatch.setattr("zhongshu.decide.jobshop.turn.MODES_FEW", 0)  # one worker goes on
    first = makespan(first_schedule(problem, 1))
    monkeypatch.setattr("zhongshu.decide.jobshop.solve.lower_bound", lambda _: first - 1)
    began_s = time.monotonic()
    assert makespan(solve_jobshop(problem, seconds=120, workers=2, seed=1)) < first
    assert time.monotonic() - began_s < 60
