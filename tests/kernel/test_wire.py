"""Batches and events survive the wire unchanged, and nothing malformed gets through."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from zhongshu.kernel.bus import RECEIVED_NS
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.wire import (
    WireError,
    decode_batch,
    decode_event,
    encode_batch,
    encode_event,
    publish_batch,
    publish_event,
)
from zhongshu.model import subjects
from zhongshu.model.batch import Batch
from zhongshu.model.messages import KINDS, Event, GapRecorded, StateChanged, StockCorrected

INT64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    n = draw(st.integers(0, 50))
    return Batch(
        plant=draw(st.text()),
        source=draw(st.text()),
        seq=draw(INT64),
        received_ns=draw(INT64),
        point=draw(arrays.arrays(np.int32, n)),
        t_ns=draw(arrays.arrays(np.int64, n)),
        value=draw(arrays.arrays(np.float64, n)),
        quality=draw(arrays.arrays(np.uint8, n)),
    )


def small(seq: int = 1) -> Batch:
    n = 3
    return Batch(
        "p", "c", seq, 99, np.arange(n, dtype=np.int32), np.arange(n), np.ones(n), np.zeros(n, np.uint8)
    )


@given(batches())
def test_batch_round_trip(batch: Batch) -> None:
    again = decode_batch(encode_batch(batch))
    assert (again.plant, again.source, again.seq, again.received_ns) == (
        batch.plant, batch.source, batch.seq, batch.received_ns,
    )  # fmt: skip
    for name in ("point", "t_ns", "value", "quality"):
        assert getattr(again, name).tobytes() == getattr(batch, name).tobytes()


def test_columns_that_are_slices_arrive_whole() -> None:
    whole = np.arange(20, dtype=np.int64)
    every_other = whole[::2]
    batch = Batch(
        "p",
        "c",
        1,
        1,
        every_other.astype(np.int32),
        every_other,
        every_other.astype(float),
        np.zeros(10, np.uint8),
    )
    assert decode_batch(encode_batch(batch)).t_ns.tolist() == every_other.tolist()


def test_decoding_copies_nothing() -> None:
    payload = encode_batch(small())
    value = decode_batch(payload).value
    assert not value.flags.writeable
    start = np.frombuffer(payload, np.uint8).__array_interface__["data"][0]
    assert start <= value.__array_interface__["data"][0] < start + len(payload)


def test_a_large_batch_costs_few_bytes_a_sample() -> None:
    n = 4000
    batch = Batch(
        "p", "c", 1, 1, np.zeros(n, np.int32), np.zeros(n, np.int64), np.zeros(n), np.zeros(n, np.uint8)
    )
    assert len(encode_batch(batch)) < 22 * n


@given(st.binary(max_size=400))
def test_noise_is_no_batch(noise: bytes) -> None:
    with pytest.raises(WireError):
        decode_batch(noise)


@given(st.data())
def test_a_damaged_batch_is_refused_or_has_the_right_shape(data: st.DataObject) -> None:
    payload = bytearray(encode_batch(small()))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        try:
            batch = decode_batch(damaged)
        except WireError:
            continue
        assert len(batch.point) == len(batch.value) == len(batch.t_ns) == len(batch.quality)


def arrow(metadata: dict[str, str] | None = None, **columns: object) -> bytes:
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    if metadata is not None:
        table = table.replace_schema_metadata(metadata)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    encoded: bytes = out.getvalue().to_pybytes()
    return encoded


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "not an Arrow stream"),
        (b"{}", "not an Arrow stream"),
        (
            arrow(point=np.zeros(1, np.int32)),
            "expected the columns point int32, t_ns int64, value double, quality uint8",
        ),
        (
            arrow({}, point=np.zeros(1), t_ns=np.zeros(1), value=np.zeros(1), quality=np.zeros(1)),
            "point double",
        ),
    ],
)
def test_what_is_wrong_is_said(payload: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        decode_batch(payload)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "lacks 'plant'"),
        ({"plant": "p", "source": "c", "seq": "1"}, "lacks 'received_ns'"),
        ({"plant": "p", "source": "c", "seq": "x", "received_ns": "1"}, "malformed"),
    ],
)
def test_metadata_is_needed(metadata: dict[str, str], said: str) -> None:
    schema = pa.ipc.open_stream(encode_batch(small())).schema.with_metadata(metadata)
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, schema):
        pass
    with pytest.raises(WireError, match=said):
        decode_batch(out.getvalue().to_pybytes())


@given(st.one_of(*(st.builds(kind) for kind in KINDS.values())))
def test_event_round_trip(event: Event) -> None:
    subject = subjects.events("p", type(event).__name__)
    numbers = [
        v for v in (getattr(event, name) for name in event.__dataclass_fields__) if isinstance(v, float)
    ]
    if all(map(math.isfinite, numbers)):
        assert decode_event(subject, encode_event(event)) == event
    else:
        with pytest.raises(WireError, match="is no finite number"):
            encode_event(event)


def test_a_number_that_json_does_not_have_is_refused_where_it_is_said() -> None:
    for quantity in (float("inf"), float("nan")):
        with pytest.raises(WireError, match=r"StockCorrected\.quantity: (inf|nan) is no finite number"):
            encode_event(StockCorrected("p", "web", 1, 2, "steel", quantity, "Li"))


GAP = GapRecorded("p", "sense", 1, "g", "c", "u", (1, 2), 3, 4, 5, "overflow")


@pytest.mark.parametrize(
    ("subject", "payload", "said"),
    [
        ("zs.p.events.Nonsense", b"{}", "'Nonsense' is no kind of event"),
        ("zs.p.events.GapRecorded", b"not json", "Invalid JSON"),
        ("zs.p.events.GapRecorded", b"[]", "GapRecorded"),
        ("zs.p.events.GapRecorded", encode_event(GAP).replace(b'"cause"', b'"reason"'), "cause"),
        ("zs.p.events.GapRecorded", encode_event(GAP).replace(b"[1,2]", b'["a"]'), r"points\.0"),
        ("zs.p.events.GapRecorded", encode_event(GAP).replace(b'"missing":5', b'"missing":"5"'), "missing"),
    ],
)
def test_malformed_events_are_refused(subject: str, payload: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        decode_event(subject, payload)


def test_a_newer_program_may_say_more() -> None:
    payload = encode_event(GAP).replace(b'"cause"', b'"news":1,"cause"')
    assert decode_event("zs.p.events.GapRecorded", payload) == GAP


async def test_publishing_a_batch_again_stores_it_once() -> None:
    bus = MemoryBus()
    assert [await publish_batch(bus, small(seq)) for seq in (1, 2, 1)] == [1, 2, 1]
    assert await publish_batch(bus, small(1), msg_id="other") == 3
    last = await bus.last("zs.p.points.c")
    assert last is not None
    assert last.headers == {RECEIVED_NS: "99"}
    assert decode_batch(last.payload).seq == 1


async def test_publishing_an_event_on_the_subject_of_its_kind() -> None:
    bus = MemoryBus()
    event = StateChanged("p", "understand", 5, "u", "EXECUTE", "PRODUCTION", "IDLE", "PRODUCTION")
    assert [await publish_event(bus, event, msg_id="1"), await publish_event(bus, event, msg_id="1")] == [
        1,
        1,
    ]
    last = await bus.last("zs.p.events.StateChanged")
    assert last is not None
    assert decode_event(last.subject, last.payload) == event


async def test_a_bus_in_memory_may_hand_over_a_batch_as_it_is() -> None:
    bus = MemoryBus(hands_over=True)
    columns = (np.array([3], np.int32), np.array([5]), np.array([1.5]), np.array([0], np.uint8))
    batch = Batch("p", "c", 7, 9, *columns)
    await publish_batch(bus, batch)
    message = await bus.last(subjects.points("p", "c"))
    assert message is not None
    got = decode_batch(message.payload)
    assert (got.plant, got.source, got.seq, got.received_ns) == ("p", "c", 7, 9)
    assert (got.point[0], got.t_ns[0], got.value[0], got.quality[0]) == (3, 5, 1.5, 0)
    with pytest.raises(ValueError, match="read-only"):
        got.value[0] = 2.0  # whoever listens reads the very same columns
    batch.value[0] = 1.0  # its maker still may
