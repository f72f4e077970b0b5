"""`python -m bench.gain`: a two-shift day rehearsed by every policy with the same seeds, and what the brain gains over each.

Each run is a process of its own. Its figures are kept under bench/runs, in a file by a fingerprint of the plant and of all
modules that a rehearsal loads: what was interrupted goes on where it stopped, here or on another machine, and figures of another
version are never mixed in. With ``--ablate`` the brain also runs without each of its coordination policies.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from threading import Lock
from typing import Any

from bench import machine, sections
from zhongshu.cli.rehearsal.policies import POLICIES
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.plantfile import load_plant

ROOT = Path(__file__).parents[1]
PLANT = ROOT / "plants" / "kitchen" / "plant.yaml"
KEPT = ROOT / "bench" / "runs"
TITLE = "## What the brain gains over a day"
OURS = "brain"
#: A figure, its label, the factor to its unit on the page, decimals; higher is better where ``up``.
FIGURES = (
    ("on_time_share", "on time, %", 100.0, 1, True),
    ("weighted_tardiness", "weighted tardiness, h", 1.0, 1, False),
    ("throughput", "pieces an hour", 1.0, 1, True),
    ("pieces_short", "pieces short", 1.0, 0, False),
    ("wip_mean", "lots in the plant", 1.0, 1, False),
    ("changeovers", "change-overs", 1.0, 0, False),
    ("energy_cost", "energy, CNY", 1.0, 0, False),
    ("empty_travel_m", "empty travel, km", 0.001, 1, False),
    ("tasks_moved", "tasks moved", 1.0, 0, False),
    ("commands_unknown", "commands unknown", 1.0, 1, False),
)
#: Plays a little of a day, so that everything is loaded that a day needs, and tells the files.
LOADED = """
import sys
from pathlib import Path
from zhongshu.cli.rehearse import Asked, rehearse
rehearse(Asked(Path(sys.argv[1]), 0.1, 1, "brain", True))
print(*(m.__file__ for n, m in list(sys.modules.items()) if n.split(".")[0] == "zhongshu"), sep=chr(10))
"""
#: Student's t, two-sided 95 %, by degrees of freedom from 1 on; beyond the table the normal distribution's.
T95 = (
    (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
    + (2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)
    + (2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)
)


@dataclass(frozen=True, slots=True)
class Run:
    """One rehearsal: ``without`` names a coordination policy that is switched off, "" for none."""

    policy: str
    seed: int
    without: str = ""

    @property
    def way(self) -> str:
        """Its column in the tables."""
        return f"{self.policy} without {self.without}" if self.without else self.policy


def main() -> None:
    """Run what is missing, then write the section."""
    words = argparse.ArgumentParser(prog="python -m bench.gain")
    words.add_argument("--seeds", type=int, default=5, help="days; 20 for the long form")
    words.add_argument("--first-seed", type=int, default=101)
    words.add_argument("--hours", type=float, default=16.0, help="two shifts")
    words.add_argument("--policies", default=",".join(POLICIES))
    words.add_argument("--ablate", action="store_true", help="also without each coordination policy")
    words.add_argument("--jobs", type=int, default=2, help="rehearsals at a time")
    words.add_argument("--output", type=Path, default=sections.PAGE, help="the page to write to")
    asked = words.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    runs = [Run(policy, seed) for seed in seeds for policy in asked.policies.split(",")]
    if asked.ablate:
        runs += [Run(OURS, seed, name) for seed in seeds for name in load_plant(PLANT).policies]
    kept = KEPT / f"gain-{fingerprint()}-{asked.hours:g}h.jsonl"
    results = rehearsed(runs, kept, asked.hours, asked.jobs)
    text = section(results, asked.hours, machine.line(machine.about(), datetime.now(UTC).date()))
    sections.put(text, asked.output)
    print(text)


def fingerprint() -> str:
    """Of everything that decides what a rehearsal comes to."""
    return digest([*loaded(), *PLANT.parent.glob("*.yaml")])


def loaded() -> list[Path]:
    """The product's modules that a rehearsal by the brain needs."""
    told = subprocess.run(
        [sys.executable, "-c", LOADED, str(PLANT)], stdout=subprocess.PIPE, check=True, text=True
    )
    return [Path(line) for line in told.stdout.splitlines()[1:] if line != "None"]


def digest(files: Sequence[Path]) -> str:
    """Of names and contents, whatever folder the product lies in."""
    found = hashlib.sha256()
    for name, path in sorted((os.path.relpath(path, ROOT), path) for path in files):
        found.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:12]


def rehearsed(runs: Sequence[Run], kept: Path, hours: float, jobs: int) -> dict[Run, Mapping[str, Any]]:
    """The figures of every run, from before or from now; raises CalledProcessError where a rehearsal fails."""
    known, writing, began_s = _known(kept), Lock(), monotonic_s()

    def one(run: Run) -> Mapping[str, Any]:
        if run in known:
            return known[run]
        figures = _rehearse(run, hours)
        with writing, kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures, sort_keys=True) + "\n")
        print(
            f"{monotonic_s() - began_s:6.0f} s  {run.way}, seed {run.seed}: {figures['on_time_share']:.0%} on time, "
            f"{figures['weighted_tardiness']:.0f} h late, {figures['times_real']} times real time",
            flush=True,
        )
        return figures

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(runs, pool.map(one, runs), strict=True))


