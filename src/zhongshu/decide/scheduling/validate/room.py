"""Is there ever enough: open hours, oven room, pool levels and material for each task by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zhongshu.decide.scheduling.check.words import task_name, unit_name
from zhongshu.decide.scheduling.conflicts.fault import Fault, conflict
from zhongshu.decide.scheduling.problem import Mode, Problem, Task
from zhongshu.decide.scheduling.validate.hours import earliest

FOR_EVER = 2**62


def room(problem: Problem) -> Iterator[Fault]:
    """Tasks none of whose modes can ever be used, and why; materials that never suffice."""
    for index, task in enumerate(problem.tasks):
        pin = problem.pin_of.get(index)
        if pin is not None and pin.started:
            continue
        wanted = pin.unit if pin is not None else None
        modes = [mode for mode in task.modes if wanted is None or mode.unit == wanted]
        hindrances = [_hindrance(problem, index, task, mode) for mode in modes]
        if all(hindrances):
            yield from _distinct(hindrances)
    yield from _materials(problem)
    yield from _started_demands(problem)


def _distinct(faults: list[Fault | None]) -> Iterator[Fault]:
    yield from dict.fromkeys(fault for fault in faults if fault is not None)


def _hindrance(problem: Problem, index: int, task: Task, mode: Mode) -> Fault | None:
    """Why this mode can never be used; None if it can."""
    unit = problem.units[mode.unit]
    names = {"task": task_name(problem, index), "unit": unit_name(problem, mode.unit)}
    if 0 < unit.capacity < task.size:
        sizes = {"size": task.size, "capacity": unit.capacity}
        return conflict(("batch",), "too-large", index, mode.unit, **names, **sizes)
    if earliest(problem, mode, max(0, unit.ready), task.interruptible) is None:
        return conflict(("calendar",), "never-open", index, mode.unit, duration=mode.duration, **names)
    needs: dict[int, int] = defaultdict(int)
    for pool, amount in mode.demands:
        needs[pool] += amount
    for pool, amount in needs.items():
        if mode.duration and _longest_stretch(problem, pool, amount) < _unpaused(task, mode):
            found = problem.pools[pool]
            most = max(level for _, level in found.levels)
            values = {"pool": found.name, "amount": amount, "most": most}
            return conflict(("pool",), "too-greedy", index, mode.unit, **names, **values)
    return None


def _unpaused(task: Task, mode: Mode) -> int:
    """For how long it holds its pools without a pause, at least."""
    return 1 if task.interruptible else mode.duration


def _longest_stretch(problem: Problem, pool: int, amount: int) -> int:
    """The longest time, from tick 0 on, over which the level is enough."""
    levels = problem.pools[pool].levels
    longest, since = 0, None
    for index, (tick, level) in enumerate(levels):
        until = levels[index + 1][0] if index + 1 < len(levels) else FOR_EVER
        if level < amount:
            since = None
        elif until > 0:
            since = max(0, tick) if since is None else since
            longest = max(longest, until - since)
    return longest


def _materials(problem: Problem) -> Iterator[Fault]:
    """All that is ever there against all that is taken."""
    started = {pin.task for pin in problem.pins if pin.started}
    there = [m.stock + sum(quantity for _, quantity in m.arrivals) for m in problem.materials]
    taken = [0] * len(problem.materials)
    for index, task in enumerate(problem.tasks):
        for material, quantity in task.produces:
            there[material] += quantity
        if index not in started:
            for material, quantity in task.consumes:
                taken[material] += quantity
    for material, (has, needs) in enumerate(zip(there, taken, strict=True)):
        if needs > has:
            name = problem.materials[material].name
            yield conflict(("material",), "too-little", material=name, needs=needs, has=has)


def _started_demands(problem: Problem) -> Iterator[Fault]:
    """What runs already holds its pools until its expected end, whatever is planned."""
    # Batches demand once, so only what stands alone is added up; breaks only lessen it and are left to the search.
    held: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for pin in problem.pins:
        modes = [m for m in problem.tasks[pin.task].modes if m.unit == pin.unit]
        if not pin.started or len(modes) != 1 or (pin.end or 0) <= 0:
            continue
        unit = problem.units[modes[0].unit]
        if not unit.capacity and not unit.closed:
            for pool, amount in modes[0].demands:
                held[pool].append((pin.end or 0, amount, pin.task))
    for pool, holds in held.items():
        for tick, level in problem.pools[pool].levels:
            now = max(0, tick)
            used = sum(amount for end, amount, _ in holds if end > now)
            if used > level and not _superseded(problem, pool, tick):
                name = problem.pools[pool].name
                values = {"pool": name, "used": used, "level": level, "tick": now}
                yield conflict(("pool", "pin"), "started-pool", holds[0][2], **values)


def _superseded(problem: Problem, pool: int, tick: int) -> bool:
    """A level from before tick 0 that another one has replaced by then."""
    return any(tick < other <= 0 for other, _ in problem.pools[pool].levels)
