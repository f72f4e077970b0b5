"""Hypothesis imagines small problems with everything in them, and schedules of them that are right, nearly right, or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from zhongshu.decide.scheduling.problem import (
    AT_HAND,
    Arc,
    Before,
    Closed,
    Job,
    Material,
    Mode,
    Pin,
    Pool,
    Problem,
    Task,
    Unit,
    Vehicle,
)
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution

FAMILIES = 2
Draw = Any


def few(draw: Draw, most: int) -> int:
    return draw(st.integers(0, most))


def seldom(draw: Draw, strategy: st.SearchStrategy[Any], otherwise: Any) -> Any:
    """Most problems have little of everything, or nothing could ever be right."""
    return draw(strategy) if draw(st.integers(0, 2)) == 0 else otherwise


def _unit(draw: Draw, index: int) -> Unit:
    closed = []
    tick = few(draw, 8)
    for _ in range(draw(st.sampled_from([0, 1, 1]))):
        end = tick + draw(st.integers(1, 5))
        closed.append(Closed(tick, end, draw(st.booleans())))
        tick = end + few(draw, 12)
    places = st.integers(0, 2)
    return Unit(
        f"U{index}",
        closed=tuple(closed),
        setups=seldom(draw, st.just(0), -1),
        family=draw(st.integers(-1, FAMILIES - 1)),
        capacity=seldom(draw, st.integers(1, 3), 0),
        buffer_in=seldom(draw, places, None),
        buffer_out=seldom(draw, places, None),
        station=few(draw, 1),
        ready=seldom(draw, st.integers(-2, 6), 0),
    )


def _task(draw: Draw, job: int, units: int) -> Task:
    modes = []
    for _ in range(1 + few(draw, 1)):
        demands = seldom(draw, st.just(((0, draw(st.integers(0, 2))),)), ())
        modes.append(Mode(few(draw, units - 1), few(draw, 5), demands))
    uses = st.just(((0, draw(st.integers(1, 2))),))
    return Task(
        job,
        tuple(modes),
        family=few(draw, FAMILIES - 1),
        size=draw(st.integers(1, 2)),
        interruptible=draw(st.booleans()),
        consumes=seldom(draw, uses, ()),
        produces=seldom(draw, uses, ()),
    )


def _arcs(draw: Draw, tasks: list[Task], units: int) -> list[Arc]:
    arcs = []
    for after in range(len(tasks)):
        kind = few(draw, 3)
        lags = {"lag_min": few(draw, 3), "lag_max": seldom(draw, st.integers(3, 9), None)}
        if kind == 0:
            origin = draw(st.integers(0, units - 1))
            arcs.append(Arc(AT_HAND, after, origin=origin, ready=few(draw, 4) - 2, moves=draw(st.booleans())))
        elif after and kind == 1:
            arcs.append(Arc(few(draw, after - 1), after, overlap=few(draw, 3), **lags))
        elif after:
            arcs.append(Arc(few(draw, after - 1), after, moves=draw(st.booleans()), **lags))
    return arcs


@st.composite
def problems(draw: Draw) -> Problem:
    count = draw(st.integers(1, 3))
    units = tuple(_unit(draw, i) for i in range(count))
    tasks = [_task(draw, few(draw, 1), count) for _ in range(draw(st.integers(1, 5)))]
    pins = []
    for index, task in enumerate(tasks):
        kind = few(draw, 9)
        unit = task.modes[0].unit
        if kind == 0:
            pins.append(Pin(index, unit=unit, start=few(draw, 3) - 3, end=few(draw, 5), started=True))
        elif kind == 1:
            start = seldom(draw, st.integers(0, 20), None)
            pins.append(Pin(index, unit=seldom(draw, st.just(unit), None), start=start))
    numbers = st.integers(0, len(tasks) - 1)
    order = draw(st.lists(numbers, max_size=2, unique=True))
    steps = ((0, draw(st.integers(1, 3))), (draw(st.integers(1, 30)), draw(st.integers(0, 3))))
    ways = st.tuples(st.tuples(st.just(0), st.integers(0, 4)), st.tuples(st.integers(0, 4), st.just(0)))
    carts = tuple(
        Vehicle("cart", few(draw, 1), few(draw, 12)) for _ in range(draw(st.sampled_from([0, 1, 1])))
    )
    previous = tuple(Before(t, tasks[t].modes[0].unit, few(draw, 20)) for t in range(len(tasks)))
    return Problem(
        units,
        (Job(release=seldom(draw, st.integers(-2, 8), 0)), Job()),
        tuple(tasks),
        tuple(_arcs(draw, tasks, count)),
        setups=(tuple(tuple(few(draw, 3) for _ in range(FAMILIES)) for _ in range(FAMILIES)),),
        pools=(Pool("crew", steps),),
        materials=(Material("steel", few(draw, 4), ((few(draw, 20), few(draw, 3)),)),),
        vehicles=carts,
        travel=draw(ways),
        empty=draw(ways),
        pins=tuple(pins),
        frozen=seldom(draw, st.just(((0, tuple(order)),)), ()),
        previous=seldom(draw, st.just(previous), ()),
        moved_tolerance=few(draw, 3),
        churn=seldom(draw, st.integers(0, 3), None),
    )


def one_after_the_other(draw: Draw, problem: Problem) -> Solution:
    """Each task when the one before is done and its lots are there: plain, late, and more often right than not."""
    pins, clock = problem.pin_of, max(0, max((p.end or 0 for p in problem.pins if p.started), default=0))
    placed: list[Placed] = []
    moved: dict[int, Moved] = {}
    for index, task in enumerate(problem.tasks):
        pin = pins.get(index)
        mode = few(draw, len(task.modes) - 1) if pin is None else 0
        unit = problem.units[task.modes[mode].unit]
        batch = index if unit.capacity else -1
        if pin is not None and pin.started and pin.start is not None and pin.end is not None:
            end = max(pin.start, pin.end)
            placed.append(Placed(index, mode, pin.start, end, end, batch))
            continue
        clock = max(clock, unit.ready, problem.jobs[task.job].release) + few(draw, 3)
        for arc_index in problem.arcs_into[index]:
            arc = problem.arcs[arc_index]
            if arc.moves:
                origin = arc.origin if arc.before == AT_HAND else task_unit(problem, placed[arc.before])
                here, there = problem.units[origin].station, unit.station
                travel = problem.travel[here][there] if here != there else 0
                vehicle = few(draw, len(problem.vehicles) - 1) if here != there and problem.vehicles else -1
                clock += few(draw, 5)
                moved[arc_index] = Moved(arc_index, vehicle, clock, clock + travel)
                clock += travel
        start = clock
        duration = task.modes[mode].duration
        while any(c.start < start + max(1, duration) and c.end > start for c in unit.closed):
            start += 1
        clock = start + duration
        placed.append(Placed(index, mode, start, clock, clock, batch))
    return Solution(tuple(placed), moved)


def task_unit(problem: Problem, placed: Placed) -> int:
    return problem.tasks[placed.task].modes[placed.mode].unit


def nudged(draw: Draw, problem: Problem, solution: Solution) -> Solution:
    """One number of the schedule changed a little."""
    placed, moved = list(solution.placed), dict(solution.moved)
    by = draw(st.sampled_from([-9, -4, -2, -1, 1, 2, 5]))
    if moved and draw(st.booleans()):
        arc = draw(st.sampled_from(sorted(moved)))
        move = moved.pop(arc)
        what = few(draw, 4)
        if what < 2:
            moved[arc] = replace(move, pickup=move.pickup + by, drop=move.drop + by)
        elif what == 2:
            moved[arc] = replace(move, drop=move.drop + by)
        elif what == 3:
            moved[arc] = replace(move, vehicle=draw(st.integers(-1, len(problem.vehicles) - 1)))
        return Solution(tuple(placed), moved)
    index = few(draw, len(placed) - 1)
    one = placed[index]
    what = few(draw, 5)
    if what < 2:
        one = replace(one, start=one.start + by, end=one.end + by, left=one.left + by)
    elif what == 2:
        one = replace(one, end=one.end + by, left=one.left + by)
    elif what == 3:
        one = replace(one, left=one.left + by)
    elif what == 4:
        one = replace(one, mode=few(draw, len(problem.tasks[index].modes) - 1))
    else:
        other = placed[few(draw, len(placed) - 1)]
        one = replace(
            one, start=other.start, end=other.end, left=max(other.left, other.end), batch=other.batch
        )
    placed[index] = one
    return Solution(tuple(placed), moved)


@st.composite
def problems_and_solutions(draw: Draw) -> tuple[Problem, Solution]:
    problem = draw(problems())
    solution = one_after_the_other(draw, problem)
    for _ in range(few(draw, 3)):
        solution = nudged(draw, problem, solution)
    return problem, solution
