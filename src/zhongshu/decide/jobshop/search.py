"""One worker: first schedules in, tabu search from them and from between the elites, every better schedule reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from zhongshu.decide.jobshop.compiled import Indexes, Ints, Words, draw, seeded
from zhongshu.decide.jobshop.dispatch import RULES, dispatched, remaining
from zhongshu.decide.jobshop.elites import Elite, Elites, between
from zhongshu.decide.jobshop.flexible import tabu_modes
from zhongshu.decide.jobshop.plan import HEAD, PREV, TAIL, UNIT, empty_plan, load
from zhongshu.decide.jobshop.shop import Found, Shop
from zhongshu.decide.jobshop.tabu import (
    AT,
    BEST,
    BOUND,
    COUNTERS,
    NOW,
    PATIENCE,
    ROUND,
    TENURE,
    tabu_orders,
)

#: Asked between two slices of search with the rounds made since the last time: how many rounds may follow, 0 to stop.
Allowance = Callable[[int], int]
#: Rows of a run's best: order and modes.
ORDER, CHOICE = range(2)
#: Memory of forbidden pairs: more words than this no cache holds anyway.
MEMORY_MOST = 1 << 22
#: So many children in a row that the pool refused: it has nothing more to give.
STALE = 30


class Worker:
    """The arrays of one search, and its way through the pool of elites."""

    def __init__(self, shop: Shop, bound: int, seed: int, elites: Elites) -> None:
        self.shop, self.elites = shop, elites
        self.rng: Words = seeded(seed)
        self.link, self.time = empty_plan(shop)
        self.run: Ints = np.zeros(COUNTERS, np.int64)
        self.run[BOUND] = bound
        n = shop.tasks
        self.memory: Indexes = np.zeros(min((n + 1) ** 2, MEMORY_MOST), np.int32)
        self.away: Indexes = np.zeros(n * self.link.shape[1] if shop.flexible else 0, np.int32)
        self.best: Indexes = np.zeros((2, n), np.int32)
        self.path: Indexes = np.zeros(n, np.int32)
        self.gone, self.room = np.zeros_like(self.time), np.zeros(n + 1, np.int64)
        self.pick, self.swap = np.zeros(12, np.int64), np.zeros(10, np.int64)
        self.refused = 0

    def search(self, starts: Sequence[Found], allowance: Allowance, report: Callable[[Found], None]) -> None:
        """Descend from each start, then from children of two elites, until the allowance is used up or nothing is
        shorter."""
        for start in self._sources(starts):
            elite = self._descend(start, allowance, report)
            if elite is None or elite.found.makespan <= self.run[BOUND]:
                return
            self.refused = 0 if self.elites.offer(elite) else self.refused + 1

    def _sources(self, starts: Sequence[Found]) -> Iterator[Found]:
        """What to search from next."""
        yield from starts
        rest = remaining(self.shop)
        while True:
            if self.refused > STALE:
                self.elites.thin()
                self.refused = 0
            pool = self.elites.members()
            if len(pool) < self.elites.most:
                yield dispatched(self.shop, rest, RULES - 1, draw(self.rng, 9), self.rng)
                continue
            first = draw(self.rng, len(pool))
            second = (first + 1 + draw(self.rng, len(pool) - 1)) % len(pool)
            yield between(pool[first], pool[second], self.rng)

    def _descend(self, start: Found, allowance: Allowance, report: Callable[[Found], None]) -> Elite | None:
        """Tabu search from here until it gets nowhere; None when the allowance is used up."""
        run = self.run
        value = self._load(start)
        self.memory[:] = 0
        self.away[:] = 0
        self.best[ORDER], self.best[CHOICE] = start.order, start.mode
        run[ROUND] = run[AT] = 0
        run[NOW] = run[BEST] = value
        run[PATIENCE], run[TENURE] = self._patience(), self._tenure()
        known, made, over = value + 1, 0, False
        while not over:
            if run[BEST] < known:
                known = int(run[BEST])
                report(self._found())
            rounds = allowance(made)
            if rounds == 0:
                return None
            was = int(run[ROUND])
            over = self._slice(rounds)
            made = int(run[ROUND]) - was
        found = self._found()
        report(found)
        allowance(made)
        return self._elite(found)

    def _elite(self, found: Found) -> Elite:
        """What the pool wants to know of a schedule; the plan becomes it."""
        self._load(found)
        n = self.shop.tasks
        prev = self.link[PREV, :n] * np.int32(self.shop.units) + self.link[UNIT, :n]
        return Elite(found, self.time[HEAD, :n] - self.time[TAIL, :n], prev)

    def _load(self, found: Found) -> int:
        shop = self.shop
        return load(self.link, self.time, shop.first, shop.unit, shop.ticks, found.order, found.mode)

    def _slice(self, rounds: int) -> bool:
        shop, link, time, run, memory = self.shop, self.link, self.time, self.run, self.memory
        best, path, room, swap, rng = self.best, self.path, self.room, self.swap, self.rng
        if not shop.flexible:
            return tabu_orders(link, time, run, memory, best, path, room, swap, rng, rounds)
        gone, pick, away = self.gone, self.pick, self.away
        modes = (shop.first, shop.unit, shop.ticks)
        return tabu_modes(
            link, time, *modes, run, memory, away, best, path, gone, room, swap, pick, rng, rounds
        )

    def _patience(self) -> int:
        return 1_000 if self.shop.flexible else 4_000

    def _tenure(self) -> int:
        return 10 + len(self.shop.heads) // max(1, self.shop.units)

    def _found(self) -> Found:
        return Found(self.best[ORDER].copy(), self.best[CHOICE].copy(), int(self.run[BEST]))
