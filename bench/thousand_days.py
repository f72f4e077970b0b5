"""`python -m bench.thousand_days`: a thousand seeded days of vehicles under traffic control; what was interrupted goes on.

Each day's figures are kept under build/fleet, by a fingerprint of traffic control, the twin's vehicles and the days, so that
days of another version are never mixed in. With ``--first`` and ``--days`` only a slice is run; the section is written of all that are there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, sections
from tests.act.fleet.days import DAYS, FIRST, day, is_calm

TITLE = "## A thousand days of twenty vehicles"
ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build/fleet"
_FLEET = ("network", "plans", "search", "traffic", "ways", "drives")
_TWIN = ("vehicle", "roads", "acceptance")
SOURCES = (
    *(f"src/zhongshu/act/fleet/{name}.py" for name in _FLEET),
    *(f"src/zhongshu/twin/{name}.py" for name in _TWIN),
    "tests/act/fleet/yard.py",
    "tests/act/fleet/days.py",
    "plants/kitchen/plant.yaml",
)


def fingerprint() -> str:
    """Of what the figures depend on."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in SOURCES)).hexdigest()[:12]


def played(seed: int, kept: Path) -> Mapping[str, Any]:
    """The figures of a day, from before or from now. A day that never ends has no tasks and says where everybody stood."""
    path = kept / f"{seed}.json"
    if not path.exists():
        yard, stood = day(seed), ""
        try:
            yard.run()
        except AssertionError as error:
            stood = str(error)
        figures = {
            "travel_s": [round(d.travel_s, 2) for d in yard.done],
            "least_s": [round(d.least_s, 2) for d in yard.done],
            "collisions": yard.collisions,
            "stood": stood,
        }
        half = path.with_suffix(f".{seed}.part")
        half.write_text(json.dumps(figures), encoding="utf-8")
        half.replace(path)
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def section(days: Mapping[int, Mapping[str, Any]], about: str) -> str:
    """The section of all days there are."""
    kinds = {"calm": [s for s in days if is_calm(s)], "with mishaps": [s for s in days if not is_calm(s)]}
    rows = [_row(name, [days[seed] for seed in seeds]) for name, seeds in kinds.items() if seeds]
    head = (
        "",
        "days",
        "tasks",
        "travel / unobstructed",
        "median day",
        "worst day",
        "collisions",
        "stood still",
    )
    lines = [
        TITLE,
        "",
        about,
        "",
        f"{len(days):,} of the seeded days from {min(days)} to {max(days)} of `tests/act/fleet/days.py` on the kitchen's roads, in virtual time against the "
        "twin's vehicles, each of which does its tasks one after the other, from a random machine to another. Calm: 20 vehicles, 3 "
        "tasks each, a fifth of them 1.1 to 1.8 times slower than the lanes allow. With mishaps: 20 to 24 vehicles, 2 tasks each, "
        "and by turns stops of 5 to 60 s, vehicles lost for 3 to 15 min, a brain that restarts, cancelled orders, all of it, and none. "
        "Travel is the time from an order's wish to its end without handling, over what the same vehicle would need on empty roads.",
        "",
        *sections.table(head, rows),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, days: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    ratios = [sum(d["travel_s"]) / sum(d["least_s"]) for d in days]
    travel, least = (sum(sum(d[key]) for d in days) for key in ("travel_s", "least_s"))
    return (
        name,
        f"{len(days):,}",
        f"{sum(len(d['travel_s']) for d in days):,}",
        f"{travel / least:.3f}",
        f"{statistics.median(ratios):.2f}",
        f"{max(ratios):.2f}",
        f"{sum(d['collisions'] for d in days):,}",
        f"{sum(bool(d['stood']) for d in days):,}",
    )


def main() -> None:
    """Run what is missing, then write the section."""
    words = argparse.ArgumentParser(prog="python -m bench.thousand_days")
    words.add_argument("--first", type=int, default=FIRST)
    words.add_argument("--days", type=int, default=DAYS)
    words.add_argument("--output", type=Path, default=sections.PAGE)
    asked = words.parse_args()
    kept = KEPT / fingerprint()
    kept.mkdir(parents=True, exist_ok=True)
    for seed in range(asked.first, asked.first + asked.days):
        played(seed, kept)
    days = {int(path.stem): played(int(path.stem), kept) for path in sorted(kept.glob("*.json"))}
    text = section(days, machine.line(machine.about(), datetime.now(UTC).date()))
    sections.put(text, asked.output)
    print(text)


if __name__ == "__main__":
    main()
