"""The oracle: every mode, batch, integer start and journey of a tiny problem tried one after the other; slow, but plain.

It shares no code with any engine. Times are walked tick by tick, and the checker has the last word on every candidate.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import inf

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.problem import AT_HAND, Problem
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution

#: What journeys and departures can mend; whatever else the checker finds, no journey will mend.
OF_JOURNEYS = {"move", "left", "vehicle", "buffer_out", "buffer_in", "unit", "setup"}

Block = tuple[int, ...]
Times = dict[int, tuple[int, int]]


def optimum(problem: Problem, latest: int = 14) -> float:
    """The smallest objective of all schedules that end by ``latest``; infinity where there is none."""
    return best(problem, latest)[0]


def best(problem: Problem, latest: int = 14) -> tuple[float, Solution | None]:
    """That objective and a schedule that has it."""
    found: tuple[float, Solution | None] = (inf, None)
    limit = [inf]  # partial timings that are worse than the best so far are not completed
    for modes in product(*(range(len(task.modes)) for task in problem.tasks)):
        for blocks in _groupings(problem, modes):
            for times in _timings(problem, modes, blocks, latest, limit):
                worth = value(problem, modes, blocks, times)
                if worth < found[0]:
                    solution = _carry(problem, modes, blocks, times)
                    if solution is not None:
                        found = (worth, solution)
                        limit[0] = worth
    return found


def _groupings(problem: Problem, modes: tuple[int, ...]) -> Iterator[list[Block]]:
    """All ways to put the tasks of one family on one batch unit together; all others are alone."""

    def extend(task: int, blocks: list[list[int]]) -> Iterator[list[Block]]:
        if task == len(modes):
            yield [tuple(b) for b in blocks]
            return
        unit = _unit(problem, modes, task)
        for b in blocks:
            first = b[0]
            if (
                problem.units[unit].capacity > 0
                and unit == _unit(problem, modes, first)
                and problem.tasks[first].family == problem.tasks[task].family
            ):
                b.append(task)
                yield from extend(task + 1, blocks)
                b.pop()
        blocks.append([task])
        yield from extend(task + 1, blocks)
        blocks.pop()

    yield from extend(0, [])


def _timings(
    problem: Problem, modes: tuple[int, ...], blocks: list[Block], latest: int, limit: list[float]
) -> Iterator[Times]:
    """All starts of all blocks, block by block, with the end that each start leads to."""

    def extend(n: int, times: Times) -> Iterator[Times]:
        if n == len(blocks):
            yield dict(times)
            return
        block = blocks[n]
        for start, end in _spans(problem, modes, block, latest):
            for task in block:
                times[task] = (start, end)
            if (
                _orders_hold(problem, times, block)
                and _apart(problem, modes, blocks[:n], block, times)
                and _so_far(problem, times) < limit[0]
            ):
                yield from extend(n + 1, times)
            for task in block:
                del times[task]

    yield from extend(0, {})


def _spans(problem: Problem, modes: tuple[int, ...], block: Block, latest: int) -> Iterator[tuple[int, int]]:
    """(start, end) of a block, wherever it may lie."""
    pins = [problem.pin_of[t] for t in block if t in problem.pin_of]
    if any(pin.started for pin in pins):
        yield pins[0].start or 0, pins[0].end or 0
        return
    duration = max(problem.tasks[t].modes[modes[t]].duration for t in block)
    pause = all(problem.tasks[t].interruptible for t in block)
    for start in range(latest + 1):
        if any(pin.start not in (None, start) for pin in pins):
            continue
        end = _end(problem, _unit(problem, modes, block[0]), start, duration, pause)
        if end is not None and end <= latest:
            yield start, end


def _end(problem: Problem, unit: int, start: int, duration: int, pause: bool) -> int | None:
    """Work tick by tick from a start; None where that can't be."""
    at, done = start, 0
    if pause and _shut(problem, unit, at):
        return None
    while done < duration:
        shut = _shut(problem, unit, at)
        if shut and not (pause and shut == "resumable"):
            return None
        if at > 64:
            return None
        done += not shut
        at += 1
    return at


def _shut(problem: Problem, unit: int, tick: int) -> str:
    """Whether and how a unit is closed at a tick."""
    for closed in problem.units[unit].closed:
        if closed.start <= tick < closed.end:
            return "resumable" if closed.resumable else "closed"
    return ""


def _unit(problem: Problem, modes: tuple[int, ...], task: int) -> int:
    return problem.tasks[task].modes[modes[task]].unit


def _started(problem: Problem, task: int) -> bool:
    return task in problem.pin_of and problem.pin_of[task].started


def _orders_hold(problem: Problem, times: Times, block: Block) -> bool:
    """Least and greatest lags between the tasks placed so far."""
    for arc in problem.arcs:
        if arc.after not in times or (arc.before != AT_HAND and arc.before not in times):
            continue
        if _started(problem, arc.after) or not (arc.after in block or arc.before in block):
            continue
        start, end = times[arc.after]
        since = arc.ready if arc.before == AT_HAND else times[arc.before][1]
        if arc.overlap is not None:
            since = times[arc.before][0]
            if end < times[arc.before][1] + arc.overlap:
                return False
        if start - since < arc.lag_min or (arc.lag_max is not None and start - since > arc.lag_max):
            return False
    return True


