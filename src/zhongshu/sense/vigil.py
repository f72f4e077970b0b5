"""Who is heard from: connections and devices come, go silent, are lost; their points turn Bad and Good with them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zhongshu.model.batch import Int64s
from zhongshu.model.numbering import Mask
from zhongshu.sense import causes

#: So long after a connection stands, values of long ago may still come in.
SETTLE_WALL_S = 1.0
_LONG_AGO = -(2**62)


@dataclass(slots=True, eq=False)
class Turned:
    """Units that came or went at this look: masks by unit index, and why they went."""

    down: Mask
    up: Mask
    reason: dict[int, str] = field(default_factory=dict)


class Vigil:
    """The units of one connection. Arrays by unit index; ``mine`` True at the connection's own units.

    A unit is there while its connection stands, its protocol does not call it lost, and something was heard from it
    within ``stale_after_s`` of wall time.
    """

    def __init__(self, mine: Mask, stale_after_s: float, wall_ns: int) -> None:
        self.mine = mine
        self._stale_ns = round(stale_after_s * 1e9)
        self._heard_ns: Int64s = np.full(len(mine), wall_ns, np.int64)
        self._lost = np.zeros(len(mine), np.bool_)
        self._up_wall_ns: Int64s = np.full(len(mine), _LONG_AGO, np.int64)
        self.is_up = np.zeros(len(mine), np.bool_)
        self.known_down = np.zeros(len(mine), np.bool_)  # we said so
        self.connected: bool | None = None  # None: not yet tried
        self.connected_wall_ns = _LONG_AGO
        self.returning = False  # reads came since the loss, but the connection does not stand yet
        self.reason = ""

    def heard(self, units: Mask, wall_ns: int) -> None:
        """Something came from these units; a device that speaks is not lost."""
        self._heard_ns[units] = wall_ns
        self._lost[units] = False
        if not self.connected:
            self.returning = True

    def alive(self, units: Mask, wall_ns: int) -> None:
        """Proof of life without a value; it does not bring back a unit that its protocol calls lost."""
        self._heard_ns[units] = wall_ns

    def connection(self, up: bool, reason: str, wall_ns: int) -> bool:
        """The connection stands, or is gone. True if that is news."""
        news = self.connected is not up
        self.connected, self.reason, self.returning = up, reason, False
        if up and news:
            self.connected_wall_ns = wall_ns
            self._heard_ns[self.mine] = np.maximum(self._heard_ns[self.mine], wall_ns)
        return news

    def unit(self, unit: int, up: bool, wall_ns: int) -> None:
        """The protocol says that one device is there, or gone."""
        self._lost[unit] = not up
        if up:
            self._heard_ns[unit] = wall_ns

    def look(self, wall_ns: int) -> Turned:
        """What changed since the last look."""
        silent = wall_ns - self._heard_ns > self._stale_ns
        gone = self.mine & (silent | self._lost | (self.connected is False))
        there = self.mine & ~gone & (self.connected is True)
        turned = Turned(down=gone & ~self.known_down, up=there & ~self.is_up)
        for unit in np.flatnonzero(turned.down).tolist():
            turned.reason[unit] = self._why(unit)
        self.is_up = there
        self.known_down = (self.known_down | gone) & ~there
        self._up_wall_ns[turned.up] = wall_ns
        return turned

    def settled(self, wall_ns: int, seconds: float = SETTLE_WALL_S) -> Mask:
        """Units that have been there for so long (wall time)."""
        return self.is_up & (wall_ns - self._up_wall_ns >= round(seconds * 1e9))

    def steady(self, wall_ns: int, seconds: float) -> bool:
        """False while a returning connection still brings what happened meanwhile."""
        if self.connected:
            return wall_ns - self.connected_wall_ns >= round(seconds * 1e9)
        return not self.returning

    def _why(self, unit: int) -> str:
        if self.connected is False:
            return causes.CONNECTION
        return causes.UNIT if self._lost[unit] else causes.SILENT
