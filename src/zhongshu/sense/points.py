"""What sense knows of every point, in columns: raw rows of a connection come in, rows worth publishing go out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhongshu.kernel.clock import Clock
from zhongshu.model.batch import (
    BAD,
    GOOD,
    QUALITY_MASK,
    RESTATED,
    TIME_RECEIVED,
    Bytes,
    Floats,
    Int32s,
    Int64s,
)
from zhongshu.model.numbering import Mask, Numbered
from zhongshu.model.plant import Plant
from zhongshu.model.roles import SCAN_TIME

NEVER = np.iinfo(np.int64).min
#: ``quality`` of a point whose device has said nothing yet.
ABSENT = np.uint8(0xFF)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Columns of samples; ``received_ns`` is the wall time at which the newest of them arrived."""

    point: Int32s
    t_ns: Int64s
    value: Floats
    quality: Bytes
    received_ns: int

    def __len__(self) -> int:
        """Count of samples."""
        return len(self.point)

    def where(self, mask: Mask) -> Rows:
        """The rows at which ``mask`` is True."""
        if mask.all():
            return self
        return Rows(self.point[mask], self.t_ns[mask], self.value[mask], self.quality[mask], self.received_ns)


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """What became of raw rows: ``rows`` to publish in order of arrival, samples kept back, and counts of the others."""

    rows: Rows
    kept_point: Int32s
    kept_t_ns: Int64s
    doubled: int
    unknown: int


