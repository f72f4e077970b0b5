"""The list that a plan was decoded from → two columns of its document → the list again, at the next re-plan or after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.decide.planning.build import Built
from zhongshu.decide.planning.build_lots import earlier_names
from zhongshu.decide.scheduling.repair import Course
from zhongshu.decide.scheduling.search import blocks as at
from zhongshu.decide.scheduling.search.arrays import Ints
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.kernel.clock import NS


def written(memory: Memory, genes: Ints) -> dict[str, Any]:
    """{order: rows of ``tasks``, delay: [[row, tick]], fetch}; the memory then holds these genes."""
    memory.genes[:] = genes
    delay = memory.block(at.DELAY)
    return {
        "order": memory.block(at.ORDER).tolist(),
        "delay": [[int(k), int(delay[k])] for k in delay.nonzero()[0]],
        "fetch": int(memory.block(at.SETTINGS)[0]),
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
    return Course(order, {task: tick for task, tick in delay.items() if tick > 0}, bool(kept["fetch"]))
