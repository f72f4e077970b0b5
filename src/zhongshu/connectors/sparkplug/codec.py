"""Between Sparkplug's topics and payloads and the plant's numbers, in both directions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from zhongshu.connectors.sparkplug.schema import DataType, Payload
from zhongshu.model.batch import BAD, GOOD, QUALITY_MASK, UNCERTAIN

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
BD_SEQ = "bdSeq"
#: Sequence numbers run from 0 to 255 and around.
SEQ_RANGE = 256
MS = 1_000_000

_SIGNED_BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
_UNSIGNED_BITS = {DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64}
_LONG = frozenset({DataType.INT64, DataType.UINT64, DataType.DATETIME})
_TEXTS = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
_QUALITY = "Quality"
#: What we write for UNCERTAIN; the specification names 0 bad, 192 good, 500 stale, and OPC's classic codes fill the rest.
_UNCERTAIN_CODE = 64


class Malformed(ValueError):
    """A payload that is no Sparkplug payload; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Topic:
    """``spBv1.0/{group}/{kind}/{edge}[/{device}]``; ``device`` is "" for the edge node itself."""

    group: str
    kind: str
    edge: str
    device: str = ""

    def __str__(self) -> str:
        """As it goes on the wire."""
        tail = f"/{self.device}" if self.device else ""
        return f"{NAMESPACE}/{self.group}/{self.kind}/{self.edge}{tail}"


def parse_topic(topic: str) -> Topic | None:
    """The parts of a Sparkplug topic; None for anything else, STATE included."""
    parts = topic.split("/", 4)
    if len(parts) < 4 or parts[0] != NAMESPACE or parts[1] == "STATE":
        return None
    return Topic(parts[1], parts[2], parts[3], parts[4] if len(parts) == 5 else "")


def edge_filters(group: str, edge: str) -> list[tuple[str, int]]:
    """Topic filters with QoS for everything one edge node and its devices say; not for what they are told."""
    node = [(f"{NAMESPACE}/{group}/{kind}/{edge}", 1) for kind in ("NBIRTH", "NDATA", "NDEATH")]
    return node + [(f"{NAMESPACE}/{group}/{kind}/{edge}/+", 1) for kind in ("DBIRTH", "DDATA", "DDEATH")]


def state_topic(host: str) -> str:
    """Where a host application says whether it is there."""
    return f"{NAMESPACE}/STATE/{host}"


