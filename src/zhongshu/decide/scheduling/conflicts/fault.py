"""Why a problem cannot be solved: found before or after the search, told to whoever made the problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zhongshu.decide.scheduling.check.words import both


@dataclass(frozen=True, slots=True)
class Fault:
    """``constraints`` names the kinds of constraint that clash, as the checker calls them; ``text`` is English.

    ``invalid``: the problem itself is malformed (an index that leads nowhere, a cycle); otherwise it is well formed but
    nothing can satisfy it. ``task``, ``unit``: indexes where one is to blame.
    """

    constraints: tuple[str, ...]
    text: str
    text_zh: str = ""
    task: int | None = None
    unit: int | None = None
    invalid: bool = False


def malformed(
    constraint: str, key: str, task: int | None = None, unit: int | None = None, /, **values: Any
) -> Fault:
    """A fault of form with the words of ``[fault.key]``."""
    english, chinese = both(f"fault.{key}", **values)
    return Fault((constraint,), english, chinese, task, unit, invalid=True)


def conflict(
    constraints: tuple[str, ...], key: str, task: int | None = None, unit: int | None = None, /, **values: Any
) -> Fault:
    """Constraints that cannot hold together, with the words of ``[fault.key]``."""
    english, chinese = both(f"fault.{key}", **values)
    return Fault(constraints, english, chinese, task, unit)
