"""How units of a type save energy while they have nothing to do, and how they are asked for maintenance; part of a UnitType."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rest:
    """A unit rests when ``rest`` is written to its set-point ``point``, and is wanted back when ``work`` is.

    ``wake_s``: nominal plant seconds from resting to ready. ``measured`` names the temperature of an oven, "" for units
    that only sleep. ``wake_kw`` is drawn while it comes back (the heater of an oven), 0.0 where nobody said.
    """

    point: str
    work: float
    rest: float
    wake_s: float
    measured: str = ""
    wake_kw: float = 0.0

    @property
    def heats(self) -> bool:
        """An oven: what it takes to be ready depends on its temperature."""
        return bool(self.measured)

    def resting(self, value: float) -> bool:
        """Whether a set-point asks for rest: it is nearer to ``rest`` than to ``work``."""
        return abs(value - self.rest) < abs(value - self.work)


@dataclass(frozen=True, slots=True)
class Service:
    """A 1 in the set-point ``point`` asks a unit to have its worn parts changed as soon as it is idle.

    It is away for about ``takes_s`` (nominal). A unit that is fully worn goes by itself, whatever it is needed for.
    """

    point: str
    takes_s: float
