"""The list that a plan was decoded from → two columns of its document → the list again, at the next re-plan or after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.decide.planning.build import Built
from zhongshu.decide.planning.build_lots import earlier_names
from zhongshu.decide.scheduling.carry import Course
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.kernel.clock import NS


def written(memory: Memory, genes: Ints) -> dict[str, Any]:
    """{order: rows of ``tasks``, delay: [[row, tick]], fetch, late: [[row or -1, row]]}; the memory then holds these genes.

    ``late`` are the lots that are fetched only when the next task is placed, by the tasks before and behind them.
    """
    memory.genes[:] = genes
    delay, before, after = memory.block(at.DELAY), memory.block(at.BEFORE), memory.block(at.AFTER)
    late = ((memory.block(at.EARLY) == 0) & (memory.block(at.MOVES) > 0)).nonzero()[0]
    return {
        "order": memory.block(at.ORDER).tolist(),
        "delay": [[int(k), int(delay[k])] for k in delay.nonzero()[0]],
        "fetch": int(memory.block(at.SETTINGS)[0]),
        "late": [[int(before[arc]), int(after[arc])] for arc in late],
    }


def read(document: Mapping[str, Any] | None, built: Built) -> Course:
    """In the indexes and ticks of a newer problem; an empty one where the document has none."""
    if document is None or not document.get("course"):
        return Course()
    kept, names, index = document["course"], document["tasks"]["id"], built.index
    renamed = earlier_names(built.lots)
    now: list[int | None] = []
    for name in names:
        lot, _, step = name.partition(":")
        now.append(index[name] if name in index else index.get(f"{renamed.get(int(lot), 0)}:{step}"))
    passed = (built.origin_ns - int(document["origin_ns"])) // NS
    order = [task for row in kept["order"] if (task := now[row]) is not None]
    delay = {task: tick - passed for row, tick in kept["delay"] if (task := now[row]) is not None}
    late = set()
    for row, behind in kept.get("late", ()):
        first, second = -1 if row < 0 else now[row], now[behind]
        if second is not None:
            late.add((-1 if first is None else first, second))  # what is done by now lies at hand
    ahead = {task: tick for task, tick in delay.items() if tick > 0}
    return Course(order, ahead, bool(kept["fetch"]), frozenset(late))
