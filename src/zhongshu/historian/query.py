"""Questions to the history: DuckDB over the live Delta files, united with the rows in memory that no file holds yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa

from zhongshu.historian.rollup import Fast, Level, levels
from zhongshu.historian.tables import EVENTS, POINTS, Files, Table
from zhongshu.historian.tail import Tail, View
from zhongshu.model.batch import Int32s

RANGE_LIMIT = 1_000_000
BUCKETS_LIMIT = 20_000
EVENTS_LIMIT = 100_000
MEMORY_LIMIT = "512MB"
#: Up to so many ids are written into the text of a query; more go in as a table.
_LISTED = 200
_EVER = 2**62


class QueryError(ValueError):
    """A question that cannot be answered as it was asked; the text says what to change."""


class Newest(Protocol):
    """Events that no file holds yet."""

    def after(self, seq: int) -> pa.Table:
        """Rows (schema EVENTS) of messages with a higher sequence."""


class History:
    """Everything that is queryable. Times are plant time in ns, both ends included. Safe to use from several threads.

    All answers are Arrow tables. Point ids are int32, ``quality`` as in ``model.batch``.
    """

    def __init__(
        self,
        directory: Path,
        *,
        tail: Tail | None = None,
        events: Newest | None = None,
        temporary: Path | None = None,
    ) -> None:
        self.points = Table(directory / "points", POINTS)
        self.event_table = Table(directory / "events", EVENTS)
        self.levels: tuple[Level, ...] = levels(directory)
        self.fast = Fast(directory / "rollup_1s" / "points.json")
        self._tail, self._newest = tail, events
        self._base = duckdb.connect(":memory:")
        for setting in (
            "threads=1",
            f"memory_limit='{MEMORY_LIMIT}'",
            f"temp_directory='{temporary or directory / 'tmp'}'",
            "enable_external_file_cache=false",
            "parquet_metadata_cache=true",
            "autoinstall_known_extensions=false",
        ):
            self._base.execute(f"SET {setting}")

    def range(self, points: Sequence[int], start_ns: int, end_ns: int, limit: int = 100_000) -> pa.Table:
        """Rows point, t_ns, value, quality ordered by time then point, the first ``limit`` of them."""
        _check(start_ns, end_ns)
        _bound("limit", limit, RANGE_LIMIT)
        ids = _ids(points)
        rows = self._rows(ids, start_ns, end_ns)
        return self._run(f"SELECT * FROM ({rows.sql}) ORDER BY t_ns, point LIMIT {int(limit)}", rows.tables)

    def trend(self, points: Sequence[int], start_ns: int, end_ns: int, buckets: int = 1000) -> pa.Table:
        """About ``buckets`` equal intervals: point, t_ns (start of the interval), n, low, high, first, last, mean, quality.

        ``quality`` is the worst in the interval; ``low``, ``high`` and ``mean`` are null where it holds no finite value.
        Intervals without samples have no row. Their width is in the table's metadata as ``width_ns``.
        """
        _check(start_ns, end_ns)
        _bound("buckets", buckets, BUCKETS_LIMIT)
        ids = _ids(points)
        span = end_ns - start_ns + 1
        width = max(1, -(-span // buckets))
        level = next((lv for lv in reversed(self.levels) if self._usable(lv, ids, start_ns, width)), None)
        if level is None:
            rows = self._rows(ids, start_ns, end_ns)
            inner, tables, origin = _from_rows(rows.sql), rows.tables, start_ns
        else:
            width = -(-width // level.width_ns) * level.width_ns
            origin = start_ns // level.width_ns * level.width_ns
            inner, tables = self._coarse(level, ids, start_ns, end_ns)
        answer = self._run(_merged(inner, origin, width), tables)
        return answer.replace_schema_metadata({"width_ns": str(width), "origin_ns": str(origin)})

    def latest(self, points: Sequence[int] | None = None) -> pa.Table:
        """The newest row of each point that has one: point, t_ns, value, quality."""
        wanted = None if points is None else _ids(points)
        view, files = self._now()
        parts = [_newest(view.take(wanted, -_EVER, _EVER))]
        last_ns = int(files.t_high.max()) if len(files.path) else -_EVER
        left = None if wanted is None else _not_final(wanted, parts[0], last_ns)
        for paths, newest_ns in _newest_first(files, left):
            if left is not None and len(left) == 0:
                break
            sql = _scan(
                self.points.path, paths, ("point", "t_ns", "value", "quality"), _where(left, -_EVER, _EVER)
            )
            found = self._run(
                f"SELECT point, max(t_ns) t_ns, arg_max(value, t_ns) AS value, arg_max(quality, t_ns) quality FROM ({sql}) GROUP BY point",
                _given(left),
            )
            parts.append(found)
            left = None if left is None else _not_final(left, found, newest_ns)
        return _newest(
            pa.concat_tables(
                [part.select(["point", "t_ns", "value", "quality"]).cast(_ROWS) for part in parts]
            )
        )

    def events(
        self, kind: str = "", start_ns: int = -_EVER, end_ns: int = _EVER, unit: str = "", limit: int = 1000
    ) -> pa.Table:
        """Events seq, t_ns, kind, source, unit, payload (JSON), newest first; empty ``kind`` and ``unit`` mean all."""
        _check(start_ns, end_ns)
        _bound("limit", limit, EVENTS_LIMIT)
        newest = self._newest
        recent = (
            newest.after(-1) if newest else EVENTS.empty_table()
        )  # before the files, so that none falls between
        files = self.event_table.files
        recent = recent.filter(pa.compute.greater(recent["seq"], files.seq))
        names = ("seq", "t_ns", "kind", "source", "unit", "payload")
        sql = _scan(self.event_table.path, files.between(start_ns, end_ns), names, "TRUE")
        query = (
            f"SELECT * FROM ({sql} UNION ALL BY NAME SELECT {', '.join(names)} FROM recent) WHERE t_ns BETWEEN $1 AND $2"
            f" AND ($3 = '' OR kind = $3) AND ($4 = '' OR unit = $4) ORDER BY t_ns DESC, seq DESC LIMIT {int(limit)}"
        )
        return self._run(query, {"recent": recent}, [start_ns, end_ns, kind, unit])

    def count(self, points: Sequence[int] | None = None, start_ns: int = -_EVER, end_ns: int = _EVER) -> int:
        """How many rows there are."""
        _check(start_ns, end_ns)
        rows = self._rows(None if points is None else _ids(points), start_ns, end_ns)
        return int(self._run(f"SELECT count(*) AS n FROM ({rows.sql})", rows.tables)["n"][0].as_py())

    def rows(self, points: Int32s | None, start_ns: int, end_ns: int) -> pa.Table:
        """All rows in no order and without a limit, for the auditor."""
        rows = self._rows(points, start_ns, end_ns)
        return self._run(rows.sql, rows.tables)

    def close(self) -> None:
        """Let go of DuckDB."""
        self._base.close()

    def _usable(self, level: Level, ids: Int32s, start_ns: int, width_ns: int) -> bool:
        """A level may answer if its buckets are fine enough and hold everything that the files of rows hold."""
        if level.width_ns > width_ns:
            return False
        if level is self.levels[0] and not self.fast.covers(ids, start_ns):
            return False
        # Without a tail (nothing runs) a level that lags behind would hide the newest rows.
        return self._tail is not None or level.table.seq >= self.points.seq

    def _coarse(
        self, level: Level, ids: Int32s, start_ns: int, end_ns: int
    ) -> tuple[str, dict[str, pa.Table]]:
        """Whole buckets from the level, its edges and the newest rows from the rows themselves."""
        w = level.width_ns
        first, beyond = -(-start_ns // w) * w, (end_ns + 1) // w * w
        if first >= beyond:
            rows = self._rows(ids, start_ns, end_ns)
            return _from_rows(rows.sql), rows.tables
        view = self._view()
        files = level.table.files
        recent = view.after(files.seq).take(ids, first, beyond - 1)
        paths = files.between(first, beyond - 1, int(ids.min()), int(ids.max()))
        pieces = [
            _scan(level.table.path, paths, _PARTS, _where(ids, first, beyond - 1)),
            _from_rows("SELECT point, t_ns, value, quality FROM recent"),
        ]
        tables = {"recent": recent, **_given(ids)}
        for name, low, high in (("head", start_ns, first - 1), ("foot", beyond, end_ns)):
            if low <= high:
                edge = self._rows(ids, low, high, name)
                pieces.append(_from_rows(edge.sql))
                tables |= edge.tables
        return " UNION ALL BY NAME ".join(pieces), tables

    def _view(self) -> View:
        return (self._tail or _EMPTY).view()

    def _now(self) -> tuple[View, Files]:
        """Rows in memory and files that together hold each row once; the view is taken first, so none falls between."""
        view = self._view()
        files = self.points.files
        return view.after(files.seq), files

    def _rows(self, ids: Int32s | None, start_ns: int, end_ns: int, name: str = "tail") -> _Rows:
        view, files = self._now()
        low, high = (None, None) if ids is None else (int(ids.min()), int(ids.max()))
        paths = files.between(start_ns, end_ns, low, high)
        sql = _scan(
            self.points.path, paths, ("point", "t_ns", "value", "quality"), _where(ids, start_ns, end_ns)
        )
        tail = view.take(ids, start_ns, end_ns)
        return _Rows(f"{sql} UNION ALL BY NAME SELECT * FROM {name}", {name: tail, **_given(ids)})

    def _run(self, sql: str, tables: dict[str, pa.Table], values: list[Any] | None = None) -> pa.Table:
        cursor = self._base.cursor()
        try:
            for name, table in tables.items():
                cursor.register(name, table)
            return cursor.sql(sql, params=values).to_arrow_table()
        except duckdb.Error as error:
            raise QueryError(f"the history cannot answer: {error}") from error
        finally:
            cursor.close()


class Offline(History):
    """The history as files alone, for when nothing runs."""

    def __init__(self, directory: Path) -> None:
        if not (directory / "points" / "_delta_log").is_dir():
            raise QueryError(f"{directory} holds no history")
        super().__init__(directory)


class _Rows:
    """A piece of SQL and the tables it names."""

    def __init__(self, sql: str, tables: dict[str, pa.Table]) -> None:
        self.sql, self.tables = sql, tables


_EMPTY = Tail()
_ROWS = pa.schema(
    [("point", pa.int32()), ("t_ns", pa.int64()), ("value", pa.float64()), ("quality", pa.int8())]
)
_PARTS = (
    "point",
    "t_ns",
    "n",
    "m",
    "first_ns",
    "last_ns",
    "low",
    "high",
    "total",
    "first",
    "last",
    "quality",
)
_TYPES = {
    "point": "INTEGER",
    "quality": "TINYINT",
    "t_ns": "BIGINT",
    "seq": "BIGINT",
    "n": "BIGINT",
    "m": "BIGINT",
} | dict.fromkeys(("first_ns", "last_ns"), "BIGINT")
_TEXTS = ("kind", "source", "unit", "payload")


def _scan(root: Path, paths: Sequence[str], columns: Iterable[str], where: str) -> str:
    """SELECT over files; of no files, the same columns without a row."""
    if paths:
        listed = ", ".join("'" + str(root / path).replace("'", "''") + "'" for path in paths)
        names = ", ".join(f'"{name}"' for name in columns)
        return f"SELECT {names} FROM read_parquet([{listed}], hive_partitioning=false) WHERE {where}"
    kinds = {name: "VARCHAR" if name in _TEXTS else _TYPES.get(name, "DOUBLE") for name in columns}
    return "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in kinds.items()) + " WHERE FALSE"


def _where(ids: Int32s | None, start_ns: int, end_ns: int) -> str:
    when = f"t_ns BETWEEN {start_ns} AND {end_ns}"
    if ids is None:
        return when
    if len(ids) == 1:
        return f"point = {ids[0]} AND {when}"
    if len(ids) <= _LISTED:
        return f"point IN ({', '.join(map(str, ids.tolist()))}) AND {when}"
    return f"point IN (SELECT id FROM given) AND {when}"


def _given(ids: Int32s | None) -> dict[str, pa.Table]:
    return {"given": pa.table({"id": ids})} if ids is not None and len(ids) > _LISTED else {}


def _from_rows(sql: str) -> str:
    """Rows as parts of buckets, each by itself."""
    return (
        "SELECT point, t_ns, 1 AS n, isfinite(value)::BIGINT AS m, t_ns AS first_ns, t_ns AS last_ns,"
        " CASE WHEN isfinite(value) THEN value END AS low, CASE WHEN isfinite(value) THEN value END AS high,"
        " CASE WHEN isfinite(value) THEN value ELSE 0 END AS total,"
        f' value AS "first", value AS "last", (quality & 3)::TINYINT AS quality FROM ({sql})'
    )


def _merged(parts: str, origin: int, width: int) -> str:
    return (
        f"SELECT point, {origin} + (t_ns - {origin}) // {width} * {width} AS t_ns, sum(n)::BIGINT AS n, min(low) AS low,"
        ' max(high) AS high, arg_min("first", first_ns) AS "first", arg_max("last", last_ns) AS "last",'
        " CASE WHEN sum(m) > 0 THEN sum(total) / sum(m) END AS mean, max(quality) AS quality"
        f" FROM ({parts}) GROUP BY 1, 2 ORDER BY 1, 2"
    )


def _newest(rows: pa.Table) -> pa.Table:
    """Of each point the row with the highest time, the later one where they are equal."""
    point, t_ns = rows["point"].to_numpy(), rows["t_ns"].to_numpy()
    order = np.lexsort((t_ns, point))
    last = np.append(point[order][1:] != point[order][:-1], True) if len(order) else np.empty(0, np.bool_)
    return rows.take(pa.array(order[last])).cast(_ROWS)


def _newest_first(files: Files, ids: Int32s | None) -> Iterable[tuple[list[str], int]]:
    """Groups of files from the newest day back, each with the highest time of all groups after it."""
    order = np.argsort(-files.t_high, kind="stable")
    if ids is not None and len(ids):
        order = order[(files.point_low[order] <= ids.max()) & (files.point_high[order] >= ids.min())]
    size = 8
    for start in range(0, len(order), size):
        rest = order[start + size :]
        newest_ns = int(files.t_high[rest].max()) if len(rest) else -_EVER
        yield [files.path[i] for i in order[start : start + size]], newest_ns


def _not_final(left: Int32s, found: pa.Table, newest_ns: int) -> Int32s:
    """A point is found for good once no further file can hold anything newer."""
    sure = found["t_ns"].to_numpy() >= newest_ns
    return np.setdiff1d(left, found["point"].to_numpy()[sure])


def _ids(points: Sequence[int]) -> Int32s:
    try:
        ids = np.unique(np.asarray(points, np.int64))
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryError("points must be a list of point ids") from error
    if len(ids) == 0:
        raise QueryError("name at least one point")
    if ids.min() < 0 or ids.max() >= 2**31:
        raise QueryError("a point id is between 0 and 2147483647")
    return ids.astype(np.int32)


def _check(start_ns: int, end_ns: int) -> None:
    if not all(isinstance(t_ns, int) for t_ns in (start_ns, end_ns)):
        raise QueryError("start and end are times in ns")
    if end_ns < start_ns:
        raise QueryError("the end lies before the start")


def _bound(name: str, value: int, limit: int) -> None:
    if not 0 < value <= limit:
        raise QueryError(f"{name} must be between 1 and {limit}")
