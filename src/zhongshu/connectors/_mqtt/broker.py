"""From a connection's settings to the address and credentials of its broker, read anew at every attempt to connect."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zhongshu.kernel.config import ConfigError, load_access

#: The plant's own NATS server, which speaks MQTT 3.1.1.
INTERNAL = "internal"
_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BadBroker(ValueError):
    """Settings that no further attempt can mend: an address that is none."""


class BrokerAbsent(Exception):
    """The broker's address or password cannot be read at present; later it perhaps can."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect and as whom; ``tls`` is None for plain TCP, ``version`` 4 (MQTT 3.1.1) or 5."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    version: int = 4


def check_broker(settings: Mapping[str, Any]) -> None:
    """Raise BadBroker unless ``settings["broker"]`` is ``internal``, ``mqtt://host[:port]`` or ``mqtts://host[:port]``."""
    address = str(settings.get("broker", INTERNAL))
    if address != INTERNAL:
        _split(address)


def broker_of(settings: Mapping[str, Any], secrets: Path) -> Broker:
    """The broker of a connection; keys ``broker``, ``user``, ``password_file``, ``ca_file``, ``mqtt_version``.

    Files are looked up in ``secrets`` and read at every call, so that renewed credentials serve the next attempt.
    Raises BadBroker for good, BrokerAbsent for now.
    """
    address = str(settings.get("broker", INTERNAL))
    if address == INTERNAL:
        return _internal(secrets)
    scheme, host, port = _split(address)
    return Broker(
        host=host,
        port=port,
        user=str(settings.get("user") or ""),
        password=_password(settings, secrets),
        tls=_tls(settings, secrets) if scheme == "mqtts" else None,
        version=5 if str(settings.get("mqtt_version", "3.1.1")) == "5" else 4,
    )


def _internal(secrets: Path) -> Broker:
    try:
        access = load_access(secrets)
    except ConfigError as error:
        raise BrokerAbsent(f"the internal broker has not been started yet ({error})") from error
    return Broker(access.mqtt_host, access.mqtt_port, access.user, access.password)


def _split(address: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError as error:
        raise BadBroker(f"broker {address!r}: {error}") from error
    if url.scheme not in _PORTS or not url.hostname:
        raise BadBroker(
            f"broker {address!r} is neither 'internal' nor mqtt://host:port nor mqtts://host:port"
        )
    return url.scheme, url.hostname, port or _PORTS[url.scheme]


def _password(settings: Mapping[str, Any], secrets: Path) -> str:
    name = settings.get("password_file")
    if not name:
        return ""
    try:
        return (secrets / str(name)).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BrokerAbsent(f"the broker's password cannot be read ({error})") from error


def _tls(settings: Mapping[str, Any], secrets: Path) -> ssl.SSLContext:
    """The system's certificate authorities, or the one in ``ca_file``; the host name is always compared."""
    name = settings.get("ca_file")
    try:
        return ssl.create_default_context(cafile=str(secrets / str(name)) if name else None)
    except OSError as error:
        raise BrokerAbsent(f"the certificate authority cannot be read ({error})") from error
