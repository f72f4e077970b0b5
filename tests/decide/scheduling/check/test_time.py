"""Planted violations of time between tasks and of what is settled: lags, overlaps, origins, pins, frozen windows, churn."""

from __future__ import annotations

import pytest

from tests.decide.scheduling.check.planted import found, plan, problem, task, unit
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Before, Pin, Problem

TWO = [unit("A"), unit("B")]
#: Beyond the reach of most rules.
STARTED = Pin(1, unit=1, start=-5, end=1, started=True)


def pair(**values: object) -> Problem:
    return problem(TWO, [task((0, 4)), task((1, 6))], arcs=(Arc(0, 1, **values),))


@pytest.mark.parametrize(
    ("values", "start", "wanted"),
    [
        ({}, 4, set()),
        ({}, 3, {"lag_min"}),
        ({"lag_min": 2}, 6, set()),
        ({"lag_min": 2}, 5, {"lag_min"}),
        ({"lag_min": -2}, 2, set()),
        ({"lag_min": -2}, 1, {"lag_min"}),
        ({"lag_max": 3}, 7, set()),
        ({"lag_max": 3}, 8, {"lag_max"}),
        ({"lag_max": 0}, 4, set()),
        ({"lag_max": 0}, 5, {"lag_max"}),
    ],
)
def test_lags(values: dict[str, int], start: int, wanted: set[str]) -> None:
    assert found(pair(**values), plan((0, 4), (start, start + 6))) == wanted


@pytest.mark.parametrize(
    ("values", "start", "wanted"),
    [
        ({"overlap": 0}, 0, set()),
        ({"overlap": 2}, 0, set()),
        ({"overlap": 3}, 0, {"overlap"}),
        ({"overlap": 3}, 1, set()),
        ({"overlap": 0, "lag_min": 2}, 1, {"lag_min"}),
        ({"overlap": 0, "lag_min": 2}, 2, set()),
        ({"overlap": 0, "lag_max": 2}, 2, set()),
        ({"overlap": 0, "lag_max": 2}, 3, {"lag_max"}),
    ],
)
def test_overlaps(values: dict[str, int], start: int, wanted: set[str]) -> None:
    assert found(pair(**values), plan((0, 4), (start, start + 6))) == wanted


@pytest.mark.parametrize("values", [{"lag_min": 2}, {"lag_max": 0}, {"overlap": 90}, {"moves": True}])
def test_arcs_into_what_has_started_say_nothing(values: dict[str, int]) -> None:
    asked = problem(TWO, [task((0, 4)), task((1, 6))], arcs=(Arc(0, 1, **values),), pins=(STARTED,))
    assert found(asked, plan((3, 7), (-5, 1))) == set()


def test_lots_at_hand() -> None:
    arc = Arc(AT_HAND, 0, lag_min=2, lag_max=6, origin=0, ready=5)
    asked = problem(TWO, [task((0, 4), (1, 4))], arcs=(arc,))
    assert found(asked, plan((7, 11))) == set()
    assert found(asked, plan((6, 10))) == {"lag_min"}
    assert found(asked, plan((11, 15))) == set()
    assert found(asked, plan((12, 16))) == {"lag_max"}
    assert found(asked, plan((7, 11), mode={0: 1})) == {"origin"}
    nowhere = problem(TWO, [task((0, 4), (1, 4))], arcs=(Arc(AT_HAND, 0, ready=5),))
    assert found(nowhere, plan((5, 9), mode={0: 1})) == set()


def test_pins() -> None:
    asked = problem(TWO, [task((0, 4), (1, 4))], pins=(Pin(0, unit=1, start=3, end=7),))
    assert found(asked, plan((3, 7), mode={0: 1})) == set()
    assert found(asked, plan((3, 7))) == {"pin"}
    assert found(asked, plan((4, 8), mode={0: 1})) == {"pin"}
    only_end = problem(TWO, [task((0, 4), (1, 5))], pins=(Pin(0, end=7),))
    assert found(only_end, plan((2, 7), mode={0: 1})) == set() == found(only_end, plan((3, 7)))
    assert found(only_end, plan((2, 6))) == {"pin"}
    only_unit = problem(TWO, [task((0, 4), (1, 4))], pins=(Pin(0, unit=0),))
    assert found(only_unit, plan((2, 6))) == set()


def window(*pins: Pin) -> Problem:
    tasks = [task((0, 2), (1, 2)) for _ in range(4)]
    return problem(TWO, tasks, frozen=((0, (0, 1)),), pins=pins)


def test_frozen() -> None:
    assert found(window(), plan((0, 2), (2, 4), (4, 6), (0, 2), mode={3: 1})) == set()
    assert found(window(), plan((2, 4), (0, 2), (4, 6), (6, 8))) == {"frozen"}, "order"
    assert found(window(), plan((0, 2), (2, 4), (4, 6), (6, 8), mode={1: 1})) == {"frozen"}, "unit"
    assert found(window(), plan((0, 2), (4, 6), (2, 4), (6, 8))) == {"frozen"}, "intruder"
    runs = Pin(2, unit=0, start=-1, end=1, started=True)
    assert found(window(runs), plan((1, 3), (3, 5), (-1, 1), (5, 7))) == set(), "what runs is no intruder"


def test_who_shares_the_batch_of_a_frozen_task_is_no_intruder() -> None:
    asked = problem([unit(capacity=2)], [task((0, 2)) for _ in range(4)], frozen=((0, (0, 1)),))
    spans = plan((0, 2), (2, 4), (0, 2), (2, 4), batch={0: 0, 1: 1, 2: 0, 3: 1})
    assert found(asked, spans) == set()
    early = plan((2, 4), (4, 6), (0, 2), (2, 4), batch={0: 0, 1: 1, 2: 2, 3: 0})
    assert found(asked, early) == {"frozen"}


def test_churn() -> None:
    tasks = [task((0, 2), (1, 2)) for _ in range(4)]
    previous = tuple(Before(i, 0, 2 * i) for i in range(3))

    def asked(churn: int | None, tolerance: int = 1, *pins: Pin) -> Problem:
        return problem(TWO, tasks, previous=previous, churn=churn, moved_tolerance=tolerance, pins=pins)

    stays = plan((0, 2), (2, 4), (4, 6), (20, 22))
    assert found(asked(0), stays) == set(), "what is new was not moved"
    within = plan((0, 2), (3, 5), (5, 7), (20, 22))
    assert found(asked(0), within) == set()
    assert found(asked(0, 0), within) == {"churn"}
    assert found(asked(2, 0), within) == set() and found(asked(1, 0), within) == {"churn"}
    assert found(asked(None, 0), within) == set()
    other = plan((0, 2), (2, 4), (4, 6), (20, 22), mode={1: 1})
    assert found(asked(0), other) == {"churn"}
    runs = Pin(0, unit=1, start=-3, end=1, started=True)
    assert found(asked(0, 1, runs), plan((-3, 1), (2, 4), (4, 6), (20, 22), mode={0: 1})) == set()
