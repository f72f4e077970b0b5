"""The settings that every MQTT connection has: which broker, as whom, and how long to wait."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zhongshu.connectors._mqtt.broker import INTERNAL, check_broker


class BrokerSettings(BaseModel):
    """How to reach the broker; the protocols add their own fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broker: str = Field(
        INTERNAL, description="'internal' (the plant's own), or mqtt://host:port, or mqtts://host:port (TLS)."
    )
    user: str | None = Field(None, description="User name at an external broker; left out: none.")
    password_file: str | None = Field(
        None, description="File below the secrets folder that holds the password; left out: none."
    )
    ca_file: str = Field(
        "",
        description="PEM file below the secrets folder with the authority that signed the broker's certificate.",
    )
    mqtt_version: Literal["3.1.1", "5"] = Field(
        "3.1.1", description="MQTT version of an external broker; the internal one speaks 3.1.1."
    )
    timeout_s: float = Field(
        5.0,
        gt=0,
        le=60,
        description="Longest wait for a device's answer or a broker's confirmation, in s of wall time.",
    )

    @model_validator(mode="after")
    def _address(self) -> Self:
        check_broker(self.model_dump())
        return self
