"""OPC UA's bytes, values and status codes on their way between the wire and our columns, in both directions.

Notifications are decoded here and not by asyncua, because one object for every value would cost ten times as much.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, variant_from_binary

from zhongshu.model.batch import BAD, Bytes, Floats, Int64s

#: 100 ns ticks from 1601 to 1970.
EPOCH_TICKS = 116_444_736_000_000_000
#: The last tick whose nanoseconds since 1970 fit an int64 (2262); servers also say "none" with the year 9999.
LAST_TICKS = EPOCH_TICKS + (2**63 - 1) // 100
SEVERITY_CODE = 0xFFFF0000
#: InfoType DataValue with the Overflow bit: samples before this one were discarded.
OVERFLOW = 0x0480
WAITING = 0x80320000  # BadWaitingForInitialData: there is no sample yet
UNCERTAIN_CODE = 0x40000000
BAD_CODE = 0x80000000

_VALUE, _STATUS, _SOURCE_TIME, _SERVER_TIME, _SOURCE_PICO, _SERVER_PICO = 1, 2, 4, 8, 16, 32
_DATA_CHANGE = ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
_STATUS_CHANGE = ua.NodeId(ua.ObjectIds.StatusChangeNotification_Encoding_DefaultBinary)
#: struct letters of the scalar types by VariantType number; all of them become float64.
_LETTERS = {1: "?", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "f", 11: "d"}
_I32, _U32 = struct.Struct("<i"), struct.Struct("<I")


class Malformed(Exception):
    """The server sent bytes that are no notification."""


@dataclass(slots=True)
class Columns:
    """Decoded monitored items, one row each: client handle, value, status code, source time in ticks since 1601 or 0."""

    handle: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    #: Text by row; the row's value is then NaN.
    texts: dict[int, str] = field(default_factory=dict)
    #: Rows whose type is no number and no text (arrays, structures).
    odd: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.handle)


@dataclass(slots=True)
class Publication:
    """One publish response: a NotificationMessage with its subscription; ``status`` is the one of a StatusChange, or 0."""

    subscription: int
    sequence: int
    available: tuple[int, ...]
    more: bool
    empty: bool
    status: int


def decode_publication(body: Buffer, columns: Columns) -> Publication:
    """Read a PublishResponse; its items are appended to ``columns``. Raises Malformed."""
    try:
        data = _after_header(body)
        subscription, count = struct.unpack_from("<Ii", data, 0)
        pos = 8
        available: tuple[int, ...] = ()
        if count > 0:
            available = struct.unpack_from(f"<{count}I", data, pos)
            pos += 4 * count
        more = bool(data[pos])
        sequence, empty, status = decode_message(data, pos + 1, columns)
    except (struct.error, IndexError, ValueError, TypeError, ua.UaError) as error:
        raise Malformed(f"a publish response cannot be read: {error}") from error
    return Publication(subscription, sequence, available, more, empty, status)


def decode_republication(body: Buffer, columns: Columns) -> tuple[int, bool]:
    """Read a RepublishResponse: the message's sequence number and whether it holds nothing. Raises Malformed."""
    try:
        sequence, empty, _ = decode_message(_after_header(body), 0, columns)
    except (struct.error, IndexError, ValueError, TypeError, ua.UaError) as error:
        raise Malformed(f"a republish response cannot be read: {error}") from error
    return sequence, empty


def _after_header(body: Buffer) -> bytes:
    """What follows type id and ResponseHeader."""
    nodeid_from_binary(body)
    struct_from_binary(ua.ResponseHeader, body)
    return bytes(body)


def decode_message(data: bytes, pos: int, columns: Columns) -> tuple[int, bool, int]:
    """Read a NotificationMessage at ``pos``: sequence number, whether it holds nothing (keep-alive), changed status."""
    sequence, _, count = struct.unpack_from("<Iqi", data, pos)
    pos += 16
    status = 0
    for _ in range(count):
        buffer = Buffer(data, pos)
        kind = nodeid_from_binary(buffer)
        pos = buffer.cur_pos + 1  # the encoding byte: always a ByteString body
        (length,) = _I32.unpack_from(data, pos)
        pos += 4
        if kind == _DATA_CHANGE:
            decode_items(data, pos, columns)
        elif kind == _STATUS_CHANGE:
            (status,) = _U32.unpack_from(data, pos)
        pos += length
    return sequence, count <= 0, status


