"""How a machine rests between jobs: one that is always ready, one that sleeps and wakes, an oven whose heat comes and goes.

All in closed form from the last thing that was asked, so that nothing depends on how often somebody looks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from zhongshu.kernel.clock import NS
from zhongshu.model.idling import Rest
from zhongshu.twin.agenda import ns
from zhongshu.twin.settings import MachineTruth

AMBIENT_C = 24.0
#: An oven is ready when it lacks no more than this.
READY_K = 3.0


class Resting(Protocol):
    """What a machine asks about its own readiness; times in ns of plant time, power while it has nothing to do in kW."""

    resting: bool

    def ask(self, value: float, now_ns: int) -> None:
        """The set-point was written."""

    def ready_in_ns(self, now_ns: int) -> int:
        """Until work can begin, if it is wanted from now on; 0 where it can at once."""

    def kw(self, now_ns: int) -> float:
        """Power now."""

    def stretches(self, since_ns: int, until_ns: int) -> Iterator[tuple[int, float]]:
        """(length, kW) one after the other."""

    def dump(self, now_ns: int) -> dict[str, Any]:
        """Plain values, relative to now."""

    def load(self, raw: Mapping[str, Any], now_ns: int) -> None:
        """Become what ``dump`` saw."""


class AlwaysReady:
    """Idle power for ever."""

    def __init__(self, idle_kw: float) -> None:
        self._idle_kw = idle_kw
        self.resting = False

    def ask(self, value: float, now_ns: int) -> None:
        """It has no set-point for rest."""

    def ready_in_ns(self, now_ns: int) -> int:
        """At once."""
        return 0

    def kw(self, now_ns: int) -> float:
        """Idle power."""
        return self._idle_kw

    def stretches(self, since_ns: int, until_ns: int) -> Iterator[tuple[int, float]]:
        """One."""
        yield until_ns - since_ns, self._idle_kw

    def dump(self, now_ns: int) -> dict[str, Any]:
        """Nothing to keep."""
        return {}

    def load(self, raw: Mapping[str, Any], now_ns: int) -> None:
        """Nothing was kept."""


class Sleeper:
    """Drives and hydraulics off while it sleeps; waking takes its time, at idle power."""

    def __init__(self, rest: Rest, truth: MachineTruth, base_kw: float) -> None:
        self._rest, self._wake_ns = rest, ns(rest.wake_s * truth.wake_factor)
        self._idle_kw, self._sleep_kw = base_kw * truth.power_idle, base_kw * truth.power_rest
        self.resting = False
        self._ready_ns = 0

    def ask(self, value: float, now_ns: int) -> None:
        """Sleep, or wake up."""
        wanted = self._rest.resting(value)
        if self.resting and not wanted:
            self._ready_ns = now_ns + self._wake_ns
        self.resting = wanted

    def ready_in_ns(self, now_ns: int) -> int:
        """The whole way from sleep, the rest of it while it wakes."""
        return self._wake_ns if self.resting else max(0, self._ready_ns - now_ns)

    def kw(self, now_ns: int) -> float:
        """Nearly nothing in sleep."""
        return self._sleep_kw if self.resting else self._idle_kw

    def stretches(self, since_ns: int, until_ns: int) -> Iterator[tuple[int, float]]:
        """One: whoever asks it something settles its meter first."""
        yield until_ns - since_ns, self.kw(until_ns)

    def dump(self, now_ns: int) -> dict[str, Any]:
        """Asleep, and how long it still takes to wake."""
        return {"resting": self.resting, "left_ns": max(0, self._ready_ns - now_ns)}

    def load(self, raw: Mapping[str, Any], now_ns: int) -> None:
        """Again."""
        self.resting, self._ready_ns = bool(raw["resting"]), now_ns + int(raw["left_ns"])


class Oven:
    """One body of heat: losses go with the distance to the hall, the heater is full on, off, or makes up for the losses.

    ``loss`` kW/K follows from the power that holds the working temperature, the heat capacity from ``cool_h``, the time
    constant of cooling down with the heater off.
    """

    def __init__(self, rest: Rest, truth: MachineTruth, base_kw: float, now_ns: int) -> None:
        self._rest, self._full_kw = rest, base_kw
        self._loss = base_kw * truth.power_idle / (rest.work - AMBIENT_C)
        self._tau_ns = truth.cool_h * 3600 * NS
        self._work_c = self._wanted_c = rest.work
        self._began_c, self._began_ns = rest.work, now_ns
        self.resting = False

    def ask(self, value: float, now_ns: int) -> None:
        """Another temperature is wanted; one that is no rest is the new one for work."""
        self._began_c, self._began_ns = self.celsius(now_ns), now_ns
        self._wanted_c, self.resting = value, self._rest.resting(value)
        if not self.resting:
            self._work_c = value

    def celsius(self, now_ns: int) -> float:
        """The temperature inside."""
        passed = now_ns - self._began_ns
        if passed >= self._way_ns(self._began_c, self._wanted_c):
            return self._wanted_c
        end_c = self._end_c(self._began_c, self._wanted_c)
        return end_c + (self._began_c - end_c) * math.exp(-passed / self._tau_ns)

    def ready_in_ns(self, now_ns: int) -> int:
        """Heating up, the last few kelvins left out."""
        return self._way_ns(self.celsius(now_ns), self._work_c - READY_K, rising=True)

    def kw(self, now_ns: int) -> float:
        """The heater's power."""
        if now_ns - self._began_ns >= self._way_ns(self._began_c, self._wanted_c):
            return self._loss * (self._wanted_c - AMBIENT_C)
        return self._full_kw if self._wanted_c > self._began_c else 0.0

    def stretches(self, since_ns: int, until_ns: int) -> Iterator[tuple[int, float]]:
        """On the way to what is wanted, then there."""
        there_ns = self._began_ns + self._way_ns(self._began_c, self._wanted_c)
        if since_ns < there_ns:
            yield min(there_ns, until_ns) - since_ns, self.kw(since_ns)
        if until_ns > there_ns:
            yield until_ns - max(there_ns, since_ns), self._loss * (self._wanted_c - AMBIENT_C)

    def dump(self, now_ns: int) -> dict[str, Any]:
        """Temperatures."""
        return {"celsius": self.celsius(now_ns), "wanted_c": self._wanted_c, "work_c": self._work_c}

    def load(self, raw: Mapping[str, Any], now_ns: int) -> None:
        """Go on from there."""
        self._began_c, self._began_ns = float(raw["celsius"]), now_ns
        self._wanted_c, self._work_c = float(raw["wanted_c"]), float(raw["work_c"])
        self.resting = self._rest.resting(self._wanted_c)

    def _end_c(self, from_c: float, to_c: float) -> float:
        """Where it would go for ever: with the heater full on, or off."""
        return AMBIENT_C + (self._full_kw / self._loss if to_c > from_c else 0.0)

    def _way_ns(self, from_c: float, to_c: float, *, rising: bool = False) -> int:
        """How long it takes from one temperature to another; ``rising``: 0 where it is warm enough."""
        if from_c == to_c or (rising and from_c >= to_c):
            return 0
        end_c = self._end_c(from_c, to_c)
        if (end_c - to_c) * (to_c - from_c) <= 0:
            return 10**18  # no heater is strong enough, no hall cold enough
        return round(self._tau_ns * math.log((end_c - from_c) / (end_c - to_c)))


def resting(rest: Rest | None, truth: MachineTruth, base_kw: float, now_ns: int) -> Resting:
    """What the plant file says of the type, with the truth about it."""
    if rest is None or not truth.power_idle:
        return AlwaysReady(base_kw * truth.power_idle)
    if rest.heats:
        return Oven(rest, truth, base_kw, now_ns)
    return Sleeper(rest, truth, base_kw)
