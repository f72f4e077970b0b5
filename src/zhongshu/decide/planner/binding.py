"""Why an order ends when it ends: the chain of what bound each task's start, from the order's last task back."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.planner.words import both, hour
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Plant

#: Links told to people at most.
LINKS_MAX = 12


def chain_of(plant: Plant, built: Built, solution: Solution, job: int) -> list[dict[str, Any]]:
    """From the earliest cause to the order's end: {task, unit, kind, text, start_ns, end_ns}; read from the schedule alone."""
    problem, view = built.problem, Schedule(built.problem, solution)
    before_on_unit = _before_on_unit(view)
    tasks = problem.tasks_of[job]
    if not tasks:
        return []
    task: int | None = max(tasks, key=lambda t: view.end[t])
    links: list[dict[str, Any]] = []
    seen: set[int] = set()
    while task is not None and task not in seen and len(links) < LINKS_MAX:
        seen.add(task)
        kind, values, task_before = _binding(plant, built, view, solution, task, before_on_unit)
        if kind:
            links.append(_link(plant, built, view, task, kind, values))
        task = task_before
    return links[::-1]


def _before_on_unit(view: Schedule) -> dict[int, tuple[int, int]]:
    """Task → (the task before it on its unit, ticks of set-up between)."""
    found: dict[int, tuple[int, int]] = {}
    last: dict[int, int] = {}
    for task in sorted(range(len(view.start)), key=lambda t: (view.start[t], view.end[t], t)):
        unit = view.unit[task]
        if unit in last and view.start[last[unit]] < view.start[task]:
            found[task] = last[unit], 0
        last[unit] = task
    for _, block, needed in view.setups:
        for task in block.members:
            if task in found:
                found[task] = found[task][0], needed
    return found


def _binding(
    plant: Plant,
    built: Built,
    view: Schedule,
    solution: Solution,
    task: int,
    before: dict[int, tuple[int, int]],
) -> tuple[str, dict[str, Any], int | None]:
    """(kind, words' values, the task that it goes back to) of what is over last before the task begins."""
    problem, start = built.problem, view.start[task]
    pin = problem.pin_of.get(task)
    if pin is not None and pin.started:
        return "", {}, None
    found: tuple[int, str, dict[str, Any], int | None] = (
        max(0, problem.jobs[problem.tasks[task].job].release),
        "release",
        {},
        None,
    )
    for index in problem.arcs_into[task]:
        arc = problem.arcs[index]
        ready = arc.ready if arc.before == AT_HAND else view.end[arc.before] + arc.lag_min
        other = None if arc.before == AT_HAND else arc.before
        kind, values = "before", {"task": _name(built, arc.before) if other is not None else ""}
        moved = solution.moved.get(index)
        if moved is not None and moved.vehicle >= 0:
            ready = max(ready, moved.drop)
            origin = arc.origin if other is None else view.unit[other]
            kind, values = "arrival", {"place": built.units[origin]}
        if ready > found[0] or (ready == found[0] and other is not None and found[1] == "release"):
            found = ready, kind, values, other
    if task in before:
        other, setup = before[task]
        free = view.left[other] + setup
        if free >= found[0]:
            values = {"other": _name(built, other), "minutes": str(round(setup / 60))}
            found = free, "setup" if setup > 0 and view.left[other] < found[0] else "unit", values, other
    if pin is not None and pin.start is not None:
        return "pin", {}, None
    tick, kind, values, other = found
    if start > tick + 60 and kind != "release":
        closed = any(
            c.start <= start and tick < c.end <= start for c in problem.units[view.unit[task]].closed
        )
        consumes = problem.tasks[task].consumes
        return ("calendar" if closed else "material" if consumes and other is None else "pool"), {}, other
    return ("" if kind == "release" and tick <= 0 else kind), values, other


def _link(
    plant: Plant, built: Built, view: Schedule, task: int, kind: str, values: dict[str, Any]
) -> dict[str, Any]:
    origin, start, end = built.origin_ns, view.start[task], view.end[task]
    unit = built.units[view.unit[task]]
    until = hour(plant, origin + start * NS)
    return {
        "task": built.tasks[task].id,
        "unit": unit,
        "kind": kind,
        "text": both(f"why.{kind}", **{"unit": unit, "until": until, **values}),
        "start_ns": origin + start * NS,
        "end_ns": origin + end * NS,
    }


def _name(built: Built, task: int) -> str:
    """An order and the operation in it, as people know them."""
    ref = built.tasks[task]
    return f"{built.orders[built.problem.tasks[task].job]} ({ref.id})"
