"""Why a vehicle stands still where it is: nobody hears of it, or it has broken down and is being repaired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from zhongshu.twin.agenda import Ticket, ns
from zhongshu.twin.draws import NEVER_NS
from zhongshu.twin.shop import Shop


class Mover(Protocol):
    """The vehicle."""

    def meter(self) -> None:
        """Book what it used until now."""

    def halt(self) -> None:
        """Stand where it is."""

    def go_on(self) -> None:
        """Go on from there."""


class Trouble:
    """Counts down the driving until the next breakdown, and the repair. Times in ns of plant time."""

    def __init__(self, unit: str, shop: Shop, mover: Mover) -> None:
        self._unit, self._shop, self._truth, self._mover = unit, shop, shop.truth.vehicles, mover
        self.lost = self.broken = False
        self._life_ns = self._draw_life()
        self._driving_since = -1  # -1 while it does not drive
        self._breaks: Ticket | None = None
        self._repaired: Ticket | None = None

    @property
    def halted(self) -> bool:
        """It does not move, whatever it is told."""
        return self.lost or self.broken

    def drives(self, length_ns: int) -> None:
        """It moves from now on for so long, unless its life ends before."""
        self._driving_since = self._shop.now_ns
        if self._life_ns < length_ns:
            self._breaks = self._shop.agenda.after(self._life_ns, self.break_down)

    def stands(self) -> None:
        """It does not move any more."""
        self._book()
        self._driving_since = -1
        if self._breaks is not None:
            self._breaks.cancel()
            self._breaks = None

    def set_lost(self, lost: bool) -> None:
        """Whether anybody hears of it; who is lost does not move."""
        self._become(lost=lost, broken=self.broken)

    def break_down(self) -> None:
        """It stops where it is, and is repaired at once; one that is being repaired already goes on with that."""
        if self.broken:
            return
        repair = self._shop.stream(self._unit, "repair")
        seconds = 60.0 * repair.lognormal(self._truth.repair_min, self._truth.repair_spread)
        self._become(lost=self.lost, broken=True)
        self._shop.note("vehicle_fault", unit=self._unit, repair_s=round(seconds, 1))
        self._repaired = self._shop.agenda.after(ns(seconds), self._mended)

    def _mended(self) -> None:
        self._repaired, self._life_ns = None, self._draw_life()
        self._shop.note("vehicle_repaired", unit=self._unit)
        self._become(lost=self.lost, broken=False)

    def _become(self, *, lost: bool, broken: bool) -> None:
        self._mover.meter()
        was, self.lost, self.broken = self.halted, lost, broken
        if self.halted and not was:
            self._mover.halt()
            self.stands()
        elif was and not self.halted:
            self._mover.go_on()

    def _book(self) -> None:
        """Take off what was driven since the last time."""
        if self._driving_since >= 0 and self._life_ns < NEVER_NS:
            self._life_ns = max(0, self._life_ns - (self._shop.now_ns - self._driving_since))
            self._driving_since = self._shop.now_ns

    def _draw_life(self) -> int:
        hours = self._truth.mtbf_h
        return ns(self._shop.stream(self._unit, "life").exponential(3600.0 * hours)) if hours else NEVER_NS

    # --- snapshot

    def dump(self) -> dict[str, Any]:
        """Plain values; times as what is left."""
        self._book()
        left = 0 if self._repaired is None else self._repaired.at_ns - self._shop.now_ns
        return {"lost": self.lost, "broken": self.broken, "life_ns": self._life_ns, "repair_ns": left}

    def restore(self, raw: Mapping[str, Any]) -> None:
        """Become what ``dump`` saw; a snapshot of before vehicles broke down says only whether it is lost."""
        self.stands()
        self.lost, self.broken = bool(raw["lost"]), bool(raw.get("broken", False))
        self._life_ns = int(raw.get("life_ns", self._life_ns))
        if self._repaired is not None:
            self._repaired.cancel()
            self._repaired = None
        if self.broken:
            self._repaired = self._shop.agenda.after(int(raw["repair_ns"]), self._mended)
