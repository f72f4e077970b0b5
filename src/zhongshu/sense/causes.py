"""Why samples may be missing: what happened to units and when, so that a gap the numbering finds gets its cause."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

BUS: Final = "bus_out_of_reach"
RESTART: Final = "process_restart"
CONNECTION: Final = "connection_lost"
UNIT: Final = "unit_lost"
SILENT: Final = "unit_silent"
ANEW: Final = "device_restarted"
UNEXPLAINED: Final = "unexplained"

#: What is blamed first where several things happened in one window; what a protocol reports itself comes last.
_ORDER: Final = (RESTART, CONNECTION, UNIT, BUS, SILENT)
#: Happenings remembered per connection.
REMEMBERED: Final = 512
_FOR_EVER: Final = 2**63 - 1


@dataclass(slots=True)
class _Happening:
    cause: str
    units: frozenset[int]  # empty: all of the connection
    start_ns: int
    end_ns: int


class Causes:
    """What happened on one connection, in plant time; ``units`` are indexes, none means all of them."""

    def __init__(self) -> None:
        self._happened: deque[_Happening] = deque(maxlen=REMEMBERED)

    def happened(self, cause: str, start_ns: int, end_ns: int, units: frozenset[int] = frozenset()) -> None:
        """Something that is over; the same thing going on makes its last record longer."""
        last = self._happened[-1] if self._happened else None
        if (
            last
            and (last.cause, last.units) == (cause, units)
            and last.end_ns != _FOR_EVER
            and start_ns <= last.end_ns
        ):
            last.end_ns = max(last.end_ns, end_ns)
            return
        self._happened.append(_Happening(cause, units, start_ns, end_ns))

    def began(self, cause: str, start_ns: int, units: frozenset[int] = frozenset()) -> None:
        """Something that lasts until ``ended``."""
        self._happened.append(_Happening(cause, units, start_ns, _FOR_EVER))

    def ended(self, cause: str, end_ns: int, units: frozenset[int] = frozenset()) -> None:
        """It is over for these units (for all, what began for all)."""
        for happening in self._happened:
            if (happening.cause, happening.units, happening.end_ns) == (cause, units, _FOR_EVER):
                happening.end_ns = end_ns

    def of(self, unit: int, start_ns: int, end_ns: int) -> str:
        """The most likely cause of samples missing between two times."""
        found = [
            h.cause
            for h in self._happened
            if h.start_ns <= end_ns and h.end_ns >= start_ns and (not h.units or unit in h.units)
        ]
        known = next((cause for cause in _ORDER if cause in found), None)
        return known or (found[-1] if found else UNEXPLAINED)
