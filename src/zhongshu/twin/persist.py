"""The physical plant on disk: a snapshot now and then, and every input since, so that a crash forgets and doubles nothing.

Because the same inputs at the same plant times give the same plant, the log holds inputs only: requests, writes and faults.
It is handed to the operating system line by line and not synced: it survives the death of the process, not of the power.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zhongshu.twin.words import say

log = logging.getLogger(__name__)


class Keep:
    """Files beside ``path`` (the snapshot): ``<path>.log-<n>`` inputs since snapshot n, ``<path>.keys`` answered keys.

    A snapshot names the first log that is not in it. Keys have a file of their own, because they only ever grow.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.generation = 0
        self.unwritten = 0
        self._log = -1
        self._keys = -1

    # --- reading

    def load(self) -> dict[str, Any] | None:
        """The last snapshot, None where there is none. Raises ValueError for one that cannot be read."""
        if not self.path.exists():
            return None
        state = json.loads(self.path.read_text(encoding="utf-8"))
        if not isinstance(state, dict) or not isinstance(state.get("generation"), int):
            raise ValueError("no snapshot")
        self.generation = state["generation"]
        return state

    def inputs(self) -> Iterator[dict[str, Any]]:
        """Every input since the snapshot, in order; a torn last line is left out."""
        for _, path in self._logs():
            yield from _lines(path)

    def answers(self) -> Iterator[tuple[str, int, int, str]]:
        """(unit, key, result, reason) that are older than the snapshot; younger ones come from the inputs."""
        for line in _lines(self._keys_path):
            if line["g"] < self.generation:
                yield line["u"], line["k"], line["r"], line["w"]

    def set_aside(self) -> Path:
        """Another plant's files, or unreadable ones, are kept under another name; returns it."""
        aside = self.path.with_name(f"{self.path.name}.old")
        if self.path.exists():
            self.path.replace(aside)
        for _, path in self._logs():
            path.unlink()
        self._keys_path.unlink(missing_ok=True)
        self.generation = 0
        return aside

    # --- writing

    def begin(self) -> int:
        """From now on inputs belong to the next snapshot's log; returns its generation, to be written with ``save``."""
        newest = max((n for n, _ in self._logs()), default=self.generation)
        self.generation = max(self.generation, newest) + 1
        if self._log >= 0:
            os.close(self._log)
        self._log = _append(self.path.with_name(f"{self.path.name}.log-{self.generation}"))
        if self._keys < 0:
            self._keys = _append(self._keys_path)
        return self.generation

    def save(self, state: Mapping[str, Any], generation: int) -> None:
        """Write the snapshot that was taken at ``begin``, whole or not at all, then drop the logs that are in it."""
        scratch = self.path.with_name(f"{self.path.name}.new")
        with scratch.open("w", encoding="utf-8") as file:
            json.dump({**state, "generation": generation}, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.path)
        for number, path in self._logs():
            if number < generation:
                path.unlink()

    def record(self, t_ns: int, what: str, **fields: Any) -> None:
        """One input at plant time ``t_ns``: ``call``, ``write``, ``fault``, or ``mark`` (time passed)."""
        self._write(self._log, {"t": t_ns, "i": what, **fields})

    def answered(self, unit: str, key: int, result: int, reason: str) -> None:
        """One answered key, in the order of the answers."""
        self._write(self._keys, {"g": self.generation, "u": unit, "k": key, "r": result, "w": reason})

    def rewrite_keys(self, answers: Iterator[tuple[str, int, int, str]]) -> None:
        """Drop what units forgot; done once, after the first ``save``: the keys are older than that snapshot."""
        scratch = self._keys_path.with_name(f"{self._keys_path.name}.new")
        with scratch.open("wb") as file:
            for unit, key, result, reason in answers:
                file.write(_line({"g": self.generation - 1, "u": unit, "k": key, "r": result, "w": reason}))
        scratch.replace(self._keys_path)
        if self._keys >= 0:
            os.close(self._keys)
        self._keys = _append(self._keys_path)

    def close(self) -> None:
        """Close the files."""
        for file in (self._log, self._keys):
            if file >= 0:
                os.close(file)
        self._log = self._keys = -1

    def _write(self, file: int, fields: Mapping[str, Any]) -> None:
        """A full disk stops the plant's memory, not the plant; it is told once and counted."""
        if file < 0:
            return
        try:
            os.write(file, _line(fields))
        except OSError as error:
            if not self.unwritten:
                log.error("%s", say("run.not_written", path=self.path, reason=error.strerror))
            self.unwritten += 1

    @property
    def _keys_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.keys")

    def _logs(self) -> list[tuple[int, Path]]:
        found = [
            (int(p.name.rpartition("-")[2]), p) for p in self.path.parent.glob(f"{self.path.name}.log-*")
        ]
        return sorted(found)


def _append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _line(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                return  # torn by a crash
            yield json.loads(raw)
