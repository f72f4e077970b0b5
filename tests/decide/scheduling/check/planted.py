"""Short hands for small problems and their schedules, and what the checker calls what was planted in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.scheduling.problem import Job, Mode, Problem, Task, Unit
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


def unit(name: str = "U", **values: Any) -> Unit:
    return Unit(name, **values)


def task(*modes: tuple[int, int], job: int = 0, **values: Any) -> Task:
    """Modes as (unit, duration)."""
    return Task(job, tuple(Mode(u, d) for u, d in modes), **values)


def problem(units: list[Unit], tasks: list[Task], **values: Any) -> Problem:
    values.setdefault("jobs", tuple(Job() for _ in range(1 + max((t.job for t in tasks), default=-1))))
    return Problem(units=tuple(units), tasks=tuple(tasks), **values)


def plan(*spans: tuple[int, int], moved: tuple[Moved, ...] = (), **changes: dict[int, int]) -> Solution:
    """(start, end) of each task; ``left={3: 9}``, ``batch={…}``, ``mode={…}`` where they differ from the plain."""
    placed = []
    for index, (start, end) in enumerate(spans):
        values = {name: by_task[index] for name, by_task in changes.items() if index in by_task}
        placed.append(replace(Placed(index, 0, start, end, end), **values))
    return Solution(tuple(placed), {move.arc: move for move in moved})


def found(asked: Problem, answer: Solution) -> set[str]:
    """The names of the rules that are broken; each violation speaks both languages."""
    broken = violations(asked, answer)
    assert all(v.text and v.text_zh and v.text != v.text_zh for v in broken)
    return {v.constraint for v in broken}
