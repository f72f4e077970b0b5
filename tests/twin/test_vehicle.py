"""Vehicles drive node by node, carry lots, and say no to what they cannot do."""

from __future__ import annotations

import pytest

from tests.twin.small import EXACT, PART, STAMP, Bench
from zhongshu.model.commands import Result, Verb
from zhongshu.model.states import TransportState, UnitState
from zhongshu.twin.lots import Where

_BACK = ["lane-06", "lane-05", "lane-04", "lane-03", "lane-02", "lane-01"]


def _ready(lot: int = 1) -> Bench:
    bench = Bench()
    assert bench.start("press-1", lot, PART, STAMP) is Result.OK
    bench.wait(600)
    return bench


def test_a_vehicle_reaches_node_after_node_and_carries_the_lot() -> None:
    bench = _ready()
    vehicle = bench.floor.vehicles["agv-1"]
    route = [*_BACK, "lane-02", "lane-03"]
    assert bench.carry("agv-1", 1, "press-1", "wash", route).result is Result.OK
    assert vehicle.place() == (50.0, 20.0)
    bench.wait(5)
    assert vehicle.place() == (45.0, 20.0)
    assert (vehicle.node, vehicle.next_node, vehicle.driving) == ("lane-06", "lane-05", True)
    assert bench.floor.occupancy()["lane-05"] == ["agv-2"]
    seen = []
    for _ in range(100):
        bench.wait(1)
        if not seen or seen[-1] != vehicle.node:
            seen.append(vehicle.node)
    assert seen == route
    # five lanes of 10 m at 1 m/s, 10 s to pick, two lanes, 10 s to drop
    assert [e["lot"] for e in bench.of("picked")] == [1]
    (done,) = [e for e in bench.of("transport") if e["end"] == "done"]
    assert done["t_s"] == 600 + 50 + 10 + 20 + 10
    lot = bench.floor.shop.stock.lots[1]
    assert (lot.where, lot.unit, vehicle.load) == (Where.INPUT, "wash", 0)
    assert (vehicle.order_state, vehicle.state, vehicle.errors) == (TransportState.DONE, UnitState.IDLE, 0)


def test_orders_that_cannot_be_driven_are_refused_with_a_reason() -> None:
    bench = _ready()
    wrong_start = bench.carry("agv-1", 1, "press-1", "wash", _BACK[1:] + ["lane-02", "lane-03"])
    assert wrong_start.result is Result.NOT_READY
    assert "lane-06" in wrong_start.reason
    assert (
        bench.carry("agv-1", 1, "press-1", "wash", ["lane-06", "lane-01", "lane-03"]).result
        is Result.BAD_ARGUMENT
    )
    assert bench.ask("agv-1", Verb.TRANSPORT, lot=1).result is Result.BAD_ARGUMENT
    assert bench.ask("agv-1", Verb.START_JOB).result is Result.UNKNOWN_VERB
    assert bench.ask("agv-1", Verb.CANCEL_TRANSPORT).result is Result.NOT_READY
    good = [*_BACK, "lane-02", "lane-03"]
    assert bench.carry("agv-1", 1, "press-1", "wash", good).result is Result.OK
    assert bench.carry("agv-1", 1, "press-1", "wash", good).result is Result.BUSY
    elsewhere = {
        "lot": 1,
        "route": _BACK[1:],
        "pick_at": 0,
        "drop_at": 4,
        "pick_unit": "wash",
        "drop_unit": "press-1",
    }
    assert bench.ask("agv-2", Verb.TRANSPORT, **elsewhere).result is Result.BAD_ARGUMENT


def test_a_lot_that_is_not_there_fails_the_order_and_the_next_one_clears_the_error() -> None:
    bench = Bench()
    vehicle = bench.floor.vehicles["agv-1"]
    bench.carry("agv-1", 1, "press-1", "wash", [*_BACK, "lane-02", "lane-03"])
    bench.wait(300)
    assert (vehicle.order_state, vehicle.node, vehicle.errors) == (TransportState.FAILED, "lane-01", 1)
    move = {
        "lot": 0,
        "route": ["lane-01", "lane-02"],
        "pick_at": 0,
        "drop_at": 0,
        "pick_unit": "",
        "drop_unit": "",
    }
    assert bench.ask("agv-1", Verb.TRANSPORT, **move).result is Result.OK
    bench.wait(30)
    assert (vehicle.order_state, vehicle.node, vehicle.errors) == (TransportState.DONE, "lane-02", 0)


def test_a_cancelled_order_ends_at_the_next_node_and_the_load_stays_on_board() -> None:
    bench = _ready()
    vehicle = bench.floor.vehicles["agv-1"]
    bench.carry("agv-1", 1, "press-1", "wash", [*_BACK, "lane-02", "lane-03"])
    bench.wait(50 + 10 + 3)
    on_board = bench.floor.shop.stock.lots[1]
    assert (on_board.where, on_board.unit) == (Where.VEHICLE, "agv-1")
    assert not bench.floor.shop.stock.buffer("press-1", Where.OUTPUT)
    assert bench.ask("agv-1", Verb.CANCEL_TRANSPORT).result is Result.OK
    bench.wait(10)
    assert (vehicle.order_state, vehicle.node, vehicle.load) == (TransportState.FAILED, "lane-02", 1)
    other = bench.carry("agv-1", 2, "press-2", "wash", ["lane-02", "lane-03"])
    assert other.result is Result.NOT_READY
    on = {
        "lot": 1,
        "route": ["lane-02", "lane-03"],
        "pick_at": -1,
        "drop_at": 1,
        "pick_unit": "",
        "drop_unit": "wash",
    }
    assert bench.ask("agv-1", Verb.TRANSPORT, **on).result is Result.OK
    bench.wait(100)
    assert bench.floor.shop.stock.lots[1].unit == "wash"


