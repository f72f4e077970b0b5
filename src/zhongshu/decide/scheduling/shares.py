"""How two ways of searching share a worker: by what each has brought lately, for the time it took."""

from __future__ import annotations

#: How much the newest turn counts in what a way of searching is said to bring.
NEWEST = 0.2
#: At least one turn in so many goes to either way.
PROBE = 25


class Shares:
    """Which of two ways of searching has the next turn: the one that brought more per second lately, the other now and then."""

    def __init__(self) -> None:
        self._gains = [0.0, 0.0]
        self._quiet = [PROBE, PROBE]

    def next(self) -> int:
        """0 or 1."""
        for way in (0, 1):
            if self._quiet[way] >= PROBE:
                return way
        return int(self._gains[1] > self._gains[0])

    def brought(self, way: int, gain: float, seconds: float) -> None:
        """What a turn was worth: objective won, and the time it took."""
        rate = gain / max(1e-6, seconds)
        self._gains[way] += NEWEST * (rate - self._gains[way])
        self._quiet[way] = 0
        self._quiet[1 - way] += 1
