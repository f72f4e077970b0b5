"""A scheduling problem in plain integers: made from files or from a plant's measured state, read by checker and engines.

Time counts in ticks (a plant's tick is one second) from 0, the moment the plan is made. Indexes count from 0 everywhere.
Words follow Pinedo, *Scheduling*; RCPSP/max (Bartusch et al. 1988) for time lags; Hall & Sriskandarajah 1996 for blocking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

#: Later than anything.
NEVER = 2**40
#: In ``Arc.before``: the material lies somewhere already, nothing in this problem has to make it.
AT_HAND = -1


@dataclass(frozen=True, slots=True)
class Closed:
    """A unit does not work in [start, end). ``resumable``: interruptible work may pause over it (a break, a night);
    otherwise (maintenance) nothing may begin before it and end after it."""

    start: int
    end: int
    resumable: bool = True


@dataclass(frozen=True, slots=True)
class Unit:
    """A machine, oven or station that works on one task, or on one batch, at a time.

    ``closed``: sorted, disjoint. ``setups``: index of the set-up matrix in the problem, -1 for none; ``family`` what it is
    set up for at 0, -1 for unknown (the first set-up then costs nothing). ``capacity`` > 0 makes it a batch unit: tasks of
    one family whose sizes add up to at most that start and end together. ``buffer_in``/``buffer_out``: lots that may
    wait before and behind it, None for unlimited. ``station``: where vehicles reach it. ``ready``: not before.
    """

    name: str
    closed: tuple[Closed, ...] = ()
    setups: int = -1
    family: int = -1
    capacity: int = 0
    buffer_in: int | None = None
    buffer_out: int | None = None
    station: int = 0
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """Something renewable that several tasks share: tools, skilled people, electric power.

    ``levels``: (from tick, how much there is), the first from 0, sorted; the last holds for ever.
    """

    name: str
    levels: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Material:
    """Something consumed: ``stock`` at 0 and ``arrivals`` (tick, quantity), sorted."""

    name: str
    stock: int
    arrivals: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Carries one lot at a time; free from ``ready`` at ``station``."""

    name: str
    station: int = 0
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to do a task: on which unit and for how many ticks of open time.

    ``demands``: (pool, amount) while the task is worked on (not while closed time interrupts it). ``power``: what the
    task draws meanwhile, in kW, for the energy price; a peak cap is a pool.
    """

    unit: int
    duration: int
    demands: tuple[tuple[int, int], ...] = ()
    power: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One operation of one lot.

    ``family``: for set-ups and batches. ``size``: what it takes of a batch unit's capacity. ``consumes``/``produces``:
    (material, quantity) at its start and at its end.
    """

    job: int
    modes: tuple[Mode, ...]
    family: int = 0
    size: int = 1
    interruptible: bool = False
    consumes: tuple[tuple[int, int], ...] = ()
    produces: tuple[tuple[int, int], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Arc:
    """``after`` waits for ``before``.

    End-start: lag_min <= start(after) - end(before) <= lag_max. ``overlap`` (transfer lots): the lag is counted from the
    start of ``before`` instead, and ``after`` ends at least ``overlap`` ticks after ``before`` ends; an arc that overlaps
    is neither transported nor buffered.
    ``moves``: a lot goes along this arc, out of the one unit's output and into the other's input; where the units'
    stations differ, a vehicle carries it. Without ``moves`` the arc is an order in time and nothing else.
    ``before`` = AT_HAND: the lot lies at unit ``origin`` from tick ``ready`` on (``moves``: at its output, to be fetched;
    not ``moves``: in front of the unit that will work on it, taking one of its input places), and lag_max counts from there.
    """

    before: int
    after: int
    lag_min: int = 0
    lag_max: int | None = None
    moves: bool = False
    overlap: int | None = None
    origin: int = -1
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """An order: late when its last task ends after ``due``; ``weight`` is the price of a tick of that."""

    release: int = 0
    due: int = NEVER
    weight: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """A decision that stands. ``start``/``end`` None: free. A started task has its measured start (at most 0) and its
    expected end; it needs no set-up, no open time and no predecessor any more."""

    task: int
    unit: int | None = None
    start: int | None = None
    end: int | None = None
    started: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """What the plan in force says of a task, for stability."""

    task: int
    unit: int
    start: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The price of each part of the objective; the objective is their sum, smaller is better.

    ``tardiness`` per weighted tick late, ``makespan`` per tick, ``flow`` per tick of every job's end, ``setup`` per tick of
    set-up, ``energy`` per unit of money, ``stability`` per task that moved.
    """

    tardiness: int = 0
    makespan: int = 1
    flow: int = 0
    setup: int = 0
    energy: int = 0
    stability: int = 0


@dataclass(frozen=True)
class Problem:
    """Everything a plan must respect. ``setups[k][a][b]``: ticks from family a to b. ``travel[a][b]``: ticks between
    stations, loading and unloading included, and ``empty[a][b]`` without load. ``prices``: (from tick, money per 1,000 kW
    ticks). ``frozen``: per unit the tasks that come first, in this order. ``moved_tolerance``: ticks a start may differ
    from ``previous`` without counting as moved; ``churn``: at most so many tasks may move (None: no limit). ``since``: ticks
    from any fixed instant to tick 0; what a solver keeps in slices of time is cut alike in all problems of one plant.
    """

    units: tuple[Unit, ...]
    jobs: tuple[Job, ...]
    tasks: tuple[Task, ...]
    arcs: tuple[Arc, ...] = ()
    setups: tuple[tuple[tuple[int, ...], ...], ...] = ()
    pools: tuple[Pool, ...] = ()
    materials: tuple[Material, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    travel: tuple[tuple[int, ...], ...] = ()
    empty: tuple[tuple[int, ...], ...] = ()
    prices: tuple[tuple[int, int], ...] = ()
    pins: tuple[Pin, ...] = ()
    frozen: tuple[tuple[int, tuple[int, ...]], ...] = ()
    previous: tuple[Before, ...] = ()
    moved_tolerance: int = 0
    churn: int | None = None
    weights: Weights = field(default_factory=Weights)
    since: int = 0
    name: str = ""

    @cached_property
    def pin_of(self) -> Mapping[int, Pin]:
        """Pins by task."""
        return {p.task: p for p in self.pins}

    @cached_property
    def arcs_into(self) -> tuple[tuple[int, ...], ...]:
        """For each task the indexes of the arcs that end in it."""
        found: list[list[int]] = [[] for _ in self.tasks]
        for index, arc in enumerate(self.arcs):
            found[arc.after].append(index)
        return tuple(map(tuple, found))

    @cached_property
    def arcs_out(self) -> tuple[tuple[int, ...], ...]:
        """For each task the indexes of the arcs that begin in it."""
        found: list[list[int]] = [[] for _ in self.tasks]
        for index, arc in enumerate(self.arcs):
            if arc.before != AT_HAND:
                found[arc.before].append(index)
        return tuple(map(tuple, found))

    @cached_property
    def tasks_of(self) -> tuple[tuple[int, ...], ...]:
        """For each job its tasks, in their order of appearance."""
        found: list[list[int]] = [[] for _ in self.jobs]
        for index, task in enumerate(self.tasks):
            found[task.job].append(index)
        return tuple(map(tuple, found))

    @property
    def plain(self) -> bool:
        """A bare (flexible) job shop with makespan: the specialised engine takes it."""
        bare_units = all(u == Unit(u.name) for u in self.units)
        bare_tasks = all(
            not (t.consumes or t.produces) and all(not m.demands and not m.power for m in t.modes)
            for t in self.tasks
        )
        bare_arcs = all(a == Arc(a.before, a.after) and a.before != AT_HAND for a in self.arcs)
        bare_jobs = all(j.release == 0 for j in self.jobs)
        rest = self.setups or self.pools or self.vehicles or self.pins or self.frozen or self.previous
        only_makespan = self.weights == Weights(makespan=self.weights.makespan) and self.weights.makespan > 0
        return (
            bare_units
            and bare_tasks
            and bare_arcs
            and bare_jobs
            and not rest
            and only_makespan
            and self._chains
        )

    @property
    def _chains(self) -> bool:
        """Each job is a chain of its tasks in order."""
        wanted = {(a, b) for tasks in self.tasks_of for a, b in pairwise(tasks)}
        return {(a.before, a.after) for a in self.arcs} == wanted and len(wanted) == len(self.arcs)
