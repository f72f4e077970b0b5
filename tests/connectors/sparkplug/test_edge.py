"""The host's picture of an edge node, message by message: what is read, what is missed, when births are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.connectors.link import MS, START_NS, Recorder
from tests.connectors.sparkplug.plants import sparkplug_plant
from zhongshu.connectors.sparkplug import codec
from zhongshu.connectors.sparkplug.edge import Edge
from zhongshu.connectors.sparkplug.schema import DataType, Payload
from zhongshu.model.batch import BAD

T = START_NS // MS


class Scene:
    """An edge with two devices M1, M2 and somebody who plays its messages."""

    def __init__(self) -> None:
        self.plant, _, units = sparkplug_plant({})
        self.sink, self.asked = Recorder(), []
        texts = replace(units[1].points[0], id=99, name="note", address={"metric": "Note"})
        units = (units[0], replace(units[1], points=(*units[1].points, texts)))
        self.edge = Edge(units, self.asked.append)
        self.ids = {p.name: p.id for p in units[0].points}

    def play(self, kind: str, device: str, seq: int | None, *metrics: dict[str, Any], t: int = 0) -> None:
        payload = Payload(timestamp=T + t)
        if seq is not None:
            payload.seq = seq
        for fields in metrics:
            payload.metrics.add(**fields)
        self.edge.take(kind, device, codec.decode(payload.SerializeToString()), 1, self.sink)

    def born(self, bd_seq: int = 7, t: int = 0) -> None:
        self.play("NBIRTH", "", 0, bd(bd_seq), t=t)
        self.play("DBIRTH", "M1", 1, speed(1.0, t, name="Metrics/speed", alias=5), t=t)
        self.play("DBIRTH", "M2", 2, speed(2.0, t, name="Metrics/speed", alias=6), t=t)

    def read(self, name: str = "speed") -> list[tuple[int, float]]:
        rows = zip(self.sink.point, self.sink.t_ns, self.sink.value, strict=True)
        return [(t // MS - T, v) for p, t, v in rows if p == self.ids[name]]

    def missed(self) -> list[tuple[Any, ...]]:
        return [e[1:] for e in self.sink.events if e[0] == "missed"]


def bd(number: int) -> dict[str, Any]:
    return {"name": "bdSeq", "datatype": int(DataType.INT64), "long_value": number}


def speed(value: float, t: int, **more: Any) -> dict[str, Any]:
    return {"datatype": int(DataType.DOUBLE), "double_value": value, "timestamp": T + t, **more}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_births_make_units_and_their_values_readings(scene: Scene) -> None:
    scene.born()
    assert scene.sink.events == [("unit_up", "M1"), ("unit_up", "M2")]
    assert scene.read() == [(0, 1.0)] and scene.edge.born_units() == ["M1", "M2"]
    scene.play("DDATA", "M1", 3, speed(1.5, 10, alias=5), t=10)
    assert scene.read() == [(0, 1.0), (10, 1.5)] and scene.asked == [] and scene.missed() == []


def test_a_gap_in_the_sequence_is_missed_and_births_are_asked_for(scene: Scene) -> None:
    scene.born()
    scene.play("DDATA", "M1", 5, speed(1.5, 40, alias=5), t=40)
    assert scene.missed() == [("sequence_gap", (), (), START_NS, START_NS + 40 * MS, -1)]
    assert len(scene.asked) == 1
    assert scene.read() == [(0, 1.0), (40, 1.5)]  # what came is still true
    scene.play("DDATA", "M1", 6, speed(1.6, 50, alias=5), t=50)
    assert len(scene.missed()) == 1


def test_the_sequence_goes_round_after_255(scene: Scene) -> None:
    scene.born()
    for n in range(3, 600):
        scene.play("DDATA", "M1", n % 256, speed(n, n, alias=5), t=n)
    assert scene.missed() == [] and len(scene.read()) == 598


def test_a_rebirth_repeats_nothing_that_was_read(scene: Scene) -> None:
    scene.born()
    scene.play("DDATA", "M1", 3, speed(1.5, 10, alias=5), t=10)
    scene.play("NBIRTH", "", 0, bd(7), t=20)
    scene.play("DBIRTH", "M1", 1, speed(1.5, 10, name="Metrics/speed", alias=5), t=20)
    assert scene.read() == [(0, 1.0), (10, 1.5)] and scene.sink.doubles() == {}
    scene.play("NBIRTH", "", 0, bd(7), t=30)
    scene.play("DBIRTH", "M1", 1, speed(1.7, 25, name="Metrics/speed", alias=5), t=30)
    assert scene.read()[-1] == (25, 1.7)


def test_aliases_may_change_with_a_birth(scene: Scene) -> None:
    scene.born()
    scene.play("NBIRTH", "", 0, bd(8), t=5)
    scene.play("DBIRTH", "M1", 1, speed(1.0, 0, name="Metrics/speed", alias=77), t=5)
    scene.play("DDATA", "M1", 2, speed(9.0, 6, alias=5), t=6)
    assert [m[0] for m in scene.missed()] == ["unknown_alias"] and scene.asked
    scene.play("DDATA", "M1", 3, speed(9.5, 7, alias=77), t=7)
    assert scene.read() == [(0, 1.0), (7, 9.5)]


def test_a_death_takes_all_devices_and_only_the_will_of_this_session_counts(scene: Scene) -> None:
    scene.born(bd_seq=7)
    scene.play("NDEATH", "", None, bd(6))
    assert scene.edge.born_units() == ["M1", "M2"]
    scene.play("NDEATH", "", None, bd(7))
    assert scene.sink.events[2:] == [("unit_lost", "M1", "edge_death"), ("unit_lost", "M2", "edge_death")]
    scene.play("NDEATH", "", None, bd(7))
    assert len(scene.sink.events) == 4 and scene.edge.born_units() == []


def test_a_device_may_die_alone(scene: Scene) -> None:
    scene.born()
    scene.play("DDEATH", "M1", 3, t=5)
    assert scene.sink.events[2:] == [("unit_lost", "M1", "device_death")]
    scene.play("DDATA", "M2", 4, speed(3.0, 6, alias=6), t=6)
    assert scene.edge.born_units() == ["M2"] and scene.missed() == []


def test_data_before_a_birth_are_dropped_told_and_asked_about(scene: Scene) -> None:
    scene.play("DDATA", "M1", 40, speed(1.0, 1, alias=5), t=1)
    assert (
        scene.read() == [] and len(scene.asked) == 1 and scene.missed() == []
    )  # nothing was numbered for us yet
    scene.born(t=2)
    scene.edge.forget()
    scene.play("DDATA", "M1", 41, speed(1.0, 3, alias=5), t=3)
    scene.play("DDATA", "M1", 42, speed(1.0, 9, alias=5), t=9)
    scene.born(t=10)
    assert scene.missed() == [("before_birth", ("M1",), (), START_NS + 3 * MS, START_NS + 9 * MS, -1)]


def test_null_bad_and_unborn_values(scene: Scene) -> None:
    scene.born()
    scene.play("DDATA", "M1", 3, {"alias": 5, "is_null": True, "timestamp": T + 4, "datatype": 10}, t=4)
    assert scene.sink.quality[-1] == BAD and scene.sink.value[-1] != scene.sink.value[-1]
    count = len(scene.sink.point)
    scene.play("NBIRTH", "", 0, bd(7), t=9)
    scene.play("DBIRTH", "M1", 1, {"name": "Metrics/door", "alias": 9, "is_null": True, "datatype": 11}, t=9)
    assert len(scene.sink.point) == count  # a metric that never had a value is no sample


def test_a_transient_metric_is_an_answer_and_no_sample(scene: Scene) -> None:
    scene.born()
    scene.play("DDATA", "M1", 3, speed(8.0, 5, alias=5, is_transient=True), t=5)
    assert scene.read() == [(0, 1.0)] and scene.sink.keep_alives == 1


def test_late_values_keep_their_own_time(scene: Scene) -> None:
    scene.born()
    later, earlier = speed(3.0, 50, alias=5), speed(2.0, 20, alias=5, is_historical=True)
    scene.play("DDATA", "M1", 3, later, earlier, t=60)
    assert scene.read() == [(0, 1.0), (20, 2.0), (50, 3.0)]


def test_texts_are_told_once(scene: Scene) -> None:
    note = {
        "name": "Note",
        "alias": 30,
        "datatype": int(DataType.STRING),
        "string_value": "刀具 7",
        "timestamp": T + 3,
    }
    scene.born()
    for seq in (3, 4):
        scene.play("DBIRTH", "M2", seq, note, t=3)
    assert [e for e in scene.sink.events if e[0] == "text"] == [("text", 99, START_NS + 3 * MS, "刀具 7")]


def test_what_is_not_in_the_plant_file_is_counted(scene: Scene) -> None:
    scene.born()
    scene.play("DBIRTH", "M9", 3, speed(1.0, 1, name="x", alias=40), t=1)
    scene.play("DDATA", "M9", 4, speed(1.0, 2, alias=40), t=2)
    scene.play("DDATA", "M1", 5, speed(1.0, 3, name="Metrics/other"), t=3)
    counters = scene.edge.counters
    assert (counters.foreign_devices, counters.foreign_metrics) == (1, 2) and scene.missed() == []
    assert "Metrics/door" in scene.edge.absent_metrics()["M1"]


@pytest.mark.parametrize("t_ms", [2**63, 2**64 - 1])
def test_a_nonsensical_time_is_no_time(scene: Scene, t_ms: int) -> None:
    scene.born()
    scene.play("DDATA", "M1", 3, {"alias": 5, "double_value": 1.0, "timestamp": t_ms}, t=3)
    assert scene.sink.t_ns[-1] == 0


def test_messages_without_what_they_must_have_are_malformed(scene: Scene) -> None:
    with pytest.raises(codec.Malformed):
        scene.play("NBIRTH", "", 0)
    scene.born()
    with pytest.raises(codec.Malformed):
        scene.play("DDATA", "M1", None, speed(1.0, 1, alias=5))
