"""Puts freshly measured sections into docs/benchmarks.md and keeps those that were measured at another time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def put(text: str, page: Path = PAGE) -> None:
    """Renew each ``## `` section of ``text`` in the page where it stands, or add it at the end.

    What stands in ``text`` before its first section replaces what stands before the page's first; nothing there keeps it.
    """
    old = _parts(page.read_text(encoding="utf-8")) if page.exists() else {}
    new = _parts(text)
    if not new[""].strip():
        new.pop("")
    parts = {"": "", **old, **new}
    page.write_text("\n\n".join(p.strip("\n") for p in parts.values() if p.strip()) + "\n", encoding="utf-8")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of a Markdown table; all columns but the first are figures."""
    aligned = ["---"] + ["---:"] * (len(head) - 1)
    return [f"| {' | '.join(cells)} |" for cells in (head, tuple(aligned), *rows)]


def _parts(text: str) -> dict[str, str]:
    """By its heading each section, heading included; "" for what stands before the first."""
    parts, heading = {"": ""}, ""
    for line in text.splitlines(keepends=True):
        if line.startswith("## "):
            heading = line.strip()
        parts[heading] = parts.get(heading, "") + line
    return parts
