"""One broken rule of a schedule, named by the checker for whoever made it and whoever reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zhongshu.decide.scheduling.check.words import both


@dataclass(frozen=True, slots=True)
class Violation:
    """``constraint`` is one of ``CONSTRAINTS``; ``task`` and ``unit`` are indexes where one is to blame; ``text`` is
    English, ``text_zh`` says the same in Chinese."""

    constraint: str
    task: int | None
    unit: int | None
    text: str
    text_zh: str = ""


#: Every name that ``Violation.constraint`` may carry.
CONSTRAINTS = (
    "shape",
    "pin",
    "release",
    "ready",
    "duration",
    "calendar",
    "unit",
    "batch",
    "setup",
    "lag_min",
    "lag_max",
    "overlap",
    "origin",
    "move",
    "left",
    "vehicle",
    "buffer_out",
    "buffer_in",
    "pool",
    "material",
    "frozen",
    "churn",
)


def broken(
    constraint: str, key: str, task: int | None = None, unit: int | None = None, /, **values: Any
) -> Violation:
    """A violation with the words of ``[check.key]`` in strings.toml."""
    english, chinese = both(f"check.{key}", **values)
    return Violation(constraint, task, unit, english, chinese)
