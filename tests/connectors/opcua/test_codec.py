"""OPC UA's bytes against frames of foreign stacks and asyncua's own encoder, and what must be refused."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from zhongshu.connectors.opcua import codec
from zhongshu.model.batch import BAD, GOOD, UNCERTAIN

WIRE = Path(__file__).parent.parent / "wire" / "opcua"
NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
NOW_NS = 1_772_600_767_890_000_000
KINDS = [k for k in ua.VariantType if 1 <= k.value <= 11]


def frames(file: str) -> tuple[list[str], list[tuple[codec.Publication, codec.Columns]]]:
    """Recorded publish responses, decoded; the names stand at their client handles."""
    recorded = json.loads((WIRE / file).read_text("utf-8"))
    decoded = []
    for text in recorded["frames"]:
        columns = codec.Columns()
        decoded.append((codec.decode_publication(Buffer(bytes.fromhex(text)), columns), columns))
    return recorded["handles"], decoded


def notification(items: list[ua.MonitoredItemNotification], sequence: int = 7) -> bytes:
    """A publish response as asyncua encodes it."""
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 5
    response.Parameters.AvailableSequenceNumbers = [6, 7]
    response.Parameters.NotificationMessage.SequenceNumber = sequence
    if items:
        response.Parameters.NotificationMessage.NotificationData = [
            ua.DataChangeNotification(MonitoredItems=items)
        ]
    return bytes(struct_to_binary(response))


def decoded(items: list[ua.MonitoredItemNotification]) -> codec.Columns:
    columns = codec.Columns()
    codec.decode_publication(Buffer(notification(items)), columns)
    return columns


def test_frames_of_node_opcua() -> None:
    names, ((first, columns), *later) = frames("node_opcua.json")
    assert (first.sequence, first.available, first.more, first.empty) == (1, (1,), False, False)
    assert [names[h] for h in columns.handle] == names
    values = dict(zip(names, columns.value, strict=True))
    assert {values[n] for n in names if n not in ("text", "count", "broken")} == {0} and values["count"] >= 1
    assert columns.texts == {names.index("text"): "hello"}
    assert codec.name_of(columns.code[names.index("broken")]).startswith("BadSensorFailure")
    counts = [v for _, c in later for v in c.value]
    assert counts == [values["count"] + 1 + n for n in range(len(counts))]
    times = codec.times([t for _, c in later for t in c.ticks])
    assert (np.diff(times) > 90_000_000).all() and (np.diff(times) < 200_000_000).all()


def test_frames_of_asyncua() -> None:
    names, ((_, columns), *later) = frames("asyncua.json")
    values = dict(zip(names, columns.value, strict=True))
    assert (values["flag"], values["int64"], values["uint64"]) == (True, 2**40, 2**63)
    assert columns.texts == {names.index("words"): "早班", names.index("label"): "Mischer"}
    assert columns.odd == [names.index("array")] and math.isnan(values["array"])
    assert columns.code[names.index("bad")] >> 30 == UNCERTAIN and columns.ticks[names.index("bad")] == 0
    doubles = [v for _, c in later for v in c.value]
    assert doubles == [doubles[0] + n for n in range(len(doubles))]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1), st.sampled_from(KINDS), st.booleans(),
            st.sampled_from([None, ua.StatusCodes.Good, ua.StatusCodes.UncertainInitialValue, ua.StatusCodes.BadNoData]),
            st.booleans(), st.booleans(),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_every_mixture_of_fields_that_asyncua_encodes(
    rows: list[tuple[int, ua.VariantType, bool, int | None, bool, bool]],
) -> None:
    items, expected = [], []
    for handle, kind, present, code, sourced, served in rows:
        value = ua.Variant(codec.native(kind, 1), kind) if present else None
        held = ua.DataValue(
            value, StatusCode=None if code is None else ua.StatusCode(code), SourceTimestamp=NOW if sourced else None,
            ServerTimestamp=NOW if served else None,
        )  # fmt: skip
        items.append(ua.MonitoredItemNotification(ClientHandle=handle, Value=held))
        expected.append((handle, 1.0 if present else None, code or 0, NOW_NS if sourced else 0))
    columns = decoded(items)
    found = zip(columns.handle, columns.value, columns.code, codec.times(columns.ticks).tolist(), strict=True)
    assert [(h, None if math.isnan(v) else float(v), c, t) for h, v, c, t in found] == expected


def test_picoseconds_stand_behind_their_own_time() -> None:
    # Part 6, 5.2.2.17: value, status, source time, source picoseconds, server time, server picoseconds.
    head = b"\x01\x00\x00\x00" + b"\x03\x00\x00\x00" + bytes([0x3D, 11])
    ticks = codec.EPOCH_TICKS + 10
    body = (
        head + np.float64(2.5).tobytes() + ticks.to_bytes(8, "little") + b"\x05\x00" + bytes(8) + b"\x06\x00"
    )
    columns = codec.Columns()
    assert codec.decode_items(body, 0, columns) == len(body)
    assert (columns.handle, columns.value, columns.ticks) == ([3], [2.5], [ticks])


def test_a_keep_alive_is_empty() -> None:
    columns = codec.Columns()
    publication = codec.decode_publication(Buffer(notification([], 9)), columns)
    assert (publication.empty, publication.sequence, publication.subscription, len(columns)) == (
        True,
        9,
        5,
        0,
    )


@given(st.integers(0, 400), st.integers(0, 255))
def test_cut_and_changed_bytes_are_malformed_or_harmless(cut: int, byte: int) -> None:
    held = ua.DataValue(ua.Variant(1.5, ua.VariantType.Double), SourceTimestamp=NOW)
    whole = notification([ua.MonitoredItemNotification(ClientHandle=n, Value=held) for n in range(5)])
    damaged = bytearray(whole)
    damaged[cut % len(whole)] = byte
    for data in (whole[: cut % len(whole)], bytes(damaged)):
        try:
            codec.decode_publication(Buffer(data), codec.Columns())
        except codec.Malformed:
            pass


@pytest.mark.parametrize(
    "kind", [ua.VariantType.Double, ua.VariantType.Int64, ua.VariantType.Boolean, ua.VariantType.Int32]
)
@pytest.mark.parametrize("quality", [GOOD, UNCERTAIN, BAD])
def test_our_samples_are_read_by_asyncua_and_by_us(kind: ua.VariantType, quality: int) -> None:
    sample = codec.encode_sample(kind, 1.0, quality, NOW_NS)
    held = struct_from_binary(ua.DataValue, Buffer(sample))
    assert held.SourceTimestamp.replace(tzinfo=UTC) == NOW
    assert held.StatusCode is None or held.StatusCode.value >> 30 == quality
    assert (held.Value.Value if held.Value else None) == (None if quality == BAD else 1)
    for data, overflow in ((sample, 0), (codec.with_overflow(sample), codec.OVERFLOW)):
        columns = codec.Columns()
        codec.decode_items(b"\x01\x00\x00\x00" + b"\x09\x00\x00\x00" + data, 0, columns)
        assert columns.code[0] & codec.OVERFLOW == overflow and codec.times(columns.ticks).tolist() == [
            NOW_NS
        ]
        assert codec.qualities(
            np.array(columns.code, np.uint32), np.array(columns.value, float)
        ).tolist() == [quality]


def test_times_outside_reason_are_none() -> None:
    year_9999 = 2_650_467_743_990_000_000
    assert codec.times([0, -5, codec.EPOCH_TICKS, year_9999, 2**63 - 1, codec.EPOCH_TICKS + 1]).tolist() == [
        0,
        0,
        0,
        0,
        0,
        100,
    ]


def test_every_severity_has_its_quality() -> None:
    codes = np.array([0, 0x00000480, 0x40920000, 0x80000000, 0xC0000000, 0], np.uint32)
    values = np.array([1, 1, 1, 1, 1, math.nan])
    assert codec.qualities(codes, values).tolist() == [GOOD, GOOD, UNCERTAIN, BAD, BAD, BAD]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("Byte", 256), ("Byte", -1), ("Int16", 40_000), ("UInt32", -1), ("Int32", 1.5), ("Int64", 2.0**63), ("Boolean", 2),
     ("Int32", math.nan), ("Int64", math.inf), ("String", 1)],
)  # fmt: skip
def test_what_a_type_cannot_hold_is_not_written(kind: str, value: float) -> None:
    with pytest.raises(codec.NotRepresentable):
        codec.native(ua.VariantType[kind], value)


def test_a_read_back_is_compared_in_the_nodes_own_precision() -> None:
    float32, double = ua.VariantType.Float, ua.VariantType.Double
    assert codec.same(float32, 0.1, float(np.float32(0.1))) and not codec.same(
        double, 0.1, float(np.float32(0.1))
    )
    assert codec.same(ua.VariantType.Boolean, 1.0, True) and not codec.same(double, 1.0, "1")


def test_node_ids_as_plant_files_write_them() -> None:
    namespaces = {"http://opcfoundation.org/UA/": 0, "urn:x": 3}
    assert codec.node_id("nsu=urn:x;s=a;b=c", namespaces) == ua.NodeId("a;b=c", 3)
    assert codec.node_id("ns=4;i=12", namespaces) == ua.NodeId(12, 4)
    assert codec.node_id("i=85", namespaces) == ua.NodeId(85)
    with pytest.raises(codec.UnknownNamespace):
        codec.node_id("nsu=urn:y;s=a", namespaces)
    for text in ("", "speed", "ns=x;i=1", "nsu=urn:x;q=1", "ns=2"):
        with pytest.raises(ValueError):
            codec.node_id(text, namespaces)
