"""Honest numbering: a device's own count of its samples becomes windows in which nothing may be missing unnoticed.

A device counts every sample that it makes available in its point with role ``sample_count``; the value covers all
samples with a time up to the counter sample's own. Between two counter samples the device therefore made exactly the
difference available, and whoever can count what arrived in that window knows exactly what is missing. Sense judges what
the bus confirmed and writes the ledger, the historian judges what a query returns; both use these pure functions.

Only device samples count. The brain's own statements (rows flagged RESTATED: a stale point turned Bad, or a value said
again after a connection came back) never do, nor do Bad rows that carry the receive time, because a connector says by
them that it got nothing. A device row whose time is the receive time counts but cannot be placed in a window, so a
window that holds one is left unjudged.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhongshu.model.batch import BAD, QUALITY_MASK, RESTATED, TIME_RECEIVED, Bytes, Int32s, Int64s
from zhongshu.model.plant import Plant
from zhongshu.model.roles import SAMPLE_COUNT

Mask = npt.NDArray[np.bool_]

#: Header of a Batch's message: the samples that its deadbands kept back, as ``encode_samples`` writes them.
SUPPRESSED = "Zs-Suppressed"
#: Header of a Batch's message that only says again what sense knows of a connection; nobody stores its rows.
SNAPSHOT = "Zs-Snapshot"
#: Header in which sense names its last snapshot: what came since then holds every point's newest value.
SNAPSHOT_SEQ = "Zs-Snapshot-Seq"

#: ``Windows.made`` where the counter fell: the device started to count anew, and nobody knows how far it had come.
UNKNOWN = -1
#: Time of an anchor that does not exist yet.
NO_ANCHOR = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Numbered:
    """Where numbering is found in a plant: dense arrays by point id, and per unit.

    ``unit_of``: index in ``plant.units`` of each point id, -1 for ids that no point has.
    ``is_counter``: True at ids of ``sample_count`` points. ``counter``: point id of each unit's counter, -1 for none.
    """

    unit_of: Int32s
    is_counter: Mask
    counter: Int32s

    def has(self, unit: Int32s) -> Mask:
        """True where a unit index (≥ 0) belongs to a unit that numbers its samples."""
        return (unit >= 0) & (self.counter[unit] >= 0)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Intervals ``(start_ns, end_ns]`` of one unit each, in order of unit and time, and what the device made in them.

    ``made`` is UNKNOWN where the counter fell. ``count`` is the counter's value at ``end_ns``.
    """

    unit: Int32s
    start_ns: Int64s
    end_ns: Int64s
    made: Int64s
    count: Int64s

    def __len__(self) -> int:
        """Count of windows."""
        return len(self.unit)

    def where(self, mask: Mask) -> Windows:
        """The windows at which ``mask`` is True."""
        return Windows(
            self.unit[mask], self.start_ns[mask], self.end_ns[mask], self.made[mask], self.count[mask]
        )


@dataclass(slots=True, eq=False)
class Anchors:
    """Per unit the last judged counter sample: its time (NO_ANCHOR for none) and its count."""

    t_ns: Int64s
    count: Int64s

    @classmethod
    def none(cls, units: int) -> Anchors:
        """No unit judged yet."""
        return cls(np.full(units, NO_ANCHOR, np.int64), np.zeros(units, np.int64))

    def advance(self, windows: Windows) -> None:
        """Move every unit to the end of its last window (windows in order, as ``windows`` makes them)."""
        self.t_ns[windows.unit] = windows.end_ns
        self.count[windows.unit] = windows.count


def numbered(plant: Plant) -> Numbered:
    """The numbering of a plant whose points have their ids."""
    size = max((p.id for p in plant.points), default=-1) + 1
    unit_of = np.full(size, -1, np.int32)
    is_counter = np.zeros(size, np.bool_)
    counter = np.full(len(plant.units), -1, np.int32)
    for index, unit in enumerate(plant.units):
        for point in unit.points:
            unit_of[point.id] = index
            if point.role == SAMPLE_COUNT:
                is_counter[point.id] = True
                counter[index] = point.id
    return Numbered(unit_of, is_counter, counter)


def countable(quality: Bytes) -> Mask:
    """True where a row is a sample that a device made available, not a statement of the brain's own."""
    silent = ((quality & QUALITY_MASK) == BAD) & ((quality & TIME_RECEIVED) != 0)
    return ((quality & RESTATED) == 0) & ~silent


