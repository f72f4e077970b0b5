"""Keeps log files from growing without bound: what processes wrote is moved on to numbered files, the oldest goes."""

from __future__ import annotations

import shutil
from pathlib import Path

LIMIT_BYTES = 10 * 1024 * 1024
KEEP = 3


def rotate(log: Path, limit_bytes: int = LIMIT_BYTES, keep: int = KEEP) -> bool:
    """Where ``log`` is over the limit, copy it to ``<log>.1`` (``.1`` to ``.2`` …) and empty it; True if it did.

    The file itself stays, because a process writes to it by its descriptor (in append mode, so it goes on at the start).
    What is written between copy and cut is lost, at most a few lines of a log.
    """
    try:
        if log.stat().st_size <= limit_bytes:
            return False
    except FileNotFoundError:
        return False
    for number in range(keep - 1, 0, -1):
        older = _numbered(log, number)
        if older.exists():
            older.replace(_numbered(log, number + 1))
    shutil.copyfile(log, _numbered(log, 1))
    with log.open("r+b") as file:
        file.truncate(0)
    return True


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
