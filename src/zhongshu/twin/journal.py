"""The truth, written down: every sample made available and every event of the plant, in files that tests read back."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zhongshu.model.plant import Plant
from zhongshu.twin.scan import Made

#: Of each tick: plant time in ns, count of samples; then as many int32 indexes and float64 raw values.
FRAME = struct.Struct("<qI")
#: Samples go to files of this size; beyond so many files the oldest goes.
FILE_BYTES = 64_000_000
FILES_MAX = 64
POINTS, EVENTS, SAMPLES = "points.json", "events.jsonl", "samples-*.bin"


class Journal:
    """Appends to ``folder``; each tick is one write to the system, so that a killed twin loses at most a torn frame."""

    def __init__(self, folder: Path, plant: Plant) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        points = [
            {"path": p.path, "unit": p.unit, "scale": p.scale, "offset": p.offset} for p in plant.points
        ]
        (folder / POINTS).write_text(json.dumps({"plant": plant.id, "points": points}), encoding="utf-8")
        self._events = (folder / EVENTS).open("a", encoding="utf-8", buffering=1)
        self._number = max((int(p.stem.rpartition("-")[2]) for p in folder.glob(SAMPLES)), default=0)
        self._file = -1
        self._size = 0
        self._next_file()

    def samples(self, made: Made) -> None:
        """One tick; nothing is written for an empty one."""
        if not len(made.index):
            return
        frame = FRAME.pack(made.t_ns, len(made.index))
        frame += made.index.astype("<i4").tobytes() + made.value.astype("<f8").tobytes()
        if self._size + len(frame) > FILE_BYTES:
            self._next_file()
        os.write(self._file, frame)
        self._size += len(frame)

    def event(self, kind: str, t_ns: int, fields: Mapping[str, Any]) -> None:
        """One event; ``fields`` are plain values."""
        self._events.write(json.dumps({"kind": kind, "t_ns": t_ns, **fields}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Nothing is lost without it, but files are closed in good order."""
        self._events.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _next_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._number += 1
        path = self._folder / SAMPLES.replace("*", f"{self._number:06d}")
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._size = 0
        for old in sorted(self._folder.glob(SAMPLES))[:-FILES_MAX]:
            old.unlink()
