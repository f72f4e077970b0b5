"""The Sparkplug B payload as Protocol Buffers know it, from the field numbers of the Sparkplug 3.0 specification (§6.4).

Only what a plant's numbers and words need is described; data sets, templates and extensions pass as unknown fields.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "zhongshu.sparkplug"
_FILE = "zhongshu/sparkplug_b.proto"


class DataType(IntEnum):
    """Sparkplug's metric data types (§6.4.16), as far as they hold one number or one text."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15


#: (name, number, type, repeated, belongs to the oneof ``value``) of each message; a type in capitals is a message.
_FIELDS: dict[str, tuple[tuple[str, int, str, bool, bool], ...]] = {
    "PropertyValue": (
        ("type", 1, "uint32", False, False),
        ("is_null", 2, "bool", False, False),
        ("int_value", 3, "uint32", False, True),
        ("long_value", 4, "uint64", False, True),
        ("float_value", 5, "float", False, True),
        ("double_value", 6, "double", False, True),
        ("boolean_value", 7, "bool", False, True),
        ("string_value", 8, "string", False, True),
    ),
    "PropertySet": (
        ("keys", 1, "string", True, False),
        ("values", 2, "PropertyValue", True, False),
    ),
    "Metric": (
        ("name", 1, "string", False, False),
        ("alias", 2, "uint64", False, False),
        ("timestamp", 3, "uint64", False, False),
        ("datatype", 4, "uint32", False, False),
        ("is_historical", 5, "bool", False, False),
        ("is_transient", 6, "bool", False, False),
        ("is_null", 7, "bool", False, False),
        ("properties", 9, "PropertySet", False, False),
        ("int_value", 10, "uint32", False, True),
        ("long_value", 11, "uint64", False, True),
        ("float_value", 12, "float", False, True),
        ("double_value", 13, "double", False, True),
        ("boolean_value", 14, "bool", False, True),
        ("string_value", 15, "string", False, True),
        ("bytes_value", 16, "bytes", False, True),
    ),
    "Payload": (
        ("timestamp", 1, "uint64", False, False),
        ("metrics", 2, "Metric", True, False),
        ("seq", 3, "uint64", False, False),
        ("uuid", 4, "string", False, False),
        ("body", 5, "bytes", False, False),
    ),
}


def _describe(
    message: descriptor_pb2.DescriptorProto, fields: tuple[tuple[str, int, str, bool, bool], ...]
) -> None:
    """Fill one message description; proto2, so that a field that is absent can be told from one that is zero."""
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, number, kind, repeated, in_value in fields:
        field = message.field.add(name=name, number=number)
        field.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
        if kind[0].isupper():
            field.type, field.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
        else:
            field.type = kinds.Type.Value(f"TYPE_{kind.upper()}")
        if in_value:
            field.oneof_index = 0
    if any(in_value for *_, in_value in fields):
        message.oneof_decl.add(name="value")


def _payload_class() -> Any:
    """The message class, made in a pool of our own: another package's Sparkplug schema cannot collide with it."""
    file = descriptor_pb2.FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto2")
    for name, fields in _FIELDS.items():
        _describe(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


#: The Protocol Buffers message class of a Sparkplug payload.
Payload: Any = _payload_class()
