"""The checker runs on every schedule that leaves the engine, so it has to be quick: 2,000 tasks and as many moves."""

from __future__ import annotations

import random
import time

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import (
    Arc,
    Closed,
    Job,
    Material,
    Mode,
    Pool,
    Problem,
    Task,
    Unit,
    Vehicle,
)
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution
from zhongshu.decide.scheduling.validate import problems_of

JOBS, STEPS, UNITS, WAY = 400, 6, 60, 30


def day() -> tuple[Problem, Solution]:
    """Every job goes through six groups of ten units, each lot carried by a vehicle of its own."""
    rng = random.Random(1)
    closed = tuple(Closed(day * 86_400 + 57_600, (day + 1) * 86_400) for day in range(5))
    units = tuple(
        Unit(f"U{i}", closed, setups=0, family=0, buffer_in=500, buffer_out=500, station=i)
        for i in range(UNITS)
    )
    tasks, arcs, placed, moved = [], [], [], {}
    free = [0] * UNITS
    for job in range(JOBS):
        clock = 0
        for step in range(STEPS):
            index, unit = len(tasks), 10 * step + rng.randrange(10)
            tasks.append(Task(job, (Mode(unit, 10, ((0, 1),), 3),), consumes=((0, 1),)))
            if step:
                moved[len(arcs)] = Moved(len(arcs), len(arcs), clock, clock + WAY)
                arcs.append(Arc(index - 1, index, moves=True))
                clock += WAY
            start = max(clock, free[unit])
            clock = free[unit] = start + 10
            placed.append(Placed(index, 0, start, clock, clock))
    ways = tuple(tuple(0 if a == b else WAY for b in range(UNITS)) for a in range(UNITS))
    problem = Problem(
        units,
        tuple(Job(due=100) for _ in range(JOBS)),
        tuple(tasks),
        tuple(arcs),
        setups=(((0,),),),
        pools=(Pool("crew", ((0, 500),)),),
        materials=(Material("steel", 10**6),),
        vehicles=tuple(Vehicle(f"V{i}") for i in range(len(arcs))),
        travel=ways,
        empty=tuple((0,) * UNITS for _ in range(UNITS)),
        prices=((0, 1), (100, 2)),
    )
    return problem, Solution(tuple(placed), moved)


def test_a_days_schedule_is_checked_at_once() -> None:
    """In time of this process's own, best of several: the machine may be busy with other things."""
    problem, solution = day()
    assert len(solution.placed) == 2400 and len(solution.moved) == 2000
    assert problems_of(problem) == ()
    spent_s = []
    for _ in range(5):
        began_s = time.process_time()
        assert violations(problem, solution) == ()
        spent_s.append(time.process_time() - began_s)
    assert min(spent_s) < 0.2
    assert kpis(problem, solution).moved == 0
