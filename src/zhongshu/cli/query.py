"""`zhongshu query`: values of points or events as a table, CSV or Parquet, from the running historian or from its files."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from zhongshu.cli.attach import NotRunning, attach, known_plant
from zhongshu.cli.plant_time import last_alive
from zhongshu.historian.client import HistoryClient
from zhongshu.historian.query import Offline
from zhongshu.kernel.clock import NS
from zhongshu.kernel.config import DataDir
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.model.messages import KINDS
from zhongshu.model.plant import Plant

_UNITS_S = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
POINTS_MAX = 20_000
FORMS = ("table", "csv", "parquet")
#: Times in ns that an int64 holds with room to spare.
EVER_NS = 2**62
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    _require_sense(query)
    _, plant_file = known_plant(data)
    directory = DataDir(data)
    plant = assign_ids(load_plant(plant_file), Store(directory.store_url))
    if query.unit and query.unit not in plant.unit_of:
        raise SystemExit(f"{plant.id} has no unit {query.unit!r}")
    start_ns, end_ns = _span(query, last_alive(directory), plant.timezone)
    table = await _ask(data, plant, query, start_ns, end_ns)
    try:
        _write(table, query)
    except BrokenPipeError:
        raise  # whoever read our output has seen enough
    except OSError as error:
        where = query.output or "the output"
        raise SystemExit(f"{where} cannot be written: {error}; name another file with --output") from error
    if not table.num_rows:
        span = f"{_moment(start_ns)} to {_moment(end_ns)}"
        print(f"nothing from {span} (plant time); --last or --start reach further back", file=sys.stderr)
    if table.num_rows >= query.limit:
        which = "newest" if query.events else "first"
        print(f"only the {which} {query.limit} rows; raise --limit for more", file=sys.stderr)
    return 0 if table.num_rows else 3


def _require_sense(query: Query) -> None:
    """What can be told to be wrong before anything is opened; raises SystemExit."""
    if query.form not in FORMS:
        raise SystemExit(f"--format {query.form!r}: there are {', '.join(FORMS)}")
    if query.form == "parquet" and query.output is None:
        raise SystemExit("parquet needs a file: add --output FILE.parquet")
    if query.events and query.events not in KINDS:
        raise SystemExit(f"--events {query.events!r}: the kinds are {', '.join(sorted(KINDS))}")
    if query.events and query.points:
        raise SystemExit(
            "--events reads events, not points: leave the paths out, or narrow it down with --unit"
        )
    if query.unit and not query.events:
        raise SystemExit(f"--unit goes with --events; for a unit's points ask for '*/{query.unit}/*'")
    if not query.points and not query.events:
        raise SystemExit(
            "name points, such as '*/weld-01/*', or ask for events, such as --events StateChanged"
        )


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


def _span(query: Query, now_ns: int, timezone: str) -> tuple[int, int]:
    end_ns = _instant(query.end, timezone) if query.end else now_ns
    if query.start:
        start_ns = _instant(query.start, timezone)
    else:
        match = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)\s*(s|min|m|h|d)", query.last.strip(), re.ASCII)
        if not match:
            raise SystemExit(f"--last {query.last!r}: write it like 30s, 10min, 2h or 1d")
        start_ns = max(-EVER_NS, end_ns - round(float(match[1]) * _UNITS_S[match[2]] * NS))
    if start_ns > end_ns:
        raise SystemExit(
            f"the start, {_moment(start_ns)}, lies after the end, {_moment(end_ns)} (plant time)"
        )
    return start_ns, end_ns


def _instant(text: str, timezone: str) -> int:
    """ISO 8601 as ns, in the plant's zone where it names none; raises SystemExit."""
    try:
        instant = datetime.fromisoformat(text)
        aware = instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(timezone))
        since = aware - EPOCH
    except (ValueError, OverflowError) as error:
        raise SystemExit(f"{text!r} is no ISO 8601 time, such as 2026-11-23T08:00:00+08:00") from error
    return max(-EVER_NS, min(EVER_NS, since // timedelta(microseconds=1) * 1000))


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
    columns = [[_cell(name, value) for value in _plain(table[name])] for name in names]
    rows = list(zip(*columns, strict=True))
    widths = [max([len(name), *(len(row[i]) for row in rows)]) for i, name in enumerate(names)]
    lines = [names, *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _plain(column: pa.ChunkedArray) -> list[Any]:
    """Times as ns: Python's own times hold no more than microseconds."""
    return list((column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist())


def _cell(name: str, value: Any) -> str:
    if name == "time":
        return _moment(value)
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def _moment(t_ns: int) -> str:
    """UTC to the microsecond, which is enough to read."""
    return (EPOCH + timedelta(microseconds=t_ns // 1000)).isoformat(sep=" ", timespec="microseconds")
