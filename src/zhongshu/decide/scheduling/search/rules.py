"""Plans at once: every dispatching rule in a few manners; the best of them is the first incumbent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from zhongshu.decide.scheduling.problem import AT_HAND
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.dispatch import (
    ATC,
    ATCS,
    CR,
    EDD,
    FIFO,
    MDD,
    MST,
    MWKR,
    ODD,
    RULES,
    SETUP_ODD,
    SPT,
    WSPT,
    dispatch,
)
from zhongshu.decide.scheduling.search.memory import Memory


class Manner(NamedTuple):
    """One way to dispatch; windows and patience in mean durations. ``fetch``: lots move on as soon as there is room."""

    rule: int
    window: float
    patience: float
    scale: int
    fetch: bool

    @property
    def name(self) -> str:
        """For people."""
        return f"{RULES[self.rule]} window {self.window:g} patience {self.patience:g}"


def manners() -> Iterator[Manner]:
    """From the one that most often wins to the least."""
    for rule, scale in ((ATCS, 10), (SETUP_ODD, 0), (ATCS, 40), (ODD, 0)):
        yield Manner(rule, 0.5, 2.0, scale, True)
        yield Manner(rule, 0.0, 0.0, scale, False)
    for rule, scale in (
        (ATCS, 20),
        (ODD, 0),
        (SETUP_ODD, 0),
        (MST, 0),
        (ATC, 20),
        (EDD, 0),
        (MDD, 0),
        (CR, 0),
    ):
        yield Manner(rule, 0.0, 1.0, scale, True)
    for rule in (FIFO, SPT, WSPT, MWKR):
        yield Manner(rule, 0.0, 1.0, 0, True)


class Dispatched(NamedTuple):
    """The genes of a rule's schedule and its cost in thousandths, IMPOSSIBLE if the rule ran into a deadlock."""

    manner: Manner
    genes: Ints
    cost: int


def run_rule(memory: Memory, manner: Manner) -> Dispatched:
    """Dispatch once; the memory then holds the rule's genes and schedule."""
    memory.reset_genes()
    return dispatched(memory, manner, latest_starts(memory))


def latest_starts(memory: Memory) -> Ints:
    """The operation due date of each task, less its duration: tick."""
    starts: Ints = memory.block(at.DUE)[memory.block(at.JOB)] - memory.block(at.REMAINING)
    return starts


def dispatched(memory: Memory, manner: Manner, wanted: Ints) -> Dispatched:
    """The same, choosing only the modes that the memory has not fixed. ``wanted``: what ODD goes by, the tick at which each
    task should begin."""
    block, tasks = memory.block, int(memory.d[at.TASKS])
    block(at.WANTED)[:] = wanted
    memory.set_order(np.argsort(wanted, kind="stable"))
    block(at.SETTINGS)[:2] = manner.fetch, 1
    durations = block(at.MODE_DURATION)
    mean = max(1, int(durations.mean())) if len(durations) else 1
    how = (manner.rule, manner.window * mean, manner.patience * mean, max(1, manner.scale), mean)
    block(at.HOW)[:5] = [int(value) for value in how]
    memory.clear()
    inside = block(at.BEFORE) != AT_HAND
    block(at.MISSING)[:tasks] = np.bincount(block(at.AFTER)[inside], minlength=tasks)
    cost = int(dispatch(memory.d, np.array(memory.urgent, np.int64)))
    block(at.SETTINGS)[1] = 0
    if cost < IMPOSSIBLE:
        memory.set_order(block(at.LOG).copy())
    return Dispatched(manner, memory.genes.copy(), cost)
