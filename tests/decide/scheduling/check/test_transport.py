"""Planted violations of transport: moves, leaving, vehicles, buffers and blocking."""

from __future__ import annotations

from typing import Any

import pytest

from tests.decide.scheduling.check.planted import found, plan, problem, task, unit
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Job, Pin, Problem, Vehicle
from zhongshu.decide.scheduling.solution import Moved, Solution

WAY = ((0, 5), (6, 0))
EMPTY = ((0, 2), (3, 0))
CARTS = (Vehicle("cart"), Vehicle("cart-2"))


def line(arc: Arc | None = None, vehicles: tuple[Vehicle, ...] = CARTS, **values: Any) -> Problem:
    """A at station 0, then B at station 1."""
    units = [unit("A", station=0, **values.pop("a", {})), unit("B", station=1, **values.pop("b", {}))]
    arcs = (arc or Arc(0, 1, moves=True),)
    ways = {"vehicles": vehicles, "travel": WAY, "empty": EMPTY}
    return problem(units, [task((0, 4)), task((1, 6))], arcs=arcs, **ways, **values)


def brought(pickup: int, drop: int, start: int, vehicle: int = 0, left: int = 4) -> Solution:
    return plan((0, 4), (start, start + 6), moved=(Moved(0, vehicle, pickup, drop),), left={0: left})


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (brought(4, 9, 9), set()),
        (brought(5, 10, 12, vehicle=1), set()),
        (brought(3, 8, 9), {"move", "left"}),  # fetched before it is done, so it left before, too
        (brought(4, 8, 9), {"move"}),
        (brought(4, 10, 10), {"move"}),
        (brought(4, 9, 8), {"move"}),
        (brought(4, 9, 9, vehicle=-1), {"move"}),
        (brought(6, 11, 11, left=6), set()),
        (brought(6, 11, 11, left=7), {"left"}),
        (brought(6, 11, 11, left=3), {"left"}),
        (plan((0, 4), (9, 15)), {"move"}),
    ],
)
def test_moves(answer: Solution, wanted: set[str]) -> None:
    assert found(line(), answer) == wanted


def test_lags_hold_beside_the_way() -> None:
    assert found(line(Arc(0, 1, moves=True, lag_min=7)), brought(4, 9, 10)) == {"lag_min"}
    assert found(line(Arc(0, 1, moves=True, lag_min=7)), brought(4, 9, 11)) == set()
    assert found(line(Arc(0, 1, moves=True, lag_max=5)), brought(4, 9, 10)) == {"lag_max"}


def test_without_vehicles_the_way_takes_its_time() -> None:
    asked = line(vehicles=())
    assert found(asked, brought(4, 9, 9, vehicle=-1)) == set()
    assert found(asked, brought(4, 8, 9, vehicle=-1)) == {"move"}
    assert found(asked, brought(4, 9, 9, vehicle=0)) == {"shape"}


def test_within_a_station_nothing_is_carried() -> None:
    units = [unit("A"), unit("B")]
    ways = {"vehicles": CARTS, "travel": ((4,),), "empty": ((0,),)}
    asked = problem(units, [task((0, 4)), task((1, 6))], arcs=(Arc(0, 1, moves=True),), **ways)
    assert found(asked, brought(4, 4, 4, vehicle=-1)) == set()
    assert found(asked, brought(5, 5, 7, vehicle=-1)) == set()
    assert found(asked, brought(4, 5, 5, vehicle=-1)) == {"move"}
    assert found(asked, brought(4, 4, 4, vehicle=0)) == {"move"}
    pathless = problem(units, [task((0, 4)), task((1, 6))], arcs=asked.arcs, vehicles=CARTS)
    assert found(pathless, brought(4, 4, 4, vehicle=0)) == {"move"}, "no ways are needed, none are missed"


def test_arcs_that_move_nothing_have_no_move() -> None:
    asked = line(Arc(0, 1))
    assert found(asked, plan((0, 4), (4, 10))) == set()
    assert found(asked, brought(4, 9, 9)) == {"move"}
    runs = line(pins=(Pin(1, unit=1, start=-5, end=1, started=True),))
    assert found(runs, plan((0, 4), (-5, 1))) == set()
    assert found(runs, plan((0, 4), (-5, 1), moved=(Moved(0, 0, 4, 9),))) == {"move"}


def test_a_lot_without_a_move_leaves_when_it_is_done() -> None:
    assert found(line(Arc(0, 1)), plan((0, 4), (4, 10), left={0: 5})) == {"left"}
    assert found(line(Arc(0, 1)), plan((0, 4), (4, 10), left={1: 9})) == {"left"}


