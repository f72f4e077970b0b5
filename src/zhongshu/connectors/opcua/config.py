"""The settings of an OPC UA connection as the plant file gives them, checked once and then read by client and peer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

Policy = Literal["None", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"]


class SettingsError(ValueError):
    """Settings that no retry can mend; the message names each field, what is wrong, and what may stand there."""


class Settings(BaseModel):
    """How to reach one OPC UA server, and how it is read. Files are looked for in the plant's folder of secrets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(description="URL of the server, opc.tcp://host:port/path")
    security: Policy = Field(
        "None", description="security policy of the channel; anything but None needs certificates"
    )
    mode: Literal["Sign", "SignAndEncrypt"] = Field(
        "SignAndEncrypt",
        description="whether messages are only signed or also encrypted; without meaning for None",
    )
    user: str = Field("", description="user name; empty logs in anonymously or with a certificate")
    password_file: str = Field(
        "", description="file in the secrets folder whose first line is the user's password"
    )
    certificate: str = Field(
        "",
        description="file in the secrets folder with the user's own certificate (PEM or DER) to log in with",
    )
    certificate_key: str = Field(
        "",
        description="file in the secrets folder with the private key (PEM, no password) of that certificate",
    )
    trust: Literal["first_use", "pinned", "any"] = Field(
        "first_use",
        description="which server certificate is accepted: the first one seen and no other afterwards, "
        "only one whose fingerprint was put into the secrets folder, or any",
    )
    publishing_ms: float = Field(
        200.0, ge=20.0, le=5000.0, description="time between two deliveries by the server, in ms"
    )
    timeout_s: float = Field(
        4.0, gt=0.0, le=60.0, description="longest wait for an answer or a sign of life, in s of wall time"
    )
    buffer_s: float = Field(
        5.0, ge=0.0, le=3600.0,
        description="how many s of samples the server is asked to keep for us while the wire is cut",
    )  # fmt: skip
    session_s: float = Field(
        30.0, ge=5.0, le=3600.0, description="how long the server keeps our session after we vanish, in s"
    )

    @field_validator("endpoint")
    @classmethod
    def _is_opc_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "opc.tcp" or not parts.hostname or parts.port is None:
            raise ValueError("write opc.tcp://host:port/path, with the port")
        if "@" in parts.netloc:
            raise ValueError("user and password do not belong into the URL; use user and password_file")
        return value

    @property
    def host(self) -> str:
        """Host of the endpoint."""
        return str(urlsplit(self.endpoint).hostname)

    @property
    def port(self) -> int:
        """TCP port of the endpoint."""
        return int(urlsplit(self.endpoint).port or 0)

    def password(self, secrets: Path) -> str:
        """The password, read anew at every login so that it can be changed without a restart. Raises OSError."""
        if not self.password_file:
            return ""
        text = (secrets / self.password_file).read_text(encoding="utf-8")
        return text.splitlines()[0] if text else ""


def read_settings(connection: str, raw: Mapping[str, Any]) -> Settings:
    """Validate what the plant file says. Raises SettingsError."""
    try:
        return Settings(**raw)
    except ValidationError as error:
        lines = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors(include_url=False)]
        raise SettingsError(f"connection {connection!r} (opcua): " + "; ".join(lines)) from error