def decode_items(data: bytes, pos: int, columns: Columns) -> int:
    """Read the MonitoredItems of a DataChangeNotification in one tight loop; returns the position behind them."""
    handles, values, codes, ticks = columns.handle, columns.value, columns.code, columns.ticks
    layout_of = _layout
    (count,) = _I32.unpack_from(data, pos)
    pos += 4
    for _ in range(count):
        layout = layout_of(data[pos + 4], data[pos + 5])
        if layout is None:
            pos = _decode_odd(data, pos, columns)
            continue
        shape, unpack, size = layout
        if shape == 0:  # the usual: a Good value with its source time
            handle, value, tick = unpack(data, pos)
            code = 0
        elif shape == 1:
            handle, value, code, tick = unpack(data, pos)
        elif shape == 2:
            (handle, value), code, tick = unpack(data, pos), 0, 0
        else:
            (handle, value, code), tick = unpack(data, pos), 0
        handles.append(handle)
        values.append(value)
        codes.append(code)
        ticks.append(tick)
        pos += size
    return pos


@cache
def _layout(mask: int, type_byte: int) -> tuple[int, Callable[[bytes, int], tuple[Any, ...]], int] | None:
    """How an item with this DataValue mask and Variant type lies in memory, or None where its length varies."""
    letter = _LETTERS.get(type_byte)
    if not mask & _VALUE or letter is None:
        return None
    parts = ["<Ixx", letter]
    shape = 2
    if mask & _STATUS:
        parts.append("I")
        shape += 1
    if mask & _SOURCE_TIME:
        parts.append("q")
        shape -= 2
    parts += [
        "xx" if mask & _SOURCE_PICO else "",
        "8x" if mask & _SERVER_TIME else "",
        "xx" if mask & _SERVER_PICO else "",
    ]
    made = struct.Struct("".join(parts))
    return shape, made.unpack_from, made.size


def _decode_odd(data: bytes, pos: int, columns: Columns) -> int:
    """An item without a value, or with one whose length varies: text, arrays, structures."""
    (handle,) = _U32.unpack_from(data, pos)
    mask = data[pos + 4]
    buffer = Buffer(data, pos + 5)
    row = len(columns)
    value = math.nan
    if mask & _VALUE:
        content = variant_from_binary(buffer).Value
        if isinstance(content, ua.LocalizedText):
            content = content.Text
        if isinstance(content, str):
            columns.texts[row] = content
        elif isinstance(content, bool | int | float):
            value = float(content)
        elif content is not None:
            columns.odd.append(row)
    columns.handle.append(handle)
    columns.value.append(value)
    columns.code.append(_U32.unpack(buffer.read(4))[0] if mask & _STATUS else 0)
    columns.ticks.append(struct.unpack("<q", buffer.read(8))[0] if mask & _SOURCE_TIME else 0)
    tail = (
        (2 if mask & _SOURCE_PICO else 0)
        + (8 if mask & _SERVER_TIME else 0)
        + (2 if mask & _SERVER_PICO else 0)
    )
    buffer.read(tail)
    return buffer.cur_pos


def times(ticks: Iterable[int]) -> Int64s:
    """Ticks of 100 ns since 1601 → ns since 1970; 0 where the source gave none, or one outside 1970 to 2262."""
    column = np.asarray(list(ticks), np.int64)
    valid = (column > EPOCH_TICKS) & (column < LAST_TICKS)
    return np.where(valid, (np.where(valid, column, EPOCH_TICKS) - EPOCH_TICKS) * 100, 0)


def qualities(codes: npt.NDArray[np.uint32], values: Floats) -> Bytes:
    """Status codes → 0 Good, 1 Uncertain, 2 Bad (the reserved severity is Bad, too); a value that is no number is Bad."""
    quality = np.minimum(codes >> np.uint32(30), BAD).astype(np.uint8)
    quality[~np.isfinite(values)] = BAD
    return quality


def name_of(code: int) -> str:
    """A status code in words and hex."""
    return f"{ua.StatusCode(ua.UInt32(code & SEVERITY_CODE)).name} (0x{code:08X})"


# --- the other direction --------------------------------------------------------------------------------


@cache
def _packers(kind: ua.VariantType) -> tuple[struct.Struct, struct.Struct]:
    """Structs of a sample without and with a status code."""
    letter = _LETTERS[kind.value]
    return struct.Struct(f"<BB{letter}q"), struct.Struct(f"<BB{letter}Iq")


