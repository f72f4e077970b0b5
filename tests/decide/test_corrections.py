"""Named persons change orders and put lots right: what decide makes of it, on an imaginary floor that checks every start."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decide.imaginary_floor import ImaginaryFloor
from tests.decide.small_plant import assembled, make_plant
from zhongshu.decide.work import Hold, Lot, LotStatus, closed
from zhongshu.model.messages import CommandChanged, JobProgressed, LotCorrected, OrderChanged, OrderHeld

CHAIN = {"cut-1": "a-cut", "cut-2": "a-cut", "bend-1": "b-bend", "pack-1": "c-pack"}
TREE = {"cut-1": "a-cut", "bend-1": "b-bend", "build-1": "d-build", "mount-1": "e-mount"}
RESTING = (LotStatus.WAITING, LotStatus.FINISHED, LotStatus.PLANNED)


@pytest.fixture
def floor() -> ImaginaryFloor:
    floor = ImaginaryFloor(make_plant(CHAIN), seed=1)
    floor.order("W-1", 20)
    return floor


def tree_floor(seed: int = 3, **chances: float) -> ImaginaryFloor:
    products = assembled(["d-build", "e-mount"], {"body": ["a-cut", "b-bend"], "lid": ["a-cut"]})
    floor = ImaginaryFloor(make_plant(TREE, products=products), seed, **chances)
    floor.order("W-1", 15)
    return floor


def change(floor: ImaginaryFloor, order: str = "W-1", cancelled: bool = False, **wanted: int) -> None:
    is_ = floor.orders[order]
    values = {"quantity": is_.quantity, "due_ns": is_.due_ns, "priority": is_.priority} | wanted
    floor.progress.apply(
        OrderChanged("small", "web", floor.now_ns, order, **values, cancelled=cancelled, by="Li Na")
    )


def correct(floor: ImaginaryFloor, lot: Lot, kind: str, **said: object) -> None:
    values = {"good": 0, "scrap": 0, "place": "", "at_output": False} | said
    floor.progress.apply(
        LotCorrected("small", "web", floor.now_ns, 1, lot.number, kind, **values, by="Li Na")  # type: ignore[arg-type]
    )


def hold_order(floor: ImaginaryFloor, held: bool) -> None:
    floor.progress.apply(OrderHeld("small", "web", floor.now_ns, 1, "W-1", held, "Li Na"))


def until(floor: ImaginaryFloor, *status: LotStatus, turns: int = 200) -> Lot:
    """Turn until some lot that exists is in one of these."""
    for _ in range(turns):
        for lot in floor.work.lots.values():
            if lot.status in status and (lot.next_step or lot.started_ns):
                return lot
        floor.turn()
    raise AssertionError(f"no lot ever came to {status}")


def test_due_and_priority_are_taken_over_and_go_first(floor: ImaginaryFloor) -> None:
    floor.order("W-2", 5)
    change(floor, "W-2", due_ns=5, priority=0)
    assert (floor.orders["W-2"].due_ns, floor.orders["W-2"].priority) == (5, 0)
    assert next(iter(floor.work.orders)) == "W-1"
    floor.release()
    assert next(floor.work.in_order()).order == "W-2"
    assert floor.work.dirty_orders >= {"W-2"}


def test_an_order_cancelled_before_its_release_ends_at_once(floor: ImaginaryFloor) -> None:
    change(floor, cancelled=True)
    floor.run(20)
    assert floor.orders["W-1"].status == "cancelled"
    assert floor.work.lots == {} and floor.processed == []


def test_a_cancelled_order_keeps_nothing_but_what_was_begun(floor: ImaginaryFloor) -> None:
    until(floor, LotStatus.RUNNING)
    begun = {lot.number for lot in floor.work.lots.values() if lot.started_ns}
    change(floor, cancelled=True)
    change(floor, cancelled=True)  # twice is once
    done_before = len(floor.processed)
    floor.run(200)
    held = {lot.number for lot in floor.work.lots.values() if lot.status is LotStatus.HELD}
    assert held == begun and held
    assert all(floor.work.lots[number].hold is Hold.CANCELLED for number in held)
    assert len(floor.processed) - done_before <= len(held)  # each to the end of its operation, and no further
    others = {lot.status for lot in floor.work.lots.values() if lot.number not in held}
    assert others == {LotStatus.CANCELLED}
    assert floor.orders["W-1"].status == "cancelling"  # until somebody has looked at them
    for number in sorted(held):
        correct(floor, floor.work.lots[number], "count", good=0, scrap=5)
    assert floor.orders["W-1"].status == "cancelled" and floor.work.lost == []


def test_a_refused_start_of_a_cancelled_order_leaves_nothing_behind(floor: ImaginaryFloor) -> None:
    floor.refusals = 1.0
    floor.release()
    lot = next(iter(floor.work.lots.values()))
    lot.status, lot.proposal, lot.target = LotStatus.STARTING, "job.x", "cut-1"
    floor.progress.proposed("job.x", lot)
    change(floor, cancelled=True)
    assert lot.status is LotStatus.STARTING and floor.orders["W-1"].status == "cancelling"
    refused = CommandChanged(
        "small", "act", floor.now_ns, 9, "job.x", "cut-1", "START_JOB", "refused", "", ""
    )
    floor.progress.apply(refused)
    assert lot.status is LotStatus.CANCELLED and floor.orders["W-1"].status == "cancelled"


def test_more_pieces_are_made_and_fewer_too(floor: ImaginaryFloor) -> None:
    until(floor, LotStatus.RUNNING)
    change(floor, quantity=27)
    floor.run(3)
    change(floor, quantity=27)  # the same again, as after a restart
    floor.run(3)
    tops = [lot for lot in floor.work.lots.values() if lot.status is not LotStatus.CANCELLED]
    assert sum(lot.quantity for lot in tops) == 27
    floor.run(900)
    assert (floor.orders["W-1"].status, floor.orders["W-1"].done) == ("done", 27)


def test_fewer_pieces_end_planned_lots_only() -> None:
    floor = tree_floor()
    until(floor, LotStatus.RUNNING)
    change(floor, quantity=7)
    floor.run(900)
    assert floor.orders["W-1"].status == "done"
    assert floor.orders["W-1"].done in (7, 10)  # 7, or the two lots that had begun
    assert all(closed(lot) for lot in floor.work.lots.values())


def test_a_held_lot_rests_until_it_is_released(floor: ImaginaryFloor) -> None:
    lot = until(floor, *RESTING)
    before = lot.next_step
    correct(floor, lot, "hold")
    floor.run(150)
    assert (lot.status, lot.hold, lot.next_step) == (LotStatus.HELD, Hold.QUALITY, before)
    assert floor.orders["W-1"].status == "released"
    correct(floor, lot, "release")
    floor.run(400)
    assert (floor.orders["W-1"].status, floor.orders["W-1"].done) == ("done", 20)


def test_a_running_lot_is_held_when_its_operation_ends(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.RUNNING)
    before = lot.next_step
    correct(floor, lot, "hold")
    assert lot.status is LotStatus.RUNNING
    floor.run(100)
    assert (lot.status, lot.next_step) == (LotStatus.HELD, before + 1)
    correct(floor, lot, "release")
    floor.run(400)
    assert floor.orders["W-1"].done == 20


def test_a_lot_held_at_its_very_end_is_stored_when_released() -> None:
    floor = ImaginaryFloor(make_plant({"cut-1": "a-cut"}), seed=3)
    floor.order("W-1", 5)
    lot = until(floor, LotStatus.RUNNING)
    correct(floor, lot, "hold")
    floor.run(60)
    assert lot.status is LotStatus.HELD and floor.orders["W-1"].done == 0
    correct(floor, lot, "release")
    assert (floor.orders["W-1"].status, floor.orders["W-1"].done) == ("done", 5)


def test_an_order_on_hold_stops_and_goes_on_but_for_lots_held_by_themselves() -> None:
    floor = tree_floor()
    floor.run(30)
    alone = until(floor, LotStatus.WAITING, LotStatus.FINISHED, LotStatus.RUNNING)
    correct(floor, alone, "hold")
    hold_order(floor, True)
    floor.run(60)
    made = len(floor.processed)
    floor.run(60)
    assert len(floor.processed) == made and floor.orders["W-1"].status == "held"
    hold_order(floor, False)
    assert floor.orders["W-1"].status == "released" and alone.hold is Hold.QUALITY
    correct(floor, alone, "release")
    floor.run(900)
    assert (floor.orders["W-1"].status, floor.orders["W-1"].done) == ("done", 15)


def test_an_order_held_before_its_release_waits_for_it(floor: ImaginaryFloor) -> None:
    hold_order(floor, True)
    change(floor, quantity=10)
    floor.run(20)
    assert floor.work.lots == {}
    hold_order(floor, False)
    floor.run(400)
    assert floor.orders["W-1"].done == 10


def test_counts_go_on_with_the_pieces_and_a_lot_of_nothing_is_made_again(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.WAITING)
    correct(floor, lot, "count", good=3, scrap=2)
    other = next(each for each in floor.work.lots.values() if each is not lot)
    while other.status is not LotStatus.WAITING:
        floor.turn()
    correct(floor, other, "count", good=0, scrap=5)
    correct(floor, other, "count", good=0, scrap=5)
    assert other.status is LotStatus.CANCELLED and len(floor.work.lost) == 1
    floor.run(600)
    assert (floor.orders["W-1"].status, floor.orders["W-1"].done) == ("done", 18)


def test_a_count_in_the_store_corrects_the_order() -> None:
    floor = ImaginaryFloor(make_plant({"cut-1": "a-cut"}), seed=3)
    floor.order("W-1", 10)
    lot = until(floor, LotStatus.STORED)
    correct(floor, lot, "count", good=4, scrap=1)
    assert (floor.orders["W-1"].done, floor.orders["W-1"].scrapped) == (4, 1)
    correct(floor, lot, "count", good=5, scrap=0)  # the inverse
    assert (floor.orders["W-1"].done, floor.orders["W-1"].scrapped) == (5, 0)


def test_a_moved_lot_goes_on_from_where_it_lies(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.WAITING)
    correct(floor, lot, "move", place="pack-1", at_output=True)
    floor.lying[lot.number] = ("pack-1", "out")  # so does the floor, which checks where it is picked
    floor.run(600)
    assert (floor.orders["W-1"].status, floor.orders["W-1"].done) == ("done", 20)


def test_a_moved_lot_is_worked_on_where_it_was_carried(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.WAITING)
    correct(floor, lot, "move", place="bend-1", at_output=False)
    assert (lot.place, lot.target, lot.at_output) == ("bend-1", "bend-1", False)
    floor.run(600)
    assert floor.orders["W-1"].done == 20


def test_a_job_that_was_out_for_a_lot_that_lies_elsewhere_is_asked_for_anew(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.RUNNING)
    while lot.next_step == 0 or lot.status is not LotStatus.RUNNING:
        floor.turn()
    old, place = lot.proposal, lot.target
    correct(floor, lot, "move", place=place, at_output=False)
    assert lot.status is LotStatus.WAITING and lot.command == 0
    while lot.status is not LotStatus.RUNNING:
        floor.turn()
    assert lot.proposal != old


def test_a_lot_whose_transport_nobody_believes_in_any_more_is_found_again(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.MOVING)
    vehicle = next(v for v in floor.work.vehicles.values() if v.lot == lot.number)
    correct(floor, lot, "move", place="pack-1", at_output=True)
    assert lot.status is LotStatus.WAITING and lot.proposal == "" and vehicle.proposal
    correct(floor, lot, "hold")
    floor.run(60)  # the vehicle comes to its end; the lot stays where the person saw it
    assert (lot.place, lot.status) == ("pack-1", LotStatus.HELD) and vehicle.lot != lot.number


def test_an_aborted_job_asks_for_a_person_and_is_begun_anew(floor: ImaginaryFloor) -> None:
    lot = until(floor, LotStatus.RUNNING)
    unit, key = next((u, key) for u, (key, p, _) in floor.jobs.items() if p.subject == f"lot:{lot.number}")
    del floor.jobs[unit]
    floor.work.states[unit] = ("IDLE", "PRODUCTION")
    old = lot.proposal
    floor.progress.apply(JobProgressed("small", "t", floor.now_ns, unit, key, "ABORTED", 0, 0))
    assert (lot.status, lot.hold) == (LotStatus.HELD, Hold.ABORTED)
    correct(floor, lot, "release")
    while lot.status is not LotStatus.RUNNING:
        floor.turn()
    assert lot.proposal != old  # a job of the same name would never have been begun
    floor.run(600)
    assert floor.orders["W-1"].done == 20


def test_refused_too_often_asks_for_a_person_and_then_tries_again(floor: ImaginaryFloor) -> None:
    floor.refusals = 1.0
    floor.run(400)
    lots = list(floor.work.lots.values())
    assert {lot.hold for lot in lots} == {Hold.REFUSED} and {lot.status for lot in lots} == {LotStatus.HELD}
    floor.refusals = 0.0
    for lot in lots:
        correct(floor, lot, "release")
    floor.run(600)
    assert floor.orders["W-1"].done == 20


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["hold", "release", "count", "quantity", "order", "go"]), st.integers(0, 50)), max_size=12),
)  # fmt: skip
def test_whatever_people_do_the_order_ends_with_its_pieces(
    seed: int, acts: list[tuple[int, str, int]]
) -> None:
    floor = tree_floor(seed, scrap=0.05)
    for turns, act, which in acts:
        floor.run(turns)
        lots = [lot for lot in floor.work.lots.values() if not closed(lot)]
        lot = lots[which % len(lots)] if lots else None
        if act == "quantity":
            change(floor, quantity=1 + which)
        elif act in ("order", "go"):
            hold_order(floor, act == "order")
        elif lot is not None and (act != "count" or lot.status in (LotStatus.WAITING, LotStatus.HELD)):
            correct(floor, lot, act, good=max(0, lot.good - 1), scrap=lot.scrap + 1)
    hold_order(floor, False)
    for lot in list(floor.work.lots.values()):
        correct(floor, lot, "release")
    floor.run(3000)
    order = floor.orders["W-1"]
    assert order.status == "done", Counter((lot.status, lot.hold) for lot in floor.work.lots.values())
    stored = [lot for lot in floor.work.lots.values() if lot.status is LotStatus.STORED]
    assert order.done == sum(lot.good for lot in stored)
    assert sum(lot.quantity for lot in stored) >= order.quantity
