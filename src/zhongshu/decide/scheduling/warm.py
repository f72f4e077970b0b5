"""Compiles the search kernels, or loads them from the cache, on a problem of two tasks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from zhongshu.decide.scheduling.problem import Before, Job, Mode, Problem, Task, Unit
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.search.rules import Manner, run_rule
from zhongshu.decide.scheduling.search.worker import Worker


@cache
def warm_search() -> None:
    """Afterwards every kernel is machine code in this process."""
    modes = (Mode(0, 2), Mode(1, 3))
    tiny = Problem((Unit("a"), Unit("b")), (Job(), Job()), (Task(0, modes), Task(1, modes)))
    memory = Memory(tiny)
    worker = Worker(tiny, 1, memory)
    worker.take(run_rule(memory, Manner(0, 0.0, 0.0, 1, True)).genes)
    worker.work(1.0, 2)
    repair(replace(tiny, previous=(Before(0, 0, 0), Before(1, 0, 2))), memory)
