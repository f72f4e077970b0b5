"""`python -m bench.live_day`: a whole day of the demo on its real protocols, sped up, then held against the twin's own book.

With ``--trouble`` connections drop, servers restart, and brain, planner, web, historian and bus are killed in the middle of it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, sections
from bench.live_audit import Audit, audit
from bench.plant import ROOT, health_of, started, stop
from zhongshu.cli.attach import NotRunning
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.config import ConfigError
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.status import summary
from zhongshu.twin.control import ask as ask_twin

TITLE = "## A whole day over the wire"
KITCHEN = ROOT / "plants" / "kitchen"
PROCESSES = ("brain", "planner", "web", "historian", "bus")
#: Wall seconds between two looks at the orders, and until everything has come to rest at the end.
LOOK_S, SETTLE_S = 10.0, 120.0


@dataclass(slots=True)
class Day:
    """What was run; ``took_s`` wall seconds, ``hurt`` how often what went wrong; ``shown``: unknown commands at the end, as its health tells."""

    speed: float
    hours: float
    took_s: float = 0.0
    shown: int = 0
    hurt: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)

    @property
    def name(self) -> str:
        """Its row."""
        return "with trouble" if self.hurt else "undisturbed"


def plant_of(folder: Path, hours: float) -> Path:
    """The kitchen, whose customer orders for so many hours."""
    shutil.copytree(KITCHEN, folder)
    twin = folder / "twin.yaml"
    text, found = re.subn(r"(?m)^customer:\n", f"customer:\n  hours: {hours:g}\n", twin.read_text("utf-8"))
    if found != 1:
        raise SystemExit("the kitchen's twin has no customer")
    twin.write_text(text, "utf-8")
    return folder / "plant.yaml"


async def run(folder: Path, speed: float, hours: float, seed: int, trouble_s: float) -> Day:
    """Orders come for ``hours``; it ends when the last one is done. ``trouble_s``: mean wall seconds between two mishaps."""
    day, draw = Day(speed, hours), random.Random(seed)
    plant_file = plant_of(folder / "plant", hours)
    process = _start(folder, plant_file, speed, seed)
    try:
        await started(folder, process)
        begun_s = monotonic_s()
        limit_s, next_s = 3 * hours * 3600 / speed + 3600, begun_s + 60
        while monotonic_s() - begun_s < limit_s:
            await asyncio.sleep(LOOK_S)
            if process.poll() is not None:
                day.broken.append("the demo ended by itself")
                return day
            open_, total = _orders(folder)
            hour = (monotonic_s() - begun_s) * speed / 3600
            if round(monotonic_s() - begun_s) % 60 < LOOK_S:
                print(f"{hour:5.1f} h  {total - open_} of {total} orders done", flush=True)
            if hour > hours + 0.2 and total and not open_:
                break
            if trouble_s and monotonic_s() >= next_s and hour < hours:
                _hurt(folder, day, draw, plant_file)
                next_s = monotonic_s() + draw.uniform(0.5, 1.5) * trouble_s
        else:
            day.broken.append(
                f"{_orders(folder)[0]} orders were not done within {limit_s * speed / 3600:.0f} h"
            )
        day.took_s = monotonic_s() - begun_s
        await _rest(folder, day)
    finally:
        if process.poll() is None:
            stop(process)
    day.audit = audit(folder / "data", folder / "truth", load_plant(plant_file), speed)
    return day


def _start(folder: Path, plant_file: Path, speed: float, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "zhongshu.cli.main", "demo", "--no-story", "--plant", str(plant_file)]
    command += ["--data", str(folder / "data"), "--truth", str(folder / "truth")]
    command += ["--speed", str(speed), "--seed", str(seed)]
    with (folder / "out.txt").open("ab") as out:
        return subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)


def _orders(folder: Path) -> tuple[int, int]:
    """Open ones, all."""
    with sqlite3.connect(f"file:{folder / 'data' / 'store.db'}?mode=ro", uri=True, timeout=20) as store:
        rows = store.execute("select status from work_orders").fetchall()
    return sum(status not in ("done", "cancelled") for (status,) in rows), len(rows)


def _hurt(folder: Path, day: Day, draw: random.Random, plant_file: Path) -> None:
    """One mishap: a connection drops, a server restarts, a process is killed."""
    kind = draw.choice(("drop", "restart", *(f"kill {name}" for name in PROCESSES)))
    if kind in ("drop", "restart"):
        connection = draw.choice(load_plant(plant_file).connections).id
        value = draw.uniform(2, 10) if kind == "drop" else None
        ask_twin(folder / "data", {"op": "fault", "kind": kind, "target": connection, "value": value})
    else:
        process = _pid(folder, kind.removeprefix("kill "))
        if not process:
            return  # it is just being started anew
        os.kill(process, signal.SIGKILL)
    day.hurt[kind] += 1


def _pid(folder: Path, name: str) -> int:
    """Of a process of this demo; 0 where there is none now."""
    mark = "nats-server" if name == "bus" else f"process {name}"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if mark in words and str(folder / "data") in words:
            return int(path.parent.name)
    return 0


async def _rest(folder: Path, day: Day) -> None:
    """Until every command has its proof; what stays unknown is counted, and has to be shown."""
    until_s = monotonic_s() + SETTLE_S
    while monotonic_s() < until_s:
        try:
            shown = summary(await health_of(folder))["commands"]
        except (NotRunning, BusError, ConfigError, KeyError, OSError):
            await asyncio.sleep(1)
            continue
        day.shown = int(shown["unknown"] or 0)
        if not day.shown:
            break
        await asyncio.sleep(5)
    await asyncio.sleep(10)


def section(days: Sequence[Day], measured_on: str) -> str:
    """The section as Markdown."""
    rows = [
        ("orders", [f"{d.audit.orders}" for d in days]),
        ("of those done", [f"{d.audit.orders_done}" for d in days]),
        ("pieces in the warehouse", [f"{d.audit.pieces:,}" for d in days]),
        ("most open tasks in a plan", [f"{d.audit.tasks:,}" for d in days]),
        ("plans put in force", [f"{d.audit.plans:,}" for d in days]),
        ("jobs of machines, as the twin wrote them down", [f"{d.audit.jobs:,}" for d in days]),
        ("transports", [f"{d.audit.transports:,}" for d in days]),
        ("breakdowns", [f"{d.audit.breakdowns}" for d in days]),
        ("commands proven", [f"{d.audit.commands['proven']:,}" for d in days]),
        *(
            (f"commands {status}", [f"{d.audit.commands[status]:,}" for d in days])
            for status in ("refused", "expired", "failed", "unknown")
        ),
        ("unknown commands that the page shows", [f"{d.shown}" for d in days]),
        ("done by hand", [f"{d.audit.by_hand}" for d in days]),
        ("end of a job, plant seconds off the twin's (median; most)", [_apart(d.audit) for d in days]),
        ("mishaps", [f"{sum(d.hurt.values())}" for d in days]),
        ("**what did not hold**", [f"**{len(d.audit.wrong) + len(d.broken)}**" for d in days]),
    ]
    wrong = [f"- {day.name}: {text}" for day in days for text in (*day.broken, *day.audit.wrong)]
    hurt = sum((day.hurt for day in days), Counter[str]())
    first = days[0]
    return "\n".join(
        [
            TITLE,
            "",
            measured_on,
            "",
            f"`python -m bench.live_day`: the demo of 284 devices on their real protocols, {first.speed:g} times as fast as life; orders "
            f"come for {first.hours:g} h, and the day ends with the last one. Afterwards store and history are held against the twin's "
            "own book: every order done and every piece in the warehouse; no unit with two jobs, no vehicle with two transports, no lot "
            "with two vehicles; no operation done twice; of every job the end, the counts and the time; every command at its end.",
            "",
            *sections.table(("", *(day.name for day in days)), [(name, *cells) for name, cells in rows]),
            "",
            *(
                [f"Mishaps: {', '.join(f'{kind} {count}' for kind, count in sorted(hurt.items()))}.", ""]
                if hurt
                else []
            ),
            *(["What did not hold:", "", *wrong[:20], ""] if wrong else []),
        ]
    )


def _apart(found: Audit) -> str:
    apart = sorted(found.apart_s)
    return f"{apart[len(apart) // 2]:.1f}; {apart[-1]:.1f}" if apart else "—"


def main() -> None:
    """Run an undisturbed day, one with trouble, or both; write the section."""
    words = argparse.ArgumentParser(prog="python -m bench.live_day")
    words.add_argument("--speed", type=float, default=20.0)
    words.add_argument("--hours", type=float, default=16.0, help="plant hours in which orders come")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument(
        "--trouble", default="0,60", help="mean wall seconds between two mishaps, day by day; 0: none"
    )
    words.add_argument("--keep", type=Path, help="leave data and truth here")
    words.add_argument("--output", type=Path, default=sections.PAGE)
    asked = words.parse_args()
    days = []
    for trouble_s in map(float, asked.trouble.split(",")):
        with tempfile.TemporaryDirectory(prefix="zhongshu-bench-") as made:
            folder = Path(made) if asked.keep is None else asked.keep / f"trouble-{trouble_s:g}"
            folder.mkdir(parents=True, exist_ok=True)
            days.append(asyncio.run(run(folder, asked.speed, asked.hours, asked.seed, trouble_s)))
    text = section(days, machine.line(machine.about(), datetime.now(UTC).date()))
    sections.put(text, asked.output)
    print(text)


if __name__ == "__main__":
    main()
