"""`python -m bench.fleet`: how much time vehicles lose to one another under traffic control; the twin's vehicles tell, in virtual time."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, sections
from tests.act.fleet.yard import Done, Weather, Yard, kitchen
from zhongshu.act.fleet.traffic import Limits
from zhongshu.kernel.clock import monotonic_s

TITLE = "## Vehicles under traffic control"
TASKS = 3
REAL_TIME, TEN_TIMES = (Limits(6, 3), 1.0), (Limits(8, 5), 10.0)


@dataclass(frozen=True, slots=True)
class Case:
    """What is tried: so many vehicles, what goes wrong, leave in lanes, plant seconds between measurements."""

    name: str
    vehicles: int
    weather: Weather
    limits: Limits
    lag_s: float


CASES = (
    Case("20 vehicles", 20, Weather(), *REAL_TIME),
    Case("24 vehicles", 24, Weather(), *REAL_TIME),
    Case("20, measured each 10 plant seconds", 20, Weather(), *TEN_TIMES),
    Case("20, they stop for 5 to 60 s at random", 20, Weather(pause=0.001), *REAL_TIME),
    Case("20, one is lost now and then, for 3 to 15 min", 20, Weather(lost=0.0001), *REAL_TIME),
    Case("20, the brain restarts about once a minute", 20, Weather(restart=0.017), *REAL_TIME),
    Case("20, without traffic control", 20, Weather(), *REAL_TIME),
)


@dataclass(slots=True)
class Found:
    """Of all runs of a case: the tasks, collisions, updates sent, and processor seconds a run."""

    case: Case
    done: list[Done]
    collisions: int
    updates: int
    cpu_s: list[float]

    @property
    def ratio(self) -> float:
        """Travel over unobstructed travel."""
        return sum(d.travel_s for d in self.done) / sum(d.least_s for d in self.done)


def measure(runs: int) -> list[Found]:
    """Each case with the same seeds."""
    return [_case(case, runs) for case in CASES]


def _case(case: Case, runs: int) -> Found:
    found = Found(case, [], 0, 0, [])
    for seed in range(runs):
        control = "without" not in case.name
        begun = monotonic_s()
        yard = Yard(kitchen(case.vehicles), seed, TASKS, case.weather, case.limits, case.lag_s, control)
        yard.run()
        found.cpu_s.append(monotonic_s() - begun)
        found.done += yard.done
        found.collisions += yard.collisions
        found.updates += sum(
            kind == "answer" and f["verb"] == "EXTEND_TRANSPORT" for _, kind, f in yard.events
        )
    return found


def written(found: Sequence[Found], runs: int) -> str:
    """The section."""
    rows = [
        (
            f.case.name,
            f"{len(f.done):,}",
            f"{f.ratio:.2f}",
            f"{statistics.quantiles([d.travel_s / d.least_s for d in f.done if d.least_s], n=20)[-1]:.2f}",
            f"{f.updates / len(f.done):.1f}",
            f"{f.collisions:,}",
            f"{statistics.median(f.cpu_s):.1f}",
        )
        for f in found
    ]
    head = ("", "tasks", "travel / unobstructed", "p95 of a task", "updates a task", "collisions", "s a run")
    lines = [
        TITLE,
        "",
        machine.line(machine.about(), datetime.now(UTC).date()),
        "",
        f"{runs} seeded runs each on the kitchen's roads (106 nodes, 234 lanes), in virtual time against the twin's vehicles. "
        f"Every vehicle does {TASKS} tasks one after the other, from a random machine to another; a fifth of them is 1.1 to 1.8 "
        "times slower than the lanes allow, handling takes 20 s ± 30 %. Travel is the time from an order's grant to its end without "
        "handling, unobstructed what the same vehicle would need on empty roads; all tasks ended. All vehicles are busy all the "
        "time.",
        "",
        *sections.table(head, rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    words = argparse.ArgumentParser(prog="python -m bench.fleet")
    words.add_argument("--runs", type=int, default=20)
    words.add_argument("--output", type=Path, default=sections.PAGE)
    asked = words.parse_args()
    text = written(measure(asked.runs), asked.runs)
    sections.put(text, asked.output)
    print(text)


if __name__ == "__main__":
    main()
