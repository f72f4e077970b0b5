"""`zhongshu status`: asks the running processes over the bus and prints what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from zhongshu.cli.attach import attach
from zhongshu.kernel.health import gather
from zhongshu.kernel.status import summary

LISTEN_WALL_S = 2.2


async def show_status(data: Path, as_json: bool) -> int:
    """Print; 0 when every process answered, 2 when some are silent."""
    async with attach(data) as here:
        figures = summary(await gather(here.bus, here.plant_id, LISTEN_WALL_S))
    print(json.dumps(figures, indent=2) if as_json else _text(figures))
    return 2 if figures["silent"] else 0


def _text(figures: dict[str, Any]) -> str:
    devices, points, latency, commands = (figures[k] for k in ("devices", "points", "latency_ms", "commands"))
    rows = [
        ("devices", f"{_n(devices['connected'])} of {_n(devices['total'])} connected"),
        ("points", f"{_n(points['good'])} of {_n(points['total'])} good"),
        ("values", f"{_n(figures['values_per_s'])}/s"),
        ("latency", f"p50 {_n(latency['p50'])} ms, p99 {_n(latency['p99'])} ms"),
        ("gaps", _n(figures["gaps"])),
        ("lost", f"{_n(figures['values_lost'])}, doubled {_n(figures['values_doubled'])}"),
        ("commands", ", ".join(f"{_n(v)} {k}" for k, v in commands.items())),
    ]
    if figures["orders"]:
        rows.append(("orders", ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in figures["orders"].items())))
    if reaction := _reaction(figures.get("reaction")):
        rows.append(("reaction", reaction))
    if figures["silent"]:
        rows.append(("silent", ", ".join(figures["silent"]) + " (see the logs in the data directory)"))
    return "\n".join(f"{name:<9} {text}" for name, text in rows)


def _reaction(reaction: dict[str, Any] | None) -> str:
    """Wall seconds from a breakdown's state word, median; empty where there was none yet."""
    if not reaction or not reaction["decisions"]:
        return ""
    since = reaction["since_measured_ms"]
    told = (("in_force", "new plan"), ("taken", "dispatch"), ("sent", "first command"), ("proven", "proven"))
    parts = [f"{name} {since[hop]['p50'] / 1000:.1f} s" for hop, name in told if since[hop]["n"]]
    return f"breakdown to {', '.join(parts)} (median of {reaction['decisions']})"


def _n(value: float | None) -> str:
    """A figure for people; a dash where nobody said it."""
    if value is None:
        return "–"
    return f"{value:,.0f}".replace(",", " ") if value >= 10 or value == int(value) else f"{value:.1f}"