class Points:
    """Columns by point id, shared by all connections; a connection only ever touches its own points.

    ``source_ns`` newest source time taken, ``value`` what was said last, ``quality`` with which quality it was said,
    ``device_quality`` what the device itself said last. ``stated_ns`` is the time of the brain's own last statement,
    ``owed`` True where the last value must be said again as soon as its unit is there.
    """

    def __init__(
        self, plant: Plant, numbered: Numbered, clock: Clock, *, clock_limit_s: float = 60.0
    ) -> None:
        size = len(numbered.unit_of)
        self._clock = clock
        self._limit_s = clock_limit_s
        self.unit_of = numbered.unit_of
        self.scale: Floats = np.ones(size)
        self.offset: Floats = np.zeros(size)
        self.deadband: Floats = np.zeros(size)
        for point in plant.points:
            self.scale[point.id], self.offset[point.id] = point.scale, point.offset
            # A counter or a scan time that is kept back would take the proof of all other samples with it.
            exact = numbered.is_counter[point.id] or point.role == SCAN_TIME
            self.deadband[point.id] = 0.0 if exact else point.deadband
        self.source_ns: Int64s = np.full(size, NEVER, np.int64)
        self.value: Floats = np.full(size, np.nan)
        self.quality: Bytes = np.full(size, ABSENT, np.uint8)
        self.device_quality: Bytes = np.full(size, GOOD, np.uint8)
        self.stated_ns: Int64s = np.full(size, NEVER, np.int64)
        self.owed: Mask = np.zeros(size, np.bool_)

    def shape(self, rows: Rows, arrived_ns: Int64s, mine: Mask, settled: Mask) -> Shaped:
        """Scale, time, repeats and deadband for raw rows of one connection.

        ``arrived_ns`` is each row's wall time of arrival, ``mine`` by unit index True for the connection's units,
        ``settled`` True for those whose values of long ago (sent once after connecting) are behind us.
        """
        ok = (rows.point >= 0) & (rows.point < len(self.unit_of))
        ok[ok] = self.unit_of[rows.point[ok]] >= 0
        ok[ok] = mine[self.unit_of[rows.point[ok]]]
        point, raw_ns = rows.point[ok], rows.t_ns[ok]
        quality: Bytes = (rows.quality[ok] & QUALITY_MASK).astype(np.uint8)
        value = rows.value[ok] * self.scale[point] + self.offset[point]
        received_ns = self._plant_ns(arrived_ns[ok])
        untimed = self._untimed(point, raw_ns, received_ns, settled)
        rank = _occurrence(point)
        t_ns = np.where(untimed, received_ns + rank, raw_ns)
        verdict = self._in_turn(point, rank, raw_ns, t_ns, value, quality)
        send, keep, again = verdict == _SEND, verdict == _KEEP, verdict == _AGAIN
        flags = np.where(untimed, TIME_RECEIVED, 0) | np.where(again, TIME_RECEIVED | RESTATED, 0)
        t_ns = np.where(again, received_ns, t_ns)
        quality = (quality | flags).astype(np.uint8)
        out = send | again
        self._said(point[send], t_ns[send])
        shaped = Rows(point[out], t_ns[out], value[out], quality[out], rows.received_ns)
        doubled = int(np.count_nonzero(verdict == _DROP))
        return Shaped(shaped, point[keep], t_ns[keep], doubled, len(rows) - len(point))

    def state_bad(self, units: Mask, now_ns: int) -> Rows:
        """The last values of these units' points as Bad, said by the brain at ``now_ns``; absent points stay absent."""
        ids = np.flatnonzero(self._of(units) & (self.quality != ABSENT) & ~self._is_stated_bad()).astype(
            np.int32
        )
        return self._state(ids, np.full(len(ids), BAD, np.uint8), now_ns, owed=True)

    def restate(self, units: Mask, at_ns: int) -> Rows:
        """What these units still owe: their last values with the device's own quality, said by the brain."""
        ids = np.flatnonzero(self._of(units) & self.owed & (self.quality != ABSENT)).astype(np.int32)
        return self._state(ids, self.device_quality[ids], at_ns, owed=False)

    def owe(self, point: Int32s) -> None:
        """These points' last samples never reached the bus: their values must be said again."""
        self.owed[point] = True

    def owe_all(self, units: Mask) -> None:
        """What these units said in an earlier life is said again once they are heard now, and not before."""
        self.owed |= self._of(units)

    def _state(self, ids: Int32s, quality: Bytes, at_ns: int, *, owed: bool) -> Rows:
        flagged = (quality | TIME_RECEIVED | RESTATED).astype(np.uint8)
        t_ns = np.maximum(at_ns, self.stated_ns[ids] + 1)
        self.stated_ns[ids] = t_ns
        self.quality[ids] = flagged
        self.owed[ids] = owed
        return Rows(ids, t_ns, self.value[ids], flagged, self._clock.wall_ns())

    def _of(self, units: Mask) -> Mask:
        """True at the points of these units."""
        return (self.unit_of >= 0) & units[self.unit_of]

    def _is_stated_bad(self) -> Mask:
        return ((self.quality & RESTATED) != 0) & ((self.quality & QUALITY_MASK) == BAD)

    def _said(self, point: Int32s, t_ns: Int64s) -> None:
        """A device sample older than the brain's own last statement is hidden by it, so it is said again."""
        self.owed[point] = t_ns <= self.stated_ns[point]

    def _plant_ns(self, arrived_ns: Int64s) -> Int64s:
        """Plant times of wall times; one Reads shares one, so there are few different ones."""
        walls, where = np.unique(arrived_ns, return_inverse=True)
        return np.array([self._clock.to_plant_ns(int(w)) for w in walls], np.int64)[where]

    def _untimed(self, point: Int32s, raw_ns: Int64s, received_ns: Int64s, settled: Mask) -> Mask:
        """True where the source gave no time, or one that is off the clock by more than the limit.

        An old time alone is no fault: a value that has not changed for an hour is an hour old. Only a settled unit whose
        newest sample is behind by more than the limit has a wrong clock.
        """
        wall = self._clock.wall_ns()
        limit = self._clock.to_plant_ns(wall + round(self._limit_s * 1e9)) - self._clock.to_plant_ns(wall)
        unit = self.unit_of[point]
        newest = np.full(len(settled), NEVER, np.int64)
        np.maximum.at(newest, unit, raw_ns)
        behind = settled[unit] & (newest[unit] < received_ns - limit)
        return (raw_ns == 0) | (raw_ns > received_ns + limit) | behind

    def _in_turn(
        self, point: Int32s, rank: Int64s, raw_ns: Int64s, t_ns: Int64s, value: Floats, quality: Bytes
    ) -> npt.NDArray[np.int8]:
        """A verdict for each row; several rows of one point are judged one after the other, all points at once."""
        verdict = np.full(len(point), _DROP, np.int8)
        for turn in range(int(rank.max()) + 1 if len(rank) else 0):
            rows = np.flatnonzero(rank == turn) if turn or rank.any() else np.arange(len(rank))
            ids = point[rows]
            verdict[rows] = self._judge(ids, raw_ns[rows], value[rows], quality[rows])
            sent = rows[verdict[rows] >= _SEND]
            self.value[point[sent]], self.quality[point[sent]] = value[sent], quality[sent]
        return verdict

    def _judge(self, ids: Int32s, raw_ns: Int64s, value: Floats, quality: Bytes) -> npt.NDArray[np.int8]:
        last = self.source_ns[ids]
        fresh = (raw_ns == 0) | (raw_ns > last)
        # The same sample again proves that the value still stands; a quality that changed without a new time is told.
        again = ~fresh & (raw_ns == last)
        turned = again & (quality != self.device_quality[ids])
        small = np.abs(value - self.value[ids]) <= self.deadband[ids]
        calm = (
            fresh
            & small
            & (self.deadband[ids] > 0)
            & ((self.quality[ids] & ~np.uint8(RESTATED | TIME_RECEIVED)) == quality)
        )
        self.source_ns[ids[fresh]] = np.maximum(raw_ns, last)[fresh]
        self.device_quality[ids] = np.where(fresh | again, quality, self.device_quality[ids])
        return np.select([calm, fresh, turned], [_KEEP, _SEND, _AGAIN], _DROP).astype(np.int8)


_DROP, _KEEP, _SEND, _AGAIN = 0, 1, 2, 3


def _occurrence(point: Int32s) -> Int64s:
    """For each row, how many rows of the same point came before it."""
    order = np.argsort(point, kind="stable")
    ordered = point[order]
    starts = (
        np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(point) else np.empty(0, np.int64)
    )
    lengths = np.diff(np.append(starts, len(point)))
    rank = np.empty(len(point), np.int64)
    rank[order] = np.arange(len(point)) - np.repeat(starts, lengths)
    return rank
