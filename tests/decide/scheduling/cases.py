"""Small problems in which one constraint binds, each with a twin that lacks it; and random tiny ones that mix them all.

``CASES`` are for whoever solves: the oracle knows their optimum within 14 ticks. ``WITHOUT`` has, by the same name, the
problem with the constraint taken away; its optimum is another one, or the constraint would not be tested at all.
"""

from __future__ import annotations

from dataclasses import replace

from tests.decide.scheduling.random_problems import problems
from zhongshu.decide.scheduling.problem import (
    AT_HAND,
    NEVER,
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
    Weights,
)

__all__ = ["CASES", "WITHOUT", "problems"]

CASES: dict[str, Problem] = {}
WITHOUT: dict[str, Problem] = {}

A, B, C = Unit("A"), Unit("B"), Unit("C")


def _case(name: str, problem: Problem, **without: object) -> None:
    """A case, and the same with some fields replaced."""
    CASES[name] = replace(problem, name=name)
    WITHOUT[name] = replace(problem, name=f"{name} without", **without)  # type: ignore[arg-type]


def _task(job: int, *modes: tuple[int, int] | Mode, **rest: object) -> Task:
    """Modes as (unit, duration)."""
    made = tuple(m if isinstance(m, Mode) else Mode(*m) for m in modes)
    return Task(job, made, **rest)  # type: ignore[arg-type]


def _plain(arcs: tuple[Arc, ...]) -> tuple[Arc, ...]:
    """The same orders in time and nothing else."""
    return tuple(replace(a, lag_min=0, lag_max=None, moves=False) for a in arcs)


