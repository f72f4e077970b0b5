"""Rows of the tail become parts of minute and hour buckets, which answer coarse trends in place of the rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from zhongshu.historian.tables import ROLLUP, Table, days
from zhongshu.historian.tail import View
from zhongshu.model.batch import QUALITY_MASK, Floats, Int32s, Int64s

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Level:
    """Buckets of one width."""

    name: str
    width_ns: int
    table: Table


def levels(directory: Path) -> tuple[Level, ...]:
    """Finest first: one second, one minute, one hour."""
    widths = {"rollup_1s": NS, "rollup_1min": 60 * NS, "rollup_1h": 3600 * NS}
    return tuple(Level(name, width, Table(directory / name, ROLLUP)) for name, width in widths.items())


class Fast:
    """The points sampled faster than the finest buckets, and since when they are known to be.

    For all others a one-second bucket would be one sample and take more room than the sample itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text(encoding="utf-8") if path.exists() else "{}"
        self._since = {int(point): int(since) for point, since in json.loads(text).items()}

    @property
    def ids(self) -> Int32s:
        """Their ids."""
        return np.array(sorted(self._since), np.int32)

    def set(self, points: Iterable[int], now_ns: int) -> None:
        """From now on it is these; written down before the first bucket of a new one is."""
        since = {point: self._since.get(point, now_ns) for point in points}
        if since != self._since:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(since), encoding="utf-8")
            fresh.replace(self._path)
            self._since = since

    def covers(self, points: Int32s, start_ns: int) -> bool:
        """True if all samples of these points since ``start_ns`` are in one-second buckets."""
        return all(self._since.get(point, start_ns + 1) <= start_ns for point in points.tolist())


def parts(view: View, width_ns: int) -> pa.Table:
    """The buckets of these rows, one row for each point and bucket, ordered by point and time.

    NaN and infinite values count in ``n`` only; ``first`` and ``last`` are taken as they are.
    """
    bucket = view.t_ns // width_ns * width_ns
    order = np.lexsort((view.t_ns, view.point))
    point, bucket, t_ns, value = view.point[order], bucket[order], view.t_ns[order], view.value[order]
    quality = view.quality[order] & QUALITY_MASK
    new = np.ones(len(point), np.bool_)
    new[1:] = (point[1:] != point[:-1]) | (bucket[1:] != bucket[:-1])
    start = np.flatnonzero(new)
    if len(start) == 0:
        return ROLLUP.empty_table()
    last = np.append(start[1:], len(point)) - 1
    finite = np.isfinite(value)
    m = np.add.reduceat(finite.astype(np.int64), start)
    columns = {
        "point": point[start],
        "t_ns": bucket[start],
        "n": last - start + 1,
        "m": m,
        "first_ns": t_ns[start],
        "last_ns": t_ns[last],
        "low": _known(np.minimum.reduceat(np.where(finite, value, np.inf), start), m),
        "high": _known(np.maximum.reduceat(np.where(finite, value, -np.inf), start), m),
        "total": np.add.reduceat(np.where(finite, value, 0.0), start),
        "first": value[start],
        "last": value[last],
        "quality": np.maximum.reduceat(quality, start).astype(np.int8),
        "day": days(bucket[start]),
    }
    return pa.table(columns, schema=ROLLUP)


def _known(values: Floats, m: Int64s) -> pa.Array:
    """Null where a bucket has no finite value at all."""
    return pa.array(values, mask=m == 0)