def placed(quality: Bytes) -> Mask:
    """True where a row carries the source's own time, so that it can be placed in a window."""
    return (quality & TIME_RECEIVED) == 0


def windows(unit: Int32s, t_ns: Int64s, count: Int64s, anchors: Anchors) -> Windows:
    """The windows between consecutive counter samples, given in any order; those up to the anchor are left out.

    A unit without an anchor gets its first sample as one (``anchors`` is changed), which opens no window: what came
    before it was never numbered for us.
    """
    keep = t_ns > anchors.t_ns[unit]
    unit, t_ns, count = unit[keep], t_ns[keep], count[keep]
    order = np.lexsort((count, t_ns, unit))
    unit, t_ns, count = unit[order], t_ns[order], count[order]
    if len(unit):  # of counter samples with the same time the last one covers the others
        last = np.append((unit[1:] != unit[:-1]) | (t_ns[1:] != t_ns[:-1]), True)
        unit, t_ns, count = unit[last], t_ns[last], count[last]
    first = np.ones(len(unit), np.bool_)
    first[1:] = unit[1:] != unit[:-1]
    fresh = first & (anchors.t_ns[unit] == NO_ANCHOR)
    anchors.t_ns[unit[fresh]] = t_ns[fresh]
    anchors.count[unit[fresh]] = count[fresh]
    start = np.where(first, anchors.t_ns[unit], np.roll(t_ns, 1))
    before = np.where(first, anchors.count[unit], np.roll(count, 1))
    made = np.where(count < before, UNKNOWN, count - before)
    return Windows(unit, start, t_ns, made, count).where(~fresh)


def counted(windows_: Windows, unit: Int32s, t_ns: Int64s, weight: Int64s | None = None) -> Int64s:
    """Per window the sum of ``weight`` (1 for each where None) of the rows with that unit and a time in the window."""
    if len(windows_) == 0 or len(unit) == 0:
        return np.zeros(len(windows_), np.int64)
    times, rank = np.unique(np.concatenate((t_ns, windows_.start_ns, windows_.end_ns)), return_inverse=True)
    span = np.int64(len(times) + 1)
    n, k = len(t_ns), len(windows_)
    rows = unit.astype(np.int64) * span + rank[:n]
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    total = np.zeros(n + 1, np.int64)
    np.cumsum(np.ones(n, np.int64) if weight is None else weight[order], out=total[1:])
    base = windows_.unit.astype(np.int64) * span
    start = np.searchsorted(rows, base + rank[n : n + k], side="right")
    end = np.searchsorted(rows, base + rank[n + k :], side="right")
    return total[end] - total[start]


def encode_samples(point: Int32s, t_ns: Int64s) -> str:
    """Which samples (point id and time) as text for a message header; order is not kept, times are shared."""
    times, rank = np.unique(t_ns, return_inverse=True)
    order = np.argsort(rank, kind="stable")
    counts = np.bincount(rank, minlength=len(times)).astype("<i4")
    head = np.array([len(times)], "<i4")
    parts = (
        head.tobytes(),
        times.astype("<i8").tobytes(),
        counts.tobytes(),
        point[order].astype("<i4").tobytes(),
    )
    return base64.b64encode(zlib.compress(b"".join(parts), 1)).decode()


def decode_samples(text: str) -> tuple[Int32s, Int64s]:
    """The samples of ``encode_samples``, ordered by time. Raises ValueError where the text is no such thing."""
    try:
        raw = zlib.decompress(base64.b64decode(text, validate=True))
        n = int(np.frombuffer(raw, "<i4", 1)[0])
        times = np.frombuffer(raw, "<i8", n, offset=4).astype(np.int64)
        counts = np.frombuffer(raw, "<i4", n, offset=4 + 8 * n)
        point = np.frombuffer(raw, "<i4", offset=4 + 12 * n).astype(np.int32)
        t_ns = np.repeat(times, counts)
    except (zlib.error, IndexError) as error:
        raise ValueError(f"not a list of samples: {error}") from error
    if len(t_ns) != len(point):
        raise ValueError(f"not a list of samples: {len(t_ns)} times, {len(point)} points")
    return point, t_ns
