"""One clock a plant: whoever reads the time elsewhere cannot be rehearsed, sped up or replayed."""

from __future__ import annotations

import ast

from tests.house.tree import python

THE_CLOCK = "src/zhongshu/kernel/clock.py"
READS = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}


def clock_reads(name: str, source: str) -> list[str]:
    """Every mention of a function that reads the machine's clock, under whatever name it was imported."""
    tree = ast.parse(source)
    names = _imported(tree)
    found = set()
    for node in ast.walk(tree):
        dotted = _dotted(node, names)
        if dotted in READS:
            found.add(f"{name}:{node.lineno}: {dotted} — time comes from the clock that was handed in")
    return sorted(found)


def _imported(tree: ast.AST) -> dict[str, str]:
    """Local name → what it stands for."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(node: ast.AST, names: dict[str, str]) -> str:
    """``dt.now`` → ``datetime.datetime.now``, or an empty string for anything that is not a plain path."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        left = _dotted(node.value, names)
        return f"{left}.{node.attr}" if left else ""
    return ""


def test_only_the_clock_reads_the_time() -> None:
    modules = [(name, text) for name, text in python("src/") if name != THE_CLOCK]
    assert [f for name, text in modules for f in clock_reads(name, text)] == []


def test_this_law_bites() -> None:
    assert clock_reads("a.py", "import time\nx = time.time()")
    assert clock_reads("a.py", "import time as t\nx = t.monotonic_ns()")
    assert clock_reads("a.py", "from time import time_ns as now\nx = now")
    assert clock_reads("a.py", "from datetime import datetime as dt, UTC\nx = dt.now(UTC)")
    assert clock_reads("a.py", "import datetime\nx = datetime.datetime.now()")
    assert clock_reads("a.py", "def f(time):\n    return time.time()") == []
    assert clock_reads("a.py", "import time\ntime.sleep(1)\nx = clock.now()") == []