def state_payload(online: bool, t_ns: int) -> bytes:
    """A host's STATE message; the will of a session carries the same timestamp as its birth."""
    return json.dumps({"online": online, "timestamp": t_ns // MS}).encode()


def parse_state(payload: bytes) -> bool | None:
    """Whether a STATE message says online; None if it says nothing."""
    try:
        online = json.loads(payload)["online"]
    except (ValueError, KeyError, TypeError):
        return None
    return online if isinstance(online, bool) else None


def decode(payload: bytes) -> Any:
    """A Payload message. Raises Malformed."""
    try:
        return Payload.FromString(payload)
    except DecodeError as error:
        raise Malformed(f"no Sparkplug payload: {error}") from error


def bd_seq_of(payload: Any) -> int | None:
    """The birth/death number in an NBIRTH or NDEATH."""
    for metric in payload.metrics:
        if metric.name == BD_SEQ:
            value = value_of(metric, metric.datatype or DataType.INT64)
            return None if value is None or isinstance(value, str) else int(value)
    return None


def value_of(metric: Any, datatype: int) -> float | str | None:
    """The metric's value as float (true 1.0, signed as ``datatype`` says) or text; None if it is null or of another kind.

    Small negative integers come in two's complement of their own width or of 32 bits, depending on who wrote them.
    """
    if metric.is_null:
        return None
    which = metric.WhichOneof("value")
    if which is None or which == "bytes_value":
        return None
    raw = getattr(metric, which)
    if which == "string_value":
        return str(raw)
    bits = _SIGNED_BITS.get(datatype)  # type: ignore[call-overload]
    if bits is not None and which in ("int_value", "long_value"):
        raw &= (1 << bits) - 1
        return float(raw - (1 << bits) if raw >> (bits - 1) else raw)
    return float(raw)


def quality_of(metric: Any) -> int:
    """GOOD, UNCERTAIN or BAD from the metric's ``Quality`` property; GOOD where it has none."""
    if not metric.HasField("properties"):
        return GOOD
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key == _QUALITY:
            code = value.int_value if value.HasField("int_value") else value.long_value
            if code == 500 or code < _UNCERTAIN_CODE:
                return BAD
            return GOOD if code >= 192 else UNCERTAIN
    return GOOD


def datatype_of(kind: str) -> DataType:
    """How our own edge writes a point of that kind (float, int, bool, enum)."""
    return {"int": DataType.INT64, "bool": DataType.BOOLEAN, "enum": DataType.INT32}.get(
        kind, DataType.DOUBLE
    )


def is_text(datatype: int) -> bool:
    """Whether metrics of that type hold text."""
    return datatype in _TEXTS


def _put_int(bits: int, signed: bool, field: str) -> Callable[[Any, float], None]:
    wire_mask = (1 << (64 if field == "long_value" else 32)) - 1
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)

    def put(metric: Any, value: float) -> None:
        number = round(value)
        if not low <= number <= high:
            raise ValueError(f"{value} does not fit into {bits} bits")
        setattr(metric, field, number & wire_mask)

    return put


def _put_float(metric: Any, value: float) -> None:
    metric.float_value = value


def _put_double(metric: Any, value: float) -> None:
    metric.double_value = value


def _put_boolean(metric: Any, value: float) -> None:
    metric.boolean_value = value != 0


_PUT: Mapping[int, Callable[[Any, float], None]] = {
    DataType.FLOAT: _put_float,
    DataType.DOUBLE: _put_double,
    DataType.BOOLEAN: _put_boolean,
    **{
        kind: _put_int(bits, kind in _SIGNED_BITS, "long_value" if kind in _LONG else "int_value")
        for kind, bits in (_SIGNED_BITS | _UNSIGNED_BITS | {DataType.DATETIME: 64}).items()
    },
}


def put_value(metric: Any, datatype: int, value: float) -> None:
    """Set the value as ``datatype`` wants it; NaN becomes null. Raises ValueError for what does not fit or is no number."""
    metric.datatype = datatype
    if math.isnan(value):
        metric.is_null = True
        return
    put = _PUT.get(datatype)
    if put is None:
        raise ValueError(f"a number cannot be written to data type {datatype}")
    put(metric, value)


def put_quality(metric: Any, quality: int) -> None:
    """Add the ``Quality`` property unless the quality is GOOD."""
    level = quality & QUALITY_MASK
    if level != GOOD:
        metric.properties.keys.append(_QUALITY)
        metric.properties.values.add(
            type=int(DataType.INT32), int_value=_UNCERTAIN_CODE if level == UNCERTAIN else 0
        )


def same(a: float, b: float, datatype: int) -> bool:
    """Whether a value read back is the value written, as far as the data type can hold it."""
    if datatype == DataType.FLOAT:
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-38)
    return a == b


def rebirth_request(t_ns: int) -> bytes:
    """The NCMD that asks an edge node for all its births."""
    payload = Payload(timestamp=t_ns // MS)
    payload.metrics.add(
        name=REBIRTH, timestamp=t_ns // MS, datatype=int(DataType.BOOLEAN), boolean_value=True
    )
    return bytes(payload.SerializeToString())


def command(values: Mapping[str, tuple[int, float]], t_ns: int) -> bytes:
    """A DCMD or NCMD of these metrics: name → (data type, value). Raises ValueError for what does not fit."""
    payload = Payload(timestamp=t_ns // MS)
    for name, (datatype, value) in values.items():
        metric = payload.metrics.add(name=name, timestamp=t_ns // MS)
        put_value(metric, datatype, value)
    return bytes(payload.SerializeToString())
