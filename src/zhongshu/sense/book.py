"""The bookkeeping of one connection: confirmed rows and happenings come in, gaps and link changes go to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.wire import BOOT
from zhongshu.model.batch import Batch, Int32s, Int64s
from zhongshu.model.messages import Event, GapRecorded, LinkChanged
from zhongshu.model.numbering import NO_ANCHOR, UNKNOWN, Mask, Numbered, countable
from zhongshu.model.plant import Plant
from zhongshu.sense import causes
from zhongshu.sense.causes import Causes
from zhongshu.sense.judge import Judge, Missing, Open
from zhongshu.sense.ledger import Ledger
from zhongshu.sense.points import NEVER, Rows
from zhongshu.sense.vigil import Turned

#: A window is judged so long (wall time) after the bus confirmed its end.
PATIENCE_WALL_S = 2.0


class Book:
    """What one connection's gaps are and why."""

    def __init__(
        self, plant: Plant, connection: str, numbered: Numbered, ledger: Ledger, clock: Clock
    ) -> None:
        self.patience_s = PATIENCE_WALL_S
        self.causes = Causes()
        self._plant, self._connection, self._numbered = plant, connection, numbered
        self._ledger, self._clock = ledger, clock
        self._judge = Judge(numbered, len(plant.units))
        self._newest_ns: Int64s = np.full(len(plant.units), NEVER, np.int64)
        self._silent_since: dict[int, int] = {}  # units without numbering whose gap is open
        self._links = 0
        self._began_ns = 2**62  # plant time at which the connection stood for the first time

    def goes_on(self) -> None:
        """The connection has a history on the bus: nothing is too early, everything missing is a gap."""
        self._began_ns = 0

    def too_early(self, point: Int32s, t_ns: Int64s) -> Mask:
        """Counter samples from before every subscription was made: what else was made then, nobody had asked for.

        Without them a device's count begins, for us and for the auditor, when we really listen to all of its points.
        """
        known = (point >= 0) & (point < len(self._numbered.unit_of))
        ids = np.where(known, point, 0)
        anew = self._judge.anchors.t_ns[self._numbered.unit_of[ids]] == NO_ANCHOR
        return known & self._numbered.is_counter[ids] & anew & (t_ns < self._began_ns)

    def confirmed(self, batch: Batch, kept_point: Int32s, kept_t_ns: Int64s) -> None:
        """A Batch is on the bus."""
        for amended in self._judge.confirmed(batch, kept_point, kept_t_ns, self._clock.wall_ns()):
            self._gap(amended)

    def judge(self, steady: bool) -> None:
        """Look for windows in which samples are missing; not while a connection is still coming back."""
        if steady:
            for found in self._judge.judge(self._clock.wall_ns() - round(self.patience_s * 1e9)):
                self._gap(found)

    def seen(self, rows: Rows, device: Mask) -> None:
        """Device samples on their way: the last time of each unit, and the end of gaps nobody numbers."""
        unit, t_ns = self._numbered.unit_of[rows.point[device]], rows.t_ns[device]
        if self._silent_since and len(unit):
            self._close_unnumbered(unit, t_ns)
        np.maximum.at(self._newest_ns, unit, t_ns)

    def missed(
        self,
        cause: str,
        units: frozenset[int],
        points: Sequence[int],
        start_ns: int,
        end_ns: int,
        missing: int,
    ) -> None:
        """A protocol reports a loss: a cause where devices number their samples, a gap of its own elsewhere."""
        self.causes.happened(cause, start_ns, end_ns, units)
        silent = [u for u in units if self._numbered.counter[u] < 0]
        if not units and not self._any_numbered():
            self._write(
                f"{self._connection}.{start_ns}.{end_ns}", "", points, start_ns, end_ns, missing, cause
            )
        for unit in silent:
            count = missing if len(units) == 1 else UNKNOWN
            name = self._plant.units[unit].id
            self._write(f"{name}.{start_ns}.{end_ns}", name, points, start_ns, end_ns, count, cause)

    def dropped(self, rows: Rows, kept_t_ns: Int64s) -> None:
        """Rows that the bus did not take in time; a numbered unit's gap is found by its numbers, with this cause."""
        device = countable(rows.quality)
        times = np.concatenate((rows.t_ns[device], kept_t_ns))
        if len(times) == 0:
            return
        self.causes.happened(causes.BUS, int(times.min()), int(times.max()))
        unit, t_ns = self._numbered.unit_of[rows.point[device]], rows.t_ns[device]
        for index in np.unique(unit[self._numbered.counter[unit] < 0]).tolist():
            mine = t_ns[unit == index]
            name, start, end = self._plant.units[index].id, int(mine.min()), int(mine.max())
            self._write(f"{name}.{start}.{end}.{BOOT}", name, (), start, end, len(mine), causes.BUS)

    def units_down(self, turned: Turned, reason: str, *, link: bool) -> None:
        """Units are gone; told one by one only where the connection itself stands."""
        now = self._clock.now_ns()
        for unit, cause in turned.reason.items():
            last = int(self._newest_ns[unit])
            if self._numbered.counter[unit] < 0 and last != NEVER:
                self._silent_since.setdefault(unit, last)
            if link:
                self.causes.began(cause, last if last != NEVER else now, frozenset((unit,)))
                self._link(self._plant.units[unit].id, False, reason or cause)

    def units_up(self, up: Mask) -> None:
        """Units are back (or there for the first time)."""
        now = self._clock.now_ns()
        for unit in np.flatnonzero(up).tolist():
            for cause in (causes.UNIT, causes.SILENT):
                self.causes.ended(cause, now, frozenset((unit,)))
            self._link(self._plant.units[unit].id, True, "")

    def link(self, up: bool, reason: str) -> None:
        """The connection came or went."""
        now = self._clock.now_ns()
        if up:
            self._began_ns = min(self._began_ns, now)
            self.causes.ended(causes.CONNECTION, now)
            self.causes.ended(causes.RESTART, now)
        else:
            known = self._newest_ns[self._newest_ns != NEVER]
            self.causes.began(causes.CONNECTION, min(now, int(known.max())) if len(known) else now)
        self._link("", up, reason)

    def note(self, event: Event) -> None:
        """An event of this connection that is no gap."""
        self._links += 1
        self._ledger.record(event, f"{self._connection}.{BOOT}.{self._links}")

    @property
    def counter(self) -> Int32s:
        """Point id of each unit's counter, by unit index."""
        return self._numbered.counter

    def state(self) -> Open:
        """The numbering's position, for the next start."""
        return self._judge.state()

    def restore(self, state: Open) -> None:
        """Go on from that position."""
        self._judge.restore(state)

    def figures(self) -> dict[str, Any]:
        """Counts for the health of the process."""
        return {"surplus": self._judge.surplus, "unjudged": self._judge.unjudged}

    def _gap(self, found: Missing) -> None:
        name = self._plant.units[found.unit].id
        anew = found.missing == UNKNOWN
        cause = causes.ANEW if anew else self.causes.of(found.unit, found.start_ns, found.end_ns)
        self._write(
            f"{name}.{found.start_ns}.{found.end_ns}",
            name,
            (),
            found.start_ns,
            found.end_ns,
            found.missing,
            cause,
        )

    def _close_unnumbered(self, unit: Int32s, t_ns: Int64s) -> None:
        for index in [u for u in self._silent_since if (unit == u).any()]:
            start, end = self._silent_since.pop(index), int(t_ns[unit == index].min())
            if end > start:
                name = self._plant.units[index].id
                cause = self.causes.of(index, start, end)
                self._write(f"{name}.{start}.{end}", name, (), start, end, UNKNOWN, cause)

    def _write(
        self, key: str, unit: str, points: Sequence[int], start_ns: int, end_ns: int, missing: int, cause: str
    ) -> None:
        now = self._clock.now_ns()
        where = (unit, tuple(points), start_ns, max(start_ns, end_ns))
        event = GapRecorded(self._plant.id, "sense", now, key, self._connection, *where, missing, cause)
        self._ledger.record(event, f"gap.{self._plant.id}.{key}.{missing}")

    def _link(self, unit: str, up: bool, reason: str) -> None:
        now = self._clock.now_ns()
        self.note(LinkChanged(self._plant.id, "sense", now, self._connection, unit, up, reason))

    def _any_numbered(self) -> bool:
        mine = [i for i, u in enumerate(self._plant.units) if u.connection == self._connection]
        return bool((self._numbered.counter[mine] >= 0).any())
