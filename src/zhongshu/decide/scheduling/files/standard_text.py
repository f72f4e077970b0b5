"""Standard benchmark text into problems: job shop (`.jsp`, machines from 0) and flexible job shop (`.fjs`, machines from 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zhongshu.decide.scheduling.files.error import ProblemFileError
from zhongshu.decide.scheduling.problem import NEVER, Arc, Job, Mode, Problem, Task, Unit

MACHINES_MAX = 100_000
#: The operations of one job, each with its modes.
Operations = list[tuple[Mode, ...]]


@dataclass(slots=True)
class _Numbers:
    """The numbers of a file in their order, each with the line it stands in."""

    words: list[tuple[int, str]]
    last_line: int
    at: int = 0

    def next(self, least: int, most: int) -> int:
        """The next whole number, which must lie in [least, most]."""
        if self.at >= len(self.words):
            raise ProblemFileError("", self.last_line, "ends-early")
        line, word = self.words[self.at]
        self.at += 1
        value = whole(word)
        if value is None:
            raise ProblemFileError("", line, "no-number", word=_short(word))
        if not least <= value <= most:
            shown = "…" if most >= NEVER else most
            raise ProblemFileError("", line, "out-of-range", value=_short(word), least=least, most=shown)
        return value

    @property
    def line(self) -> int:
        """Where the last number taken stands."""
        return self.words[self.at - 1][0] if self.at else 1


def whole(word: str) -> int | None:
    """``3`` and ``3.0`` are 3; anything else is None."""
    value = _number(word)
    if value is None or value != int(value):
        return None
    return int(word) if word.lstrip("+-").isdigit() and len(word) < 40 else int(value)


def job_shop(text: str, name: str) -> Problem:
    """`n m`, then for each job m pairs of machine (from 0) and duration; raises ProblemFileError without a file name."""
    jobs, machines, numbers = _opened(text)
    wanted = 2 * jobs * machines
    if len(numbers.words) > wanted:
        line = numbers.words[wanted][0]
        raise ProblemFileError("", line, "too-many", got=len(numbers.words), wanted=wanted)
    found: list[Operations] = []
    for _ in range(jobs):
        pairs = [(numbers.next(0, machines - 1), numbers.next(0, NEVER)) for _ in range(machines)]
        found.append([(Mode(unit, duration),) for unit, duration in pairs])
    return _problem(name, machines, found)


def flexible_job_shop(text: str, name: str) -> Problem:
    """`n m …`, then for each job its operations: how many machines can do it, and for each its number (from 1) and duration."""
    jobs, machines, numbers = _opened(text)
    found: list[Operations] = []
    for _ in range(jobs):
        operations = numbers.next(0, NEVER)
        found.append([])
        for _ in range(operations):
            choices = numbers.next(1, NEVER)
            modes = []
            for _ in range(choices):
                machine = numbers.next(1, machines)
                modes.append(Mode(machine - 1, numbers.next(0, NEVER)))
            found[-1].append(tuple(modes))
    if numbers.at < len(numbers.words):
        line = numbers.words[numbers.at][0]
        raise ProblemFileError("", line, "too-many", got=len(numbers.words), wanted=numbers.at)
    if not any(found):
        raise ProblemFileError("", numbers.line, "no-task")
    return _problem(name, machines, found)


def _opened(text: str) -> tuple[int, int, _Numbers]:
    """Jobs and machines from the first line (a third number, often with decimals, says nothing we need), and the rest."""
    lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), start=1)]
    lines = [(n, words) for n, words in lines if words and not words[0].startswith("#")]
    if not lines:
        raise ProblemFileError("", 0, "empty")
    line, header = lines[0]
    if not 2 <= len(header) <= 3 or any(_number(word) is None for word in header):
        raise ProblemFileError("", line, "header", got=_short(" ".join(header)))
    head = _Numbers([(line, word) for word in header[:2]], line)
    jobs, machines = head.next(1, NEVER), head.next(1, MACHINES_MAX)
    body = [(n, word) for n, words in lines[1:] for word in words]
    return jobs, machines, _Numbers(body, lines[-1][0])


def _number(word: str) -> float | None:
    """Python would take ``1_000`` and ``nan`` as well."""
    try:
        value = float(word)
    except ValueError:
        return None
    if "_" in word:
        return None
    return value if math.isfinite(value) else None


def _short(text: str) -> str:
    """Garbage may be long and unprintable; an error line is neither."""
    clean = "".join(c if c.isprintable() else "·" for c in text[:40])
    return clean + "…" if len(text) > 40 else clean


def _problem(name: str, machines: int, jobs: list[Operations]) -> Problem:
    """A bare problem: every job a chain, makespan to be least."""
    tasks: list[Task] = []
    arcs: list[Arc] = []
    for job, operations in enumerate(jobs):
        for place, modes in enumerate(operations):
            if place:
                arcs.append(Arc(len(tasks) - 1, len(tasks)))
            tasks.append(Task(job, modes))
    units = tuple(Unit(f"M{machine}") for machine in range(machines))
    return Problem(units, tuple(Job() for _ in jobs), tuple(tasks), tuple(arcs), name=name)
