"""Payloads of foreign stacks decode to what was meant; ours come back as they went; nonsense is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhongshu.connectors.sparkplug import codec
from zhongshu.connectors.sparkplug.schema import DataType, Payload
from zhongshu.model.batch import BAD, GOOD, UNCERTAIN

WIRE = Path(__file__).parents[1] / "wire/sparkplug"
STACKS = [json.loads(path.read_text("utf-8")) for path in sorted(WIRE.glob("*.json"))]


def frame(stack: dict[str, Any], kind: str) -> Any:
    """The decoded payload of the stack's frame of that kind."""
    found = next(f for f in stack["frames"] if codec.parse_topic(f["topic"]).kind == kind)
    return codec.decode(bytes.fromhex(found["hex"]))


def values(payload: Any) -> dict[str, float | str | None]:
    return {m.name: codec.value_of(m, m.datatype) for m in payload.metrics}


def test_there_are_two_foreign_stacks() -> None:
    assert len(STACKS) == 2


@pytest.mark.parametrize("stack", STACKS)
def test_a_foreign_birth_is_understood(stack: dict[str, Any]) -> None:
    birth = frame(stack, "DBIRTH")
    found = values(birth)
    assert {name: found[name] for name in stack["birth"]} == stack["birth"]
    assert {name: found[name] for name in stack["text"]} == stack["text"]
    assert [name for name, value in found.items() if value is None] == stack["null"]
    assert birth.seq == 1 and birth.timestamp == 1767225600001
    assert {m.alias for m in birth.metrics} == set(range(1, 12))


@pytest.mark.parametrize("stack", STACKS)
def test_foreign_data_by_alias_are_understood(stack: dict[str, Any]) -> None:
    birth, data = frame(stack, "DBIRTH"), frame(stack, "DDATA")
    named = {m.alias: (m.name, m.datatype) for m in birth.metrics}
    found = {named[m.alias][0]: codec.value_of(m, named[m.alias][1]) for m in data.metrics}
    assert found == stack["data"] and data.seq == 2
    assert [m.timestamp for m in data.metrics] == [1767225600500] * 4


@pytest.mark.parametrize("stack", STACKS)
def test_foreign_births_deaths_and_commands_are_understood(stack: dict[str, Any]) -> None:
    assert (
        codec.bd_seq_of(frame(stack, "NBIRTH")) == codec.bd_seq_of(frame(stack, "NDEATH")) == stack["bd_seq"]
    )
    assert values(frame(stack, "DCMD")) == stack["command"]


WIDTHS = {
    DataType.INT8: (-(2**7), 2**7 - 1), DataType.INT16: (-(2**15), 2**15 - 1), DataType.INT32: (-(2**31), 2**31 - 1),
    DataType.INT64: (-(2**53), 2**53), DataType.UINT8: (0, 2**8 - 1), DataType.UINT16: (0, 2**16 - 1),
    DataType.UINT32: (0, 2**32 - 1), DataType.UINT64: (0, 2**53), DataType.DATETIME: (0, 2**53),
}  # fmt: skip


@given(st.sampled_from(sorted(WIDTHS)), st.data())
def test_every_integer_comes_back(datatype: DataType, data: st.DataObject) -> None:
    low, high = WIDTHS[datatype]
    number = data.draw(st.integers(low, high))
    payload = Payload()
    codec.put_value(payload.metrics.add(name="m"), datatype, float(number))
    (metric,) = codec.decode(payload.SerializeToString()).metrics
    assert codec.value_of(metric, metric.datatype) == number


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_comes_back_and_nan_is_null(number: float) -> None:
    payload = Payload()
    codec.put_value(payload.metrics.add(name="m"), DataType.DOUBLE, number)
    (metric,) = codec.decode(payload.SerializeToString()).metrics
    back = codec.value_of(metric, DataType.DOUBLE)
    assert back is None if math.isnan(number) else back == number


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.INT8, 128),
        (DataType.UINT8, -1),
        (DataType.INT32, 2**31),
        (DataType.UINT32, 2**32),
        (DataType.STRING, 1),
    ],
)
def test_what_does_not_fit_is_refused(datatype: DataType, value: float) -> None:
    with pytest.raises(ValueError):
        codec.put_value(Payload().metrics.add(name="m"), datatype, value)


@pytest.mark.parametrize("raw", [0xFB, 0xFFFFFFFB])
def test_small_negative_integers_in_either_width(raw: int) -> None:
    metric = Payload().metrics.add(name="m", int_value=raw)
    assert codec.value_of(metric, DataType.INT8) == -5


@pytest.mark.parametrize("quality", [GOOD, UNCERTAIN, BAD])
def test_quality_comes_back(quality: int) -> None:
    payload = Payload()
    codec.put_quality(payload.metrics.add(name="m"), quality)
    assert codec.quality_of(codec.decode(payload.SerializeToString()).metrics[0]) == quality


@pytest.mark.parametrize(("code", "quality"), [(0, BAD), (192, GOOD), (500, BAD)])
def test_the_specifications_own_quality_codes(code: int, quality: int) -> None:
    metric = Payload().metrics.add(name="m")
    metric.properties.keys.append("Quality")
    metric.properties.values.add(type=3, int_value=code)
    assert codec.quality_of(metric) == quality


@given(st.binary(max_size=200))
def test_any_bytes_are_a_payload_or_malformed(raw: bytes) -> None:
    try:
        payload = codec.decode(raw)
    except codec.Malformed:
        return
    for metric in payload.metrics:
        codec.value_of(metric, metric.datatype)
        codec.quality_of(metric)
    codec.bd_seq_of(payload)


def test_topics_and_states() -> None:
    topic = codec.parse_topic("spBv1.0/G/DDATA/E/D")
    assert topic == codec.Topic("G", "DDATA", "E", "D") and str(topic) == "spBv1.0/G/DDATA/E/D"
    assert codec.parse_topic("spBv1.0/G/NDATA/E") == codec.Topic("G", "NDATA", "E")
    for other in ("spBv1.0/STATE/host", "spAv1.0/G/DDATA/E/D", "spBv1.0/G", ""):
        assert codec.parse_topic(other) is None
    assert json.loads(codec.state_payload(True, 1_767_225_600_123_999_999)) == {
        "online": True,
        "timestamp": 1767225600123,
    }
    assert codec.parse_state(b'{"online": false, "timestamp": 1}') is False
    assert codec.parse_state(b"OFFLINE") is None and codec.parse_state(b"[]") is None
