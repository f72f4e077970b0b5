"""From the plant file's settings and addresses to checked values: what the connection, a unit and a point need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["big", "little"]
Table = Literal["holding", "input", "coil", "discrete"]
Dtype = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "bit"]


class Settings(BaseModel):
    """One TCP connection to one Modbus server or gateway; ``Connection.settings`` of protocol ``modbus``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="Host name or IP address of the server or gateway.")
    port: int = Field(502, ge=1, le=65535, description="TCP port of the server.")
    timeout_s: float = Field(
        2.0,
        gt=0,
        le=60,
        description="Longest wait for the answer to a write or a request, in s of wall time.",
    )
    read_timeout_s: float | None = Field(
        None,
        gt=0,
        le=60,
        description="Longest wait for the answer to a read, in s of wall time; left out: timeout_s, at most 1 s.",
    )
    word_order: Order = Field(
        "big", description="Order of the 16-bit words of longer values: big, or little (word swap)."
    )
    byte_order: Order = Field(
        "big", description="Order of the two bytes within a register; the standard says big."
    )
    transactions: int = Field(
        8,
        ge=1,
        le=16,
        description="Requests that may be under way at once, a count; 1 for servers that answer one at a time.",
    )
    gap: int = Field(
        16, ge=0, le=124, description="Unused registers that may be read along to merge two blocks, a count."
    )
    max_registers: int = Field(
        125, ge=4, le=125, description="Most registers in one read, a count; the standard allows 125."
    )
    max_bits: int = Field(
        2000,
        ge=1,
        le=2000,
        description="Most coils or inputs in one read, a count; the standard allows 2000.",
    )

    @property
    def read_s(self) -> float:
        """Longest wait for the answer to a read, in s of wall time."""
        return self.read_timeout_s or min(self.timeout_s, 1.0)


class UnitAddress(BaseModel):
    """``Unit.address``: which device behind the connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit_id: int = Field(
        ge=0, le=255, description="Unit identifier, a number; 1…247, or 255 for a device without a bus."
    )


class PointAddress(BaseModel):
    """``Point.address``: where a value lies and how it is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Table = Field(
        "holding", description="Table: holding or input registers, coils or discrete inputs."
    )
    register_: int = Field(
        alias="register", ge=0, le=65535, description="Address of the first register or bit, counted from 0."
    )
    dtype: Dtype = Field(
        "uint16", description="Data type; bit for coils and discrete inputs, and only for them."
    )
    word_order: Order | None = Field(
        None, description="Word order of this point; left out: that of the connection."
    )
    byte_order: Order | None = Field(
        None, description="Byte order of this point; left out: that of the connection."
    )


def settings_of(raw: Mapping[str, Any]) -> Settings:
    """Checked settings of a connection. Raises pydantic.ValidationError (a ValueError) naming the field."""
    return Settings.model_validate(dict(raw))
