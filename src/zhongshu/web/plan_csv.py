"""A plan's tasks as CSV: from the plan document to a file of the browser, one line a task."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from zhongshu.web.api.export import iso

NS = 1_000_000_000
LINES_A_PIECE = 1000
HEAD = (
    "task", "order", "lot", "product", "operation", "unit", "status", "start", "end", "actual_start", "actual_end",
    "setup_s", "batch", "moved", "frozen", "pinned", "order_due", "order_late_s",
)  # fmt: skip
#: A table program takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(document: dict[str, Any]) -> Iterator[bytes]:
    """Text with a header, times in UTC; a byte order mark first, so that Excel reads it as UTF-8."""
    text = io.StringIO()
    text.write("\ufeff")
    lines = csv.writer(text)
    lines.writerow(HEAD)
    for index in range(len(document["tasks"]["id"])):
        lines.writerow([_safe(cell) for cell in _line(document, index)])
        if index % LINES_A_PIECE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _line(document: dict[str, Any], i: int) -> tuple[Any, ...]:
    tasks, origin_ns = document["tasks"], document["origin_ns"]
    order = document["orders"][tasks["order"][i]]

    def at(seconds: int | None) -> str:
        return "" if seconds is None else iso(origin_ns + seconds * NS)

    return (
        tasks["id"][i], order["id"], tasks["lot"][i], tasks["product"][i], tasks["operation"][i],
        document["units"][tasks["unit"][i]]["id"], tasks["status"][i], at(tasks["start"][i]), at(tasks["end"][i]),
        at(tasks["actual_start"][i]), at(tasks["actual_end"][i]), tasks["setup"][i], tasks["batch"][i],
        tasks["moved"][i], tasks["frozen"][i], tasks["pinned"][i], at(order["due"]), order["late_s"],
    )  # fmt: skip


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
