"""What each protocol needs of a connection, a unit and a point: grammar, defaults, register layout; read by expand.

Protocols that are not listed here belong to connectors of the plant's own: their settings pass through unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from zhongshu.kernel.plantfile.values import Positive, Spec
from zhongshu.model import roles

Dtype = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit"]
WordOrder = Literal["big", "little"]
_Broker = Annotated[str, Field(pattern=r"^(internal|mqtts?://[^\s:/]+(:\d+)?)$")]
_NODE = r"^(nsu=[^;]+;|ns=\d+;)?[isgb]=.+$"


class OpcUaSettings(Spec):
    """Settings of an `opcua` connection."""

    endpoint: str = Field(
        pattern=r"^opc\.tcp://\S+$", description="URL of the server, `opc.tcp://host:port`."
    )
    security: Literal["None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = Field(
        "None", description="Security policy."
    )
    mode: Literal["Sign", "SignAndEncrypt"] = Field(
        "SignAndEncrypt", description="Message security, unless policy is None."
    )
    user: str | None = Field(None, description="User name; without one the session is anonymous.")
    password_file: str | None = Field(None, description="File in the secrets folder that holds the password.")
    certificate: str | None = Field(
        None, description="File in the secrets folder with the server's certificate, to pin it."
    )
    publishing_ms: int = Field(
        250, ge=50, le=60_000, description="Publishing interval asked for, in ms of wall time."
    )
    timeout_s: Positive = Field(5.0, description="Wall time after which a request has failed.")


class ModbusSettings(Spec):
    """Settings of a `modbus` connection (Modbus TCP)."""

    host: str = Field("127.0.0.1", description="Address of the device or gateway.")
    port: int = Field(502, ge=1, le=65535, description="TCP port.")
    timeout_s: Positive = Field(2.0, description="Wall time after which a request has failed.")
    word_order: WordOrder = Field("big", description="Order of the 16-bit words in longer values.")


class SparkplugSettings(Spec):
    """Settings of a `sparkplug` connection: one edge node."""

    broker: _Broker = Field("internal", description="`internal` (the brain's own bus) or `mqtt://host:port`.")
    group: str = Field(pattern=r"^[^/+#\s]+$", description="Sparkplug group id.")
    edge: str = Field(pattern=r"^[^/+#\s]+$", description="Sparkplug edge node id.")
    user: str | None = Field(None, description="User name at an external broker.")
    password_file: str | None = Field(None, description="File in the secrets folder that holds the password.")
    timeout_s: Positive = Field(5.0, description="Wall time after which a request has failed.")


class VdaSettings(Spec):
    """Settings of a `vda5050` connection: one fleet of one manufacturer."""

    broker: _Broker = Field("internal", description="`internal` (the brain's own bus) or `mqtt://host:port`.")
    interface: str = Field(
        "uagv", pattern=r"^[^/+#\s]+$", description="Interface name: first part of the topics."
    )
    version: str = Field("2.1.0", pattern=r"^\d+\.\d+\.\d+$", description="VDA 5050 version of the vehicles.")
    manufacturer: str = Field(pattern=r"^[^/+#\s]+$", description="Manufacturer in the topics.")
    user: str | None = Field(None, description="User name at an external broker.")
    password_file: str | None = Field(None, description="File in the secrets folder that holds the password.")
    timeout_s: Positive = Field(5.0, description="Wall time after which a request has failed.")


class NodeAddress(Spec):
    """Address of a unit or point on `opcua`."""

    node: str = Field(
        pattern=_NODE, description="Node id with `ns=` or `nsu=`; made from plant, unit and point by default."
    )


class UnitIdAddress(Spec):
    """Address of a unit on `modbus`."""

    unit_id: int = Field(ge=1, le=247, description="Unit id; by default the next free one of the connection.")


class RegisterAddress(Spec):
    """Address of a point on `modbus`."""

    table: Literal["holding", "input", "coil", "discrete"] = Field("holding", description="Modbus table.")
    first: int | None = Field(
        None,
        alias="register",
        ge=0,
        le=65535,
        description="First register, from 0; by default after the point before.",
    )
    dtype: Dtype | None = Field(
        None, description="By default `float32`, `int32`, or `uint16` for bool and enum."
    )
    word_order: WordOrder | None = Field(None, description="By default the connection's.")


class DeviceAddress(Spec):
    """Address of a unit on `sparkplug`."""

    device: str = Field(pattern=r"^[^/+#\s]+$", description="Sparkplug device id; by default the unit's id.")


class MetricAddress(Spec):
    """Address of a point on `sparkplug`."""

    metric: str = Field(min_length=1, description="Metric name; by default the point's name.")


class SerialAddress(Spec):
    """Address of a unit on `vda5050`."""

    serial: str = Field(
        pattern=r"^[^/+#\s]+$", description="Serial number in the topics; by default the unit's id."
    )


class NoAddress(Spec):
    """Points that need no address: `vda5050` finds them by role."""


class Wire(NamedTuple):
    """One protocol: grammar of settings and addresses, default address patterns, roles every machine needs."""

    settings: type[Spec]
    unit: type[Spec]
    point: type[Spec]
    unit_default: dict[str, str]
    point_default: dict[str, str]


WIRES: dict[str, Wire] = {
    "opcua": Wire(
        OpcUaSettings,
        NodeAddress,
        NodeAddress,
        {"node": "nsu=urn:zhongshu:{plant};s={id}"},
        {"node": "{node}.{point}"},
    ),
    "modbus": Wire(ModbusSettings, UnitIdAddress, RegisterAddress, {}, {}),
    "sparkplug": Wire(
        SparkplugSettings, DeviceAddress, MetricAddress, {"device": "{id}"}, {"metric": "{point}"}
    ),
    "vda5050": Wire(VdaSettings, SerialAddress, NoAddress, {"serial": "{id}"}, {}),
}

_BY_KIND = {"float": "float32", "int": "int32", "bool": "uint16", "enum": "uint16"}
#: Counters that would wrap or stand still in 32 bits: ms since 1970, kWh with decimals over years.
_BY_ROLE = {roles.SCAN_TIME: "uint64", roles.ENERGY: "float64", roles.SAMPLE_COUNT: "uint32"}
_WORDS = {"int16": 1, "uint16": 1, "bit": 1, "int32": 2, "uint32": 2, "float32": 2}
#: More registers than one read request may ask for (Modbus: 125) break a scan in two.
MOST_REGISTERS = 120


class Register(NamedTuple):
    """Where a point stands: ``size`` in registers (or bits) from ``first``."""

    table: str
    first: int
    size: int
    dtype: str


def registers(points: Iterable[tuple[RegisterAddress, str, str]]) -> list[Register]:
    """Lay out (address, kind, role): each without a register of its own follows the one before it in its table."""
    after: dict[str, int] = {}
    made: list[Register] = []
    for address, kind, role in points:
        bits = address.table in ("coil", "discrete")
        dtype = address.dtype or ("bit" if bits else _BY_ROLE.get(role, _BY_KIND[kind]))
        size = 1 if bits else _WORDS.get(dtype, 4)
        first = after.get(address.table, 0) if address.first is None else address.first
        after[address.table] = first + size
        made.append(Register(address.table, first, size, dtype))
    return made


def settings_of(spec: Spec) -> dict[str, Any]:
    """Plain values without what was left out."""
    return spec.model_dump(exclude_none=True)
