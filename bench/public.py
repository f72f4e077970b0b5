"""`python -m bench.public --data DIR`: public job shops in, our engine beside CP-SAT and PyJobShop, a table out.

DIR holds `.jsp` and `.fjs` files and `bounds.csv` (instance, kind, ub, family). The same seeded choice of instances goes to
every method, one after the other, with two workers each; every schedule passes the checker before it counts. With ``--write``
the section goes into docs/benchmarks.md; without ``--data`` it is made from results of this machine in ``--out``.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from bench import machine, sections
from bench.public_methods import METHODS, OURS, WORKERS
from zhongshu.decide.jobshop.solve import first_schedule, warm
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.files import read_problem
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import monotonic_s

#: Families whose numbers mix sizes or designs of very different hardness, cut where those change.
CUTS = {"ta": (30, 50, 80), "dmu": (40, 80)}
#: The instances are chosen by this, whatever seeds the methods get.
CHOICE = 2026


def main() -> None:
    """Run what was asked for, write the results as JSON and print the section."""
    words = argparse.ArgumentParser(prog="python -m bench.public")
    words.add_argument("--data", type=Path, help="without it, nothing is measured: --out is read")
    words.add_argument("--sample", type=int, default=2, help="instances of each family")
    words.add_argument("--limits", default="2,10,30", help="seconds, separated by commas")
    words.add_argument("--seeds", type=int, default=1)
    words.add_argument("--methods", default=",".join(METHODS).replace(", hinted", "+hint"))
    words.add_argument(
        "--more", action="store_true", help="add to --out; without instances that are solved there already"
    )
    words.add_argument("--families", default="", help="only these, separated by commas")
    words.add_argument("--out", type=Path, required=True)
    words.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md, too")
    words.add_argument("--output", type=Path, default=sections.PAGE, help="the page for --write")
    asked = words.parse_args()
    if asked.data is not None:
        _run(asked)
    results = json.loads(asked.out.read_text(encoding="utf-8"))
    day = datetime.fromtimestamp(asked.out.stat().st_mtime, UTC).date()
    text = section(results, machine.line(machine.about(), day))
    if asked.write:
        sections.put(text, asked.output)
    print(text)


def _run(asked: argparse.Namespace) -> None:
    """Write the results as they come, so that a run that is cut short has some."""
    limits = [float(limit) for limit in asked.limits.split(",")]
    methods = [name.replace("+hint", ", hinted") for name in asked.methods.split(",")]
    warm()
    results: list[dict[str, Any]] = json.loads(asked.out.read_text("utf-8")) if asked.more else []
    solved = {
        one["instance"] for one in results if one["method"] == OURS and one["makespan"] == one["best_known"]
    }
    for row in sample(asked.data, asked.sample):
        if asked.families and row["group"] not in asked.families.split(","):
            continue
        if row["instance"] in solved:  # nobody can be better
            continue
        results += list(measure(asked.data, row, methods, limits, asked.seeds))
        asked.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


def sample(data: Path, count: int) -> list[dict[str, str]]:
    """So many instances of each family, by a seeded choice, with their rows of bounds.csv and ``group``."""
    groups: dict[str, list[dict[str, str]]] = {}
    with (data / "bounds.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["ub"] and _file(data, row).exists():
                groups.setdefault(group_of(row), []).append(row)
    chosen = []
    for group, rows in groups.items():
        dice = random.Random(f"{CHOICE} {group}")
        picked = dice.sample(rows, min(count, len(rows)))
        chosen += [{**row, "group": group} for row in sorted(picked, key=lambda row: row["instance"])]
    return chosen


def group_of(row: Mapping[str, str]) -> str:
    """The family of an instance: flexible variants and sizes of very different hardness apart."""
    name, family = row["instance"], row["family"]
    if "_" in name:
        return name.split("_")[1]
    if family in CUTS:
        number = int(name.removeprefix(family))
        first = 1
        for last in CUTS[family]:
            if number <= last:
                return f"{family}{first:02}–{last}"
            first = last + 1
    return family


def measure(
    data: Path, row: Mapping[str, str], methods: Sequence[str], limits: Sequence[float], seeds: int
) -> Iterator[dict[str, Any]]:
    """Every method at every limit with every seed on one instance."""
    problem = read_problem(_file(data, row))
    hint = first_schedule(problem, CHOICE)
    for limit in limits:
        for seed in range(1, seeds + 1):
            for method in methods:
                began_s = monotonic_s()
                solution = METHODS[method](problem, hint, limit, seed)
                took_s = monotonic_s() - began_s
                yield {
                    "instance": row["instance"],
                    "group": row["group"],
                    "best_known": int(row["ub"]),
                    "first": _makespan(problem, hint),
                    "method": method,
                    "limit_s": limit,
                    "seed": seed,
                    "makespan": None if solution is None else _makespan(problem, solution),
                    "took_s": round(took_s, 3),
                }
                print(row["instance"], limit, seed, method, f"{took_s:.1f} s", flush=True)


def section(results: Sequence[Mapping[str, Any]], measured_on: str) -> str:
    """The results as a section of docs/benchmarks.md."""
    groups = list(dict.fromkeys(str(one["group"]) for one in results))
    limits = sorted({float(one["limit_s"]) for one in results})
    methods = list(dict.fromkeys(str(one["method"]) for one in results))
    instances = len({one["instance"] for one in results})
    seeds = len({one["seed"] for one in results})
    lines = [
        "## Public job shops",
        "",
        measured_on,
        "",
        f"{instances} instances, {seeds} seed(s), {WORKERS} workers each, one method after the other on the same machine: "
        "mean % over the best known makespan. Every schedule passed the checker. Hints are the best of our 42 dispatch "
        "schedules; where a method had no answer that schedule counts for it, and the number of such cases stands in "
        "brackets. **Bold**: nobody was better.",
        "",
    ]
    for limit in limits:
        lines += [f"### {limit:g} s", ""]
        at = [one for one in results if float(one["limit_s"]) == limit]
        left_out = instances - len({one["instance"] for one in at})
        if left_out:
            lines += [f"Without {left_out} instances for which ours had the best known makespan sooner.", ""]
        lines.append("| family | instances | " + " | ".join(methods) + " |")
        lines.append("| --- | ---: |" + " ---: |" * len(methods))
        for group in groups:
            here = [one for one in at if one["group"] == group]
            if here:
                count = len({one["instance"] for one in here})
                lines.append(f"| {group} | {count} | " + " | ".join(_cells(here, methods)) + " |")
        count = len({one["instance"] for one in at})
        lines.append(f"| all | {count} | " + " | ".join(_cells(at, methods)) + " |")
        lines.append("")
    return "\n".join(lines)


def _cells(results: Sequence[Mapping[str, Any]], methods: Sequence[str]) -> list[str]:
    means, silent = [], []
    for method in methods:
        mine = [one for one in results if one["method"] == method]
        silent.append(sum(one["makespan"] is None for one in mine))
        means.append(round(fmean(_gap(one) for one in mine), 2) if mine else float("inf"))
    cells = []
    for mean, none in zip(means, silent, strict=True):
        text = f"{mean:.2f}" if mean < float("inf") else ""
        text = f"**{text}**" if text and mean == min(means) else text
        cells.append(f"{text} ({none})" if none else text)
    return cells


def _gap(one: Mapping[str, Any]) -> float:
    reached = one["first"] if one["makespan"] is None else one["makespan"]
    return 100.0 * (reached / one["best_known"] - 1.0)


def _makespan(problem: Problem, solution: Solution) -> int:
    found = violations(problem, solution)
    if found:
        raise RuntimeError(f"{problem.name}: an invalid schedule: {found[:3]}")
    return max(place.end for place in solution.placed)


def _file(data: Path, row: Mapping[str, str]) -> Path:
    return data / f"{row['instance']}.{'jsp' if row['kind'] == 'jsp' else 'fjs'}"


if __name__ == "__main__":
    main()
