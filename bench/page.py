"""Writes the sections of docs/benchmarks.md on the running plant from what was measured; no figure is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from bench import machine as machines
from bench.plant import HOPS, Watched
from bench.sections import table

WHAT = {
    "twin": "twin: the simulated plant and the device side of every protocol",
    "brain": "brain: connectors, sense, understand, decide, act",
    "bus": "bus: NATS JetStream with an fsync at every message, and the MQTT broker",
    "historian": "historian: tail, Delta tables, audit, queries",
    "web": "web: control room, one process",
}


def write(machine: Mapping[str, str], day: date, seen: Watched, size: Mapping[str, float]) -> str:
    """The page's beginning and these sections as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` and the scripts in `bench/`; not edited by hand.",
        "",
        "## The whole plant",
        "",
        f"{machines.line(machine, day)} This section and the next three are one run, everything on one machine at the same "
        "time.",
        "",
        f"`zhongshu demo --speed {seen.speed:g}`, watched for {seen.seconds:.0f} s after it had settled, without faults.",
        "",
        *table(("figure", "worst in that time", "at its end"), _whole(seen)),
        "",
        "## What a value costs at each hop",
        "",
        f"{seen.received:,} values were received and {seen.values:,} became queryable in that time "
        f"({seen.values / seen.seconds:,.0f} a second; the rest is within the deadbands).",
        "",
        *table(("process", "CPU, share of one core", "CPU a value, µs", "memory, MB"), _hops(seen)),
        "",
        "## Start",
        "",
        *table(("", "page answers, s", "every device connected, s"), _start(seen)),
        "",
        "## Size",
        "",
        f"{seen.bytes_per_value:.2f} bytes a value in the history's files.",
        "",
        *table(("installation", "MB on disk"), [(name, f"{mb:,.0f}") for name, mb in size.items()]),
        "",
    ]
    return "\n".join(lines)


def _whole(seen: Watched) -> list[tuple[str, ...]]:
    last = seen.last
    now = {
        "devices connected": last["devices"]["connected"],
        "points good": last["points"]["good"],
        "values a second": last["values_per_s"],
        "latency p50, ms": last["latency_ms"]["p50"],
        "latency p99, ms": last["latency_ms"]["p99"],
        "gaps": last["gaps"],
        "values lost": last["values_lost"],
        "values doubled": last["values_doubled"],
        "commands unknown": last["commands"]["unknown"],
    }
    rows = [(name, f"{seen.worst[name]:,.0f}", f"{value:,.0f}") for name, value in now.items()]
    return [*rows, ("commands proven", "", f"{last['commands']['proven']:,}")]


def _hops(seen: Watched) -> list[tuple[str, ...]]:
    rows = [
        (
            WHAT[name],
            f"{seen.cpu_s[name] / seen.seconds:.0%}",
            f"{seen.cpu_s[name] / max(1, seen.values) * 1e6:.1f}",
            f"{seen.memory_mb[name]:,.0f}",
        )
        for name in HOPS
    ]
    cpu, memory = sum(seen.cpu_s.values()), sum(seen.memory_mb.values())
    total = f"{cpu / seen.seconds:.0%}", f"{cpu / max(1, seen.values) * 1e6:.1f}", f"{memory:,.0f}"
    return [*rows, ("all together", *total)]


def _start(seen: Watched) -> list[tuple[str, ...]]:
    second = "second start, same history" + ("" if seen.history_continued else " (which was NOT continued)")
    return [
        ("first start, empty data directory", f"{seen.page_first_s:.1f}", f"{seen.start_first_s:.1f}"),
        (second, f"{seen.page_second_s:.1f}", f"{seen.start_second_s:.1f}"),
    ]
