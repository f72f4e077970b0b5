"""Kinds of JSON value: each reads JSON into a field of a problem, writes it back, and describes itself as a JSON Schema."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Protocol

from zhongshu.decide.scheduling.files.error import ProblemFileError
from zhongshu.decide.scheduling.problem import NEVER

#: For each list of the problem whose entries may be called by name: name → index.
Names = Mapping[str, Mapping[str, int]]


class Kind(Protocol):
    """What a value in the file may be."""

    def read(self, value: Any, at: str, names: Names) -> Any:
        """The value for the problem; ``at`` is its place, such as ``tasks[3].job``. Raises ProblemFileError."""

    def write(self, value: Any) -> Any:
        """The same as JSON."""

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""


def wrong(at: str, wanted: str, value: Any) -> ProblemFileError:
    """An error that says what was wanted at a place, and what stood there."""
    shown = repr(value)
    return ProblemFileError("", 0, f"json-{wanted}", at=at, got=shown[:40] + "…" * (len(shown) > 40))


@dataclass(frozen=True)
class Whole:
    """A whole number between -NEVER and NEVER."""

    def read(self, value: Any, at: str, names: Names) -> int:
        """``5.0`` is 5; 5.5, true and "5" are no whole numbers."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > NEVER:
            raise wrong(at, "whole", value)
        return value

    def write(self, value: Any) -> int:
        """As it is."""
        return int(value)

    def schema(self) -> dict[str, Any]:
        """An integer."""
        return {"type": "integer", "minimum": -NEVER, "maximum": NEVER}


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def read(self, value: Any, at: str, names: Names) -> bool:
        """Nothing but true and false."""
        if not isinstance(value, bool):
            raise wrong(at, "flag", value)
        return value

    def write(self, value: Any) -> bool:
        """As it is."""
        return bool(value)

    def schema(self) -> dict[str, Any]:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Word:
    """A text."""

    def read(self, value: Any, at: str, names: Names) -> str:
        """Nothing but text."""
        if not isinstance(value, str):
            raise wrong(at, "text", value)
        return value

    def write(self, value: Any) -> str:
        """As it is."""
        return str(value)

    def schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string"}


@dataclass(frozen=True)
class Ref:
    """An entry of one of the problem's lists, by its index; by its name when read, where only one has that name."""

    book: str

    def read(self, value: Any, at: str, names: Names) -> int:
        """The index; whether anything is there is for the validation to say."""
        if not isinstance(value, str):
            return Whole().read(value, at, names)
        known = names.get(self.book, {})
        if value not in known:
            near = difflib.get_close_matches(value, known, n=1)
            raise ProblemFileError(
                "", 0, "json-name", at=at, name=value, near=near[0] if near else f"0, 1, … ({self.book})"
            )
        return known[value]

    def write(self, value: Any) -> int:
        """The index."""
        return int(value)

    def schema(self) -> dict[str, Any]:
        """An index or a name."""
        return {"type": ["integer", "string"]}


@dataclass(frozen=True)
class Maybe:
    """Something, or null."""

    kind: Kind

    def read(self, value: Any, at: str, names: Names) -> Any:
        """None for null."""
        return None if value is None else self.kind.read(value, at, names)

    def write(self, value: Any) -> Any:
        """Null for None."""
        return None if value is None else self.kind.write(value)

    def schema(self) -> dict[str, Any]:
        """That, or null."""
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}


@dataclass(frozen=True)
class Listed:
    """A list of one kind."""

    kind: Kind

    def read(self, value: Any, at: str, names: Names) -> tuple[Any, ...]:
        """A tuple."""
        if not isinstance(value, list):
            raise wrong(at, "list", value)
        return tuple(self.kind.read(entry, f"{at}[{i}]", names) for i, entry in enumerate(value))

    def write(self, value: Any) -> list[Any]:
        """A list."""
        return [self.kind.write(entry) for entry in value]

    def schema(self) -> dict[str, Any]:
        """An array."""
        return {"type": "array", "items": self.kind.schema()}


@dataclass(frozen=True)
class Pair:
    """Two values that belong together: a tuple in the problem, an object with two names in the file."""

    parts: Mapping[str, Kind]

    def read(self, value: Any, at: str, names: Names) -> tuple[Any, ...]:
        """Both must be there, and nothing else."""
        _keys(value, at, self.parts, set(self.parts))
        return tuple(kind.read(value[key], f"{at}.{key}", names) for key, kind in self.parts.items())

    def write(self, value: Any) -> dict[str, Any]:
        """An object."""
        return {key: kind.write(part) for (key, kind), part in zip(self.parts.items(), value, strict=True)}

    def schema(self) -> dict[str, Any]:
        """An object with both."""
        return _object({key: kind.schema() for key, kind in self.parts.items()}, list(self.parts))


@dataclass(frozen=True)
class Record:
    """One of the problem's frozen values: an object whose keys are its fields; what equals the default is left out."""

    cls: type
    parts: Mapping[str, Kind]

    def read(self, value: Any, at: str, names: Names) -> Any:
        """The value, its defaults where the file says nothing."""
        _keys(value, at, self.parts, self._required)
        inside = f"{at}." if at else ""
        return self.cls(**{k: self.parts[k].read(v, f"{inside}{k}", names) for k, v in value.items()})

    def write(self, value: Any) -> dict[str, Any]:
        """Only what differs from the default."""
        written = {}
        for field in fields(self.cls):
            own = getattr(value, field.name)
            if field.name in self._required or own != _default(field):
                written[field.name] = self.parts[field.name].write(own)
        return written

    def schema(self) -> dict[str, Any]:
        """An object with the fields."""
        return _object({key: kind.schema() for key, kind in self.parts.items()}, sorted(self._required))

    @property
    def _required(self) -> set[str]:
        return {f.name for f in fields(self.cls) if _default(f) is MISSING}


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _keys(value: Any, at: str, known: Mapping[str, Kind], required: set[str]) -> None:
    """An object with no key that we do not know, and every key that must be there."""
    if not isinstance(value, dict):
        raise wrong(at or "the file", "object", value)
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise ProblemFileError(
                "",
                0,
                "json-key",
                at=at or "the file",
                key=key[:40],
                near=near[0] if near else ", ".join(known),
            )
    missing = sorted(required - set(value))
    if missing:
        raise ProblemFileError("", 0, "json-missing", at=at or "the file", key=missing[0])
