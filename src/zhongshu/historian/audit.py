"""The auditor: what a query returns is held against the devices' own numbering, the ledger and what deadbands kept back.

A sample that a device made available and that is neither queryable nor in the ledger nor kept back by a deadband is lost;
a row that is there twice, or that no number stands for, is doubled. Both totals must be 0 and are able not to be.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from zhongshu.historian.holes import Holes
from zhongshu.historian.query import History
from zhongshu.kernel.clock import Clock
from zhongshu.model.batch import Bytes, Floats, Int32s, Int64s
from zhongshu.model.messages import GapRecorded
from zhongshu.model.numbering import (
    NO_ANCHOR,
    UNKNOWN,
    Anchors,
    Mask,
    Numbered,
    Windows,
    countable,
    counted,
    placed,
    windows,
)
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)

#: A window is looked at when its last sample was taken in so long ago (wall time) …
YOUNG_WALL_S = 5.0
#: … and one that does not add up is looked at again until so long after; then the verdict stands.
OLD_WALL_S = 30.0
#: Units not heard of for longer are looked up by themselves once they are back.
ACTIVE_WALL_S = 120.0


@dataclass(slots=True)
class Totals:
    """Running totals over all verdicts."""

    lost: int = 0
    doubled: int = 0
    judged: int = 0  # samples whose windows have a verdict
    unjudged: int = 0  # windows without one


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    point: Int32s
    t_ns: Int64s
    value: Floats
    quality: Bytes


class Auditor:
    """Judges all units every few seconds; ``audit`` blocks, so it runs in a thread. Survives restarts by its file."""

    def __init__(
        self, plant: Plant, numbered: Numbered, history: History, holes: Holes, clock: Clock, path: Path
    ) -> None:
        self._plant, self._numbered, self._history, self._holes = plant, numbered, history, holes
        self._clock, self._path = clock, path
        self._index = {unit.id: index for index, unit in enumerate(plant.units)}
        self._connection = [unit.connection for unit in plant.units]
        self._anchors = Anchors.none(len(plant.units))
        self._gaps: dict[str, GapRecorded] = {}
        self._kept: deque[tuple[int, Int32s, Int64s]] = deque()
        #: The intake adds gaps and kept-back samples while a thread judges and forgets them.
        self._lock = Lock()
        self.totals = Totals()
        self.gaps = 0
        #: Everything that deadbands kept back up to this message is in ``_kept`` or judged.
        self.seq = 0
        self._seen: deque[tuple[int, Int64s]] = deque()

    def kept_back(self, seq: int, point: Int32s, t_ns: Int64s) -> None:
        """Samples that a message says a deadband kept back."""
        if seq > self.seq and len(point):
            known = point < len(self._numbered.unit_of)
            with self._lock:
                self._kept.append((seq, self._numbered.unit_of[point[known]], t_ns[known]))

    def read_up_to(self, seq: int) -> None:
        """Messages up to here were given to ``kept_back``."""
        self.seq = max(self.seq, seq)

    def gap(self, event: GapRecorded) -> None:
        """A line of the ledger; the same gap again, with another count, replaces it."""
        with self._lock:
            if event.gap not in self._gaps:
                self.gaps += 1
            self._gaps[event.gap] = event

    def audit(self, counter_ns: Int64s) -> list[GapRecorded]:
        """Judge what is old enough. ``counter_ns``: per unit the newest counter sample ingested. Returns gaps of our own."""
        wall = self._clock.wall_ns()
        self._seen.append((wall, counter_ns.copy()))
        young, old = (self._seen_before(wall - round(s * 1e9)) for s in (YOUNG_WALL_S, OLD_WALL_S))
        active = self._clock.to_plant_ns(wall - round(ACTIVE_WALL_S * 1e9))
        anchor = self._anchors.t_ns
        ready = (self._numbered.counter >= 0) & (young > anchor)
        away = ready & (anchor != NO_ANCHOR) & (anchor < active)
        near = ready & ~away
        found: list[GapRecorded] = []
        if near.any():
            known = near & (anchor != NO_ANCHOR)
            start = int(anchor[known].min()) if known.any() else active
            found += self._judge(None, near, start, young, old)
        if away.any():
            found += self._judge(self._points_of(away), away, int(anchor[away].min()), young, old)
        self._forget()
        return found

    def figures(self) -> dict[str, Any]:
        """For the health of the process."""
        totals = self.totals
        return {
            "values_lost": totals.lost,
            "values_doubled": totals.doubled,
            "values_judged": totals.judged,
            "windows_unjudged": totals.unjudged,
            "gaps": self.gaps,
        }

    def _seen_before(self, wall_ns: int) -> Int64s:
        """The newest counter sample of each unit that had been ingested by then."""
        while len(self._seen) > 1 and self._seen[1][0] <= self._seen[-1][0] - round(OLD_WALL_S * 1e9):
            self._seen.popleft()
        found = [newest for at, newest in self._seen if at <= wall_ns]
        return found[-1] if found else np.full(len(self._connection), NO_ANCHOR, np.int64)

    def _judge(
        self, points: Int32s | None, units: Mask, start_ns: int, young: Int64s, old: Int64s
    ) -> list[GapRecorded]:
        """Windows of ``units`` that end by their ``young``; ``points`` limits the query."""
        rows = self._device_rows(points, units, start_ns, int(young[units].max()))
        twice, timed = _repeated(rows.point, rows.t_ns), placed(rows.quality)
        unit, t_ns = self._numbered.unit_of[rows.point], rows.t_ns
        counter = (
            self._numbered.is_counter[rows.point] & timed & np.isfinite(rows.value) & (t_ns <= young[unit])
        )
        counts = np.rint(rows.value[counter]).astype(np.int64)
        ends = windows(unit[counter], t_ns[counter], counts, self._anchors)
        there = counted(ends, unit[~twice], t_ns[~twice])
        doubled = counted(ends, unit[twice], t_ns[twice])
        ledger, excused = self._in_ledger(ends)
        odd = (counted(ends, unit[~timed], t_ns[~timed]) > 0) | (ends.made == UNKNOWN) | excused
        short = np.where(odd, 0, ends.made - there - self._count_kept(ends) - ledger)
        final = _settled(ends, (short != 0) & (ends.end_ns > old[ends.unit]))
        return self._verdict(ends.where(final), short[final], doubled[final], odd[final])

    def _device_rows(self, points: Int32s | None, units: Mask, start_ns: int, end_ns: int) -> _Rows:
        """What a query returns of these units' own samples."""
        table = self._history.rows(points, start_ns, end_ns)
        point, t_ns, value = (table[name].to_numpy() for name in ("point", "t_ns", "value"))
        quality = table["quality"].to_numpy().astype(np.uint8)
        keep = countable(quality) & (point < len(self._numbered.unit_of))
        keep[keep] = self._numbered.unit_of[point[keep]] >= 0
        keep[keep] = units[self._numbered.unit_of[point[keep]]]
        return _Rows(point[keep], t_ns[keep], value[keep], quality[keep])

    def _verdict(self, ends: Windows, short: Int64s, doubled: Int64s, odd: Mask) -> list[GapRecorded]:
        self._anchors.advance(ends)
        self.totals.unjudged += int(np.count_nonzero(odd))
        self.totals.judged += int(ends.made[~odd].sum())
        self.totals.doubled += int(doubled.sum() - short[short < 0].sum())
        found = []
        for i in np.flatnonzero(short > 0).tolist():
            unit, missing = int(ends.unit[i]), int(short[i])
            start, end = int(ends.start_ns[i]) + 1, int(ends.end_ns[i])
            cause = self._holes.cause(self._connection[unit], start, end)
            if cause:
                found.append(self._own_gap(unit, start, end, missing, cause))
                continue
            self.totals.lost += missing
            log.error(
                "%s: %s samples lost between %s and %s", self._plant.units[unit].id, missing, start, end
            )
        return found

    def _own_gap(self, unit: int, start_ns: int, end_ns: int, missing: int, cause: str) -> GapRecorded:
        name, key = self._plant.units[unit].id, f"historian.{self._plant.units[unit].id}.{start_ns}.{end_ns}"
        connection, now = self._connection[unit], self._clock.now_ns()
        return GapRecorded(
            self._plant.id, "historian", now, key, connection, name, (), start_ns, end_ns, missing, cause
        )

    def _points_of(self, units: Mask) -> Int32s:
        owner = self._numbered.unit_of
        return np.flatnonzero((owner >= 0) & units[owner]).astype(np.int32)

    def _count_kept(self, ends: Windows) -> Int64s:
        with self._lock:
            kept = list(self._kept)
        if not kept:
            return np.zeros(len(ends), np.int64)
        return counted(ends, np.concatenate([u for _, u, _ in kept]), np.concatenate([t for _, _, t in kept]))

    def _in_ledger(self, ends: Windows) -> tuple[Int64s, Mask]:
        """Samples that the ledger names in each window, and where it says that nobody can know how many there were."""
        with self._lock:
            gaps = [g for g in self._gaps.values() if g.unit in self._index or not g.unit]
        excused = np.zeros(len(ends), np.bool_)
        for gap in (g for g in gaps if g.missing < 0):
            own = (
                ends.unit == self._index[gap.unit] if gap.unit else self._of_connection(ends, gap.connection)
            )
            excused |= own & (ends.start_ns < gap.end_ns) & (ends.end_ns >= gap.start_ns)
        exact = [g for g in gaps if g.missing > 0 and g.unit]
        unit = np.array([self._index[g.unit] for g in exact], np.int32)
        end = np.array([g.end_ns for g in exact], np.int64)
        return counted(ends, unit, end, np.array([g.missing for g in exact], np.int64)), excused

    def _of_connection(self, ends: Windows, connection: str) -> Mask:
        return np.array(
            [not connection or self._connection[u] == connection for u in ends.unit.tolist()], np.bool_
        )

    def _forget(self) -> None:
        """Gaps and kept-back samples of judged windows are needed no more."""
        done = self._anchors.t_ns
        with self._lock:
            self._gaps = {
                key: gap
                for key, gap in self._gaps.items()
                if not (gap.unit in self._index and gap.end_ns <= done[self._index[gap.unit]])
                and not (not gap.unit and gap.end_ns <= done.max())
            }
            kept = [(seq, unit[t > done[unit]], t[t > done[unit]]) for seq, unit, t in self._kept]
            self._kept = deque(item for item in kept if len(item[1]))

    def save(self) -> None:
        """Write down totals and position, so that a restart judges on where this process stopped."""
        units = np.flatnonzero(self._anchors.t_ns != NO_ANCHOR)
        counter = self._numbered.counter
        with self._lock:
            seq, kept = self.seq, list(self._kept)
        state = {
            "seq": seq,
            "totals": [
                self.totals.lost,
                self.totals.doubled,
                self.totals.judged,
                self.totals.unjudged,
                self.gaps,
            ],
            "anchors": [
                [int(counter[u]), int(self._anchors.t_ns[u]), int(self._anchors.count[u])] for u in units
            ],
            "kept": [
                [int(counter[u]), int(t)]
                for at, us, ts in kept
                if at <= seq  # what came since is read again
                for u, t in zip(us, ts, strict=True)
            ],
        }
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(self._path)

    def load(self) -> None:
        """Go on from what ``save`` wrote; a file that cannot be read is as good as none, and said so."""
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
            lost, doubled, judged, unjudged, gaps = state["totals"]
            self._restore(state["anchors"], state["kept"], int(state["seq"]))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the auditor begins anew, its file cannot be read: %s", error)
            return
        self.totals, self.gaps = Totals(lost, doubled, judged, unjudged), gaps

    @property
    def oldest_ns(self) -> int:
        """Gaps that end before this are of no more use."""
        known = self._anchors.t_ns[self._anchors.t_ns != NO_ANCHOR]
        return int(known.min()) if len(known) else -(2**62)

    def _restore(self, anchors: list[list[int]], kept: list[list[int]], seq: int) -> None:
        unit_of = self._numbered.unit_of
        for point, t_ns, count in anchors:
            if 0 <= point < len(unit_of) and unit_of[point] >= 0:
                self._anchors.t_ns[unit_of[point]], self._anchors.count[unit_of[point]] = t_ns, count
        known = [(int(unit_of[p]), t) for p, t in kept if 0 <= p < len(unit_of) and unit_of[p] >= 0]
        if known:
            unit = np.array([u for u, _ in known], np.int32)
            self._kept.append((seq, unit, np.array([t for _, t in known], np.int64)))
        self.seq = seq


def _settled(ends: Windows, doubtful: Mask) -> Mask:
    """Windows before each unit's first doubtful one: the others are judged again later."""
    total = np.cumsum(doubtful)
    first = np.ones(len(ends), np.bool_)
    first[1:] = ends.unit[1:] != ends.unit[:-1]
    base = np.maximum.accumulate(np.where(first, total - doubtful, 0)) if len(ends) else total
    return total == base


def _repeated(point: Int32s, t_ns: Int64s) -> Mask:
    """True at every row but the first of its point and time."""
    order = np.lexsort((t_ns, point))
    same = np.zeros(len(point), np.bool_)
    same[1:] = (point[order][1:] == point[order][:-1]) & (t_ns[order][1:] == t_ns[order][:-1])
    repeated = np.zeros(len(point), np.bool_)
    repeated[order] = same
    return repeated
