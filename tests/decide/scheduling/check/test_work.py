"""Planted violations of working time: releases, open hours, one thing at a time, batches, set-ups."""

from __future__ import annotations

import pytest

from tests.decide.scheduling.check.planted import found, plan, problem, task, unit
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.problem import Closed, Job, Pin, Problem, Unit

BREAK, MAINTENANCE = Closed(10, 15), Closed(30, 40, resumable=False)


def started(index: int, on: int, start: int, end: int) -> Pin:
    return Pin(index, unit=on, start=start, end=end, started=True)


@pytest.mark.parametrize(("start", "wanted"), [(7, set()), (6, {"release"}), (0, {"release"})])
def test_release(start: int, wanted: set[str]) -> None:
    asked = problem([unit()], [task((0, 3))], jobs=(Job(release=7),))
    assert found(asked, plan((start, start + 3))) == wanted


def test_nothing_begins_before_now() -> None:
    asked = problem([unit()], [task((0, 3))], jobs=(Job(release=-9),))
    assert found(asked, plan((0, 3))) == set()
    assert found(asked, plan((-1, 2))) == {"release"}


@pytest.mark.parametrize(("start", "wanted"), [(7, set()), (6, {"ready"})])
def test_unit_ready(start: int, wanted: set[str]) -> None:
    assert found(problem([unit(ready=7)], [task((0, 3))]), plan((start, start + 3))) == wanted


@pytest.mark.parametrize("end", [5, 7, 3, 2])
def test_duration(end: int) -> None:
    asked = problem([unit()], [task((0, 3))])
    assert found(asked, plan((3, 6))) == set()
    assert found(asked, plan((3, end))) == {"duration"}


def test_duration_is_that_of_the_mode() -> None:
    asked = problem([unit(), unit("V")], [task((0, 3), (1, 5))])
    assert found(asked, plan((0, 5), mode={0: 1})) == set()
    assert found(asked, plan((0, 3), mode={0: 1})) == {"duration"}


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (6, 10, set()),
        (15, 19, set()),
        (7, 11, {"calendar"}),
        (14, 18, {"calendar"}),
        (8, 17, {"duration", "calendar"}),
        (29, 33, {"calendar"}),
        (26, 30, set()),
        (40, 44, set()),
    ],
)
def test_calendar_of_what_is_not_interrupted(start: int, end: int, wanted: set[str]) -> None:
    asked = problem([unit(closed=(BREAK, MAINTENANCE))], [task((0, 4))])
    assert found(asked, plan((start, end))) == wanted


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (6, 10, set()),
        (8, 17, set()),
        (9, 18, set()),
        (8, 12, {"duration", "calendar"}),
        (8, 16, {"duration"}),
        (6, 15, {"calendar"}),  # works 6-10 and ends in the break's last tick
        (10, 19, {"calendar"}),  # begins in the break
        (12, 19, {"calendar"}),
        (15, 19, set()),
        (28, 42, {"calendar"}),  # no pause over maintenance
        (26, 30, set()),
    ],
)
def test_calendar_of_what_may_be_interrupted(start: int, end: int, wanted: set[str]) -> None:
    asked = problem([unit(closed=(BREAK, MAINTENANCE))], [task((0, 4), interruptible=True)])
    assert found(asked, plan((start, end))) == wanted


def test_neighbouring_closed_times_are_one() -> None:
    closed = (Closed(10, 12), Closed(12, 15))
    asked = problem([unit(closed=closed)], [task((0, 4), interruptible=True)])
    assert found(asked, plan((8, 17))) == set()
    assert found(asked, plan((12, 19))) == {"calendar"}


def test_what_takes_no_time() -> None:
    fixed = problem([unit(closed=(BREAK,))], [task((0, 0))])
    assert found(fixed, plan((12, 12))) == set()
    assert found(fixed, plan((3, 4))) == {"duration"}
    paused = problem([unit(closed=(BREAK,))], [task((0, 0), interruptible=True)])
    assert found(paused, plan((12, 12))) == {"calendar"}
    assert found(paused, plan((10, 15))) == {"duration", "calendar"}
    assert found(paused, plan((15, 15))) == set()


def test_started_tasks_are_beyond_most_rules() -> None:
    units = [Unit("U", closed=(Closed(0, 50),), setups=0, family=0, ready=9)]
    matrix = (((0, 5), (5, 0)),)
    asked = problem(
        units, [task((0, 4), family=1)], jobs=(Job(release=99),), setups=matrix, pins=(started(0, 0, -3, 2),)
    )
    assert found(asked, plan((-3, 2))) == set()
    assert found(asked, plan((-3, 3))) == {"pin"}
    assert found(asked, plan((-2, 2))) == {"pin"}


@pytest.mark.parametrize(("start", "wanted"), [(3, set()), (2, {"unit"}), (0, {"unit"})])
def test_one_at_a_time(start: int, wanted: set[str]) -> None:
    asked = problem([unit()], [task((0, 3)), task((0, 3))])
    assert found(asked, plan((0, 3), (start, start + 3))) == wanted


def test_the_one_to_blame_is_named() -> None:
    asked = problem([unit(), unit("V")], [task((1, 1)), task((0, 3)), task((0, 3))])
    (broken,) = violations(asked, plan((0, 1), (0, 3), (2, 5)))
    assert (broken.constraint, broken.task, broken.unit) == ("unit", 2, 0)
    assert "T2" in broken.text and "U" in broken.text


def test_what_runs_already_holds_its_unit() -> None:
    asked = problem([unit()], [task((0, 3)), task((0, 3))], pins=(started(0, 0, -1, 4),))
    assert found(asked, plan((-1, 4), (4, 7))) == set()
    assert found(asked, plan((-1, 4), (3, 6))) == {"unit"}


