"""What all policies have in common: a name, settings with defaults, and one method from facts to advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

from zhongshu.decide.policies.advice import Advice
from zhongshu.decide.policies.facts import Facts

Value = str | int | float | bool


class PolicyError(ValueError):
    """A policy that there is not, or that can't be set so: where, why, what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a plant may say of a policy: its ``default``, the least it may be, and what it means."""

    default: float
    low: float
    meaning: str


class Policy:
    """A small rule. The same facts give the same advice: no I/O, no clock, nothing remembered but its settings.

    ``SETTINGS`` by name; units are the name's ending (``_s``, ``_min``, ``_kw``, ``_percent``), times in plant time.
    """

    name: ClassVar[str]
    SETTINGS: ClassVar[Mapping[str, Setting]] = {}

    def __init__(self, said: Mapping[str, Value] | None = None) -> None:
        """``said``: as the plant file has it. Raises PolicyError."""
        self._values = {name: setting.default for name, setting in self.SETTINGS.items()}
        for name, value in (said or {}).items():
            if name != "file":
                self._values[name] = self._checked(name, value)

    def advise(self, facts: Facts) -> Iterator[Advice]:
        """What should be done now. Said again as long as it holds; nothing goes out twice for it."""
        raise NotImplementedError

    def set(self, name: str) -> float:
        """A setting."""
        return self._values[name]

    def _checked(self, name: str, value: Value) -> float:
        where = f"policies.{self.name}.{name}"
        setting = self.SETTINGS.get(name)
        if setting is None:
            near = get_close_matches(name, self.SETTINGS, 1)
            known = (
                f"did you mean {near[0]!r}?" if near else f"it knows: {', '.join(self.SETTINGS) or 'none'}"
            )
            raise PolicyError(f"{where}: the policy has no such setting; {known}")
        if isinstance(value, str | bool) or not setting.low <= value < 1e9:
            raise PolicyError(
                f"{where}: {value!r} is no number of at least {setting.low:g}; {setting.meaning}"
            )
        return float(value)
