"""The compiled parts: a plan stays what its order says through every move, mixes have no cycles, bounds are bounds."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.decide.jobshop.shops import ft06, makespan, random_shop
from zhongshu.decide.jobshop.bounds import lower_bound
from zhongshu.decide.jobshop.compiled import draw, seeded, sources
from zhongshu.decide.jobshop.dispatch import schedules
from zhongshu.decide.jobshop.elites import Elites, between
from zhongshu.decide.jobshop.plan import (
    HEADS,
    MODE,
    NEXT,
    OPENER,
    POS,
    PREV,
    TOPO,
    empty_plan,
    load,
    scan_heads,
)
from zhongshu.decide.jobshop.search import CHOICE, ORDER, Worker
from zhongshu.decide.jobshop.shop import Found, shop_of, solution_of
from zhongshu.decide.jobshop.tabu import AT, BEST, NOW, PATIENCE, TENURE
from zhongshu.decide.scheduling.check import violations


@pytest.mark.parametrize("flexible", [False, True])
@pytest.mark.parametrize("least", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_a_plan_stays_what_its_order_says(flexible: bool, least: int, seed: int) -> None:
    shop = shop_of(random_shop(seed, 9, 8, 5, flexible=flexible, shortest=least))
    n = shop.tasks
    worker = Worker(shop, 0, seed, Elites(2))
    start = next(schedules(shop, seed))
    worker._load(start)
    worker.best[ORDER], worker.best[CHOICE] = start.order, start.mode
    worker.run[[NOW, BEST]] = start.makespan
    worker.run[[AT, PATIENCE, TENURE]] = 0, 10**9, 5
    link, time = empty_plan(shop)
    for _ in range(300):
        worker._slice(1)
        order, mode = worker.link[TOPO, :n].copy(), worker.link[MODE, :n].copy()
        assert load(link, time, shop.first, shop.unit, shop.ticks, order, mode) == worker.run[NOW]
        assert (time == worker.time).all()
        for row in (PREV, NEXT, POS):
            assert (link[row, :n] == worker.link[row, :n]).all()
        for row in (OPENER, HEADS):
            assert (link[row] == worker.link[row]).all()
    best = Found(worker.best[ORDER], worker.best[CHOICE], int(worker.run[BEST]))
    assert makespan(solution_of(shop, best)) == best.makespan <= start.makespan


@pytest.mark.parametrize("flexible", [False, True])
def test_whatever_lies_between_two_schedules_is_one(flexible: bool) -> None:
    problem = random_shop(3, 10, 8, 5, flexible=flexible, shortest=0)
    shop = shop_of(problem)
    worker = Worker(shop, 0, 1, Elites(20))
    rng = seeded(1)
    elites = [worker._elite(found) for found in islice(schedules(shop, 1), 12)]
    for one in elites:
        for other in elites:
            assert violations(problem, solution_of(shop, between(one, other, rng))) == ()


def test_the_pool_keeps_its_size_and_its_best() -> None:
    shop = shop_of(random_shop(4, 12, 9, 5, flexible=False))
    worker = Worker(shop, 0, 1, Elites(20))
    elites = [worker._elite(found) for found in schedules(shop, 1)]
    pool = Elites(5)
    for one in elites:
        pool.offer(one)
    kept = [one.found.makespan for one in pool.members()]
    assert len(kept) == 5
    assert min(kept) == min(one.found.makespan for one in elites)
    assert not pool.offer(max(elites, key=lambda one: one.found.makespan))
    pool.thin()
    assert [one.found.makespan for one in pool.members()] == [min(kept)]


def test_dispatch_schedules_are_valid_and_differ() -> None:
    for flexible in (False, True):
        problem = random_shop(5, 12, 9, 5, flexible=flexible, shortest=0)
        shop = shop_of(problem)
        found = list(schedules(shop, 1))
        assert len(found) == 42
        for one in found:
            solution = solution_of(shop, one)
            assert violations(problem, solution) == ()
            assert makespan(solution) == one.makespan
        assert len({one.makespan for one in found}) > 5


def test_the_bound_of_the_smallest_shop() -> None:
    # Published one-machine bound of ft06; its optimum is 55.
    assert lower_bound(shop_of(ft06())) == 52


def test_random_numbers_fill_their_range_evenly() -> None:
    rng = seeded(0)
    counts = np.bincount([draw(rng, 7) for _ in range(7000)], minlength=7)
    assert counts.size == 7
    assert counts.min() > 850
    assert [draw(seeded(3), 1000) for _ in range(2)] == [draw(seeded(3), 1000)] * 2


def test_machine_code_of_older_sources_is_not_used(tmp_path: Path) -> None:
    kept = scan_heads._cache._cache_file  # type: ignore[attr-defined]
    assert kept._source_stamp == sources()
    index = type(kept)(str(tmp_path), "kernel", "older")
    index.save("signature", b"code")
    assert index.load("signature") == b"code"
    index._source_stamp = sources()
    assert index.load("signature") is None
