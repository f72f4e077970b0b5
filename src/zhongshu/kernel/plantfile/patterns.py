"""Patterns in plant files, such as ``press-{n:02}`` or ``opc.tcp://10.0.0.1:{n+48400}`` → text; read by expand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HOLE = re.compile(r"\{([a-z]+)(?:([+-]\d+))?(?::(0?\d{1,2}))?\}")


class PatternError(ValueError):
    """A pattern names something that is not known there; ``name`` is it (empty: the braces make no sense)."""

    def __init__(self, name: str, known: Mapping[str, Any]) -> None:
        super().__init__(name)
        self.name = name
        self.known = sorted(known)


def fill(pattern: str, known: Mapping[str, str | int]) -> str:
    """The pattern with its holes filled: ``{name}``, ``{name:03}`` (width), ``{name+100}`` (a sum). Raises PatternError."""

    def value(match: re.Match[str]) -> str:
        name, plus, width = match.groups()
        found = known.get(name)
        if found is None or ((plus or width) and not isinstance(found, int)):
            raise PatternError(name, known)
        number = int(found) + int(plus) if plus else found
        return f"{number:{width}}" if width else str(number)

    filled = _HOLE.sub(value, pattern)
    if "{" in _HOLE.sub("", pattern) or "}" in _HOLE.sub("", pattern):
        raise PatternError("", known)
    return filled


def holes(pattern: str) -> set[str]:
    """The names that a pattern uses."""
    return {match[1] for match in _HOLE.finditer(pattern)}


def filled(value: Any, known: Mapping[str, str | int]) -> Any:
    """Text filled, other values as they are; filled text that is a whole number becomes one. Raises PatternError."""
    if not isinstance(value, str) or "{" not in value:
        return value
    text = fill(value, known)
    return int(text) if text.isdecimal() else text
