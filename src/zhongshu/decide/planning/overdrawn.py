"""What runs, runs: where begun work already takes more people, tools or power than there are, the plan has to live with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zhongshu.decide.scheduling.problem import Pin, Pool, Task


def borne(pools: Sequence[Pool], tasks: Sequence[Task], started: Mapping[int, Pin]) -> tuple[Pool, ...]:
    """Pools whose levels are at no tick below what begun tasks take; nothing else can use what is lifted that way."""
    taken: dict[int, list[tuple[int, int]]] = {}
    batches: dict[tuple[int, int | None, int | None], dict[int, int]] = {}
    for index, pin in started.items():
        mode = next(m for m in tasks[index].modes if m.unit == pin.unit)
        shared = batches.setdefault((mode.unit, pin.start, pin.end), {})
        for pool, amount in mode.demands:
            more = max(0, amount - shared.get(pool, 0))
            shared[pool] = max(amount, shared.get(pool, 0))
            taken.setdefault(pool, []).append((pin.end or 0, more))
    return tuple(_lifted(pool, taken.get(k, [])) for k, pool in enumerate(pools))


def _lifted(pool: Pool, taken: Sequence[tuple[int, int]]) -> Pool:
    """``taken``: (until which tick, how much)."""
    ticks = sorted({t for t, _ in pool.levels} | {end for end, _ in taken if end > 0})
    levels = []
    for tick in ticks:
        level = [amount for at, amount in pool.levels if at <= tick][-1]
        levels.append((tick, max(level, sum(amount for end, amount in taken if end > tick))))
    return replace(pool, levels=tuple(levels))
