"""The best schedules found so far, shared by the workers; and new starting points between them."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from zhongshu.decide.jobshop.compiled import Indexes, Ints, Words, draw
from zhongshu.decide.jobshop.shop import Found

#: Two schedules in which fewer than one in so many tasks stands behind another task than in the other are one.
ALIKE = 50


class Elite(NamedTuple):
    """A schedule; where in time each task lies (earliest plus latest start, which grows along every arc); and what
    stands before each task on which unit."""

    found: Found
    middle: Ints
    prev: Indexes


class Elites:
    """A bounded pool. Threads may share it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._members: list[Elite] = []

    def members(self) -> list[Elite]:
        """The pool as it is now."""
        with self._lock:
            return list(self._members)

    def offer(self, new: Elite) -> bool:
        """Take a schedule in, for one that is like it or else for the worst of a full pool; False if it is no better."""
        with self._lock:
            alike = [k for k, old in enumerate(self._members) if _alike(new, old)]
            if not alike and len(self._members) < self.most:
                self._members.append(new)
                return True
            pool = alike or range(len(self._members))
            worst = max(pool, key=lambda k: self._members[k].found.makespan)
            if self._members[worst].found.makespan <= new.found.makespan:
                return False
            self._members[worst] = new
            return True

    def thin(self) -> None:
        """Keep the best alone: the others have nothing more to give."""
        with self._lock:
            self._members = sorted(self._members, key=lambda one: one.found.makespan)[:1]


def _alike(one: Elite, other: Elite) -> bool:
    return int(np.count_nonzero(one.prev != other.prev)) * ALIKE <= one.prev.size


def between(one: Elite, other: Elite, rng: Words) -> Found:
    """A schedule on the way from one to another: every machine in the order of the weighted middles.

    Middles grow along a job in both, so they grow in the mix, and no cycle can come of it; where they are equal the
    first one's order decides, which is an order of all tasks.
    """
    share = 77 + draw(rng, 103)
    order = one.found.order
    mixed = (256 - share) * one.middle[order] + share * other.middle[order]
    mode = one.found.mode.copy()
    for task in np.flatnonzero(mode != other.found.mode):
        if draw(rng, 256) < share:
            mode[task] = other.found.mode[task]
    return Found(order[np.argsort(mixed, kind="stable")], mode, -1)
