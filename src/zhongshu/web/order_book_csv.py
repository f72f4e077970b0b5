"""Orders as CSV: a customer's or planner's table comes in line by line, the order book goes out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from zhongshu.web.order_book_import import Asked, ImportProblem

#: What a column may be called, in lower case; the first names are those that go out.
NAMES = {
    "id": ("id", "order", "order_id", "number", "工单", "工单号", "订单", "订单号"),
    "product": ("product", "product_id", "material", "item", "产品", "产品号", "物料"),
    "quantity": ("quantity", "qty", "pieces", "amount", "数量", "件数"),
    "due": ("due", "due_date", "due date", "deadline", "交期", "交货期"),
    "priority": ("priority", "prio", "优先级"),
    "release": ("release", "earliest", "earliest_start", "最早开始", "释放"),
}
NEEDED = ("id", "product", "quantity", "due")
OUT = (*NAMES, "status", "done", "scrapped", "planned_end", "late_s", "created_by")


def read_csv(text: str) -> Iterator[Asked]:
    """One Asked a line that holds something; raises ImportProblem where the table's head can't be read."""
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096].splitlines()[0] if text.strip() else "", ",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = csv.reader(io.StringIO(text), dialect, strict=False)
    try:
        head = [name.strip().lower() for name in next(rows)]
    except (StopIteration, csv.Error):
        raise ImportProblem("import.empty") from None
    columns = {field: next((head.index(n) for n in names if n in head), -1) for field, names in NAMES.items()}
    missing = [field for field in NEEDED if columns[field] < 0]
    if missing:
        raise ImportProblem("import.columns", missing=", ".join(missing), found=", ".join(head)[:200])
    yield from _lines(rows, columns)


def _lines(rows: Any, columns: dict[str, int]) -> Iterator[Asked]:
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportProblem("import.unreadable", error=f"{rows.line_num}: {error}") from error
        if any(cell.strip() for cell in row):
            cells = {f: row[at].strip() if 0 <= at < len(row) else "" for f, at in columns.items()}
            yield Asked(line=rows.line_num, **cells)


def write_csv(rows: Iterable[dict[str, Any]], timezone: str) -> Iterator[bytes]:
    """The order book, times in the plant's zone; a byte order mark first, so that Excel reads it as UTF-8."""
    yield ("\ufeff" + _line(OUT)).encode()
    for row in rows:
        yield _line(
            [
                row["id"],
                row["product"],
                row["quantity"],
                iso(row["due_ms"], timezone),
                row["priority"],
                iso(row["release_ms"], timezone),
                row["status"],
                row["done"],
                row["scrapped"],
                iso(row["end_ms"], timezone),
                row["late_s"],
                row["created_by"],
            ]
        ).encode()


def _line(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell


def iso(t_ms: int, timezone: str) -> str:
    """A time in the plant's zone; empty for none."""
    zone = ZoneInfo(timezone)
    return datetime.fromtimestamp(t_ms / 1000, zone).isoformat(timespec="seconds") if t_ms else ""
