"""What the search relies on: a rule's list decodes to the rule's schedule, and the journal brings back what was there."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.decide.scheduling.cases import CASES
from tests.decide.scheduling.random_problems import problems
from zhongshu.decide.scheduling.anneal import Board
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.lns import Windows
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Problem, Task, Unit, Vehicle, Weights
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.search.rules import Manner, manners, run_rule
from zhongshu.decide.scheduling.search.worker import Worker
from zhongshu.decide.scheduling.shares import PROBE, Shares
from zhongshu.decide.scheduling.validate import problems_of


def crowded(lots: int = 60) -> Problem:
    """Lots of three operations on any of three units each, places for two before and behind, two vehicles."""
    units = tuple(Unit(f"u{k}", station=k, buffer_in=2, buffer_out=2) for k in range(9))
    tasks, arcs = [], []
    for lot in range(lots):
        for step in range(3):
            first = 3 * step
            tasks.append(Task(lot, tuple(Mode(first + k, 20 + (7 * lot + 5 * k) % 23) for k in range(3))))
            if step:
                arcs.append(Arc(len(tasks) - 2, len(tasks) - 1, moves=True))
    travel = tuple(tuple(2 + abs(a - b) if a != b else 0 for b in range(9)) for a in range(9))
    jobs = tuple(Job(due=60 + 11 * lot % 240, weight=1 + lot % 4) for lot in range(lots))
    return Problem(
        units,
        jobs,
        tuple(tasks),
        tuple(arcs),
        vehicles=(Vehicle("a"), Vehicle("b", 4)),
        travel=travel,
        empty=travel,
        weights=Weights(tardiness=5, makespan=1),
    )


def test_the_list_of_a_rule_decodes_to_the_schedule_of_the_rule() -> None:
    problem = crowded()
    assert not problems_of(problem)
    costs = []
    for manner in manners():
        worker = Worker(problem, 1)
        made = run_rule(worker.memory, manner)
        if made.cost < IMPOSSIBLE:
            assert worker.take(made.genes)
            assert worker.cost == made.cost
            costs.append(made.cost)
    assert len(set(costs)) > 3


@pytest.mark.parametrize("manner", tuple(manners()))
def test_a_rule_ends_where_two_lots_stand_in_each_others_way(manner: Manner) -> None:
    units = tuple(Unit(f"u{k}", buffer_in=0, buffer_out=0) for k in range(3))
    tasks = tuple(
        Task(job, (Mode(unit, 5),)) for job, unit in ((0, 0), (0, 1), (1, 1), (1, 0), (2, 2), (2, 2))
    )
    arcs = (Arc(0, 1, moves=True), Arc(2, 3, moves=True), Arc(4, 5))
    still = ((0,),)
    problem = Problem(
        units, (Job(due=30),) * 3, tasks, arcs, vehicles=(Vehicle("a"),), travel=still, empty=still
    )
    assert not problems_of(problem)
    assert run_rule(Memory(problem), manner).cost == IMPOSSIBLE


@pytest.mark.parametrize("name", CASES)
def test_after_any_moves_the_current_list_still_decodes_to_its_cost(name: str) -> None:
    problem = CASES[name]
    worker = Worker(problem, 5)
    for manner in manners():
        if run_rule(worker.memory, manner).cost < IMPOSSIBLE and worker.take(worker.memory.genes.copy()):
            break
    else:
        return
    for heat in (1e5, 1e3, 1.0):
        worker.work(heat, 1000)
        best = worker.best_solution()
        assert not violations(problem, best)
        assert kpis(problem, best).objective == pytest.approx(worker.cost / 1000, abs=0.01)
        assert decoded(problem, worker.best_genes) == worker.cost
        assert decoded(problem, worker.current_genes) == worker.current


def decoded(problem: Problem, genes: Ints) -> int:
    """What a list costs when another worker decodes it from its beginning."""
    other = Worker(problem, 1)
    assert other.take(genes)
    return other.cost


@pytest.mark.parametrize("manner", tuple(manners()))
def test_who_makes_room_is_read_from_further_on_in_the_list_and_still_counts(manner: Manner) -> None:
    problem = crowded()
    worker = Worker(problem, 2)
    assert worker.take(run_rule(worker.memory, manner).genes)
    for heat in (1e5, 1e4, 1e3):
        worker.work(heat, 1000)
        assert decoded(problem, worker.best_genes) == worker.cost
        assert decoded(problem, worker.current_genes) == worker.current


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems(12), st.integers(0, 1000))
def test_mixed_lists_keep_their_cost_as_well(problem: Problem, seed: int) -> None:
    assume(not problems_of(problem))
    worker = Worker(problem, seed)
    if not any(worker.take(run_rule(worker.memory, manner).genes) for manner in manners()):
        return
    worker.work(1e4, 2000)
    assert decoded(problem, worker.best_genes) == worker.cost
    assert decoded(problem, worker.current_genes) == worker.current


def test_windows_better_a_plan_that_a_rule_made_and_only_then_hand_it_in() -> None:
    problem = crowded(12)
    found, memory = Incumbent(problem, 0.0, None), Memory(problem)
    run_rule(memory, list(manners())[-1])
    assert found.offer(solution_of(memory), "rule")
    before, windows = found.objective, Windows(problem, found, 3)
    better = [windows.turn(1.0) for _ in range(12)]
    assert any(better)
    assert found.objective < before
    assert found.refused == 0
    assert not windows.turn(0.0)


def test_the_way_that_brings_more_has_most_turns_and_the_other_is_tried_again() -> None:
    shares, turns = Shares(), []
    for _ in range(200):
        way = shares.next()
        turns.append(way)
        shares.brought(way, 8.0 if way else 1.0, 1.0)
    assert turns.count(1) > 180
    assert turns.count(0) >= 200 // (PROBE + 1)


def test_the_board_keeps_the_best_list() -> None:
    board, genes = Board(), Memory(CASES["frozen oven"]).genes
    board.offer(7, genes)
    board.offer(9, genes[:0])
    assert board.best()[0] == 7
    assert len(board.best()[1]) == len(genes)
