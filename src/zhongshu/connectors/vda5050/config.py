"""From the plant file's settings and addresses to checked values: what a VDA 5050 connection and its vehicles need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from zhongshu.connectors._mqtt.config import BrokerSettings

_NAME = r"^[^+/#\s]+$"


class Settings(BrokerSettings):
    """The vehicles of one manufacturer on one broker; ``Connection.settings`` of protocol ``vda5050``."""

    interface: str = Field("uagv", pattern=_NAME, description="First level of all topics, a name.")
    version: str = Field(
        "2.1.0",
        pattern=r"^2\.\d+\.\d+$",
        description="Version of VDA 5050 written into headers, 2.x.y; topics say v2.",
    )
    manufacturer: str = Field(
        pattern=_NAME, description="Manufacturer of the vehicles, a name as in their topics."
    )
    map_id: str = Field(
        "plant", min_length=1, description="Map in which the road map's coordinates (m) are meant, a name."
    )
    station_type: str = Field(
        "floor",
        description="stationType of pick and drop, a name that the vehicles know, such as floor or conveyor.",
    )
    load_type: str = Field(
        "lot", description="loadType of pick and drop, a name that the vehicles know, such as EPAL."
    )
    visualization: bool = Field(
        True,
        description="Whether positions between states are taken from the visualization topic, yes or no.",
    )


class UnitAddress(BaseModel):
    """``Unit.address``: which vehicle."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    serial: str = Field(pattern=_NAME, description="Serial number of the vehicle, a name as in its topics.")


def settings_of(raw: Mapping[str, Any]) -> Settings:
    """Checked settings of a connection. Raises pydantic.ValidationError (a ValueError) naming the field."""
    return Settings.model_validate(dict(raw))


def serial_of(address: Mapping[str, Any]) -> str:
    """The serial number of a unit's address. Raises pydantic.ValidationError (a ValueError)."""
    return UnitAddress.model_validate(dict(address)).serial
