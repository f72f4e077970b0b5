"""One thing at a time on a unit, with set-ups between: occupants in, no-overlap and sequence literals out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.occupant import Occupant, occupants
from zhongshu.decide.scheduling.cp.sequences import sequence


def occupy_all(draft: Draft) -> None:
    """No unit works on two things at once; where set-ups count, its sequence is drawn as a circuit."""
    tasks_on: dict[int, list[int]] = {}
    for task in draft.free:
        modes = draft.problem.tasks[task].modes
        for unit in dict.fromkeys(modes[m].unit for m in draft.uses[task]):
            tasks_on.setdefault(unit, []).append(task)
    found = {unit: occupants(draft, unit, tasks) for unit, tasks in tasks_on.items()}
    with_setups = {u: o for u, o in found.items() if draft.problem.units[u].setups >= 0}
    wanted = sum(len(o) ** 2 for o in with_setups.values())
    for unit, here in found.items():
        _no_overlap(draft, here)
        if unit in with_setups:
            sequence(draft, unit, here, draft.arcs_budget / wanted if wanted > draft.arcs_budget else 1.0)


def _no_overlap(draft: Draft, here: list[Occupant]) -> None:
    intervals = []
    fixed = sorted((o.start, o.left) for o in here if o.fixed)
    for start, left in _merged(fixed):
        intervals.append(draft.model.new_fixed_size_interval_var(start, left - start, ""))
    for o in here:
        if o.fixed:
            continue
        intervals.append(draft.interval(o.start, o.stay, o.left, o.present))
    if len(intervals) > 1:
        draft.model.add_no_overlap(intervals)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, left in spans:
        if joined and joined[-1][1] == start and left > start and joined[-1][0] < joined[-1][1]:
            joined[-1] = (joined[-1][0], left)
        else:
            joined.append((start, left))
    return joined
