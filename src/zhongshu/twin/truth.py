"""Reads what the journal wrote: the truth against which a history is compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zhongshu.model.batch import Floats, Int64s
from zhongshu.twin.journal import EVENTS, FRAME, POINTS, SAMPLES


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Columns of equal length in the order they were made: ``point`` indexes ``Truth.paths``, ``t_ns`` plant time,
    ``value`` in engineering units."""

    point: Int64s
    t_ns: Int64s
    value: Floats

    def __len__(self) -> int:
        return len(self.point)


class Truth:
    """A journal folder. May be read while the twin still writes: a frame that is not whole yet is left out."""

    def __init__(self, folder: Path) -> None:
        """Raises FileNotFoundError where no twin ever wrote."""
        self._folder = folder
        about = json.loads((folder / POINTS).read_text(encoding="utf-8"))
        self.plant: str = about["plant"]
        self.paths: list[str] = [p["path"] for p in about["points"]]
        self.units: list[str] = [p["unit"] for p in about["points"]]
        self._scale = np.array([p["scale"] for p in about["points"]], dtype=np.float64)
        self._offset = np.array([p["offset"] for p in about["points"]], dtype=np.float64)

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Path → index in ``paths``."""
        return {path: i for i, path in enumerate(self.paths)}

    def samples(self, start_ns: int = 0, end_ns: int = 2**63 - 1) -> Samples:
        """Every sample made available with ``start_ns`` ≤ ``t_ns`` ≤ ``end_ns``."""
        points, times, values = [], [], []
        for t_ns, index, raw in self._frames():
            if start_ns <= t_ns <= end_ns:
                points.append(index)
                times.append(np.full(len(index), t_ns, dtype=np.int64))
                values.append(raw)
        if not points:
            return Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        point = np.concatenate(points).astype(np.int64)
        value = np.concatenate(values) * self._scale[point] + self._offset[point]
        return Samples(point, np.concatenate(times), value)

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Events in order, each with ``kind`` and ``t_ns``; only one kind if given.

        Kinds: state, job, answer, stored, breakdown, repaired, maintained, transport, picked, dropped, written, fault,
        started, stopped, paused, overflow, vehicle_fault, vehicle_repaired.
        """
        lines = (self._folder / EVENTS).read_text(encoding="utf-8").split("\n")[:-1]
        events = [json.loads(line) for line in lines if line]
        return [e for e in events if not kind or e["kind"] == kind]

    def _frames(self) -> Iterator[tuple[int, Int64s, Floats]]:
        for path in sorted(self._folder.glob(SAMPLES)):
            raw, at = path.read_bytes(), 0
            while at + FRAME.size <= len(raw):
                t_ns, count = FRAME.unpack_from(raw, at)
                at += FRAME.size
                if at + 12 * count > len(raw):
                    break  # torn: the twin was killed here, or is writing just now
                index = np.frombuffer(raw, "<i4", count, at).astype(np.int64)
                yield t_ns, index, np.frombuffer(raw, "<f8", count, at + 4 * count)
                at += 12 * count
