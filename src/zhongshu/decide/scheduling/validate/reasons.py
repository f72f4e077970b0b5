"""Why something can be no earlier: kept as numbers while bounds move, put into words only where somebody has to read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhongshu.decide.scheduling.check.words import both, job_name, task_name, unit_name
from zhongshu.decide.scheduling.problem import AT_HAND, Problem

#: A chain of reasons longer than this helps nobody.
SHOWN = 6
#: That work takes its time and that nothing begins before now: no news to anybody.
QUIET = {"work", "now"}
#: Which of a task's two times a reason comes from.
START, END = 0, 1


@dataclass(frozen=True, slots=True)
class Why:
    """``constraint`` as the checker calls it; ``key`` of the words ``[reason.key]``; ``source``: the task and which of its
    times (START, END) forced it, None for a fact; ``task``, ``unit``, ``number`` fill the words."""

    constraint: str
    key: str
    task: int
    number: int = 0
    source: tuple[int, int] | None = None
    unit: int = -1


def words_of(problem: Problem, why: Why) -> tuple[str, str]:
    """One reason in English and Chinese."""
    before: str | tuple[str, str] = both("reason.lot")
    if why.source is not None and why.source[0] != AT_HAND:
        before = task_name(problem, why.source[0])
    unit = unit_name(problem, why.unit) if why.unit >= 0 else ""
    task = task_name(problem, why.task)
    job = job_name(problem, problem.tasks[why.task].job)
    return both(f"reason.{why.key}", task=task, other=before, unit=unit, job=job, number=why.number)


def told(problem: Problem, chain: Sequence[Why]) -> tuple[str, str]:
    """The first reasons of a chain, one after the other, without what stands in every chain."""
    whys = list(dict.fromkeys(chain))
    shown = [words_of(problem, why) for why in [w for w in whys if w.key not in QUIET] or whys]
    more = ["…"] if len(shown) > SHOWN else []
    return (
        "; ".join([english for english, _ in shown[:SHOWN]] + more),
        "；".join([chinese for _, chinese in shown[:SHOWN]] + more),
    )


def constraints_of(chain: Sequence[Why]) -> tuple[str, ...]:
    """The kinds of constraint in a chain, each once; what stands in every chain only where there is no other clash."""
    loud = tuple(dict.fromkeys(why.constraint for why in chain if why.key not in QUIET))
    return loud if len(loud) > 1 else tuple(dict.fromkeys(why.constraint for why in chain))
