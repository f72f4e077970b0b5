"""The master's picture of one vehicle, message by message: what is read, what is missed, when it is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.connectors.link import MS, START_NS, Recorder
from tests.connectors.vda5050.plants import vehicle_plant
from zhongshu.connectors.vda5050 import codec
from zhongshu.connectors.vda5050.messages import ConnectionMessage, State, Visualization
from zhongshu.connectors.vda5050.vehicle import Vehicle

#: Points that a state without any optional field carries: count, order, order state, errors, unit state.
POINTS = 5


class Scene:
    def __init__(self) -> None:
        plant, _, units = vehicle_plant({})
        self.sink, self.vehicle = Recorder(), Vehicle(units[0], plant.roads)
        self.ids = {p.name: p.id for p in units[0].points}

    def state(
        self, header: int, t: int, count: int | None = None, image_t: int | None = None, **fields: Any
    ) -> bool:
        if count is not None:
            exact = {
                "time": codec.timestamp(START_NS + (t if image_t is None else image_t) * MS),
                "point:count": str(count),
            }
            references = [{"referenceKey": k, "referenceValue": v} for k, v in exact.items()]
            fields["information"] = [
                {"infoType": codec.SAMPLES, "infoLevel": "INFO", "infoReferences": references}
            ]
        return self.vehicle.read(self._decode(State, header, t, fields), 1, self.sink)

    def connection(self, state: str) -> None:
        self.vehicle.connection(self._decode(ConnectionMessage, 0, 0, {"connectionState": state}), self.sink)

    def _decode(self, model: Any, header: int, t: int, fields: dict[str, Any]) -> Any:
        head = {"headerId": header, "timestamp": codec.timestamp(START_NS + t * MS), "version": "2.1.0"}
        return codec.decode(
            model, json.dumps({**head, "manufacturer": "m", "serialNumber": "V1", **fields}).encode()
        )

    def missed(self) -> list[tuple[Any, ...]]:
        return [e[1:] for e in self.sink.events if e[0] == "missed"]

    def read(self, name: str) -> list[tuple[int, float]]:
        rows = zip(self.sink.point, self.sink.t_ns, self.sink.value, strict=True)
        return [((t - START_NS) // MS, v) for p, t, v in rows if p == self.ids[name]]


@pytest.fixture
def scene() -> Scene:
    return Scene()


AT = {"agvPosition": {"x": 1.0, "y": 2.0, "theta": 0.5, "mapId": "m", "positionInitialized": True}}


def test_a_real_vehicle_without_our_numbering_is_read_and_followed_by_its_headers(scene: Scene) -> None:
    assert scene.state(10, 100, **AT) and scene.state(11, 200, **AT)
    assert scene.read("x") == [(100, 1.0), (200, 1.0)] and scene.missed() == []
    scene.state(15, 600, **AT)
    ((cause, units, _, start, end, missing),) = scene.missed()
    assert (cause, units, missing % 3) == ("header_gap", ("V1",), 0) and missing > 0
    assert (start, end) == (START_NS + 200 * MS + 1, START_NS + 600 * MS - 1)


def test_the_same_message_twice_is_read_once(scene: Scene) -> None:
    scene.state(10, 100, **AT)
    assert not scene.state(10, 100, **AT)
    assert scene.read("x") == [(100, 1.0)] and scene.vehicle.counters.repeated_headers == 1


def test_a_restarted_vehicle_counts_from_0_and_nothing_is_called_missing(scene: Scene) -> None:
    scene.state(500, 100, **AT)
    scene.state(0, 200, **AT)
    assert scene.missed() == [] and scene.read("x") == [(100, 1.0), (200, 1.0)]


def test_an_image_is_read_once_however_often_it_is_sent(scene: Scene) -> None:
    scene.state(1, 100, count=POINTS)
    scene.state(2, 130, count=POINTS, image_t=100)  # an order came: a state between two scans
    scene.state(3, 200, count=2 * POINTS)
    assert scene.read("count") == [(100, POINTS), (200, 2 * POINTS)] and scene.sink.keep_alives == 1
    assert scene.sink.doubles() == {} and scene.missed() == []


def test_images_that_never_came_are_counted_exactly(scene: Scene) -> None:
    scene.state(1, 100, count=1 * POINTS)
    scene.state(2, 500, count=5 * POINTS)
    scene.state(9, 900, count=9 * POINTS)
    first = ("images_not_sent", ("V1",), (), START_NS + 100 * MS + 1, START_NS + 500 * MS - 1, 3 * POINTS)
    second = ("header_gap", ("V1",), (), START_NS + 500 * MS + 1, START_NS + 900 * MS - 1, 3 * POINTS)
    assert scene.missed() == [first, second] and len(scene.sink.point) == 3 * POINTS


def test_connection_messages_bring_and_take_the_vehicle(scene: Scene) -> None:
    scene.connection("ONLINE")
    scene.connection("ONLINE")
    scene.connection("CONNECTIONBROKEN")
    scene.connection("OFFLINE")
    assert scene.sink.events == [("unit_up", "V1"), ("unit_lost", "V1", "connectionbroken")]
    scene.state(1, 100, **AT)
    assert scene.vehicle.is_up  # whoever speaks is there


def test_a_vehicle_that_died_while_we_were_away_is_told(scene: Scene) -> None:
    scene.connection("ONLINE")
    scene.state(1, 100, **AT)
    scene.vehicle.forget()
    assert not scene.vehicle.is_up
    scene.connection("CONNECTIONBROKEN")
    assert scene.sink.events[-1] == ("unit_lost", "V1", "connectionbroken")


def test_visualization_moves_the_vehicle_between_states(scene: Scene) -> None:
    scene.state(1, 100, **AT)
    for t in (150, 150, 90):
        scene.vehicle.look(scene._decode(Visualization, 5, t, {**AT, "velocity": {"vx": 0.7}}), 1, scene.sink)
    assert scene.read("x") == [(100, 1.0), (150, 1.0)] and scene.read("velocity") == [(150, 0.7)]
    assert scene.read("order_state") == [(100, 0.0)]


def test_our_own_numbering_must_be_numbers(scene: Scene) -> None:
    references = [{"referenceKey": "point:count", "referenceValue": "many"}]
    entry = {"infoType": codec.SAMPLES, "infoLevel": "INFO", "infoReferences": references}
    with pytest.raises(codec.Malformed):
        scene.state(1, 100, information=[entry])
    assert scene.sink.point == []