def _one_mode(tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    return tuple(replace(t, modes=t.modes[:1]) for t in tasks)


def _alternatives() -> None:
    tasks = tuple(_task(j, (0, 2), (1, 3)) for j in range(3))
    problem = Problem((A, B), (Job(), Job(), Job()), tasks)
    _case("alternative units", problem, tasks=_one_mode(tasks))
    tasks = (
        _task(0, (0, 2), (1, 4)),
        _task(0, (0, 5), (1, 2)),
        _task(1, (0, 3), (1, 3)),
        _task(1, (0, 1), (1, 4)),
    )
    arcs = (Arc(0, 1), Arc(2, 3))
    _case("durations differ by unit", Problem((A, B), (Job(), Job()), tasks, arcs), tasks=_one_mode(tasks))


COLOURS = (((0, 1, 3), (2, 0, 1), (1, 3, 0)),)


def _setups() -> None:
    jobs = (Job(), Job(), Job())
    tasks = tuple(_task(j, (0, 2), family=f) for j, f in enumerate((0, 1, 2)))
    painter = replace(A, setups=0, family=2)
    _case("setups by colour", Problem((painter,), jobs, tasks, setups=COLOURS), setups=(((0,) * 3,) * 3,))
    tasks = tuple(_task(j, (0, 2), (1, 4), family=f) for j, f in enumerate((1, 0, 1)))
    units = (replace(A, setups=0, family=0), B)
    problem = Problem(units, jobs, tasks, setups=COLOURS, weights=Weights(makespan=1, setup=3))
    _case("setups have a price", problem, weights=Weights(makespan=1))
    tasks = (_task(0, (0, 2), family=0), _task(1, (0, 2), family=1))
    shift = replace(A, setups=0, family=0, closed=(Closed(2, 5),))
    problem = Problem((shift,), jobs[:2], tasks, setups=(((0, 2), (2, 0)),))
    _case("setups pause in closed time", problem, units=(replace(shift, closed=()),))


def _calendars() -> None:
    jobs, breaks = (Job(), Job()), (Closed(3, 5), Closed(8, 9))
    tasks = (_task(0, (0, 2)), _task(1, (0, 2)))
    _case("shift", Problem((replace(A, closed=breaks),), jobs, tasks), units=(A,))
    paused = tuple(replace(t, interruptible=True, modes=(Mode(0, 3),)) for t in tasks)
    _case("break interrupts", Problem((replace(A, closed=breaks),), jobs, paused), units=(A,))
    rigid = tuple(replace(t, interruptible=False) for t in paused)
    short = replace(A, closed=(Closed(2, 3), Closed(7, 8)))
    _case("break does not interrupt", Problem((short,), jobs, rigid), tasks=paused)
    repair = (Closed(2, 4, resumable=False),)
    _case(
        "maintenance",
        Problem((replace(A, closed=repair),), jobs, paused),
        units=(replace(A, closed=(Closed(2, 4),)),),
    )
    either = (_task(0, (0, 3), (1, 4), interruptible=True), _task(1, (0, 3), (1, 4), interruptible=True))
    _case("maintenance routed round", Problem((replace(A, closed=repair), B), jobs, either), units=(A, B))


def _modes_of_units() -> None:
    gone = replace(A, closed=(Closed(0, NEVER, resumable=False),))
    tasks = (_task(0, (0, 2), (1, 3)), _task(1, (0, 2), (1, 3)))
    _case("unit in local mode", Problem((gone, B), (Job(), Job()), tasks), units=(A, B))
    tasks = (_task(0, (0, 4)), _task(0, (0, 1), (1, 5)), _task(1, (1, 1)))
    pins = (Pin(0, 0, -2, 3, started=True),)
    problem = Problem((gone, B), (Job(), Job()), tasks, pins=pins, weights=Weights(flow=1, makespan=1))
    _case("manual unit finishes what it began", problem, units=(A, B))


def _ovens() -> None:
    jobs = tuple(Job() for _ in range(4))
    oven, weights = replace(A, capacity=2), Weights(makespan=1, flow=1)
    same = tuple(_task(j, (0, 3)) for j in range(3))
    _case("oven capacity", Problem((oven,), jobs[:3], same, weights=weights), units=(replace(A, capacity=3),))
    sized = tuple(replace(t, size=s) for t, s in zip(same, (2, 1, 1), strict=True))
    _case("oven sizes", Problem((replace(A, capacity=3),), jobs[:3], sized), units=(replace(A, capacity=4),))
    mixed = tuple(replace(t, family=f) for t, f in zip(same, (0, 1, 0), strict=True))
    hot = Problem((replace(oven, capacity=3),), jobs[:3], mixed, weights=weights)
    _case("oven families", hot, tasks=same)
    unit = replace(oven, capacity=3, setups=0, family=1)
    heat = (((0, 2), (1, 0)),)
    _case("oven temperature", replace(hot, units=(unit,), setups=heat), setups=(((0, 0), (0, 0)),))
    uneven = (_task(0, (0, 2)), _task(1, (0, 4)), _task(2, (0, 2), interruptible=True))
    shift = replace(oven, closed=(Closed(4, 6),))
    _case("oven members differ", Problem((shift,), jobs[:3], uneven, weights=weights), units=(oven,))
    chain = (_task(0, (1, 1)), _task(0, (0, 3)), _task(1, (1, 1)), _task(1, (0, 3)))
    problem = Problem((oven, B), jobs[:2], chain, (Arc(0, 1), Arc(2, 3)), weights=weights)
    _case("oven waits or not", problem, units=(replace(oven, capacity=1), B))


#: Two machines in a row; the first is held up where lots can't wait between them.
FLOW = tuple(_task(j, (u, d)) for j, pair in enumerate(((1, 4), (3, 1), (3, 1))) for u, d in enumerate(pair))


def _blocking() -> None:
    jobs = (Job(), Job(), Job())
    arcs = tuple(Arc(n, n + 1, moves=True) for n in (0, 2, 4))
    _case(
        "blocking",
        Problem((replace(A, buffer_out=0), replace(B, buffer_in=0)), jobs, FLOW, arcs),
        units=(A, B),
    )
    queue = tuple(
        _task(j, (u, d)) for j, pair in enumerate(((1, 5), (1, 1), (1, 1))) for u, d in enumerate(pair)
    )
    tight = (replace(A, buffer_out=0), replace(B, buffer_in=1))
    pins = (*(Pin(2 * j, start=j) for j in range(3)), Pin(1, start=1))
    full = Problem(
        tight, (*jobs, Job()), (*queue, _task(3, (0, 2))), arcs, pins=pins, weights=Weights(flow=1)
    )
    _case("one place before a unit", full, units=(A, B))
    lying = (_task(0, (0, 1)), _task(0, (1, 2)), _task(1, (1, 3)), _task(2, (0, 1)))
    hand = (Arc(0, 1, moves=True), Arc(AT_HAND, 2, moves=True, origin=0))
    pins = (Pin(0, start=0), Pin(2, start=3), Pin(1, start=6))
    units, travel = (replace(A, buffer_out=1), replace(B, station=1, buffer_in=0)), ((0, 1), (1, 0))
    pinned = Problem(
        units, jobs, lying, hand, travel=travel, empty=travel, pins=pins, weights=Weights(flow=1)
    )
    _case("lot at hand fills the output", pinned, units=(A, units[1]))


def _waits() -> None:
    nowait = tuple(Arc(n, n + 1, lag_max=0) for n in (0, 2, 4))
    _case("no-wait", Problem((A, B), (Job(), Job(), Job()), FLOW, nowait), arcs=_plain(nowait))
    tasks = (_task(0, (0, 2)), _task(0, (1, 3)), _task(1, (0, 1)), _task(1, (1, 3)))
    oven = replace(B, closed=(Closed(1, 5),), capacity=2)
    coat = (Arc(0, 1, lag_max=1), Arc(2, 3, lag_max=1), Arc(0, 4))
    tasks = (*(replace(t, modes=(Mode(t.modes[0].unit, 2),)) for t in tasks), _task(0, (0, 1)))
    problem = Problem((A, oven), (Job(), Job()), tasks, coat)
    _case("coated parts wait for the oven", problem, arcs=_plain(coat))
    cool = (Arc(0, 1, lag_min=2), Arc(2, 3, lag_min=1))
    _case("least wait", Problem((A, B), (Job(), Job()), tasks[:4], cool), arcs=_plain(cool))


def _vehicles() -> None:
    tasks = (_task(0, (0, 1)), _task(0, (1, 1)), _task(1, (0, 1)), _task(1, (1, 1)))
    arcs = (Arc(0, 1, moves=True), Arc(2, 3, moves=True))
    there, back = ((0, 2), (2, 0)), ((0, 1), (1, 0))
    units, jobs = (A, replace(B, station=1)), (Job(), Job())
    one = Problem(units, jobs, tasks, arcs, vehicles=(Vehicle("v"),), travel=there, empty=back)
    _case("one vehicle", one, vehicles=(Vehicle("v"), Vehicle("w")))
    _case("empty travel", replace(one, vehicles=(Vehicle("v", station=1),)), empty=((0, 0), (0, 0)))
    _case("travel takes time", replace(one, vehicles=()), travel=((0, 0), (0, 0)))
    near = tuple(replace(t, modes=(Mode(1, 1), Mode(2, 3))) if n % 2 else t for n, t in enumerate(tasks))
    problem = replace(one, units=(*units, C), tasks=near)
    far = replace(problem, units=(A, replace(B, station=1), replace(C, station=1)))
    _case("station decides the unit", problem, units=far.units)
    hand = replace(
        one,
        tasks=tasks[1::2],
        arcs=(Arc(AT_HAND, 0, moves=True, origin=0, ready=1), Arc(AT_HAND, 1, moves=True, origin=0)),
    )
    _case("lots at hand are fetched", hand, arcs=())


def _pools() -> None:
    crew = (Pool("crew", ((0, 1),)),)
    tasks = (_task(0, Mode(0, 3, ((0, 1),))), _task(1, Mode(1, 2, ((0, 1),))), _task(2, Mode(1, 1)))
    problem = Problem((A, B), (Job(), Job(), Job()), tasks, pools=crew)
    _case("one tool", problem, pools=(Pool("crew", ((0, 2),)),))
    levels = (Pool("crew", ((0, 2), (1, 1), (4, 2))),)
    _case("people come and go", replace(problem, pools=levels), pools=(Pool("crew", ((0, 2),)),))
    pause = (replace(A, closed=(Closed(1, 3),)), B)
    rests = (replace(tasks[0], interruptible=True), replace(tasks[1], interruptible=True))
    _case(
        "people rest in breaks",
        Problem(pause, (Job(), Job()), rests, pools=crew, weights=Weights(flow=1)),
        pools=(Pool("crew", ((0, 2),)),),
    )
    skilled = tuple(_task(j, Mode(0, 3), Mode(1, 2, ((0, 1),)), Mode(2, 2, ((0, 1),))) for j in range(3))
    _case(
        "skilled people",
        Problem((A, B, C), (Job(), Job(), Job()), skilled, pools=crew),
        pools=(Pool("crew", ((0, 2),)),),
    )
    baking = tuple(_task(j, Mode(0, 2, ((0, q),))) for j, q in enumerate((2, 1, 1)))
    oven = Problem((replace(A, capacity=3), B), (Job(),) * 4, (*baking, _task(3, Mode(1, 2, ((0, 1),)))))
    oven = replace(oven, pools=(Pool("kW", ((0, 2),)),), weights=Weights(makespan=1, flow=1))
    _case("a batch draws once", oven, pools=(Pool("kW", ((0, 3),)),))


def _materials() -> None:
    tasks = (
        _task(0, (0, 2), consumes=((0, 2),)),
        _task(1, (0, 1), consumes=((0, 1),)),
        _task(2, (1, 2), consumes=((0, 1),)),
    )
    steel = (Material("steel", 1, ((3, 1), (5, 2))),)
    problem = Problem((A, B), (Job(), Job(), Job()), tasks, materials=steel)
    _case("stock and arrivals", problem, materials=(Material("steel", 9),))
    parts = (
        _task(0, (0, 2), produces=((0, 2),)),
        _task(1, (1, 1), consumes=((0, 1),)),
        _task(2, (1, 2), consumes=((0, 2),)),
    )
    bom = replace(problem, tasks=parts, materials=(Material("part", 1),))
    _case("parts are made first", bom, materials=(Material("part", 9),))


def _trees() -> None:
    tasks = (_task(0, (0, 2)), _task(0, (1, 6)), _task(0, (0, 1)), _task(1, (0, 2)))
    tree = (Arc(0, 2), Arc(1, 2))
    late = Weights(makespan=1, flow=2)
    _case("assembly", Problem((A, B), (Job(), Job()), tasks, tree, weights=late), arcs=tree[:1])
    hand = (*tree, Arc(AT_HAND, 2, lag_min=2, origin=0, ready=6))
    _case("bought part arrives", Problem((A, B), (Job(), Job()), tasks, hand, weights=late), arcs=tree)


def _lots() -> None:
    tasks = (_task(0, (0, 4)), _task(0, (1, 3)), _task(1, (1, 2)))
    arcs = (Arc(0, 1, lag_min=2, overlap=1),)
    problem = Problem((A, B), (Job(), Job()), tasks, arcs, weights=Weights(flow=1))
    _case("transfer lots", problem, arcs=(Arc(0, 1),))
    last = (Arc(0, 1, lag_min=1, overlap=3),)
    _case("transfer lots end later", replace(problem, arcs=last), arcs=(Arc(0, 1, lag_min=1, overlap=0),))


def _dates() -> None:
    jobs = (Job(due=2, weight=1), Job(due=3, weight=4), Job(due=6, weight=2))
    tasks = tuple(_task(j, (0, d)) for j, d in enumerate((2, 3, 2)))
    problem = Problem((A,), jobs, tasks, weights=Weights(tardiness=1, makespan=0))
    _case("due dates and weights", problem, jobs=(jobs[0], replace(jobs[1], weight=1), jobs[2]))
    released = (replace(jobs[0], release=1), replace(jobs[1], release=4), jobs[2])
    _case("releases", replace(problem, jobs=released), jobs=jobs)


def _energy() -> None:
    tasks = (_task(0, Mode(0, 2, (), 3000)), _task(1, Mode(0, 2, (), 1000)))
    tariff, weights = ((0, 2), (3, 5), (6, 1)), Weights(makespan=1, energy=1)
    problem = Problem((A,), (Job(), Job()), tasks, prices=tariff, weights=weights)
    _case("energy has a tariff", problem, prices=((0, 2),))
    slow = (
        _task(0, Mode(0, 2, (), 4000), Mode(1, 4, (), 1500)),
        _task(1, Mode(0, 2, (), 500), interruptible=True),
    )
    shift = replace(A, closed=(Closed(3, 4),))
    _case("slow and thrifty", replace(problem, units=(shift, B), tasks=slow), weights=Weights(makespan=1))
    cap = (Pool("kW", ((0, 4), (5, 2))),)
    peak = tuple(_task(j, Mode(j, 3, ((0, p),), p)) for j, p in enumerate((2, 2, 1)))
    _case(
        "peak cap",
        Problem((A, B, C), (Job(),) * 3, peak, pools=cap, weights=Weights(makespan=1, flow=1)),
        pools=(Pool("kW", ((0, 9),)),),
    )
    baked = tuple(_task(j, Mode(0, 2, (), p)) for j, p in enumerate((3000, 1000, 2000)))
    oven = replace(problem, units=(replace(A, capacity=2),), jobs=(Job(),) * 3, tasks=baked)
    _case("oven and tariff", oven, prices=((0, 2),))


def _decisions() -> None:
    tasks = (_task(0, (0, 2), (1, 3)), _task(1, (0, 2), (1, 3)), _task(2, (0, 2), (1, 2)))
    problem = Problem((A, B), (Job(), Job(), Job()), tasks, weights=Weights(makespan=1, flow=1))
    _case("pinned start", replace(problem, pins=(Pin(0, start=1),)), pins=())
    _case("pinned unit", replace(problem, pins=(Pin(2, unit=0), Pin(1, end=7))), pins=())
    _case("started", replace(problem, pins=(Pin(0, 1, -1, 4, started=True),)), pins=())
    _case("frozen", replace(problem, frozen=((0, (2, 1)),)), frozen=())
    oven = replace(problem, units=(replace(A, capacity=2), B), frozen=((0, (0, 1)),))
    families = tuple(replace(t, family=f) for t, f in zip(tasks, (0, 1, 0), strict=True))
    _case("frozen oven", replace(oven, tasks=families), frozen=())
    before = (Before(0, 0, 4), Before(1, 1, 0), Before(2, 0, 2))
    plan = replace(problem, previous=before, moved_tolerance=1)
    _case("limited churn", replace(plan, churn=1), churn=3)
    _case(
        "stability has a price", replace(plan, weights=Weights(makespan=1, flow=1, stability=3)), previous=()
    )


for _make in (
    _alternatives, _setups, _calendars, _modes_of_units, _ovens, _blocking, _waits, _vehicles, _pools, _materials,
    _trees, _lots, _dates, _energy, _decisions,
):  # fmt: skip
    _make()