def _known(kept: Path) -> dict[Run, Mapping[str, Any]]:
    """What was rehearsed before; a last line that was cut off is taken out."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    text = kept.read_text(encoding="utf-8") if kept.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        kept.write_text(whole, encoding="utf-8")
    lines = map(json.loads, whole.splitlines())
    return {Run(one["policy"], one["seed"], ",".join(one["without"])): one for one in lines}


def _rehearse(run: Run, hours: float) -> dict[str, Any]:
    words = [sys.executable, "-m", "zhongshu.cli.main", "rehearse", str(PLANT), "--json"]
    words += ["--hours", str(hours), "--seed", str(run.seed), "--policy", run.policy]
    words += ["--without", run.without] if run.without else []
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def section(results: Mapping[Run, Mapping[str, Any]], hours: float, measured_on: str) -> str:
    """The page's section: each way's means, then the brain's difference to each, day by day."""
    seeds = sorted({run.seed for run in results})
    ways = list(dict.fromkeys(run.way for run in results if not run.without))
    lines = [TITLE, "", measured_on, "", *_about(results, len(seeds), hours), ""]
    lines += sections.table(
        ("", *ways),
        [
            (label, *(_interval(_of(results, way, name, scale), places) for way in ways))
            for name, label, scale, places, _ in FIGURES
        ],
    )
    others = [way for way in ways if way != OURS]
    if OURS in ways and others:
        lines += ["", f"### {OURS} less the other, on the same day", ""]
        lines += _differences(results, others, mine=OURS)
        lines += ["", *_verdict(results, others)]
    ablated = list(dict.fromkeys(run.way for run in results if run.without))
    if ablated:
        lines += ["", f"### {OURS} without a coordination policy, less with all of them, on the same day", ""]
        lines += _differences(results, ablated, mine="")
    return "\n".join(lines) + "\n"


def _about(results: Mapping[Run, Mapping[str, Any]], days: int, hours: float) -> list[str]:
    """What was rehearsed, in figures of the rehearsals themselves."""
    everything = list(results.values())
    orders = [int(one["orders"]) for one in everything]
    breakdowns = [int(one["breakdowns"]) for one in everything]
    speed = {way: fmean(_of(results, way, "times_real", 1.0)) for way in {r.way for r in results}}
    return [
        f"`python -m bench.gain`: {days} days of {hours:g} h from Monday 6:00, {min(orders)}–{max(orders)} orders and "
        f"{min(breakdowns)}–{max(breakdowns)} breakdowns each; all ways get the same days. Mean with its 95 % interval "
        "(Student's t over days). Orders that are not done at the end count as late, to the end at least. Differences in "
        "bold exclude zero in favour of the brain, in italics against it.",
        "",
        "Times real time, two rehearsals beside one another: "
        + ", ".join(f"{way} {times:.0f}" for way, times in sorted(speed.items()))
        + ".",
    ]


def _of(results: Mapping[Run, Mapping[str, Any]], way: str, name: str, scale: float) -> list[float]:
    """A figure of one way, day by day."""
    mine = sorted((run.seed, float(one[name]) * scale) for run, one in results.items() if run.way == way)
    return [value for _, value in mine]


def _differences(results: Mapping[Run, Mapping[str, Any]], ways: Sequence[str], mine: str) -> list[str]:
    """A row a figure, a column a way: the brain less it (``mine`` given), or it less the brain."""
    rows = []
    for name, label, scale, places, up in FIGURES:
        cells = [label]
        for way in ways:
            brain, other = _of(results, OURS, name, scale), _of(results, way, name, scale)
            gains = [a - b for a, b in zip(brain, other, strict=True)]
            cells.append(
                _difference(gains, places, up) if mine else _difference([-g for g in gains], places, not up)
            )
        rows.append(tuple(cells))
    heads = ways if mine else [way.removeprefix(f"{OURS} ") for way in ways]
    return sections.table(("", *heads), rows)


def _verdict(results: Mapping[Run, Mapping[str, Any]], others: Iterable[str]) -> list[str]:
    """In words: against which way the brain is worse on what, as far as intervals tell."""
    worse = []
    for way in others:
        for name, label, scale, _, up in FIGURES:
            brain, other = _of(results, OURS, name, scale), _of(results, way, name, scale)
            low, high = interval([a - b for a, b in zip(brain, other, strict=True)])
            if (high < 0) if up else (low > 0):
                worse.append(f"{label} ({way})")
    return [f"Worse, with an interval that excludes zero: {'; '.join(worse) or 'on nothing'}."]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean's 95 % interval; without bounds where there is one value."""
    mean = fmean(values)
    if len(values) < 2:
        return float("-inf"), float("inf")
    freedom = len(values) - 1
    t = T95[freedom - 1] if freedom <= len(T95) else 1.96
    half = t * stdev(values) / sqrt(len(values))
    return mean - half, mean + half


def _interval(values: Sequence[float], places: int) -> str:
    low, high = interval(values)
    mean = f"{fmean(values):,.{places}f}"
    return mean if len(values) < 2 else f"{mean} ({low:,.{places}f} – {high:,.{places}f})"


def _difference(values: Sequence[float], places: int, up: bool) -> str:
    low, high = interval(values)
    text = f"{fmean(values):+,.{places}f}"
    text += f" ({low:+,.{places}f} – {high:+,.{places}f})" if len(values) > 1 else ""
    better, worse = (low > 0, high < 0) if up else (high < 0, low > 0)
    return f"**{text}**" if better else f"*{text}*" if worse else text


if __name__ == "__main__":
    main()
