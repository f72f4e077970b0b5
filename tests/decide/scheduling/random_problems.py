"""Random tiny problems for hypothesis: few tasks, every constraint now and then, always valid, not always solvable."""

from __future__ import annotations

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
    Weights,
)


@st.composite
def problems(draw: st.DrawFn, tasks: int = 4) -> Problem:
    """A problem of 2 to ``tasks`` tasks whose schedules fit into some 14 ticks."""
    units = tuple(draw(_unit(n)) for n in range(draw(st.integers(1, 3))))
    jobs = tuple(draw(_job()) for _ in range(draw(st.integers(1, 3))))
    count = draw(st.integers(2, tasks))
    pools = tuple(draw(_pool()) for _ in range(draw(st.integers(0, 1))))
    materials = tuple(draw(_material()) for _ in range(draw(st.integers(0, 1))))
    made = tuple(draw(_task(len(jobs), len(units), len(pools), len(materials))) for _ in range(count))
    pins = draw(_pins(made, units))
    arcs = draw(_arcs(made, len(units)))
    vehicles = tuple(
        Vehicle(f"v{n}", draw(st.integers(0, 1)), draw(st.integers(0, 1)))
        for n in range(draw(st.integers(0, 2)))
    )
    there, back = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    prices = draw(st.sampled_from([(), ((0, 3), (2, 1)), ((0, 1), (3, 5), (5, 0))]))
    previous = draw(_previous(made, len(units)))
    return Problem(
        units, jobs, made, arcs, SETUPS, pools, materials, vehicles, ((0, there), (there, 0)), ((0, back), (back, 0)),
        prices, pins, draw(_frozen(made, pins)), previous, draw(st.integers(0, 1)),
        draw(st.sampled_from([None, None, 1])) if previous else None, draw(_weights()),
    )  # fmt: skip


SETUPS = (((0, 1), (2, 0)),)


@st.composite
def _unit(draw: st.DrawFn, number: int) -> Unit:
    closed = draw(
        st.sampled_from(
            [
                (),
                (),
                (Closed(2, 3),),
                (Closed(1, 3, False),),
                (Closed(1, 2), Closed(4, 6)),
                (Closed(2, 3), Closed(3, 4, False)),
            ]
        )
    )
    return Unit(
        f"u{number}",
        closed,
        draw(st.sampled_from([-1, -1, 0])),
        draw(st.integers(-1, 1)),
        draw(st.sampled_from([0, 0, 2])),
        draw(st.sampled_from([None, 0, 1])),
        draw(st.sampled_from([None, 0, 1])),
        draw(st.integers(0, 1)),
        draw(st.sampled_from([0, 0, 1])),
    )


@st.composite
def _job(draw: st.DrawFn) -> Job:
    release = draw(st.sampled_from([0, 0, 2]))
    return Job(release, release + draw(st.integers(0, 6)), draw(st.integers(1, 3)))


@st.composite
def _pool(draw: st.DrawFn) -> Pool:
    return Pool("pool", draw(st.sampled_from([((0, 1),), ((0, 2), (2, 1)), ((0, 1), (3, 2), (5, 1))])))


@st.composite
def _material(draw: st.DrawFn) -> Material:
    return Material("material", draw(st.integers(0, 2)), draw(st.sampled_from([((2, 4),), ((1, 1), (4, 3))])))


@st.composite
def _task(draw: st.DrawFn, jobs: int, units: int, pools: int, materials: int) -> Task:
    on = draw(st.lists(st.integers(0, units - 1), min_size=1, max_size=2))
    demands = st.sampled_from([(), ((0, 1),)]) if pools else st.just(())
    power = st.sampled_from([0, 1000, 2000])
    modes = tuple(Mode(u, draw(st.integers(0 if u else 1, 3)), draw(demands), draw(power)) for u in on)
    flows = st.sampled_from([(), (), ((0, 1),)]) if materials else st.just(())
    return Task(
        draw(st.integers(0, jobs - 1)),
        modes,
        draw(st.integers(0, 1)),
        draw(st.sampled_from([1, 1, 2])),
        draw(st.booleans()),
        draw(flows),
        draw(flows),
    )


@st.composite
def _arcs(draw: st.DrawFn, tasks: tuple[Task, ...], units: int) -> tuple[Arc, ...]:
    """Arcs from lower to higher tasks, at most two of them with lots; and lots at hand."""
    found = []
    pairs = [(a, b) for b in range(len(tasks)) for a in range(b)]
    moves = 0
    for a, b in draw(st.lists(st.sampled_from(pairs), max_size=3, unique=True)):
        kind = draw(st.sampled_from(["plain", "moves", "moves", "overlap"]))
        low = draw(st.integers(-1 if kind == "plain" else 0, 1))
        high = draw(st.sampled_from([None, None, low, low + 2]))
        if kind == "moves" and moves < 2:
            moves += 1
            found.append(Arc(a, b, max(0, low), high, moves=True))
        else:
            found.append(Arc(a, b, low, high, overlap=draw(st.integers(0, 1)) if kind == "overlap" else None))
    if draw(st.booleans()):
        after, origin = draw(st.integers(0, len(tasks) - 1)), draw(st.integers(0, units - 1))
        carried = draw(st.booleans()) and moves < 2
        if carried or any(m.unit == origin for m in tasks[after].modes):
            high = draw(st.sampled_from([None, 4]))
            found.append(Arc(AT_HAND, after, 0, high, carried, None, origin, draw(st.integers(0, 2))))
    return tuple(found)


@st.composite
def _pins(draw: st.DrawFn, tasks: tuple[Task, ...], units: tuple[Unit, ...]) -> tuple[Pin, ...]:
    kind = draw(st.sampled_from(["none", "none", "unit", "start", "started"]))
    task = draw(st.integers(0, len(tasks) - 1))
    unit = tasks[task].modes[0].unit
    if kind == "started":
        # The first task, so that nothing waits for a successor of it that has begun.
        return (Pin(task, unit, -1, draw(st.integers(0, 3)), started=True),)
    if kind == "unit":
        return (Pin(task, unit),)
    if kind == "start":
        return (Pin(task, start=draw(st.integers(0, 4))),)
    return ()


@st.composite
def _frozen(
    draw: st.DrawFn, tasks: tuple[Task, ...], pins: tuple[Pin, ...]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    if pins or draw(st.integers(0, 3)):
        return ()
    unit = tasks[0].modes[0].unit
    here = [n for n, t in enumerate(tasks) if any(m.unit == unit for m in t.modes)]
    return ((unit, tuple(draw(st.permutations(here))[: draw(st.integers(1, 2))])),)


@st.composite
def _previous(draw: st.DrawFn, tasks: tuple[Task, ...], units: int) -> tuple[Before, ...]:
    if draw(st.integers(0, 2)):
        return ()
    return tuple(
        Before(n, draw(st.integers(0, units - 1)), draw(st.integers(0, 5))) for n in range(len(tasks))
    )


@st.composite
def _weights(draw: st.DrawFn) -> Weights:
    small = st.integers(0, 2)
    return Weights(draw(small), draw(st.integers(1, 2)), draw(small), draw(small), draw(small), draw(small))
