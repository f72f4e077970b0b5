"""What bench writes: a section takes its own place on the page, says what was measured, and a moment of a plan is sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import gantt, public, reaction, sections
from bench.breakdowns import Breakdown, Rest
from bench.moment import moment, open_tasks
from bench.plant_day import day, in_force, rules
from bench.plant_methods import Solved, Worth, best_rule, worth_of
from bench.plant_page import TITLE, section
from bench.plant_schedule import Measurement, counts, hard_enough
from zhongshu.decide.planning.build import build
from zhongshu.decide.scheduling.problem import AT_HAND, Problem
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.read import solution_of
from zhongshu.decide.scheduling.search.rules import manners, run_rule
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.decide.scheduling.validate import problems_of


@pytest.fixture(scope="module")
def planned() -> tuple[Problem, Solution]:
    plant, work, now = day(1)
    problem = build(plant, work, now, rules(work, 1), in_force(plant, work)).problem
    memory = Memory(problem)
    run_rule(memory, next(iter(manners())))
    return problem, solution_of(memory)


def measurement(seed: int, *, found: bool = True) -> Measurement:
    """A made-up day."""
    rest = Rest(3e6, 7200, 4)
    worth = Worth(30e6 + seed, 360_000, 0.7, "EDD")
    solved = Solved(
        ((5.0, worth), (30.0, replace(worth, objective=25e6))) if found else (), 40.0, 1_200_000, True
    )
    broken = Breakdown(1000, 900, 50.0 + seed, True, Rest(2.5e6, 3600), None, rest, rest)
    ours = {2.0: replace(worth, objective=20e6), 10.0: replace(worth, objective=15e6)}
    return Measurement(
        seed,
        {"operations": 2000 + seed},
        "coat",
        0.9,
        1.0,
        0.4,
        worth,
        worth,
        ours,
        60.0,
        solved,
        Solved((), 40.0, 1_000_000, True),
        [broken],
        [1.5],
    )


def test_a_section_is_renewed_where_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    sections.put("# Page\n\nAbout.\n\n## A\n\n1\n\n### Within\n\n2\n\n## B\n\n3\n", page)
    sections.put("## A\n\n4\n", page)
    sections.put("## C\n\n5\n", page)
    assert page.read_text() == "# Page\n\nAbout.\n\n## A\n\n4\n\n## B\n\n3\n\n## C\n\n5\n"
    sections.put("# Page\n\nOther.\n\n## B\n\n6\n", page)
    assert page.read_text() == "# Page\n\nOther.\n\n## A\n\n4\n\n## B\n\n6\n\n## C\n\n5\n"


def test_the_days_are_told_with_medians_and_spread() -> None:
    text = section("Measured today.", [measurement(1), measurement(2), measurement(5)])
    assert text.startswith(f"{TITLE}\n\nMeasured today.\n")
    assert "| operations | 2,002 | 2,001 – 2,005 |" in text
    assert "| zhongshu, 10 s | 15.00 (15.00 – 15.00) million | 50 (50 – 50) % |" in text
    assert "| CP-SAT, hinted, 10 s | 30.00 (30.00 – 30.00) million | 100 (100 – 100) % |" in text
    assert "| CP-SAT, hinted, 60 s | 25.00 (25.00 – 25.00) million | 83 (83 – 83) % |" in text
    assert "| CP-SAT, 10 s | no plan |" in text
    assert "**52 ms** (median), 55 ms at most" in text
    assert (
        "| repaired, where waiting was no plan | 3 | 120 (120 – 120) % | 2.0 (2.0 – 2.0) | 4 (4 – 4) |"
        in text
    )
    assert "| repaired | " not in text, "only the same breakdowns are compared"
    assert "Just waiting was no plan at all in 3 of them" in text and "| just waiting |" not in text
    assert "85% to 95% busy" in text and "leaves 60% to 85% of the orders on time" in text
    assert "(seeds 1, 2, 5; tuned on: 1, 2, 5)" in text
    assert "tuned on: none of them)" in section("", [measurement(11)])


def test_nothing_counts_before_it_was_there() -> None:
    solved = measurement(1).hinted
    assert solved is not None
    assert solved.at(4.9) is None
    assert solved.at(5.0) == solved.told[0][1] and solved.at(60.0) == solved.told[1][1]
    late = replace(measurement(1), ours={2.0: None, 10.0: measurement(1).rule})
    assert "| zhongshu, 2 s | no plan |" in section("", [late])


def test_what_a_rival_did_not_find_is_said() -> None:
    text = section("", [measurement(1, found=False), measurement(2)])
    assert "it had found a plan of its own on 1 of 2 days, after 5.0 (5.0 – 5.0) s" in text
    assert "| CP-SAT, hinted, 60 s | 27.50 (25.00 – 30.00) million |" in text, "the hint counts"


def test_the_other_benches_write_sections_as_well() -> None:
    looks = gantt.section([gantt.Panned("day", 2000, 310.4, 41.2, 3.1, 6.2)], "Measured today.")
    assert looks.startswith("## ") and "| day | 41 | 310 | 3.1 | 6.2 |" in looks
    steps = dict.fromkeys(reaction.STEPS, 60.0)
    seen = reaction.Reaction("weld-01", 2100, 0.9, 1.2, 1.9, steps)
    live = reaction.section(
        reaction.Watched(10.0, ["oven-01: it did not"], [seen], [1.25]), "Measured today."
    )
    assert (
        "2,100 to 2,100 open tasks" in live
        and "1 times something did not follow (oven-01: it did not)" in live
    )
    assert "| repaired plan published | 0.90 | 0.90 | 0.90 |" in live
    assert "| repair and check | 0.060 | 0.060 | 0.060 |" in live
    one = {
        "instance": "ft06",
        "group": "ft",
        "best_known": 55,
        "first": 60,
        "method": "zhongshu",
        "limit_s": 2.0,
    }
    shops = public.section([{**one, "seed": 1, "makespan": 55, "took_s": 2.0}], "Measured today.")
    assert shops.startswith("## Public job shops\n\nMeasured today.\n") and "| ft | 1 | **0.00** |" in shops


def test_a_later_moment_of_a_plan_can_be_planned(planned: tuple[Problem, Solution]) -> None:
    problem, plan = planned
    now = 5000
    later = moment(problem, plan, now, 600, down=-1, down_for=0)
    assert problems_of(later) == ()
    left = open_tasks(plan, now)
    assert 0 < len(left) == len(later.tasks) < len(problem.tasks)
    begun = [p for p in later.pins if p.started]
    assert len(begun) == sum(plan.placed[t].start < now for t in left) > 10
    assert any(a.before == AT_HAND and not a.moves and a.ready > 0 for a in later.arcs), "on a vehicle"
    assert {b.task for b in later.previous} | {p.task for p in begun} == set(range(len(left)))
    mended = repair(later, Memory(later))
    assert mended.solution is not None
    worth_of(later, mended.solution, "carried on")


def test_a_machine_that_is_down_is_closed(planned: tuple[Problem, Solution]) -> None:
    problem, plan = planned
    later = moment(problem, plan, 5000, 600, down=3, down_for=1800)
    first = later.units[3].closed[0]
    assert (first.start, first.end, first.resumable) == (0, 1800, False)
    assert all(c.start >= 1800 for c in later.units[3].closed[1:])
    assert 3 not in {unit for unit, _ in later.frozen}


def test_only_valid_schedules_count(planned: tuple[Problem, Solution]) -> None:
    problem, plan = planned
    assert best_rule(problem).objective <= worth_of(problem, plan).objective
    task = next(p.task for p in plan.placed if p.start > 0)
    early = [replace(p, start=p.start - 1) if p.task == task else p for p in plan.placed]
    with pytest.raises(RuntimeError, match="an invalid schedule"):
        worth_of(problem, Solution(tuple(early), plan.moved))


def test_the_counts_are_of_the_problem() -> None:
    plant, work, now = day(1)
    problem = build(plant, work, now).problem
    found = counts(plant, work, problem)
    assert found["operations"] == len(problem.tasks)
    assert found["machines in local mode"] == 1
    assert found["batch ovens"] == 13


def test_only_days_that_are_hard_enough_are_measured() -> None:
    assert hard_enough(1)
    assert not hard_enough(6), "rules leave 94% on time there"
