"""What the bus confirmed is held against the devices' own numbering; windows in which samples are missing come out."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

import numpy as np

from zhongshu.model.batch import Batch, Int32s, Int64s
from zhongshu.model.numbering import (
    NO_ANCHOR,
    UNKNOWN,
    Anchors,
    Mask,
    Numbered,
    countable,
    counted,
    placed,
    windows,
)

log = logging.getLogger(__name__)

#: Rows of one unit kept while their window is open; a counter that stands still for that long proves nothing.
OPEN_LIMIT = 100_000
#: Windows with missing samples that are remembered per unit, in case a sample still comes late.
REMEMBERED = 64


@dataclass(slots=True)
class Missing:
    """``missing`` samples of one unit (index) between ``start_ns`` and ``end_ns``; UNKNOWN after a restarted count."""

    unit: int
    start_ns: int
    end_ns: int
    missing: int


@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """Rows whose window is not judged yet: ``count`` is the counter's value, -1 on other rows; ``-2`` cannot be placed."""

    unit: Int32s
    t_ns: Int64s
    count: Int64s

    def where(self, mask: Mask) -> Open:
        """The rows at which ``mask`` is True."""
        return Open(self.unit[mask], self.t_ns[mask], self.count[mask])


_PLAIN, _UNPLACED = -1, -2


