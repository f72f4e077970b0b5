"""First-come dispatch on an imaginary floor: what must hold whatever happens, and that orders get through."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decide.imaginary_floor import ImaginaryFloor, tree_floor
from tests.decide.small_plant import make_plant
from zhongshu.decide.first_come import FirstCome, Move
from zhongshu.decide.work import Lot, LotStatus
from zhongshu.model.messages import TransportProgressed

CHAIN = {"cut-1": "a-cut", "cut-2": "a-cut", "bend-1": "b-bend", "pack-1": "c-pack"}


def _two_lots_and_vehicles(metres: float = 10.0) -> ImaginaryFloor:
    """Lot 1 waits behind cut-2 (n1), lot 2 of another order behind bend-1 (n2); vehicles at n2 and n0."""
    plant = make_plant(CHAIN)
    edges = tuple(replace(edge, length_m=metres) for edge in plant.roads.edges)
    floor = ImaginaryFloor(replace(plant, roads=replace(plant.roads, edges=edges)), seed=1)
    places = {1: ("cut-2", "bend-1", 1), 2: ("bend-1", "pack-1", 2)}
    for number, (place, target, step) in places.items():
        floor.order(f"W-{number}", 5)
        order = floor.work.orders[f"W-{number}"]
        order.status = "released"
        floor.work.lots[number] = Lot(
            number, order.id, "hood", 5, good=5, next_step=step, place=place, at_output=True, target=target,
            status=LotStatus.WAITING,
        )  # fmt: skip
        floor.lying[number] = (place, "out")
    floor.work.vehicles["agv-0"].node, floor.work.vehicles["agv-1"].node = "n2", "n0"
    return floor


def test_an_order_passes_every_operation_once_and_in_order() -> None:
    floor = ImaginaryFloor(make_plant(CHAIN), seed=1)
    floor.order("W-1", 12)
    floor.run(400)
    assert floor.orders["W-1"].status == "done"
    assert floor.orders["W-1"].done == 12
    by_lot = Counter(floor.processed)
    assert set(by_lot.values()) == {1}
    for lot in {number for number, _ in floor.processed}:
        assert [operation for number, operation in floor.processed if number == lot] == [10, 20, 30]


def test_parts_are_built_before_the_product_and_consumed_by_it() -> None:
    floor = tree_floor(seed=2)
    floor.order("W-1", 5)
    floor.run(300)
    assert floor.orders["W-1"].done == 5
    statuses = Counter(lot.status for lot in floor.work.lots.values())
    assert statuses == {LotStatus.STORED: 1, LotStatus.CONSUMED: 3}


def test_first_come_is_first_served() -> None:
    floor = ImaginaryFloor(make_plant({"cut-1": "a-cut"}), seed=3)
    floor.order("W-1", 5)
    floor.turn()
    floor.order("W-2", 5)
    floor.order("W-3", 5)
    floor.run(200)
    assert [number for number, _ in floor.processed] == [1, 2, 3]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quantities=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    refusals=st.sampled_from([0.0, 0.1, 0.3]),
    scrap=st.sampled_from([0.0, 0.05]),
)
def test_every_order_ends_and_nothing_is_double_booked(
    seed: int, quantities: list[int], refusals: float, scrap: float
) -> None:
    floor = tree_floor(seed, refusals=refusals, scrap=scrap)
    for i, quantity in enumerate(quantities):
        floor.order(f"W-{i}", quantity)
    floor.run(3000)
    held = [lot for lot in floor.work.lots.values() if lot.status is LotStatus.HELD]
    unfinished = {o.id: o.status for o in floor.orders.values() if o.status != "done"}
    assert not unfinished or held, (unfinished, list(floor.work.lots.values()))


def test_a_unit_in_local_mode_gets_nothing() -> None:
    floor = ImaginaryFloor(make_plant(CHAIN), seed=4)
    floor.work.states["cut-1"] = ("IDLE", "LOCAL")
    floor.order("W-1", 10)
    floor.run(300)
    assert floor.orders["W-1"].status == "done"
    assert "cut-1" not in {unit for unit, _ in floor.lying.values()}


def test_vehicles_are_shared_out_with_the_least_driving_in_all() -> None:
    """The first lot does not take the vehicle without which the second one's way is long."""
    floor = _two_lots_and_vehicles()
    moves = [c for c in FirstCome(floor.work, floor.roads, floor.now_ns).choices() if isinstance(c, Move)]
    assert {m.vehicle: m.from_unit for m in moves} == {"agv-0": "bend-1", "agv-1": "cut-2"}


