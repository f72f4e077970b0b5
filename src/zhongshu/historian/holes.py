"""Stretches of the bus that the historian could not read: removed by the stream's limits, or not decodable."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LIMITS: Final = "stream_limits"
EMPTIED: Final = "bus_emptied"
UNREADABLE: Final = "unreadable_message"
REMEMBERED: Final = 1000
_FOR_EVER: Final = 2**63 - 1


@dataclass(slots=True)
class _Hole:
    connection: str
    start_ns: int
    end_ns: int
    cause: str


class Holes:
    """What is known to be missing from the stream itself, in plant time."""

    def __init__(self, connections: Sequence[str]) -> None:
        self._holes: deque[_Hole] = deque(maxlen=REMEMBERED)
        self._open: list[_Hole] = []
        self._newest: dict[str, int] = dict.fromkeys(connections, 0)
        self.count = 0

    def tear(self, connection: str, cause: str) -> None:
        """Messages of this connection (empty: of all) could not be read here."""
        self.count += 1
        for name in [connection] if connection else list(self._newest):
            hole = _Hole(name, self._newest.get(name, 0), _FOR_EVER, cause)
            self._holes.append(hole)
            self._open.append(hole)

    def read(self, connection: str, newest_ns: int) -> None:
        """A message of this connection was read; it ends the hole before it."""
        self._newest[connection] = max(newest_ns, self._newest.get(connection, 0))
        if self._open:
            for hole in self._open:
                if hole.connection == connection:
                    hole.end_ns = newest_ns
            self._open = [hole for hole in self._open if hole.end_ns == _FOR_EVER]

    def cause(self, connection: str, start_ns: int, end_ns: int) -> str:
        """Why samples of a connection may be missing between two times; empty if nothing of it is known."""
        found = (
            hole.cause
            for hole in self._holes
            if hole.connection == connection and hole.start_ns <= end_ns and hole.end_ns >= start_ns
        )
        return next(found, "")