def _apart(problem: Problem, modes: tuple[int, ...], placed: list[Block], block: Block, times: Times) -> bool:
    """No two blocks are worked on at once on one unit (empty ones are left to the checker)."""
    unit, (start, end) = _unit(problem, modes, block[0]), times[block[0]]
    for other in placed:
        a, b = times[other[0]]
        if _unit(problem, modes, other[0]) == unit and max(a, start) < min(b, end):
            return False
    return True


def _so_far(problem: Problem, times: Times) -> float:
    """What the tasks placed so far cost at least."""
    weights = problem.weights
    total = float(weights.makespan * max([0, *(end for _, end in times.values())]))
    for number, job in enumerate(problem.jobs):
        ends = [end for task, (_, end) in times.items() if problem.tasks[task].job == number]
        if ends:
            total += weights.tardiness * job.weight * max(0, max(ends) - job.due)
            total += weights.flow * (max(ends) - job.release)
    return total


def value(problem: Problem, modes: tuple[int, ...], blocks: list[Block], times: Times) -> float:
    """The objective, added up from its definition."""
    weights = problem.weights
    setups = _setups(problem, modes, blocks, times) if weights.setup else 0
    energy = _energy(problem, modes, blocks, times) if weights.energy else 0.0
    moved = 0
    for before in problem.previous:
        if not _started(problem, before.task):
            away = abs(times[before.task][0] - before.start) > problem.moved_tolerance
            moved += away or _unit(problem, modes, before.task) != before.unit
    extra = weights.setup * setups + weights.energy * energy + weights.stability * moved
    return _so_far(problem, times) + extra


def _setups(problem: Problem, modes: tuple[int, ...], blocks: list[Block], times: Times) -> int:
    total = 0
    for number, unit in enumerate(problem.units):
        if unit.setups < 0:
            continue
        family = unit.family
        for block in sorted(blocks, key=lambda b: (*times[b[0]], b[0])):
            if _unit(problem, modes, block[0]) == number:
                mine = problem.tasks[block[0]].family
                if family >= 0 and not _started(problem, block[0]):
                    total += problem.setups[unit.setups][family][mine]
                family = mine
    return total


def _energy(problem: Problem, modes: tuple[int, ...], blocks: list[Block], times: Times) -> float:
    total = 0
    for block in blocks:
        power = max(problem.tasks[t].modes[modes[t]].power for t in block)
        for tick in range(max(0, times[block[0]][0]), times[block[0]][1]):
            prices = [price for since, price in problem.prices if since <= tick]
            if prices and not _shut(problem, _unit(problem, modes, block[0]), tick):
                total += power * prices[-1]
    return total / 1000


def _carry(problem: Problem, modes: tuple[int, ...], blocks: list[Block], times: Times) -> Solution | None:
    """Some journeys and departures with which the checker finds nothing wrong."""
    arcs = [k for k, a in enumerate(problem.arcs) if a.moves and not _started(problem, a.after)]
    journeys = [_journeys(problem, modes, times, k) for k in arcs]
    for chosen in product(*journeys):
        moved = dict(zip(arcs, chosen, strict=True))
        departures = [_departures(problem, modes, times, moved, t) for t in range(len(modes))]
        for lefts in product(*departures):
            placed = _placed(problem, modes, blocks, times, lefts)
            faults = violations(problem, Solution(placed, moved))
            if not faults:
                return Solution(placed, moved)
            if any(fault.constraint not in OF_JOURNEYS for fault in faults):
                return None
    return None


def _journeys(problem: Problem, modes: tuple[int, ...], times: Times, k: int) -> list[Moved]:
    """Every pickup and vehicle of one move that brings it in time."""
    arc = problem.arcs[k]
    origin = arc.origin if arc.before == AT_HAND else _unit(problem, modes, arc.before)
    a, b = problem.units[origin].station, problem.units[_unit(problem, modes, arc.after)].station
    first = max(0, arc.ready if arc.before == AT_HAND else times[arc.before][1])
    travel = problem.travel[a][b] if a != b else 0
    vehicles = range(len(problem.vehicles)) if a != b and problem.vehicles else [-1]
    last = times[arc.after][0] - travel
    return [Moved(k, v, at, at + travel) for at in range(first, last + 1) for v in vehicles]


def _departures(
    problem: Problem, modes: tuple[int, ...], times: Times, moved: dict[int, Moved], task: int
) -> list[int]:
    """Every instant at which a lot may leave its unit; at once where there is room without end."""
    end = times[task][1]
    pickups = [m.pickup for k, m in moved.items() if problem.arcs[k].before == task]
    if not pickups or problem.units[_unit(problem, modes, task)].buffer_out is None:
        return [end]
    return list(range(end, min(pickups) + 1))


def _placed(
    problem: Problem, modes: tuple[int, ...], blocks: list[Block], times: Times, lefts: tuple[int, ...]
) -> tuple[Placed, ...]:
    batch = {task: n for n, block in enumerate(blocks) for task in block}
    return tuple(
        Placed(
            task,
            modes[task],
            *times[task],
            lefts[task],
            batch[task] if problem.units[_unit(problem, modes, task)].capacity > 0 else -1,
        )
        for task in range(len(modes))
    )
