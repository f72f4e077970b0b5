"""Batches and events as bytes: Arrow IPC and JSON, written by the stages onto the bus and read back from it."""

from __future__ import annotations

import math
import secrets
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from zhongshu.kernel.bus import RECEIVED_NS, Bus
from zhongshu.model import subjects
from zhongshu.model.batch import Batch
from zhongshu.model.messages import KINDS, Event

#: Tells this run of the process from the one before, so that sequences may begin anew without being taken for repeats.
BOOT = secrets.token_hex(4)

_SCHEMA = pa.schema(
    [
        pa.field("point", pa.int32(), nullable=False),
        pa.field("t_ns", pa.int64(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("quality", pa.uint8(), nullable=False),
    ]
)
_COLUMNS = tuple(_SCHEMA.names)


class WireError(ValueError):
    """Bytes that are not what their subject promises; the message says what is wrong with them."""


class HandedOver(bytes):
    """A Batch on a bus inside one process that keeps no bytes: nothing is encoded, and nothing decoded by each who listens."""

    batch: Batch


def payload_of(batch: Batch, bus: Bus) -> bytes:
    """What ``bus`` is to be given for ``batch``; ``decode_batch`` reads either."""
    if not getattr(bus, "hands_over", False):  # only the one in memory has it
        return encode_batch(batch)
    payload = HandedOver()
    payload.batch = _for_reading(batch)
    return payload


def _for_reading(batch: Batch) -> Batch:
    """The same columns, which nobody can write through it: as one that comes out of bytes."""
    columns = {name: getattr(batch, name).view() for name in _COLUMNS}
    for column in columns.values():
        column.flags.writeable = False
    return Batch(batch.plant, batch.source, batch.seq, batch.received_ns, **columns)


def encode_batch(batch: Batch) -> bytes:
    """One Arrow IPC stream with one record batch; plant, source, seq and received_ns stand in the schema's metadata."""
    schema = _SCHEMA.with_metadata(
        {
            "plant": batch.plant,
            "source": batch.source,
            "seq": str(batch.seq),
            "received_ns": str(batch.received_ns),
        }
    )
    columns = [pa.array(getattr(batch, name)) for name in _COLUMNS]
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    encoded: bytes = out.getvalue().to_pybytes()
    return encoded


def decode_batch(payload: bytes) -> Batch:
    """The Batch again; its columns are read-only views into ``payload``. Raises WireError."""
    if isinstance(payload, HandedOver):
        return payload.batch
    try:
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            schema = reader.schema
            rows = reader.read_all()
        rows.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise WireError(f"not an Arrow stream: {error}") from error
    if not schema.equals(_SCHEMA):
        raise WireError(f"expected the columns {_described(_SCHEMA)}, got {_described(schema)}")
    if any(column.null_count or column.num_chunks > 1 for column in rows.columns):
        raise WireError("expected one record batch without nulls")
    return _batch(schema.metadata or {}, rows)


def _batch(metadata: dict[bytes, bytes], rows: Any) -> Batch:
    try:
        plant, source = metadata[b"plant"].decode(), metadata[b"source"].decode()
        seq, received_ns = int(metadata[b"seq"]), int(metadata[b"received_ns"])
    except KeyError as error:
        raise WireError(f"the schema's metadata lacks {error.args[0].decode()!r}") from error
    except ValueError as error:
        raise WireError(f"the schema's metadata is malformed: {error}") from error
    point, t_ns, value, quality = (_numpy(column) for column in rows.columns)
    return Batch(plant, source, seq, received_ns, point=point, t_ns=t_ns, value=value, quality=quality)


def _numpy(column: Any) -> Any:
    """A chunked column of no or one chunk as numpy, without a copy."""
    if column.num_chunks == 0:
        return np.empty(0, column.type.to_pandas_dtype())
    return column.chunk(0).to_numpy(zero_copy_only=True)


def _described(schema: Any) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def encode_event(event: Event) -> bytes:
    """JSON with the event's own field names; raises WireError for a number that JSON does not have."""
    kind = type(event).__name__
    if kind not in KINDS:
        raise WireError(f"{kind} is no kind of event; model.messages.KINDS lists them")
    for name in event.__dataclass_fields__:
        value = getattr(event, name)
        if isinstance(value, float) and not math.isfinite(value):
            raise WireError(f"{kind}.{name}: {value} is no finite number")
    return _adapter(kind).dump_json(event)


def decode_event(subject: str, payload: bytes) -> Event:
    """The event again; its kind is the subject's last token. Raises WireError."""
    kind = subject.rpartition(".")[2]
    if kind not in KINDS:
        raise WireError(f"{subject}: {kind!r} is no kind of event; model.messages.KINDS lists them")
    try:
        return _adapter(kind).validate_json(payload, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise WireError(f"{subject}: {where or 'payload'}: {first['msg']}") from error


@cache
def _adapter(kind: str) -> TypeAdapter[Event]:
    return TypeAdapter(KINDS[kind])


async def publish_batch(bus: Bus, batch: Batch, *, msg_id: str = "") -> int:
    """Publish on the subject of the batch's source and return its sequence; raises BusError.

    Without a ``msg_id`` one is made of plant, source, this run of the process and ``seq``: the same Batch sent again
    by the same process is stored once.
    """
    return await bus.publish(
        subjects.points(batch.plant, batch.source),
        payload_of(batch, bus),
        msg_id=msg_id or f"{batch.plant}.{batch.source}.{BOOT}.{batch.seq}",
        headers={RECEIVED_NS: str(batch.received_ns)},
    )


async def publish_event(bus: Bus, event: Event, *, msg_id: str = "") -> int:
    """Publish on the subject of the event's kind and return its sequence; raises BusError."""
    subject = subjects.events(event.plant, type(event).__name__)
    return await bus.publish(subject, encode_event(event), msg_id=msg_id)