def test_a_late_cancel_of_an_earlier_order_does_not_end_the_next_one() -> None:
    bench = _ready()
    vehicle = bench.floor.vehicles["agv-1"]
    move = {"lot": 0, "route": _BACK[:2], "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
    bench.ask("agv-1", Verb.TRANSPORT, key=70, **move)
    bench.wait(20)
    bench.ask("agv-1", Verb.TRANSPORT, key=71, **{**move, "route": _BACK[1:]})
    assert bench.ask("agv-1", Verb.CANCEL_TRANSPORT, order=70).result is Result.NOT_READY
    assert vehicle.running
    assert bench.ask("agv-1", Verb.CANCEL_TRANSPORT, order=71).result is Result.OK


def test_it_waits_before_a_full_buffer() -> None:
    bench = _ready(1)
    stock = bench.floor.shop.stock
    for lot in (2, 3):
        stock.move(stock.create(lot, PART, 4, "wash"), Where.INPUT, "wash")
        stock.lots[lot].done = 1
    bench.carry("agv-1", 1, "press-1", "wash", [*_BACK, "lane-02", "lane-03"])
    bench.wait(500)
    vehicle = bench.floor.vehicles["agv-1"]
    assert (vehicle.running, vehicle.load) == (True, 1)
    stock.move(stock.lots[2], Where.OUTPUT, "wash")
    bench.wait(3)
    assert (vehicle.order_state, vehicle.load) == (TransportState.DONE, 0)


def test_the_battery_drains_and_charges_at_a_charger() -> None:
    bench = Bench(EXACT)
    vehicle = bench.floor.vehicles["agv-1"]
    vehicle.energy_percent = 50.0
    bench.wait(600)
    vehicle.meter()
    assert vehicle.energy_percent == pytest.approx(60.0)
    move = {"lot": 0, "route": _BACK, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
    bench.ask("agv-1", Verb.TRANSPORT, **move)
    bench.wait(50)
    vehicle.meter()
    assert vehicle.energy_percent == pytest.approx(60.0 - 14 * 50 / 3600)
    assert not vehicle.charging
    vehicle.energy_percent = 5.0
    assert (vehicle.errors, vehicle.low) == (1, True)


def test_a_lost_vehicle_stands_where_it_is_and_goes_on_from_there() -> None:
    bench = Bench()
    vehicle = bench.floor.vehicles["agv-1"]
    move = {"lot": 0, "route": _BACK, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
    bench.ask("agv-1", Verb.TRANSPORT, **move)
    bench.wait(13)
    vehicle.set_lost(True)
    bench.wait(1000)
    assert vehicle.place() == pytest.approx((37.0, 20.0))
    assert (vehicle.state, vehicle.velocity()) == (UnitState.ABORTED, 0.0)
    vehicle.set_lost(False)
    bench.wait(7)
    assert vehicle.node == "lane-04"


FRAIL = EXACT.model_copy(
    update={
        "vehicles": EXACT.vehicles.model_copy(
            update={"mtbf_h": 0.02, "repair_min": 2.0, "repair_spread": 0.0}
        )
    }
)


def test_it_breaks_down_while_driving_and_goes_on_after_the_repair() -> None:
    bench = Bench(FRAIL, 4)
    vehicle = bench.floor.vehicles["agv-1"]
    bench.wait(7200)
    assert not bench.of("vehicle_fault")  # standing wears nobody
    for _ in range(20):
        way = _BACK if vehicle.node == "lane-06" else _BACK[::-1]
        move = {"lot": 0, "route": way, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
        assert bench.ask("agv-1", Verb.TRANSPORT, **move).result is Result.OK
        bench.wait(1200)
        assert (vehicle.order_state, vehicle.node) == (TransportState.DONE, way[-1])
    broke, mended = bench.of("vehicle_fault"), bench.of("vehicle_repaired")
    # 20 drives of 50 s, one fault in 72 s on average
    assert 5 <= len(broke) <= 30
    assert [round(b["t_s"] - a["t_s"], 3) for a, b in zip(broke, mended, strict=True)] == [120.0] * len(broke)
    drives = [e["t_s"] for e in bench.of("transport")]
    taken = sum(end - begin for begin, end in zip(drives[::2], drives[1::2], strict=True))
    assert taken == pytest.approx(20 * 50 + 120 * len(broke))


def test_a_broken_vehicle_stands_says_so_takes_no_order_and_is_restored_as_it_was() -> None:
    bench = Bench(FRAIL, 4)
    vehicle = bench.floor.vehicles["agv-1"]
    move = {"lot": 0, "route": _BACK, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": ""}
    bench.ask("agv-1", Verb.TRANSPORT, **move)
    bench.wait(3)
    vehicle.trouble.break_down()
    bench.wait(30)
    assert vehicle.place() == pytest.approx((47.0, 20.0))
    assert (vehicle.state, vehicle.velocity(), vehicle.errors) == (UnitState.ABORTED, 0.0, 1)
    assert (vehicle.running, vehicle.charging) == (True, False)
    state = bench.floor.dump()
    again = Bench(FRAIL, 4)
    again.floor.restore(state)
    assert again.floor.dump() == state
    for it in (bench, again):
        it.wait(89.9)
        assert it.floor.vehicles["agv-1"].broken
        it.wait(0.2)
        assert not it.floor.vehicles["agv-1"].broken
    bench.floor.vehicles["agv-2"].trouble.break_down()
    assert bench.ask("agv-2", Verb.TRANSPORT, **{**move, "route": _BACK[1:]}).result is Result.NOT_READY
    bench.wait(1000)
    again.wait(1000)
    assert again.floor.vehicles["agv-1"].node == vehicle.node == "lane-01"
