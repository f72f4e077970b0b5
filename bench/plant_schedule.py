"""`make bench-plant`: the kitchen's real day planned by dispatching rules, by zhongshu and by CP-SAT; a section of the page out.

Seeds are days that nothing was tuned on. Every schedule passes the checker before it counts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import breakdowns, machine, plant_day, sections
from bench.breakdowns import Breakdown
from bench.plant_methods import Anytime, Solved, Worth, best_rule, cp_sat, ours
from bench.plant_page import LOAD, ON_TIME, section
from zhongshu.decide.planner.desk import Desk, InForce
from zhongshu.decide.planner.mended import Plan
from zhongshu.decide.planner.quote import quote
from zhongshu.decide.planner.situation import Situation
from zhongshu.decide.planning.build import Built, Measured, build
from zhongshu.decide.planning.document import document
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.warm import warm_search
from zhongshu.decide.work import Work
from zhongshu.kernel.clock import monotonic_s, wall_clock
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant

SEEDS = tuple(range(11, 31))
#: So many days are measured: the first seeds whose day is as hard as it should be.
DAYS = 5
#: Wall seconds after which our run is looked at, and for which CP-SAT solves: it is looked at when ours ends, too.
LIMITS_S, CP_SAT_S = (2.0, 10.0), 30.0
#: Breakdowns of each day, the seconds of search after each, quotes asked for on each.
BREAKDOWNS, IMPROVE_S, QUOTES = 4, 5.0, 4
#: From 14:30 to 22:30: loads and calendars are counted in it.
DAY_S = 8 * 3600


@dataclass(frozen=True, slots=True)
class Asked:
    """How thoroughly to measure."""

    seeds: Sequence[int] = SEEDS
    days: int = DAYS
    limits_s: tuple[float, ...] = LIMITS_S
    breakdowns: int = BREAKDOWNS
    improve_s: float = IMPROVE_S
    quotes: int = QUOTES
    cp_sat_s: float = CP_SAT_S


@dataclass(frozen=True, slots=True)
class Measurement:
    """One day. ``counts``: tasks, moves and what is in force, by name; ``load``: busy share of the machines that
    ``bottleneck`` needs; ``ours``: what there was at each limit; ``cp_sat_s``: what CP-SAT had for solving; ``quotes_s``:
    wall seconds each."""

    seed: int
    counts: dict[str, int]
    bottleneck: str
    load: float
    compile_s: float
    first_s: float
    rule: Worth
    first: Worth
    ours: dict[float, Worth | None]
    cp_sat_s: float
    hinted: Solved | None
    unhinted: Solved | None
    breakdowns: list[Breakdown]
    quotes_s: list[float]


def main() -> None:
    """Measure and put the section into docs/benchmarks.md."""
    words = argparse.ArgumentParser(prog="python -m bench.plant_schedule")
    words.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="days, separated by commas")
    words.add_argument(
        "--days", type=int, default=DAYS, help="so many of them, the first that are hard enough"
    )
    words.add_argument("--limits", default="2,10", help="wall seconds, separated by commas")
    words.add_argument("--breakdowns", type=int, default=BREAKDOWNS, help="of each day")
    words.add_argument("--improve", type=float, default=IMPROVE_S, help="seconds of search after each repair")
    words.add_argument("--quotes", type=int, default=QUOTES, help="asked for on each day")
    words.add_argument(
        "--cp-sat", type=float, default=CP_SAT_S, help="seconds of solving, 0 for leaving it out"
    )
    words.add_argument("--output", type=Path, default=sections.PAGE)
    words.add_argument("--raw", type=Path, help="write every figure there as JSON, too")
    said = words.parse_args()
    asked = Asked(
        [int(seed) for seed in said.seeds.split(",")],
        said.days,
        tuple(sorted(float(limit) for limit in said.limits.split(","))),
        said.breakdowns,
        said.improve,
        said.quotes,
        said.cp_sat,
    )
    measured = measure(asked)
    if said.raw is not None:
        said.raw.write_text(json.dumps([asdict(one) for one in measured], indent=1), encoding="utf-8")
    text = written(measured)
    sections.put(text, said.output)
    print(text)


def measure(asked: Asked = Asked()) -> list[Measurement]:
    """Every day, one after the other; a line on each as it is done."""
    began_s = monotonic_s()
    warm_search()
    compile_s = monotonic_s() - began_s
    measured = []
    for seed in asked.seeds:
        if len(measured) == asked.days:
            break
        if hard_enough(seed):
            measured.append(one_day(seed, asked, compile_s))
            print(_said(measured[-1]), flush=True)
        else:
            print(f"day {seed} is easier or harder than it should be", flush=True)
    return measured


def hard_enough(seed: int) -> bool:
    """A day whose figures mean something: the bottleneck is busy, and rules leave orders late without drowning."""
    plant, _, built = _day(seed)
    load, on_time = max(plant_day.loads(plant, built, DAY_S).values()), best_rule(built.problem).on_time
    return LOAD[0] <= load <= LOAD[1] and ON_TIME[0] <= on_time <= ON_TIME[1]


def written(measured: Sequence[Measurement]) -> str:
    """The section."""
    return section(machine.line(machine.about(), datetime.now(UTC).date()), measured)


def one_day(seed: int, asked: Asked, compile_s: float = 0.0) -> Measurement:
    """Everything about one day."""
    plant, work, built = _day(seed)
    problem = built.problem
    busy = plant_day.loads(plant, built, DAY_S)
    bottleneck = max(busy, key=lambda name: busy[name])
    rule = best_rule(problem)
    run = ours(problem, asked.limits_s[-1], seed)
    hinted, unhinted = _cp_sat(problem, run, asked, seed)
    plan = breakdowns.in_force(built, asked.limits_s[-1], seed)
    return Measurement(
        seed,
        counts(plant, work, problem),
        bottleneck,
        busy[bottleneck],
        compile_s,
        run.told[0][0],
        rule,
        run.told[0][1],
        {limit: run.at(limit) for limit in asked.limits_s},
        asked.cp_sat_s,
        hinted,
        unhinted,
        breakdowns.measure(plant, plan, asked.breakdowns, asked.improve_s, seed),
        quotes(plant, work, plan, asked.quotes, seed),
    )


def _day(seed: int) -> tuple[Plant, Work, Built]:
    plant, work, now = plant_day.day(seed)
    built = build(plant, work, now, plant_day.rules(work, seed), plant_day.in_force(plant, work))
    return plant, work, built


def _cp_sat(problem: Problem, run: Anytime, asked: Asked, seed: int) -> tuple[Solved | None, Solved | None]:
    if not asked.cp_sat_s:
        return None, None
    hinted, unhinted = (cp_sat(problem, hint, asked.cp_sat_s, seed) for hint in (run.first, None))
    return hinted, unhinted


def counts(plant: Plant, work: Work, problem: Problem) -> dict[str, int]:
    """How much of each kind a plan must respect at once."""
    soon = [(c, u) for u in problem.units for c in u.closed if c.start < DAY_S]
    return {
        "operations": len(problem.tasks),
        "lots carried from machine to machine": sum(a.moves for a in problem.arcs),
        "orders": len(problem.jobs),
        "machines": len(problem.units),
        "machines with sequence-dependent set-ups": sum(u.setups >= 0 for u in problem.units),
        "breaks and nights of machines": sum(c.resumable for c, _ in soon),
        "maintenance and down times of machines": sum(not c.resumable for c, _ in soon),
        "batch ovens": sum(u.capacity > 0 for u in problem.units),
        "machines with bounded buffers": sum(
            u.buffer_in is not None or u.buffer_out is not None for u in problem.units
        ),
        "waits that may only last so long": sum(a.lag_max is not None for a in problem.arcs),
        "vehicles": len(problem.vehicles),
        "pools of people, tools and power": len(problem.pools),
        "bought materials": len(problem.materials),
        "operations that consume them": sum(bool(t.consumes) for t in problem.tasks),
        "overlapping operations": sum(a.overlap is not None for a in problem.arcs),
        "energy prices until the end": len(problem.prices),
        "operations pinned by people": sum(not p.started for p in problem.pins),
        "operations under way": sum(p.started for p in problem.pins),
        "frozen operations": sum(len(tasks) for _, tasks in problem.frozen),
        "operations of the plan in force": len(problem.previous),
        "machines in local mode": sum(not work.commandable(u.id) for u in plant.machines),
    }


def quotes(plant: Plant, work: Work, plan: Plan, count: int, seed: int) -> list[float]:
    """Wall seconds of answers to "when could this be done?", asked at the planner's desk with a plan in force."""
    rules = tuple(plant_day.rules(work, seed))
    made: dict[str, Any] = document(plant, plan.built, plan.solution, version=1) | {"course": plan.course}
    situation = Situation(plant, work, rules, Measured(), made, plan.built.origin_ns)
    wanted = [name for name in plant_day.MIX if plant.product_of[name].sellable][:count]
    with tempfile.TemporaryDirectory(prefix="zhongshu-bench-") as folder:
        desk = Desk(plant, Store(f"sqlite:///{folder}/store.db"), wall_clock())
        desk.now = InForce(situation, plan, made)
        took = []
        for name in wanted:
            began_s = monotonic_s()
            quote(desk, {"product": name, "quantity": 2 * plant.product_of[name].lot_size})
            took.append(monotonic_s() - began_s)
        desk.store.close()
    return took


def _said(one: Measurement) -> str:
    """A line on the terminal."""
    best = ", ".join(
        f"{limit:g} s {worth.objective:,.0f}" if worth else f"{limit:g} s none"
        for limit, worth in one.ours.items()
    )
    others = ", ".join(
        f"{name} {solved.told[-1][1].objective:,.0f} after {solved.told[-1][0]:.1f} s"
        if solved.told
        else f"{name} none"
        for name, solved in (("CP-SAT hinted", one.hinted), ("unhinted", one.unhinted))
        if solved is not None
    )
    repairs = ", ".join(f"{b.wall_ms:.0f}" for b in one.breakdowns)
    return (
        f"day {one.seed}: {one.counts['operations']} operations, {one.bottleneck} {one.load:.1%}, "
        f"rule {one.rule.objective:,.0f} ({one.rule.on_time:.0%} on time), first plan after {one.first_s:.2f} s, "
        f"{best}; {others}; repair {repairs} ms; quotes {', '.join(f'{s:.2f}' for s in one.quotes_s)} s"
    )


if __name__ == "__main__":
    main()
