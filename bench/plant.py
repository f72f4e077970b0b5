"""Watches a whole demo: how fast it starts, what each process costs per value, how late values are, what is missing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from zhongshu.cli.attach import NotRunning, attach
from zhongshu.kernel.bus import BusError
from zhongshu.kernel.config import ConfigError
from zhongshu.kernel.health import gather
from zhongshu.kernel.status import summary

ROOT = Path(__file__).parents[1]
HOPS = ("twin", "brain", "bus", "historian", "web")
SETTLE_S = 70.0


@dataclass(slots=True)
class Watched:
    """Everything that was seen; seconds are wall time, CPU is in core-seconds."""

    speed: float
    seconds: float = 0.0
    start_first_s: float = 0.0
    start_second_s: float = 0.0
    page_first_s: float = 0.0
    page_second_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    memory_mb: dict[str, float] = field(default_factory=dict)
    values: int = 0
    received: int = 0
    worst: dict[str, float] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    bytes_per_value: float = 0.0
    history_continued: bool = False


async def watch(folder: Path, seconds: float, speed: float) -> Watched:
    """Start the demo, watch it for so long after it has settled, stop it, start it once more, stop it."""
    seen = Watched(speed)
    process = start(folder, speed)
    try:
        seen.page_first_s, seen.start_first_s = await started(folder, process)
        await asyncio.sleep(SETTLE_S)
        await _measure(folder, seconds, seen)
    finally:
        stop(process)
    process = start(folder, speed)
    try:
        seen.page_second_s, seen.start_second_s = await started(folder, process)
        rows = (await health_of(folder))["historian"]["rows_total"]
        seen.history_continued = rows > seen.values
    finally:
        stop(process)
    return seen


def start(folder: Path, speed: float) -> subprocess.Popen[bytes]:
    """A demo of its own in ``folder``."""
    command = [
        sys.executable,
        "-m",
        "zhongshu.cli.main",
        "demo",
        "--no-story",
        "--data",
        str(folder / "data"),
    ]
    with (folder / "out.txt").open("ab") as out:
        return subprocess.Popen([*command, "--speed", str(speed)], cwd=ROOT, stdout=out, stderr=out)


def stop(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    process.wait(60)


async def started(folder: Path, process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Seconds until the page answers, and until every device is connected."""
    began, page = time.monotonic(), 0.0
    while time.monotonic() - began < 120:
        if process.poll() is not None:
            raise SystemExit((folder / "out.txt").read_text())
        page = page or (time.monotonic() - began if await _page_answers() else 0.0)
        try:
            devices = summary(await health_of(folder, 1.05))["devices"]
            if page and devices["total"] and devices["connected"] == devices["total"]:
                return page, time.monotonic() - began
        except (NotRunning, BusError, ConfigError, KeyError, OSError):  # nothing runs yet
            await asyncio.sleep(0.2)
    raise SystemExit("not every device was connected within 120 s")


def web_url() -> str:
    """Where the control room answers."""
    return f"http://127.0.0.1:{web_port()}"


def web_port() -> int:
    """As the environment says."""
    return int(os.environ.get("ZHONGSHU_PORT_WEB", "18420"))


async def _page_answers() -> bool:
    port = web_port()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        first = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in first


async def health_of(folder: Path, seconds: float = 1.3) -> dict[str, dict[str, Any]]:
    """What the demo's processes said of themselves in so many seconds."""
    async with attach(folder / "data") as here:
        return await gather(here.bus, here.plant_id, seconds)


async def _measure(folder: Path, seconds: float, seen: Watched) -> None:
    processes = _processes(folder)
    before = {name: _cpu_s(p) for name, p in processes.items()}
    health = await health_of(folder)
    rows, received = health["historian"]["rows_total"], health["brain"]["sense"]["received"]
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        health = await health_of(folder, 1.05)
        _worst(seen, summary(health))
        await asyncio.sleep(min(5.0, max(0.0, seconds - (time.monotonic() - began))))
    seen.seconds = time.monotonic() - began
    seen.cpu_s = {name: _cpu_s(p) - before[name] for name, p in processes.items()}
    seen.memory_mb = {name: p.memory_info().rss / 1e6 for name, p in processes.items()}
    seen.values = health["historian"]["rows_total"] - rows
    seen.received = health["brain"]["sense"]["received"] - received
    seen.bytes_per_value = health["historian"]["bytes_per_value"]
    seen.last = summary(health)


def _worst(seen: Watched, status: dict[str, Any]) -> None:
    """The lowest of what should be high, the highest of what should be low."""
    low = {
        "devices connected": status["devices"]["connected"],
        "points good": status["points"]["good"],
        "values a second": status["values_per_s"],
    }
    high = {
        "latency p50, ms": status["latency_ms"]["p50"],
        "latency p99, ms": status["latency_ms"]["p99"],
        "gaps": status["gaps"],
        "values lost": status["values_lost"],
        "values doubled": status["values_doubled"],
        "commands unknown": status["commands"]["unknown"],
    }
    for pick, figures in ((min, low), (max, high)):
        for name, value in figures.items():
            number = float("nan") if value is None else float(value)
            seen.worst[name] = pick(seen.worst.get(name, number), number)


def _processes(folder: Path) -> dict[str, psutil.Process]:
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if str(folder) not in words:
            continue
        for name in HOPS:
            if f"process {name} " in words or (name == "bus" and "nats-server" in words):
                found[name] = process
    missing = set(HOPS) - set(found)
    if missing:
        raise SystemExit(
            f"these processes were not found: {', '.join(sorted(missing))}; {json.dumps(sorted(found))}"
        )
    return found


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
