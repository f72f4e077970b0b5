"""Materials: at no tick is more consumed than stock, arrivals and what was produced by then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zhongshu.decide.scheduling.check.schedule import Schedule
from zhongshu.decide.scheduling.check.violation import Violation, broken
from zhongshu.decide.scheduling.check.words import task_name


def materials(view: Schedule) -> Iterator[Violation]:
    """Level >= 0 at all ticks from 0 on; at one tick what comes in is there for what is consumed.

    A started task has consumed already; what it produces still comes.
    """
    problem = view.problem
    if not problem.materials:
        return
    flows: dict[int, list[tuple[int, int, int, int]]] = defaultdict(list)
    for index, task in enumerate(problem.tasks):
        for material, quantity in task.produces:
            flows[material].append((view.end[index], 0, quantity, index))
        if not view.started[index]:
            for material, quantity in task.consumes:
                flows[material].append((max(0, view.start[index]), 1, -quantity, index))
    for material, changes in flows.items():
        found = problem.materials[material]
        changes += [(tick, 0, quantity, -1) for tick, quantity in found.arrivals]
        changes.sort()
        level = found.stock
        for tick, _, quantity, index in changes:
            level += quantity
            if quantity < 0 and level < 0:
                name = found.name or f"material {material}"
                task_text = task_name(problem, index)
                values = {"tick": tick, "short": -level}
                unit = view.unit[index]
                yield broken("material", "material", index, unit, material=name, task=task_text, **values)
