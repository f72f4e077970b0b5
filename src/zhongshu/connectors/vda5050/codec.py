"""Between VDA 5050's topics, times and JSON and the plant's values: what both sides of the wire agree on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError

from zhongshu.connectors.vda5050.config import Settings
from zhongshu.connectors.vda5050.messages import Header

CONNECTION, STATE, ORDER = "connection", "state", "order"
INSTANT_ACTIONS, VISUALIZATION, FACTSHEET = "instantActions", "visualization", "factsheet"

#: Information entry in which our vehicles number their samples; real vehicles lack it.
SAMPLES = "zhongshuSamples"
#: Keys of its references: the image's own time; a point's exact value; its quality where that is not Good.
TIME, POINT, QUALITY = "time", "point:", "quality:"
#: Reference in an error with which our vehicles say which Result they mean.
RESULT = "zhongshuResult"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_M = TypeVar("_M", bound=Header)


class Malformed(ValueError):
    """A message that is no VDA 5050 message; the text names the field."""


class Topics:
    """``{interface}/v2/{manufacturer}/{serial}/{topic}``."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = f"{settings.interface}/v{settings.version.split('.')[0]}/{settings.manufacturer}"
        self._depth = self._prefix.count("/") + 1

    def of(self, serial: str, topic: str) -> str:
        """The topic of one vehicle; ``+`` as serial for all."""
        return f"{self._prefix}/{serial}/{topic}"

    def parse(self, topic: str) -> tuple[str, str]:
        """(serial, topic); two empty texts for a topic of somebody else's."""
        parts = topic.split("/")
        if len(parts) != self._depth + 2 or not topic.startswith(self._prefix + "/"):
            return "", ""
        return parts[-2], parts[-1]


class Headers:
    """Headers of one sender for one vehicle: a count a topic from ``first``, the version and names of the settings."""

    def __init__(self, settings: Settings, serial: str, first: int = 0) -> None:
        self._first = first
        self._fixed = {
            "version": settings.version,
            "manufacturer": settings.manufacturer,
            "serialNumber": serial,
        }
        self._next: dict[str, int] = {}

    def restart(self) -> None:
        """Count from the first again."""
        self._next.clear()

    def next(self, topic: str, t_ns: int) -> dict[str, Any]:
        """The fields of the next header on a topic, at a plant time."""
        number = self._next.get(topic, self._first)
        self._next[topic] = (number + 1) % 2**32
        return {"headerId": number, "timestamp": timestamp(t_ns), **self._fixed}


def encode(message: Mapping[str, Any]) -> bytes:
    """Compact JSON. Raises ValueError for NaN, which JSON does not have."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode(model: type[_M], payload: bytes) -> _M:
    """A checked message. Raises Malformed naming the first wrong field."""
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise Malformed(f"{where}: {first['msg']} ({error.error_count()} in all)") from error


def instant_actions(header: Mapping[str, Any], actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The message on ``instantActions``, with the field named as the header's version wants it."""
    field = "instantActions" if header["version"].startswith("2.0.") else "actions"
    return {**header, field: list(actions)}


def timestamp(t_ns: int) -> str:
    """ISO 8601 in UTC with milliseconds, cut, not rounded."""
    at = _EPOCH + timedelta(milliseconds=t_ns // 1_000_000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> int:
    """ns since 1970; a time without a zone is taken as UTC. Raises Malformed."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"timestamp: {error}") from error
    return (at.replace(tzinfo=at.tzinfo or UTC) - _EPOCH) // _MICROSECOND * 1000
