"""A vehicle drives what is released of its order and no further; two in one place are noted, whatever they were told."""

from __future__ import annotations

import json
from typing import Any

from tests.twin.small import EXACT, START_NS, Bench, small_plant
from zhongshu.kernel.clock import NS
from zhongshu.model.commands import Result, Verb
from zhongshu.model.states import TransportState
from zhongshu.twin.floor import Floor

ROUTE = ["lane-06", "lane-05", "lane-04", "lane-03", "lane-02"]


def go(
    bench: Bench, vehicle: str, route: list[str], verb: Verb = Verb.TRANSPORT, **more: Any
) -> tuple[int, Result]:
    """A move without lot; its key and the answer."""
    args = {"lot": 0, "route": route, "pick_at": 0, "drop_at": 0, "pick_unit": "", "drop_unit": "", **more}
    key = more.pop("key", 0) or next(bench.keys)
    args.pop("key", None)
    return key, bench.ask(vehicle, verb, key, **args).result


def aside(bench: Bench) -> None:
    """agv-2 goes away to the far end."""
    go(bench, "agv-2", ["lane-05", "lane-04", "lane-03", "lane-02", "lane-01"])
    bench.wait(60)


def test_it_waits_at_the_end_of_what_is_released_until_more_is() -> None:
    bench = Bench()
    aside(bench)
    vehicle = bench.floor.vehicles["agv-1"]
    key, _ = go(bench, "agv-1", ROUTE, released=3)
    bench.wait(200)
    assert (vehicle.node, vehicle.phase, vehicle.order_state) == (
        "lane-04",
        "waiting",
        TransportState.RUNNING,
    )
    more = {"key": key, "released": 4, "update": 1}
    for _ in range(2):  # the second time it is the same update, and nothing is done
        assert go(bench, "agv-1", ROUTE, Verb.EXTEND_TRANSPORT, **more)[1] is Result.OK
    bench.wait(200)
    assert (vehicle.node, vehicle.phase) == ("lane-03", "waiting")
    elsewhere = ["lane-06", "lane-05", "lane-04", "lane-03", "lane-04"]
    assert go(bench, "agv-1", elsewhere, Verb.EXTEND_TRANSPORT, key=key, update=2)[1] is Result.OK
    bench.wait(200)
    assert (vehicle.node, vehicle.order_state) == ("lane-04", TransportState.DONE)
    assert go(bench, "agv-1", ROUTE, Verb.EXTEND_TRANSPORT, key=key, update=3)[1] is Result.NOT_READY


def test_what_is_released_is_not_taken_back() -> None:
    bench = Bench()
    aside(bench)
    key, _ = go(bench, "agv-1", ROUTE, released=3)
    for route, released in ((ROUTE, 2), (["lane-06", "lane-05", "lane-06", "lane-05"], 4), (ROUTE, 9)):
        update = {"key": key, "released": released, "update": 1}
        assert go(bench, "agv-1", route, Verb.EXTEND_TRANSPORT, **update)[1] is Result.BAD_ARGUMENT
    assert go(bench, "agv-1", ROUTE, Verb.EXTEND_TRANSPORT, key=77, update=1)[1] is Result.NOT_READY


def test_a_waiting_order_is_cancelled_at_once() -> None:
    bench = Bench()
    aside(bench)
    go(bench, "agv-1", ROUTE, released=2)
    bench.wait(100)
    assert bench.ask("agv-1", Verb.CANCEL_TRANSPORT).result is Result.OK
    assert bench.floor.vehicles["agv-1"].order_state is TransportState.FAILED


def test_it_waits_on_after_the_world_stood_still() -> None:
    bench = Bench()
    aside(bench)
    key, _ = go(bench, "agv-1", ROUTE, released=2)
    bench.wait(100)
    again = Floor(small_plant(), EXACT, 1, START_NS + 10_000 * NS)
    again.restore(json.loads(json.dumps(bench.floor.dump())))
    again.advance(again.now_ns + 100 * NS)
    vehicle = again.vehicles["agv-1"]
    assert (vehicle.node, vehicle.phase, vehicle.came) == ("lane-05", "waiting", "lane-06")
    bench.floor = again
    go(bench, "agv-1", ROUTE, Verb.EXTEND_TRANSPORT, key=key, update=1)
    bench.wait(100)
    assert vehicle.node == "lane-02"


def test_two_on_one_lane_are_noted() -> None:
    """agv-2 stands at lane-05, on the lane by which it would have come from lane-04; agv-1 comes after it on that lane."""
    bench = Bench()
    go(bench, "agv-1", ["lane-06", "lane-05", "lane-04", "lane-05"])
    bench.wait(19)
    assert bench.floor.roads.collisions == 0, "they pass one another on lanes of their own"
    bench.wait(30)
    (met,) = bench.of("collision")
    assert (met["unit"], met["other"], met["place"]) == ("agv-1", "agv-2", "lane-04>lane-05")
    assert bench.floor.roads.collisions == 1


def test_two_in_one_crossing_are_noted() -> None:
    """They stand at lane-05, having come from two sides, and drive off at once; a moment later each has the crossing alone."""
    for pause_s, met in ((0.0, ["lane-05"]), (1.9, ["lane-05"]), (2.1, [])):
        bench = Bench()
        go(bench, "agv-1", ["lane-06", "lane-05"])
        bench.wait(15)
        go(bench, "agv-2", ["lane-05", "lane-06"])
        bench.wait(pause_s)
        go(bench, "agv-1", ["lane-05", "lane-04"])
        bench.wait(15)
        assert [e["place"] for e in bench.of("collision")] == met
