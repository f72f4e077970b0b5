"""Messages of foreign vehicles are understood; states of ours come back number by number; nonsense is named."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.connectors.vda5050.plants import EDGES, ROADS, make_vehicle_points
from zhongshu.connectors.vda5050 import codec
from zhongshu.connectors.vda5050.body import Body
from zhongshu.connectors.vda5050.config import settings_of
from zhongshu.connectors.vda5050.messages import (
    ConnectionMessage,
    InstantActions,
    Order,
    State,
    Visualization,
)
from zhongshu.connectors.vda5050.orders import Roads, order_message, stitched, transport_order
from zhongshu.connectors.vda5050.points import UNKNOWN_LOAD, VehiclePoints, transport_state
from zhongshu.model.orders import TransportOrder
from zhongshu.model.states import TransportState, UnitMode, UnitState

WIRE = Path(__file__).parents[1] / "wire/vda5050"
SETTINGS = settings_of({"manufacturer": "robots"})
POINTS = make_vehicle_points("V1")
NAMES = [point.name for point in POINTS]
MODELS = {"state": State, "connection": ConnectionMessage, "visualization": Visualization}


def frames(stack: str, kind: str) -> list[Any]:
    found = json.loads((WIRE / f"{stack}.json").read_text("utf-8"))["frames"]
    wanted = [f["payload"] for f in found if f["topic"].endswith("/" + kind)]
    return [codec.decode(MODELS[kind], payload.encode()) for payload in wanted]


@pytest.mark.parametrize(("stack", "states"), [("vda-5050-lib", 12), ("vda5050-sdk", 3)])
def test_foreign_vehicles_are_understood(stack: str, states: int) -> None:
    assert len(frames(stack, "state")) == states
    assert frames(stack, "connection")[0].connection_state == "ONLINE"
    for state in frames(stack, "state"):
        image = VehiclePoints(POINTS, ROADS).image(state)
        assert image.count is None and image.t_ns > 1_700_000_000_000_000_000


def test_a_foreign_vehicles_order_is_followed() -> None:
    reader = VehiclePoints(POINTS, ROADS)
    rows = [dict(zip(NAMES, reader.of_roles(s), strict=True)) for s in frames("vda-5050-lib", "state")]
    assert [r["order"] for r in rows[1:4]] == [0, 501, 501]
    states = [r["order_state"] for r in rows]
    assert states == [0, 0, *[TransportState.RUNNING] * 8, TransportState.DONE, TransportState.RUNNING]
    assert [r["load"] for r in rows] == [0] * 0 + [None] * 6 + [UNKNOWN_LOAD] * 4 + [0, 0]
    assert {r["mode"] for r in rows} == {UnitMode.PRODUCTION} and rows[3]["state"] == UnitState.EXECUTE
    assert rows[0]["last_node"] == 100 and rows[-1]["last_node"] == 102


# --- our own vehicles ---------------------------------------------------------------------------------------


def say(values: dict[str, float], quality: dict[str, int] | None = None) -> State:
    """What our vehicle says of these values; all others are 0."""
    body = Body(POINTS, ROADS, codec.Headers(SETTINGS, "V1"), SETTINGS.map_id)
    vector = np.array([values.get(name, 0.0) for name in NAMES])
    levels = np.array([(quality or {}).get(name, 0) for name in NAMES], np.uint8)
    snapshot = body.take(list(range(len(NAMES))), 1_767_225_600_123_000_000, vector, levels)
    return codec.decode(State, body.say(snapshot, 1_767_225_601_000_000_000))


NUMBER = st.floats(-1e6, 1e6, allow_nan=False) | st.just(math.nan)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(NAMES), NUMBER | st.integers(-3, 200).map(float), min_size=5))
def test_every_number_comes_back_as_it_was(values: dict[str, float]) -> None:
    image = VehiclePoints(POINTS, ROADS).image(say(values))
    assert image.index == list(range(len(NAMES))) and image.t_ns == 1_767_225_600_123_000_000
    for name, back in zip(NAMES, image.value, strict=True):
        sent = values.get(name, 0.0)
        assert back == sent or (math.isnan(back) and math.isnan(sent)), name


def test_quality_comes_back_and_the_count_is_found() -> None:
    image = VehiclePoints(POINTS, ROADS).image(say({"count": 170, "battery": 55.5}, {"battery": 1, "x": 2}))
    found = dict(zip(NAMES, image.quality, strict=True))
    assert (found["battery"], found["x"], found["y"]) == (1, 2, 0) and image.count == 170


def test_the_standards_own_fields_are_filled() -> None:
    state = say(
        {
            "mode": UnitMode.PRODUCTION,
            "load": 12,
            "last_node": 103,
            "battery": 40.0,
            "e_stop": 1,
            "driving": 1,
        }
    )
    assert (state.last_node_id, state.operating_mode, state.driving) == ("N3", "AUTOMATIC", True)
    assert state.loads is not None and state.loads[0].load_id == "12"
    assert state.safety_state is not None and state.safety_state.e_stop == "MANUAL"
    assert state.battery_state is not None and state.battery_state.battery_charge == 40.0


# --- orders -------------------------------------------------------------------------------------------------

TRANSPORT = TransportOrder(77, "V1", 5, ("N0", "N1", "N2", "N3"), 1, 3, "M1", "M2")
ROAD = Roads(ROADS, SETTINGS)


def order_of(order: TransportOrder, **changes: Any) -> Order:
    header = codec.Headers(SETTINGS, "V1").next("order", 0)
    return codec.decode(Order, codec.encode({**order_message(header, order, ROAD), **changes}))


@pytest.mark.parametrize("order", [TRANSPORT, TransportOrder(9, "V1", 0, ("N2",), 0, 0, "", "")])
def test_an_order_comes_back(order: TransportOrder) -> None:
    assert transport_order(order_of(order), "V1") == order


def test_a_part_that_is_released_is_the_base_and_the_rest_the_horizon() -> None:
    order = order_of(replace(TRANSPORT, released=2))
    assert [n.released for n in order.nodes] == [True, True, False, False]
    assert [e.released for e in order.edges] == [True, False, False]
    assert transport_order(order, "V1") == replace(TRANSPORT, released=2)


def test_an_update_that_does_not_repeat_what_was_to_be_done_there_takes_nothing_back() -> None:
    """The node at which it joins keeps its actions, each of them once."""
    first = order_of(replace(TRANSPORT, released=TRANSPORT.pick_at + 1))
    update = order_of(replace(TRANSPORT, update=1, stitch=TRANSPORT.pick_at))
    bare = update.nodes[0].model_copy(update={"actions": ()})
    for sent in (update, update.model_copy(update={"nodes": (bare, *update.nodes[1:])})):
        whole = stitched(first, sent)
        assert [a.action_type for node in whole.nodes for a in node.actions] == ["pick", "drop"]
        assert transport_order(whole, "V1") == replace(TRANSPORT, update=1)


def test_an_update_is_stitched_to_the_last_released_node() -> None:
    """Its nodes begin there, and the whole order comes back although only the rest was sent."""
    first = order_of(replace(TRANSPORT, released=2))
    update = order_of(replace(TRANSPORT, released=4, update=1, stitch=1))
    assert (update.order_id, update.order_update_id) == ("77", 1)
    assert [(n.node_id, n.sequence_id) for n in update.nodes] == [("N1", 2), ("N2", 4), ("N3", 6)]
    assert [e.sequence_id for e in update.edges] == [3, 5] and all(n.released for n in update.nodes)
    whole = stitched(first, update)
    assert transport_order(whole, "V1") == replace(TRANSPORT, update=1)
    with pytest.raises(codec.Malformed, match="N1 #2"):
        stitched(first, order_of(replace(TRANSPORT, update=1, stitch=2)))
    with pytest.raises(ValueError, match="released"):
        order_message({}, replace(TRANSPORT, released=2, update=1, stitch=2), ROAD)


def test_the_horizon_may_become_another_way() -> None:
    first = order_of(replace(TRANSPORT, released=2))
    other = replace(
        TRANSPORT, route=("N0", "N1", "N4", "N5", "N3"), drop_at=4, released=3, update=1, stitch=1
    )
    assert transport_order(stitched(first, order_of(other)), "V1") == replace(other, stitch=0)


def test_an_order_is_as_the_standard_wants_it() -> None:
    order = order_of(TRANSPORT)
    assert (order.order_id, order.order_update_id, order.version) == ("77", 0, "2.1.0")
    assert [n.sequence_id for n in order.nodes] == [0, 2, 4, 6] and [e.sequence_id for e in order.edges] == [
        1,
        3,
        5,
    ]
    assert [e.edge_id for e in order.edges] == [e.id for e in EDGES[:3]]
    assert [[a.action_type for a in n.actions] for n in order.nodes] == [[], ["pick"], [], ["drop"]]
    pick = order.nodes[1].actions[0]
    assert {p.key: p.value for p in pick.action_parameters or ()} == {
        "loadId": "5", "stationName": "M1", "stationType": "floor", "loadType": "lot",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"orderId": "A7"}, "orderId"),
        ({"orderId": "0"}, "orderId"),
        ({"nodes": []}, "nodes"),
        ({"edges": []}, "edges"),
        (
            {"nodes": [{"nodeId": "N0", "sequenceId": 0, "released": False, "actions": []}], "edges": []},
            "released",
        ),
    ],
)
def test_what_a_vehicle_of_ours_cannot_drive_is_named(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(codec.Malformed, match=word):
        transport_order(order_of(TRANSPORT, **changes), "V1")


def test_a_route_that_does_not_hold_pick_and_drop_is_not_sent() -> None:
    with pytest.raises(ValueError):
        order_message({}, TransportOrder(1, "V1", 5, ("N0",), 0, 1, "", ""), ROAD)
    with pytest.raises(ValueError):
        order_message({}, TransportOrder(1, "V1", 0, (), 0, 0, "", ""), ROAD)


def test_version_2_0_called_its_instant_actions_otherwise() -> None:
    action = [{"actionType": "cancelOrder", "actionId": "a", "blockingType": "HARD"}]
    for version, field in (("2.0.0", "instantActions"), ("2.1.0", "actions")):
        header = codec.Headers(settings_of({"manufacturer": "m", "version": version}), "V1").next("x", 0)
        message = codec.instant_actions(header, action)
        assert message[field] == action
        assert codec.decode(InstantActions, codec.encode(message)).actions[0].action_type == "cancelOrder"


# --- nonsense -----------------------------------------------------------------------------------------------

HEADER = {
    "headerId": 1,
    "timestamp": "2026-01-01T00:00:00Z",
    "version": "2.1.0",
    "manufacturer": "m",
    "serialNumber": "s",
}


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        (b"", "message"), (b"{", "message"), (b"[]", "message"), (b"\xff\xfe", "message"),
        (json.dumps({**HEADER, "headerId": "1"}).encode(), "headerId"),
        (json.dumps({**HEADER, "driving": "yes"}).encode(), "driving"),
        (json.dumps({**HEADER, "batteryState": {"batteryCharge": "full"}}).encode(), "batteryState.batteryCharge"),
        (json.dumps({**HEADER, "nodeStates": [{"nodeId": "N0"}]}).encode(), "nodeStates.0.sequenceId"),
    ],
)  # fmt: skip
def test_a_malformed_state_names_the_field(payload: bytes, word: str) -> None:
    with pytest.raises(codec.Malformed, match=word):
        codec.decode(State, payload)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_state_or_malformed(payload: bytes) -> None:
    with pytest.raises(codec.Malformed):
        codec.decode(State, payload)


@given(st.integers(0, 4_000_000_000_000))
def test_times_come_back_in_milliseconds(t_ms: int) -> None:
    text = codec.timestamp(t_ms * 1_000_000 + 999_999)
    assert codec.parse_timestamp(text) == t_ms * 1_000_000 and text.endswith("Z")


def test_other_ways_to_write_a_time() -> None:
    assert codec.parse_timestamp("2026-01-01T08:00:00.5+08:00") == 1_767_225_600_500_000_000
    assert codec.parse_timestamp("2026-01-01T00:00:00") == 1_767_225_600_000_000_000
    with pytest.raises(codec.Malformed):
        codec.parse_timestamp("yesterday")


def test_a_state_without_an_order_and_a_failed_one() -> None:
    idle = codec.decode(State, json.dumps({**HEADER, "orderId": ""}).encode())
    assert transport_state(idle) is TransportState.NONE
    about = [{"referenceKey": "orderId", "referenceValue": "5"}]
    fatal = {"orderId": "5", "errors": [{"errorType": "x", "errorLevel": "FATAL", "errorReferences": about}]}
    assert (
        transport_state(codec.decode(State, json.dumps({**HEADER, **fatal}).encode()))
        is TransportState.FAILED
    )