def encode_sample(kind: ua.VariantType, value: float, quality: int, t_ns: int) -> bytes:
    """A DataValue with source time, as it follows the client handle; a Bad one carries no value."""
    ticks = t_ns // 100 + EPOCH_TICKS
    if quality == 0:
        return _packers(kind)[0].pack(_VALUE | _SOURCE_TIME, kind.value, native(kind, value), ticks)
    if quality == BAD:
        return struct.pack("<BIq", _STATUS | _SOURCE_TIME, BAD_CODE, ticks)
    mask = _VALUE | _STATUS | _SOURCE_TIME
    return _packers(kind)[1].pack(mask, kind.value, native(kind, value), UNCERTAIN_CODE, ticks)


def with_overflow(sample: bytes) -> bytes:
    """The same sample with the Overflow bit, which says that older ones were discarded."""
    at = len(sample) - 8  # the source time stands last
    if not sample[0] & _STATUS:
        return bytes([sample[0] | _STATUS]) + sample[1:at] + _U32.pack(OVERFLOW) + sample[at:]
    (code,) = _U32.unpack_from(sample, at - 4)
    return sample[: at - 4] + _U32.pack(code | OVERFLOW) + sample[at:]


def data_change(items: list[bytes]) -> ua.ExtensionObject:
    """Items (handle and sample, already bytes) as a notification that asyncua passes on as it is."""
    body = b"".join([_I32.pack(len(items)), *items, b"\xff\xff\xff\xff"])
    return ua.ExtensionObject(TypeId=_DATA_CHANGE, Body=body)


# --- values ---------------------------------------------------------------------------------------------

_WIRE_KINDS = {
    "float": ua.VariantType.Double,
    "int": ua.VariantType.Int64,
    "bool": ua.VariantType.Boolean,
    "enum": ua.VariantType.Int32,
}
_RANGES = {2: (-(2**7), 2**7), 3: (0, 2**8), 4: (-(2**15), 2**15), 5: (0, 2**16), 6: (-(2**31), 2**31),
           7: (0, 2**32), 8: (-(2**63), 2**63), 9: (0, 2**64)}  # fmt: skip


class NotRepresentable(ValueError):
    """The node's data type cannot hold the value."""


def wire_kind(kind: str) -> ua.VariantType:
    """The data type with which our own server offers a point of kind float, int, bool or enum."""
    return _WIRE_KINDS[kind]


def native(kind: ua.VariantType, value: float) -> float | int | bool:
    """The value as this type writes it. Raises NotRepresentable."""
    if kind.value not in _LETTERS:
        raise NotRepresentable(f"{kind.name} is no scalar number")
    if kind in (ua.VariantType.Double, ua.VariantType.Float):
        return float(value)
    if not math.isfinite(value) or value != int(value):
        raise NotRepresentable(f"{value!r} is no whole number, the node wants {kind.name}")
    if kind is ua.VariantType.Boolean:
        if value not in (0, 1):
            raise NotRepresentable(f"{value!r} is neither 0 nor 1, the node wants Boolean")
        return bool(value)
    low, high = _RANGES[kind.value]
    if not low <= value < high:
        raise NotRepresentable(f"{value!r} does not fit {kind.name}")
    return int(value)


def same(kind: ua.VariantType, written: float, read: object) -> bool:
    """Whether a read-back equals what was written, to the type's own precision."""
    if not isinstance(read, bool | int | float):
        return False
    if kind is ua.VariantType.Float:
        return bool(np.float32(written) == np.float32(read))
    return float(written) == float(read)


# --- node ids -------------------------------------------------------------------------------------------


class UnknownNamespace(ValueError):
    """The server has no namespace of that URI."""


def namespace_uri(text: str) -> str:
    """The URI of an ``nsu=`` node id, or an empty string."""
    return text[4:].split(";", 1)[0] if text.startswith("nsu=") else ""


def node_id(text: str, namespaces: Mapping[str, int]) -> ua.NodeId:
    """``nsu=urn:…;s=…``, ``ns=2;i=…`` or ``i=…`` → NodeId in this server. Raises UnknownNamespace, ValueError."""
    uri = namespace_uri(text)
    if uri:
        if uri not in namespaces:
            raise UnknownNamespace(f"the server has no namespace {uri!r}")
        text = f"ns={namespaces[uri]};{text[5 + len(uri) :]}"
    if not (text.startswith("ns=") or text[:2] in ("i=", "s=", "g=", "b=")):
        raise ValueError(f"{text!r} is no node id; write nsu=<uri>;s=<name> or ns=<n>;i=<number>")
    try:
        return ua.NodeId.from_string(text)
    except ua.UaError as error:
        raise ValueError(f"{text!r} is no node id: {error}") from error
