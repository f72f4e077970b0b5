"""`zhongshu query`: values of points or events as a table, CSV or Parquet, from the running historian or from its files."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from zhongshu.cli.attach import NotRunning, attach, known_plant
from zhongshu.historian.client import HistoryClient
from zhongshu.historian.query import Offline
from zhongshu.kernel.clock import NS, load_clock
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant

_UNITS_S = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
POINTS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed."""

    points: tuple[str, ...]
    last: str
    start: str
    end: str
    events: str
    unit: str
    form: str
    output: Path | None
    limit: int


async def run_query(data: Path, query: Query) -> int:
    """Answer it; 0 when there were rows."""
    if query.form == "parquet" and query.output is None:
        print("parquet needs a file: add --output FILE.parquet", file=sys.stderr)
        return 1
    _, plant_file = known_plant(data)
    directory = DataDir(data)
    plant = assign_ids(load_plant(plant_file), Store(directory.store_url))
    start_ns, end_ns = _span(query, load_clock(directory.clock_file).now_ns())
    table = await _ask(data, plant, query, start_ns, end_ns)
    _write(table, query)
    if table.num_rows >= query.limit:
        print(f"only the first {query.limit} rows; raise --limit for more", file=sys.stderr)
    return 0 if table.num_rows else 3


async def _ask(data: Path, plant: Plant, query: Query, start_ns: int, end_ns: int) -> pa.Table:
    paths = _matching(plant, query.points) if not query.events else {}
    try:
        async with attach(data) as here:
            history = HistoryClient(here.bus, plant.id)
            if query.events:
                return _dated(await history.events(query.events, start_ns, end_ns, query.unit, query.limit))
            return _named(await history.range(list(paths), start_ns, end_ns, query.limit), paths)
    except NotRunning:
        print("no brain runs; reading the files", file=sys.stderr)
    files = Offline(DataDir(data).history)
    if query.events:
        return _dated(files.events(query.events, start_ns, end_ns, query.unit, query.limit))
    return _named(files.range(list(paths), start_ns, end_ns, query.limit), paths)


def _matching(plant: Plant, patterns: tuple[str, ...]) -> dict[int, str]:
    """Ids and paths of the points that any pattern names; a path may be shortened to its last parts."""
    found = {
        p.id: p.path
        for p in plant.points
        if any(fnmatchcase(p.path, pattern) or p.path.endswith("/" + pattern) for pattern in patterns)
    }
    if not found:
        example = plant.points[0].path if plant.points else "site/area/line/unit/point"
        raise SystemExit(
            f"no point matches {' '.join(patterns) or 'nothing'}; a path looks like {example}, * matches anything"
        )
    if len(found) > POINTS_MAX:
        raise SystemExit(f"{len(found)} points match, at most {POINTS_MAX} can be read at once")
    return found


def _span(query: Query, now_ns: int) -> tuple[int, int]:
    end_ns = _instant(query.end) if query.end else now_ns
    if query.start:
        return _instant(query.start), end_ns
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)", query.last.strip())
    if not match:
        raise SystemExit(f"--last {query.last!r}: write it like 30s, 10min, 2h or 1d")
    return end_ns - round(float(match[1]) * _UNITS_S[match[2]] * NS), end_ns


def _instant(text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise SystemExit(f"{text!r} is no ISO 8601 time, such as 2026-11-23T08:00:00+08:00") from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6) * 1000


def _named(table: pa.Table, paths: dict[int, str]) -> pa.Table:
    names = pa.array([paths[i] for i in table["point"].to_pylist()], pa.string())
    quality = pc.bit_wise_and(table["quality"].cast(pa.uint8()), pa.scalar(3, pa.uint8()))
    return pa.table({"point": names, "time": _times(table), "value": table["value"], "quality": quality})


def _dated(table: pa.Table) -> pa.Table:
    columns: dict[str, Any] = {"time": _times(table)}
    return pa.table({**columns, **{name: table[name] for name in ("kind", "unit", "payload")}})


def _times(table: pa.Table) -> Any:
    return table["t_ns"].cast(pa.timestamp("ns", "UTC"))


def _write(table: pa.Table, query: Query) -> None:
    if query.form == "parquet" and query.output is not None:
        pyarrow.parquet.write_table(table, query.output)
    elif query.form == "csv":
        pyarrow.csv.write_csv(table, str(query.output) if query.output else pa.PythonFile(sys.stdout.buffer))
    else:
        text = _as_text(table)
        query.output.write_text(text, encoding="utf-8") if query.output else print(text)


def _as_text(table: pa.Table) -> str:
    names = table.column_names
    rows = [[_cell(value) for value in row.values()] for row in table.to_pylist()]
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(names)]
    lines = [names, *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value.isoformat(sep=" ") if hasattr(value, "isoformat") else str(value)
