"""From the protocol's name in a plant file to the code that speaks it, loaded only when a plant needs it."""

from __future__ import annotations

import importlib
import importlib.util
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Connector, Peer, PlantSide
from zhongshu.model.plant import Connection, Plant, Text, Unit

_FOLDER = Path(__file__).parent


class UnknownProtocol(Exception):
    """The plant file names a protocol that no connector speaks; the message names those that one does."""


class ExtraMissing(Exception):
    """The connector is there but its protocol library is not installed; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a connector says of itself in ``manifest.toml``.

    ``protocol`` is the name used in plant files and the folder's name; ``extra`` the optional dependency group of
    zhongshu that brings ``imports``; ``libraries`` the requirements as pinned; ``quality`` the level it claims
    (bronze, silver, gold) with the rules in ``quality.toml``; ``roles`` holds ``client`` and/or ``peer``. ``samples`` says how
    a device makes samples available: ``image``, the whole unit at every scan, or ``change``, a point when its value moved.
    """

    protocol: str
    name: Text
    summary: Text
    extra: str
    libraries: tuple[str, ...]
    imports: tuple[str, ...]
    quality: str
    roles: tuple[str, ...]
    docs: str
    samples: str = "change"


def protocols() -> tuple[str, ...]:
    """The names of all protocols there are, sorted; a connector is a folder that holds a ``manifest.toml``."""
    return tuple(sorted(path.parent.name for path in _FOLDER.glob("*/manifest.toml")))


def manifest(protocol: str) -> Manifest:
    """The manifest of one protocol, without importing its code. Raises UnknownProtocol, ValueError when it is malformed."""
    path = _FOLDER / protocol / "manifest.toml"
    if protocol not in protocols():
        known = ", ".join(protocols()) or "none"
        raise UnknownProtocol(f"unknown protocol {protocol!r}; zhongshu speaks: {known}")
    return _manifest(tomllib.loads(path.read_text(encoding="utf-8")), path)


def connector(plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> Connector:
    """The brain's side of one connection; ``secrets`` is the folder of passwords, keys and trusted certificates.

    Raises UnknownProtocol, ExtraMissing, or the protocol's own error about bad settings.
    """
    made = _load(connection.protocol, "client").connector(plant, connection, clock, secrets)
    return cast("Connector", made)


def peer(
    plant: Plant,
    connection: Connection,
    units: Sequence[Unit],
    clock: Clock,
    plant_side: PlantSide,
    secrets: Path,
) -> Peer:
    """The devices' side of one connection, carrying ``units``, in front of the machines of ``plant_side``.

    Raises UnknownProtocol, ExtraMissing, or the protocol's own error about bad settings.
    """
    made = _load(connection.protocol, "peer").peer(plant, connection, units, clock, plant_side, secrets)
    return cast("Peer", made)


def config_model(protocol: str) -> type[Any]:
    """The pydantic model ``Settings`` of a protocol's connection settings, for the plant file's schema and its reference page."""
    return cast("type[Any]", _load(protocol, "config").Settings)


def _load(protocol: str, part: str) -> ModuleType:
    """Import ``connectors.<protocol>.<part>``, or say in words what is missing."""
    about = manifest(protocol)
    try:
        return importlib.import_module(f"zhongshu.connectors.{protocol}.{part}")
    except ModuleNotFoundError as error:
        absent = [name for name in about.imports if not _installed(name)]
        if not absent:
            raise
        raise ExtraMissing(
            f"protocol {protocol!r} needs {', '.join(absent)}: pip install 'zhongshu[{about.extra}]'"
        ) from error


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _manifest(raw: Mapping[str, Any], path: Path) -> Manifest:
    try:
        made = Manifest(
            protocol=str(raw["protocol"]),
            name=Text(**raw["name"]),
            summary=Text(**raw["summary"]),
            extra=str(raw["extra"]),
            libraries=tuple(raw["libraries"]),
            imports=tuple(raw["imports"]),
            quality=str(raw["quality"]),
            roles=tuple(raw["roles"]),
            docs=str(raw.get("docs", "")),
            samples=str(raw.get("samples", "change")),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error!r}") from error
    if made.protocol != path.parent.name:
        raise ValueError(f"{path}: protocol is {made.protocol!r}, the folder is {path.parent.name!r}")
    return made
