"""Interlocks and permits of a plant: what a unit may not do, or may do only, as long as a point reads so; pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zhongshu.model.text import Text


class Compare(StrEnum):
    """How the measured value is held against the one in the plant file."""

    ABOVE = "above"
    BELOW = "below"
    EQUALS = "equals"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Interlock:
    """``units`` may not be asked for ``verbs`` while the condition holds; with ``permit``, only while it holds.

    The condition: ``point`` (a name) of ``unit`` ("" for the asked unit itself) compared with ``value``, in the point's unit of
    measure. ``reason`` is what people read. A value that is not Good lets nothing pass.
    """

    id: str
    units: tuple[str, ...]
    verbs: tuple[str, ...]
    unit: str
    point: str
    compare: Compare
    value: float
    permit: bool
    reason: Text

    def forbids(self, measured: float) -> bool:
        """Whether a command may not go out while the point reads so."""
        holds = {
            Compare.ABOVE: measured > self.value,
            Compare.BELOW: measured < self.value,
            Compare.EQUALS: measured == self.value,
            Compare.DIFFERS: measured != self.value,
        }[self.compare]
        return holds != self.permit