def test_a_vehicle_is_called_back_for_one_that_is_much_nearer_and_its_lot_is_not_worse_off() -> None:
    floor = _two_lots_and_vehicles(metres=100.0)
    work, lot = floor.work, floor.work.lots[1]
    work.lots[2].status = LotStatus.HELD
    work.vehicles["agv-0"].node, work.vehicles["agv-1"].node = "n4", "n1"
    work.vehicles["agv-1"].not_before_ns = floor.now_ns + 1  # not there yet
    floor.choose()
    assert work.vehicles["agv-0"].lot == 1 and lot.status is LotStatus.MOVING
    work.vehicles["agv-1"].not_before_ns = 0
    floor.choose()
    assert [p.reason for p in floor.recalled] == ["another_vehicle_is_nearer"]
    assert (lot.status, lot.attempt, lot.not_before_ns) == (LotStatus.WAITING, 0, 0)
    floor.choose()
    assert work.vehicles["agv-1"].lot == 1 and not work.vehicles["agv-0"].proposal
    floor.choose()
    assert len(floor.recalled) == 1


def test_a_lot_of_higher_priority_takes_a_vehicle_that_has_not_picked_yet() -> None:
    floor = _two_lots_and_vehicles(metres=100.0)
    work = floor.work
    del work.vehicles["agv-1"]
    urgent = work.lots[2]
    urgent.status = LotStatus.HELD
    floor.choose()
    assert work.vehicles["agv-0"].lot == 1
    urgent.status = LotStatus.WAITING
    work.orders[urgent.order].priority = 1
    work.vehicles["agv-0"].load = 1
    floor.choose()
    assert not floor.recalled, "it has picked"
    work.vehicles["agv-0"].load = 0
    floor.choose()
    assert [p.reason for p in floor.recalled] == ["a_lot_of_higher_priority_waits"]
    floor.choose()
    assert work.vehicles["agv-0"].lot == 2 and work.lots[1].status is LotStatus.WAITING


def test_a_transport_cancelled_while_its_lot_was_put_down_has_arrived() -> None:
    """A vehicle does not undo what it is doing when it is called back: looked for at its old place, the lot would be lost."""
    floor = _two_lots_and_vehicles()
    work, lot = floor.work, floor.work.lots[2]
    work.lots[1].status = LotStatus.HELD
    floor.choose()
    name = next(n for n, v in work.vehicles.items() if v.lot == lot.number)
    key, _, _ = floor.drives[name]

    def said(state: str, load: int) -> None:
        floor.progress.apply(TransportProgressed("small", "test", floor.now_ns, name, key, state, load))

    said("RUNNING", 0)
    said("RUNNING", lot.number)
    work.vehicles[name].recalled = True
    work.vehicles[name].node = work.plant.unit_of["pack-1"].station
    said("FAILED", 0)
    assert (lot.place, lot.at_output, lot.status) == ("pack-1", False, LotStatus.WAITING)
    assert not work.vehicles[name].took


def test_a_transport_cancelled_before_the_lot_was_taken_leaves_it_where_it_was() -> None:
    floor = _two_lots_and_vehicles()
    work, lot = floor.work, floor.work.lots[2]
    work.lots[1].status = LotStatus.HELD
    floor.choose()
    name = next(n for n, v in work.vehicles.items() if v.lot == lot.number)
    key, _, _ = floor.drives[name]
    work.vehicles[name].recalled = True
    work.vehicles[name].node = work.plant.unit_of["pack-1"].station
    floor.progress.apply(TransportProgressed("small", "test", floor.now_ns, name, key, "FAILED", 0))
    assert (lot.place, lot.at_output, lot.status) == ("bend-1", True, LotStatus.WAITING)
