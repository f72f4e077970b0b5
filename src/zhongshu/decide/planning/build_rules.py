"""What people decided for the plan (pins, closed and open times, holds) and what the plan in force binds; read by build."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from zhongshu.decide.scheduling.problem import Before, Pin, Task
from zhongshu.kernel.clock import NS
from zhongshu.model.worktime import Span

#: A row without an end holds for so long.
FOR_EVER = 10**9


@dataclass(frozen=True, slots=True)
class PlanRule:
    """A row of ``plan_rules`` in force: ``kind`` pin, exclude, maintenance, overtime or hold; ``subject`` a unit, a task
    ("lot:step") or an order. ``args`` of a pin: ``unit``, ``start_ns``. Times in plant time, None for open."""

    id: int
    kind: str
    subject: str
    start_ns: int | None = None
    end_ns: int | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


def spans_of(rules: Iterable[PlanRule], kinds: Collection[str], subject: str, now_ns: int) -> list[Span]:
    """From tick to tick, what rules of these kinds say of a unit."""
    made = []
    for rule in rules:
        if rule.kind in kinds and rule.subject == subject:
            start = 0 if rule.start_ns is None else max(0, (rule.start_ns - now_ns) // NS)
            end = FOR_EVER if rule.end_ns is None else -((now_ns - rule.end_ns) // NS)
            if end > start:
                made.append((start, end))
    return made


def held_orders(rules: Iterable[PlanRule], now_ns: int) -> dict[str, int]:
    """Orders that wait, and until which tick."""
    held: dict[str, int] = {}
    for rule in rules:
        if rule.kind == "hold":
            for _, end in spans_of([rule], ("hold",), rule.subject, now_ns):
                held[rule.subject] = max(end, held.get(rule.subject, 0))
    return held


def pins(
    rules: Iterable[PlanRule],
    task_of: Callable[[str], int | None],
    unit_index: Mapping[str, int],
    tasks: list[Task],
    started: Collection[int],
    now_ns: int,
) -> tuple[list[Pin], list[int]]:
    """Pins of people, and the rules that cannot hold any more: task gone or begun, unit unknown or unable, time past."""
    made: dict[int, Pin] = {}
    broken: list[int] = []
    for rule in rules:
        if rule.kind != "pin":
            continue
        task = task_of(rule.subject)
        name = rule.args.get("unit")
        unit = unit_index.get(name, -1) if name is not None else None
        able = task is not None and (unit is None or any(m.unit == unit for m in tasks[task].modes))
        if task is None or task in started or not able:
            broken.append(rule.id)
            continue
        at = rule.args.get("start_ns")
        start = None if at is None else (int(at) - now_ns) // NS
        made[task] = Pin(task, unit, None if start is None or start < 0 else start)
    return list(made.values()), broken


@dataclass(frozen=True, slots=True)
class InForce:
    """What the plan in force says of tasks that are still open: unit and start, and the order that stays on each unit."""

    previous: tuple[Before, ...] = ()
    frozen: tuple[tuple[int, tuple[int, ...]], ...] = ()


def in_force(
    plan: Mapping[str, Any] | None,
    task_of: Callable[[str], int | None],
    unit_index: Mapping[str, int],
    tasks: Sequence[Task],
    started: Collection[int],
    now_ns: int,
    frozen_s: int,
) -> InForce:
    """Read off the plan document; what begins within the frozen window, on a unit that can still do it, stays."""
    if plan is None:
        return InForce()
    shift = (plan["origin_ns"] - now_ns) // NS
    units = [unit_index.get(u["id"], -1) for u in plan["units"]]
    rows = plan["tasks"]
    previous: list[Before] = []
    near: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for place, (name, index, start) in enumerate(zip(rows["id"], rows["unit"], rows["start"], strict=True)):
        task = task_of(name)
        unit = units[index] if index >= 0 else -1
        if task is None or task in started or unit < 0:
            continue
        previous.append(Before(task, unit, start + shift))
        if start + shift < frozen_s and any(m.unit == unit for m in tasks[task].modes):
            near[unit].append((start + shift, place, task))
    frozen = tuple((unit, tuple(t for _, _, t in sorted(rows))) for unit, rows in sorted(near.items()))
    return InForce(tuple(sorted(previous, key=lambda b: b.task)), frozen)


def without_pinned(frozen: InForce, pinned: Mapping[int, Pin]) -> InForce:
    """A person's pin is stronger than the frozen window: from such a task on, a unit's order is free."""
    kept = []
    for unit, tasks in frozen.frozen:
        cut = next((i for i, t in enumerate(tasks) if t in pinned), len(tasks))
        kept.append((unit, tasks[:cut]))
    return replace(frozen, frozen=tuple((u, t) for u, t in kept if t))
