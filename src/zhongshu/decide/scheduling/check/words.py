"""Words of the scheduling package in both languages: from strings.toml into violations, faults and file errors."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.scheduling.problem import Problem
from zhongshu.kernel.strings import strings_of

PACKAGE = "zhongshu.decide.scheduling"


def both(key: str, /, **values: Any) -> tuple[str, str]:
    """The text of a key in English and in Chinese; a value that is a pair gives its own words for each."""
    book = strings_of(PACKAGE)
    english = {name: value[0] if isinstance(value, tuple) else value for name, value in values.items()}
    chinese = {name: value[1] if isinstance(value, tuple) else value for name, value in values.items()}
    # Filled here: a value may well be called ``key`` or ``language``, which are arguments of Strings.text.
    return book.template(key, "en").format_map(english), book.template(key, "zh").format_map(chinese)


def task_name(problem: Problem, task: int) -> str:
    """What people call a task: its name, else its job and its place there, both from 0: ``T3 (job 1, 2)``."""
    found = problem.tasks[task]
    if found.name:
        return found.name
    if not 0 <= found.job < len(problem.jobs):
        return f"T{task}"
    job = problem.jobs[found.job].name or f"J{found.job}"
    return f"T{task} ({job}.{problem.tasks_of[found.job].index(task)})"


def unit_name(problem: Problem, unit: int) -> str:
    """What people call a unit: its name, else its number."""
    return problem.units[unit].name or f"U{unit}"


def job_name(problem: Problem, job: int) -> str:
    """What people call a job: its name, else its number."""
    return problem.jobs[job].name or f"J{job}"