def test_a_lot_that_is_not_fetched_blocks_its_unit() -> None:
    asked = problem(
        [unit("A"), unit("B", station=1)],
        [task((0, 4)), task((1, 6)), task((0, 2))],
        arcs=(Arc(0, 1, moves=True),),
        travel=WAY,
    )
    move = (Moved(0, -1, 7, 12),)
    assert found(asked, plan((0, 4), (12, 18), (7, 9), moved=move, left={0: 7})) == set()
    assert found(asked, plan((0, 4), (12, 18), (6, 8), moved=move, left={0: 7})) == {"unit"}
    assert found(asked, plan((0, 4), (12, 18), (6, 8), moved=move, left={0: 6})) == set()


def test_lots_at_hand_are_fetched() -> None:
    asked = line(Arc(AT_HAND, 1, moves=True, origin=0, ready=7))
    assert found(asked, brought(7, 12, 12)) == set()
    assert found(asked, brought(6, 11, 12)) == {"move"}
    carts = (Vehicle("cart", ready=-9),)
    early = line(Arc(AT_HAND, 1, moves=True, origin=0, ready=-7), vehicles=carts)
    assert found(early, brought(0, 5, 9)) == set()
    assert found(early, brought(-1, 4, 9)) == {"move"}


def trips(**values: Any) -> Problem:
    """Two lots from A to B, one back from B to A, as one cart goes."""
    units = [unit("A"), unit("B", station=1), unit("C", station=1), unit("D")]
    tasks = [task((0, 1)), task((1, 1)), task((2, 1)), task((3, 1))]
    arcs = (Arc(0, 1, moves=True), Arc(0, 2, moves=True), Arc(1, 3, moves=True))
    carts = (Vehicle("cart", **values),)
    return problem(units, tasks, arcs=arcs, travel=WAY, empty=EMPTY, vehicles=carts)


def tour(first: int, second: int, third: int) -> Solution:
    moves = (Moved(0, 0, first, first + 5), Moved(1, 0, second, second + 5), Moved(2, 0, third, third + 6))
    spans = ((0, 1), (first + 5, first + 6), (second + 5, second + 6), (third + 6, third + 7))
    return plan(*spans, moved=moves, left={1: third})


def test_vehicles() -> None:
    assert found(trips(), tour(1, 9, 14)) == set()
    assert found(trips(), tour(1, 8, 14)) == {"vehicle"}, "the way back takes 3"
    assert found(trips(), tour(1, 9, 13)) == {"vehicle"}, "it is still loaded"
    assert found(trips(station=1), tour(3, 11, 16)) == set()
    assert found(trips(station=1), tour(2, 11, 16)) == {"vehicle"}, "it comes from station 1"
    assert found(trips(station=1, ready=1), tour(4, 12, 17)) == set()
    assert found(trips(station=1, ready=1), tour(3, 12, 17)) == {"vehicle"}


def lots(count: int, a: dict[str, int], b: dict[str, int], extra: tuple[Arc, ...] = ()) -> Problem:
    """Lots that go from A to B, one after the other, both at one station."""
    tasks = [task((0, 2), job=i) for i in range(count)] + [task((1, 5), job=i) for i in range(count)]
    arcs = tuple(Arc(i, count + i, moves=True) for i in range(count))
    units = [unit("A", **a), unit("B", **b)]
    return problem(units, tasks, arcs=arcs + extra, jobs=tuple(Job() for _ in range(count)))


def flow(pickups: tuple[int, ...], starts: tuple[int, ...], **changes: dict[int, int]) -> Solution:
    """A works from 0 without a pause."""
    spans = [(2 * i, 2 * i + 2) for i in range(len(pickups))] + [(s, s + 5) for s in starts]
    return plan(*spans, moved=tuple(Moved(i, -1, at, at) for i, at in enumerate(pickups)), **changes)


@pytest.mark.parametrize(
    ("places", "wanted"), [(None, set()), (3, set()), (2, {"buffer_out"}), (1, {"buffer_out"})]
)
def test_output_buffer(places: int | None, wanted: set[str]) -> None:
    """Lots enter at 2, 4 and 6 and are fetched at 8, 8 and 12."""
    asked = lots(3, {"buffer_out": places}, {})
    assert found(asked, flow((8, 8, 12), (8, 13, 18))) == wanted


def test_who_is_fetched_at_that_tick_has_made_room() -> None:
    asked = lots(3, {"buffer_out": 2}, {})
    assert found(asked, flow((6, 8, 12), (8, 13, 18))) == set()
    assert found(asked, flow((7, 8, 12), (8, 13, 18))) == {"buffer_out"}


def test_without_output_places_the_lot_stays_on_its_unit() -> None:
    asked = lots(1, {"buffer_out": 0}, {})
    assert found(asked, flow((6,), (6,), left={0: 6})) == set()
    assert found(asked, flow((6,), (6,), left={0: 5})) == {"buffer_out"}
    assert found(asked, flow((2,), (2,))) == set()


