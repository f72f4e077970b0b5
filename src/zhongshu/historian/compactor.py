"""Small Delta files become few sorted ones, old ones go: beside the ingest, never in its way."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction

from zhongshu.historian.query import History
from zhongshu.historian.tables import EVENTS, POINTS, Files, Table
from zhongshu.kernel.clock import NS, Clock

log = logging.getLogger(__name__)

ROUND_WALL_S = 20.0
VACUUM_WALL_S = 3600.0
#: Files replaced by a merge stay for readers of the older version.
VACUUM_HOURS = 1
#: So many files of one size class and day are merged into one of the next class …
FAN = 8
#: … but never to more rows than this, so that a merge fits into memory.
ROWS_LIMIT = 4_000_000
_ROW_GROUP = 65_536


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days of plant time are kept; 0 for ever."""

    rows_days: float = 90.0
    events_days: float = 0.0
    seconds_days: float = 7.0
    minutes_days: float = 730.0
    hours_days: float = 0.0


class Compactor:
    """Looks at every table in turn; merging happens in a thread, only the commit takes the table's lock."""

    def __init__(self, history: History, clock: Clock, keep: Keep) -> None:
        self._history, self._clock = history, clock
        seconds, minutes, hours = history.levels
        self._tables: tuple[tuple[Table, float], ...] = (
            (history.points, keep.rows_days),
            (history.event_table, keep.events_days),
            (seconds.table, keep.seconds_days),
            (minutes.table, keep.minutes_days),
            (hours.table, keep.hours_days),
        )
        self._merged = 0
        self._expired = 0
        self._error = ""

    async def run(self) -> None:
        """One round after the other until cancelled."""
        vacuum_in = 1
        while True:
            await self._clock.sleep_wall(ROUND_WALL_S)
            vacuum_in -= 1
            try:
                await asyncio.to_thread(self.round)
                if vacuum_in <= 0:
                    await asyncio.to_thread(self.vacuum)
                    vacuum_in = round(VACUUM_WALL_S / ROUND_WALL_S)
                self._error = ""
            except (DeltaError, OSError, duckdb.Error, pa.ArrowException) as error:
                if not self._error:
                    log.warning("the history cannot be tidied now: %s", error)
                self._error = str(error)

    def round(self) -> None:
        """Expire and merge in every table; blocks."""
        for table, keep_days in self._tables:
            if keep_days:
                self._expire(table, self._clock.now_ns() - round(keep_days * 86_400 * NS))
            while group := _ripe(table.files):
                self._merge(table, group)

    def vacuum(self) -> None:
        """Delete what is no longer live; blocks."""
        for table, _ in self._tables:
            table.vacuum(VACUUM_HOURS)

    def figures(self) -> dict[str, Any]:
        """For the health of the process."""
        return {
            "files": len(self._history.points.files.path),
            "merges": self._merged,
            "expired_files": self._expired,
            "compact_error": self._error,
        }

    def _expire(self, table: Table, before_ns: int) -> None:
        files = table.files
        old = [files.path[i] for i in np.flatnonzero(files.t_high < before_ns)]
        if old:
            table.replace(old, [], changed=True)
            self._expired += len(old)
            log.info("%s: %s files are past their time", table.path.name, len(old))

    def _merge(self, table: Table, group: list[str]) -> None:
        """One sorted file out of many; queries see either the many or the one."""
        day = group[0].partition("/")[0]
        name = f"{day}/merged-{uuid4().hex}.zstd.parquet"
        rows = _sorted(table, group)
        try:
            new = _write(table.path, name, rows)
            table.replace(group, [new], changed=False)
        except BaseException:
            (table.path / name).unlink(missing_ok=True)
            raise
        self._merged += 1


def _ripe(files: Files) -> list[str] | None:
    """Files to merge: FAN of one day and size class, the smallest class first."""
    classes: dict[tuple[int, str], list[int]] = {}
    for i, (day, rows) in enumerate(zip(files.day, files.rows.tolist(), strict=True)):
        if rows < ROWS_LIMIT // 2:
            classes.setdefault((int(np.log(max(rows, 1)) / np.log(FAN)), day), []).append(i)
    for _, members in sorted(classes.items()):
        if len(members) < FAN:
            continue
        members.sort(key=lambda i: int(files.t_low[i]))
        total = np.cumsum(files.rows[members])
        fit = max(2, int(np.searchsorted(total, ROWS_LIMIT, side="right")))
        return [files.path[i] for i in members[:fit]]
    return None


def _sorted(table: Table, group: list[str]) -> pa.Table:
    """All rows of these files in the table's order; buckets that were cut in parts become whole."""
    names = [name for name in table.schema.names if name != "day"]
    schema = pa.schema([table.schema.field(name) for name in names])
    rows = pa.concat_tables(
        [pq.read_table(table.path / path, columns=names, partitioning=None) for path in group]
    )
    rows = rows.cast(schema)
    if table.schema.equals(POINTS):
        order = np.lexsort((rows["t_ns"].to_numpy(), rows["point"].to_numpy()))
        return rows.take(pa.array(order))
    if table.schema.equals(EVENTS):
        return rows.sort_by("seq")
    with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MB"}) as engine:
        engine.register("parts", rows)
        whole: pa.Table = engine.sql(_WHOLE).to_arrow_table()
        return whole.cast(schema)


_WHOLE = (
    "SELECT point, t_ns, sum(n)::BIGINT AS n, sum(m)::BIGINT AS m, min(first_ns) AS first_ns, max(last_ns) AS last_ns,"
    ' min(low) AS low, max(high) AS high, sum(total) AS total, arg_min("first", first_ns) AS "first",'
    ' arg_max("last", last_ns) AS "last", max(quality) AS quality FROM parts GROUP BY point, t_ns ORDER BY point, t_ns'
)


def _write(root: Path, name: str, rows: pa.Table) -> AddAction:
    pq.write_table(
        rows,
        root / name,
        compression="zstd",
        row_group_size=_ROW_GROUP,
        use_dictionary=["point", "value", "quality", "kind", "source", "unit"],
        column_encoding={"t_ns": "DELTA_BINARY_PACKED"},
    )
    statistics: dict[str, Any] = {
        "numRecords": rows.num_rows,
        "minValues": {},
        "maxValues": {},
        "nullCount": {},
    }
    for column in ("point", "t_ns"):
        if column in rows.column_names:
            bounds = pa.compute.min_max(rows[column]).as_py()
            statistics["minValues"][column], statistics["maxValues"][column] = bounds["min"], bounds["max"]
            statistics["nullCount"][column] = 0
    path = root / name
    stat = path.stat()
    day = name.partition("/")[0].removeprefix("day=")
    return AddAction(
        name, stat.st_size, {"day": day}, stat.st_mtime_ns // 1_000_000, False, json.dumps(statistics)
    )
