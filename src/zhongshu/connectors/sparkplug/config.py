"""From the plant file's settings and addresses to checked values: what a Sparkplug connection, device and metric need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from zhongshu.connectors._mqtt.config import BrokerSettings

_NAME = r"^[^+/#\s]+$"


class Settings(BrokerSettings):
    """One edge node of one Sparkplug group; ``Connection.settings`` of protocol ``sparkplug``."""

    group: str = Field(pattern=_NAME, description="Sparkplug group id, a name without / + # or spaces.")
    edge: str = Field(pattern=_NAME, description="Sparkplug edge node id, a name without / + # or spaces.")
    host_id: str = Field(
        "",
        pattern=r"^[^+/#\s]*$",
        description="Our host application id; left out: zhongshu-<plant>-<connection>.",
    )


class UnitAddress(BaseModel):
    """``Unit.address``: which device of the edge node; "" means metrics of the edge node itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: str = Field(
        "", pattern=r"^[^+/#]*$", description="Sparkplug device id, a name; empty: the edge node itself."
    )


class PointAddress(BaseModel):
    """``Point.address``: which metric of the device."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(min_length=1, description="Metric name as in the birth message.")


def settings_of(raw: Mapping[str, Any]) -> Settings:
    """Checked settings of a connection. Raises pydantic.ValidationError (a ValueError) naming the field."""
    return Settings.model_validate(dict(raw))