def test_lots_at_hand_fill_the_output_too() -> None:
    """One lies in A's output until it is fetched; that it lies there in excess is nobody's fault."""
    for places, fetched, wanted in ((1, 1, set()), (1, 2, set()), (1, 3, {"buffer_out"}), (2, 3, set())):
        asked = lots(1, {"buffer_out": places}, {})
        tasks = (*asked.tasks, task((1, 5)))
        arcs = (*asked.arcs, Arc(AT_HAND, 2, moves=True, origin=0, ready=-4))
        more = problem(list(asked.units), list(tasks), arcs=arcs)
        moves = (Moved(0, -1, 9, 9), Moved(1, -1, fetched, fetched))
        assert found(more, plan((0, 2), (20, 25), (9, 14), moved=moves)) == wanted
    crowd = problem(
        [unit("A", buffer_out=1), unit("B")],
        [task((1, 2)), task((1, 2))],
        arcs=tuple(Arc(AT_HAND, i, moves=True, origin=0) for i in range(2)),
    )
    assert found(crowd, plan((5, 7), (7, 9), moved=(Moved(0, -1, 5, 5), Moved(1, -1, 6, 6)))) == set()


@pytest.mark.parametrize(
    ("places", "wanted"), [(None, set()), (2, set()), (1, {"buffer_in"}), (0, {"buffer_in"})]
)
def test_input_buffer(places: int | None, wanted: set[str]) -> None:
    """Lots are dropped at 2, 4 and 6 and wait until 2, 7 and 12."""
    asked = lots(3, {}, {"buffer_in": places})
    assert found(asked, flow((2, 4, 6), (2, 7, 12))) == wanted


def test_who_is_taken_at_that_tick_has_made_room() -> None:
    asked = lots(3, {}, {"buffer_in": 1})
    assert found(asked, flow((2, 4, 7), (2, 7, 12))) == set()
    assert found(asked, flow((2, 4, 6), (2, 7, 12))) == {"buffer_in"}
    empty = lots(2, {}, {"buffer_in": 0})
    assert found(empty, flow((2, 7), (2, 7), left={1: 7})) == set()
    assert found(empty, flow((2, 6), (2, 7), left={1: 6})) == {"buffer_in"}


def test_lots_at_hand_wait_in_the_input_too() -> None:
    for places, start, wanted in ((1, 1, set()), (1, 7, {"buffer_in"}), (2, 7, set())):
        asked = lots(1, {}, {"buffer_in": places})
        tasks = (*asked.tasks, task((1, 1)))
        arcs = (*asked.arcs, Arc(AT_HAND, 2, origin=1, ready=-4))
        more = problem(list(asked.units), list(tasks), arcs=arcs)
        moved = (Moved(0, -1, 2, 2),)
        assert found(more, plan((0, 2), (8, 13), (start, start + 1), moved=moved)) == wanted


def test_lots_of_what_runs_already_wait_nowhere() -> None:
    runs = Pin(2, unit=1, start=-1, end=3, started=True)
    asked = lots(1, {}, {"buffer_in": 1})
    arcs = (*asked.arcs, Arc(AT_HAND, 2, origin=1, ready=-4))
    more = problem(list(asked.units), [*asked.tasks, task((1, 4))], arcs=arcs, pins=(runs,))
    assert found(more, plan((0, 2), (5, 10), (-1, 3), moved=(Moved(0, -1, 2, 2),))) == set()


def test_a_batch_holds_its_oven_until_its_last_lot_has_left() -> None:
    tasks = [task((0, 4)), task((0, 4)), task((0, 2)), task((1, 1)), task((1, 1))]
    arcs = (Arc(0, 3, moves=True), Arc(1, 4, moves=True))
    asked = problem([unit("O", capacity=2), unit("B")], tasks, arcs=arcs)

    def answer(start: int) -> Solution:
        moves = (Moved(0, -1, 4, 4), Moved(1, -1, 9, 9))
        spans = ((0, 4), (0, 4), (start, start + 2), (4, 5), (9, 10))
        return plan(*spans, moved=moves, left={1: 9}, batch={0: 0, 1: 0, 2: 1})

    assert found(asked, answer(9)) == set()
    assert found(asked, answer(8)) == {"unit"}


def test_a_set_up_begins_when_the_lot_has_left() -> None:
    tasks = [task((0, 4)), task((1, 1)), task((0, 2), family=1)]
    units = [unit("A", setups=0), unit("B")]
    asked = problem(units, tasks, arcs=(Arc(0, 1, moves=True),), setups=(((0, 3), (3, 0)),))

    def answer(start: int) -> Solution:
        return plan((0, 4), (7, 8), (start, start + 2), moved=(Moved(0, -1, 7, 7),), left={0: 7})

    assert found(asked, answer(10)) == set()
    assert found(asked, answer(9)) == {"setup"}