class Judge:
    """The numbering of one connection's units. Rows enter once the bus has confirmed them, in order of confirmation."""

    def __init__(self, numbered: Numbered, units: int) -> None:
        self._numbered = numbered
        self.anchors = Anchors.none(units)
        self._rows: deque[tuple[int, Open]] = deque()
        self._first: Int64s = np.full(units, NO_ANCHOR, np.int64)
        self._found: dict[int, deque[Missing]] = {}
        self.surplus = 0
        self.unjudged = 0

    def confirmed(self, batch: Batch, kept_point: Int32s, kept_t_ns: Int64s, wall_ns: int) -> list[Missing]:
        """Take in a Batch that is on the bus and what its deadbands kept back.

        Returns earlier findings that a late sample has made smaller.
        """
        rows = self._columns(batch, kept_point, kept_t_ns)
        late = rows.t_ns <= self.anchors.t_ns[rows.unit]
        amended = self._late(rows.where(late)) if late.any() else []
        if late.any():
            rows = rows.where(~late)
        if len(rows.unit):
            self._rows.append((wall_ns, rows))
        return amended

    def judge(self, until_wall_ns: int) -> list[Missing]:
        """Judge the windows that end with a counter sample confirmed before ``until_wall_ns``."""
        ready = sum(1 for wall, _ in self._rows if wall <= until_wall_ns)
        if not ready:
            return []
        rows = joined([rows for _, rows in self._rows])
        early = np.zeros(len(rows.unit), np.bool_)
        early[: sum(len(part.unit) for _, part in list(self._rows)[:ready])] = True
        ends = rows.where(early & (rows.count >= 0))
        found = windows(ends.unit, ends.t_ns, ends.count, self.anchors)
        self._first = np.where(self._first == NO_ANCHOR, self.anchors.t_ns, self._first)
        received = counted(found, rows.unit, rows.t_ns)
        unplaced = rows.where(rows.count == _UNPLACED)
        odd = counted(found, unplaced.unit, unplaced.t_ns) > 0
        self.anchors.advance(found)
        self._forget(rows, early, ready)
        self.unjudged += int(np.count_nonzero(odd))
        anew = found.made == UNKNOWN
        missing = np.where(anew, UNKNOWN, found.made - received)
        self.surplus -= int(missing[~odd & ~anew & (missing < 0)].sum())
        pick = np.flatnonzero(~odd & ((missing > 0) | anew))
        return [
            self._remember(found.unit[i], found.start_ns[i] + 1, found.end_ns[i], missing[i]) for i in pick
        ]

    def state(self) -> Open:
        """Everything needed to go on after a restart: anchors (first) and open rows, as one table."""
        units = np.flatnonzero(self.anchors.t_ns != NO_ANCHOR).astype(np.int32)
        anchors = Open(units, self.anchors.t_ns[units], self.anchors.count[units])
        return joined([anchors, *(rows for _, rows in self._rows)])

    def restore(self, state: Open) -> None:
        """Go on from ``state``: a unit's first row with a count is its anchor, the others are open rows."""
        counters = np.flatnonzero(state.count >= 0)
        units, first = np.unique(state.unit[counters], return_index=True)
        first = counters[first]
        self.anchors.t_ns[units], self.anchors.count[units] = state.t_ns[first], state.count[first]
        self._first[units] = state.t_ns[first]
        rest = np.ones(len(state.unit), np.bool_)
        rest[first] = False
        self._rows = deque([(0, state.where(rest))]) if rest.any() else deque()

    def _columns(self, batch: Batch, kept_point: Int32s, kept_t_ns: Int64s) -> Open:
        real = countable(batch.quality)
        point, value = batch.point[real], batch.value[real]
        counter = self._numbered.is_counter[point] & np.isfinite(value)
        count = np.full(len(point), _PLAIN, np.int64)
        count[counter] = np.rint(value[counter]).astype(np.int64)
        count[~placed(batch.quality[real])] = _UNPLACED
        point = np.concatenate((point, kept_point))
        unit = self._numbered.unit_of[point]
        rows = Open(
            unit,
            np.concatenate((batch.t_ns[real], kept_t_ns)),
            np.concatenate((count, np.full(len(kept_point), _PLAIN, np.int64))),
        )
        return rows.where(self._numbered.has(unit))

    def _forget(self, rows: Open, early: Mask, ready: int) -> None:
        """Keep the rows after each unit's anchor; where there is none, only those that came just now."""
        anchor = self.anchors.t_ns[rows.unit]
        keep = (rows.t_ns > anchor) & ((anchor != NO_ANCHOR) | ~early)
        endless = np.bincount(rows.unit[keep], minlength=len(self.anchors.t_ns)) > OPEN_LIMIT
        if endless.any():
            log.warning(
                "sense: the counter of %s units stands still; they are judged anew", np.count_nonzero(endless)
            )
            self.anchors.t_ns[endless] = NO_ANCHOR
            keep &= ~endless[rows.unit]
            self.unjudged += 1
        kept = deque([(0, rows.where(keep & early))])
        start = int(np.count_nonzero(early))
        for wall, part in list(self._rows)[ready:]:
            kept.append((wall, part.where(keep[start : start + len(part.unit)])))
            start += len(part.unit)
        self._rows = deque(item for item in kept if len(item[1].unit))

    def _remember(self, unit: np.int32, start_ns: np.int64, end_ns: np.int64, missing: np.int64) -> Missing:
        found = Missing(int(unit), int(start_ns), int(end_ns), int(missing))
        self._found.setdefault(found.unit, deque(maxlen=REMEMBERED)).append(found)
        return found

    def _late(self, rows: Open) -> list[Missing]:
        """Samples that come after their window was judged make its gap smaller; elsewhere they are one too many.

        What is older than a unit's first counter sample (a value of long ago) was never numbered for us.
        """
        rows = rows.where(rows.t_ns > self._first[rows.unit])
        amended: dict[tuple[int, int], Missing] = {}
        for unit, t_ns in zip(rows.unit.tolist(), rows.t_ns.tolist(), strict=True):
            gap = next(
                (g for g in self._found.get(unit, ()) if g.start_ns <= t_ns <= g.end_ns and g.missing > 0),
                None,
            )
            if gap is None:
                self.surplus += 1
                continue
            gap.missing -= 1
            amended[unit, gap.end_ns] = gap
        return list(amended.values())


def joined(parts: list[Open]) -> Open:
    """All rows, part after part."""
    return Open(
        np.concatenate([p.unit for p in parts]) if parts else np.empty(0, np.int32),
        np.concatenate([p.t_ns for p in parts]) if parts else np.empty(0, np.int64),
        np.concatenate([p.count for p in parts]) if parts else np.empty(0, np.int64),
    )
