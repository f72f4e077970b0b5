"""Delta tables of the history: rows go in with the bus sequence they end at, data files come out for the queries."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, Transaction

from zhongshu.kernel.clock import wall_clock
from zhongshu.model.batch import Int32s, Int64s
from zhongshu.model.numbering import Mask

DAY_NS = 86_400 * 1_000_000_000
_KEYS = [pa.field("point", pa.int32()), pa.field("t_ns", pa.int64())]
_DAY = pa.field("day", pa.date32())

POINTS = pa.schema([*_KEYS, pa.field("value", pa.float64()), pa.field("quality", pa.int8()), _DAY])
EVENTS = pa.schema(
    [
        pa.field("seq", pa.int64()),
        pa.field("t_ns", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("kind", "source", "unit", "payload")),
        _DAY,
    ]
)
#: Parts of a bucket: several rows of one bucket add up. ``n`` samples, ``m`` of them with a finite value.
ROLLUP = pa.schema(
    [
        *_KEYS,
        *(pa.field(name, pa.int64()) for name in ("n", "m", "first_ns", "last_ns")),
        *(pa.field(name, pa.float64()) for name in ("low", "high", "total", "first", "last")),
        pa.field("quality", pa.int8()),
        _DAY,
    ]
)

_CONFIGURATION: dict[str, str | None] = {
    # A commit every few seconds: without these the log alone would outgrow the data.
    "delta.checkpointInterval": "50",
    "delta.logRetentionDuration": "interval 1 hours",
    "delta.enableExpiredLogCleanup": "true",
    "delta.deletedFileRetentionDuration": "interval 1 hours",
}
_WRITER = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=131_072)
HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=True)


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """The live data files at one version, ``seq`` the bus sequence up to which they hold everything."""

    seq: int
    path: tuple[str, ...]  # relative to the table
    day: tuple[str, ...]
    rows: Int64s
    bytes: Int64s
    point_low: Int32s
    point_high: Int32s
    t_low: Int64s
    t_high: Int64s

    def between(
        self, start_ns: int, end_ns: int, low: int | None = None, high: int | None = None
    ) -> list[str]:
        """Paths of the files that may hold rows in ``[start_ns, end_ns]``, of points between ``low`` and ``high``."""
        mask: Mask = (self.t_low <= end_ns) & (self.t_high >= start_ns)
        if low is not None and high is not None:
            mask &= (self.point_low <= high) & (self.point_high >= low)
        return [self.path[i] for i in np.flatnonzero(mask)]


class Table:
    """One Delta table, partitioned by day. Writing is serialised; ``files`` may be read from any thread."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema = path, schema
        self._app = "bus"
        self._lock = threading.Lock()
        self._delta: DeltaTable | None = None
        self._files: Files | None = None

    @property
    def files(self) -> Files:
        """The newest version this process knows; opens (and makes) the table at first use."""
        if self._files is None:
            with self._lock:
                self._open()
        assert self._files is not None
        return self._files

    @property
    def seq(self) -> int:
        """The bus sequence up to which everything is in the table."""
        return self.files.seq

    def append(self, rows: pa.Table, seq: int) -> None:
        """Commit ``rows`` together with ``seq``; both or neither. Raises DeltaError or OSError when nothing was committed.

        Where the outcome is in doubt the table itself is asked.
        """
        with self._lock:
            delta = self._open()
            properties = CommitProperties(app_transactions=[Transaction(self._app, seq, _now_ms())])
            try:
                write_deltalake(
                    delta,
                    rows.cast(self.schema),
                    mode="append",
                    writer_properties=_WRITER,
                    commit_properties=properties,
                    post_commithook_properties=HOOKS,
                )
            except (DeltaError, OSError):
                self._delta = None
                if self._open().transaction_version(self._app) != seq:
                    raise
            self._refresh(self._open())

    def replace(self, old: list[str], new: list[AddAction], *, changed: bool) -> None:
        """Take ``old`` files out and ``new`` ones in at one step; ``changed`` False where the rows are the same."""
        now_ms = _now_ms()
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            live = set(self._refresh(delta).path)
            if not live.issuperset(old):
                raise DeltaError("a file to replace is no longer live")
            actions: list[AddAction | RemoveAction] = [
                RemoveAction(path, changed, now_ms, None, {"day": _day_of(path)}) for path in old
            ]
            delta.create_write_transaction(
                [*actions, *new], "append", delta.schema(), ["day"], post_commithook_properties=HOOKS
            )
            delta.update_incremental()
            self._refresh(delta)

    def vacuum(self, hours: int) -> int:
        """Delete files that have not been live for so many hours, and what a crash left behind; returns how many."""
        with self._lock:
            delta = self._open()
        return len(delta.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True))

    def reload(self) -> None:
        """See what another process has committed."""
        with self._lock:
            delta = self._open()
            delta.update_incremental()
            self._refresh(delta)

    def _open(self) -> DeltaTable:
        if self._delta is None:
            if not DeltaTable.is_deltatable(str(self.path)):
                self.path.mkdir(parents=True, exist_ok=True)
                DeltaTable.create(
                    str(self.path),
                    self.schema,
                    mode="ignore",
                    partition_by=["day"],
                    configuration=_CONFIGURATION,
                )
            self._delta = DeltaTable(str(self.path))
            self._refresh(self._delta)
        return self._delta

    def _refresh(self, delta: DeltaTable) -> Files:
        """Read the list of files with their statistics; ``seq`` and files are of one version."""
        actions = pa.table(delta.get_add_actions(flatten=True))
        self._files = _files(actions, delta.transaction_version(self._app) or 0)
        return self._files


def days(t_ns: Int64s) -> pa.Array:
    """The day (UTC, plant time) of each time."""
    return pa.array((t_ns // DAY_NS).astype(np.int32)).cast(pa.date32())


def _files(actions: pa.Table, seq: int) -> Files:
    def column(name: str, kind: Any, missing: int) -> Any:
        if name not in actions.column_names:
            return np.full(actions.num_rows, missing, kind)
        return actions[name].combine_chunks().fill_null(missing).to_numpy(zero_copy_only=False).astype(kind)

    lowest, highest = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    return Files(
        seq=seq,
        path=tuple(actions["path"].to_pylist()),
        day=tuple(str(day) for day in actions["partition.day"].to_pylist()) if actions.num_rows else (),
        rows=column("num_records", np.int64, 0),
        bytes=column("size_bytes", np.int64, 0),
        point_low=column("min.point", np.int32, lowest),
        point_high=column("max.point", np.int32, highest),
        t_low=column("min.t_ns", np.int64, np.iinfo(np.int64).min),
        t_high=column("max.t_ns", np.int64, np.iinfo(np.int64).max),
    )


def _now_ms() -> int:
    return wall_clock().wall_ns() // 1_000_000


def _day_of(path: str) -> str:
    return path.partition("/")[0].removeprefix("day=")