def test_a_task_of_no_time_may_stand_between_two() -> None:
    asked = problem([unit()], [task((0, 3)), task((0, 0)), task((0, 3))])
    assert found(asked, plan((0, 3), (3, 3), (3, 6))) == set()
    assert found(asked, plan((0, 3), (2, 2), (3, 6))) == {"unit"}


def oven(*tasks: dict[str, int], **values: object) -> Problem:
    made = [task((0, t.pop("duration", 4)), **t) for t in tasks]
    return problem([unit(capacity=3)], made, **values)


def test_batches() -> None:
    asked = oven({}, {"duration": 6}, {"size": 2}, {"family": 1}, {"size": 3})
    shared = {0: 0, 1: 0, 2: 1, 3: 2, 4: 3}
    good = plan((0, 6), (0, 6), (6, 10), (10, 14), (14, 18), batch=shared)
    assert found(asked, good) == set()
    assert found(asked, plan((0, 4), (0, 6), (6, 10), (10, 14), (14, 18), batch=shared)) == {"batch"}
    no_longest = plan((0, 4), (0, 4), (6, 10), (10, 14), (14, 18), batch=shared)
    assert found(asked, no_longest) == {"duration"}
    full = plan((0, 6), (0, 6), (0, 6), (10, 14), (14, 18), batch={**shared, 2: 0})
    assert found(asked, full) == {"batch"}
    mixed = plan((0, 6), (0, 6), (6, 10), (6, 10), (14, 18), batch={**shared, 3: 1})
    assert found(asked, mixed) == {"batch"}
    apart = plan((0, 4), (0, 6), (6, 10), (10, 14), (14, 18), batch={**shared, 1: 9})
    assert found(asked, apart) == {"unit"}


def test_batch_numbers_stand_on_batch_units_and_nowhere_else() -> None:
    asked = problem([unit(capacity=2), unit("V")], [task((0, 4)), task((1, 4))])
    assert found(asked, plan((0, 4), (0, 4), batch={0: 0})) == set()
    assert found(asked, plan((0, 4), (0, 4))) == {"batch"}
    assert found(asked, plan((0, 4), (0, 4), batch={0: 0, 1: 0})) == {"batch"}
    assert found(asked, plan((0, 4), (0, 4), batch={0: 0, 1: -2})) == {"batch"}


def test_a_batch_is_interrupted_only_if_all_members_may_be() -> None:
    for second, wanted in ((True, set()), (False, {"duration", "calendar"})):
        tasks = [task((0, 4), interruptible=True), task((0, 2), interruptible=second)]
        asked = problem([unit(capacity=2, closed=(BREAK,))], tasks)
        assert found(asked, plan((8, 17), (8, 17), batch={0: 0, 1: 0})) == wanted


def test_nobody_joins_a_batch_that_runs() -> None:
    asked = oven({}, {}, {}, pins=(started(0, 0, 0, 4), started(1, 0, 0, 4)))
    assert found(asked, plan((0, 4), (0, 4), (4, 8), batch={0: 0, 1: 0, 2: 1})) == set()
    assert found(asked, plan((0, 4), (0, 4), (0, 4), batch={0: 0, 1: 0, 2: 0})) == {"batch"}


MATRIX = (((0, 3), (5, 0)),)


def changing(family: int = -1, **values: object) -> Problem:
    tasks = [task((0, 2)), task((0, 2), family=1), task((0, 2), family=0)]
    return problem([unit(setups=0, family=family, **values)], tasks, setups=MATRIX)


def test_setups() -> None:
    asked = changing()
    assert found(asked, plan((0, 2), (5, 7), (12, 14))) == set()
    assert found(asked, plan((0, 2), (4, 6), (12, 14))) == {"setup"}
    assert found(asked, plan((0, 2), (5, 7), (11, 13))) == {"setup"}
    assert found(asked, plan((0, 2), (9, 11), (2, 4))) == set(), "the other order asks for other set-ups"


def test_the_first_setup_counts_from_what_the_unit_is_set_up_for() -> None:
    assert found(changing(family=0), plan((0, 2), (5, 7), (12, 14))) == set()
    assert found(changing(family=1), plan((5, 7), (10, 12), (17, 19))) == set()
    assert found(changing(family=1), plan((4, 6), (10, 12), (17, 19))) == {"setup"}
    assert found(changing(family=1, ready=3), plan((8, 10), (13, 15), (20, 22))) == set()
    assert found(changing(family=1, ready=3), plan((7, 9), (13, 15), (20, 22))) == {"setup"}


def test_setups_pause_in_closed_time() -> None:
    asked = changing(closed=(Closed(3, 8),))
    assert found(asked, plan((0, 2), (10, 12), (17, 19))) == set()
    assert found(asked, plan((0, 2), (9, 11), (17, 19))) == {"setup"}


def test_batches_are_set_up_as_well() -> None:
    asked = oven({}, {"family": 1})
    asked = problem([Unit("O", capacity=3, setups=0)], list(asked.tasks), setups=MATRIX)
    assert found(asked, plan((0, 4), (7, 11), batch={0: 0, 1: 1})) == set()
    assert found(asked, plan((0, 4), (6, 10), batch={0: 0, 1: 1})) == {"setup"}


def test_what_runs_already_says_what_the_unit_is_set_up_for() -> None:
    tasks = [task((0, 2), family=1), task((0, 2), family=0)]
    asked = problem([unit(setups=0, family=0)], tasks, setups=MATRIX, pins=(started(0, 0, -1, 2),))
    assert found(asked, plan((-1, 2), (7, 9))) == set()
    assert found(asked, plan((-1, 2), (6, 8))) == {"setup"}
