"""Materials with stock and arrivals: what tasks consume and produce in, one cumulative a material out.

What is not there yet counts as drawn until it comes (from tick 0), what is consumed as drawn from then on for ever; the
capacity is all there will ever be. Then the level never falls below 0 exactly where the cumulative holds.
"""

from __future__ import annotations

from itertools import accumulate

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Interval
from zhongshu.decide.scheduling.cp.drawn import stock_changes


def supply_all(draft: Draft) -> None:
    """No material is used before it is there."""
    tasks, started = draft.problem.tasks, draft.facts.started
    touched = {m for t in draft.free for m, _ in (*tasks[t].consumes, *tasks[t].produces)}
    for material in sorted(touched):
        takes = [(t, q) for t in draft.free for m, q in tasks[t].consumes if m == material and not started[t]]
        gives = [(t, q) for t in draft.free for m, q in tasks[t].produces if m == material]
        if takes or not draft.whole:
            _supply(draft, material, takes, gives)


def _supply(draft: Draft, material: int, takes: list[tuple[int, int]], gives: list[tuple[int, int]]) -> None:
    intervals: list[Interval] = []
    amounts: list[int] = []
    coming = sum(q for _, q in gives)
    capacity, blocked = _levels(draft, material)
    for since, until, amount in blocked:
        intervals.append(draft.model.new_fixed_size_interval_var(since, until - since, ""))
        amounts.append(amount)
    for task, quantity in takes:
        intervals.append(_from_then_on(draft, task))
        amounts.append(quantity)
    for task, quantity in gives:
        until = draft.end(task)
        if isinstance(until, int):
            until = max(0, until)
        elif not isinstance(draft.start(task), int):
            draft.model.add(until >= 0)
        hinted = None if draft.guess is None else draft.guess.placed[task].end
        intervals.append(draft.interval(0, draft.apart(0, until, hinted), until))
        amounts.append(quantity)
    if capacity + coming < 0:
        draft.impossible()
    else:
        draft.model.add_cumulative(intervals, amounts, capacity + coming)


def _from_then_on(draft: Draft, task: int) -> Interval:
    start: Expr = draft.start(task)
    hinted = None if draft.guess is None else draft.last + 1 - draft.guess.placed[task].start
    return draft.interval(start, draft.apart(start, draft.last + 1, hinted), draft.last + 1)


def _levels(draft: Draft, material: int) -> tuple[int, list[tuple[int, int, int]]]:
    """The highest level that the constants reach up to the end, and by how much they stay below it and when."""
    changes = stock_changes(draft, material)
    ticks = sorted(tick for tick in changes if tick <= draft.last)
    levels = list(accumulate(changes[tick] for tick in ticks))
    most = max(levels)
    # Behind the window nothing changes: by then the same has been consumed and produced.
    ends = ticks[1:] + [draft.last + 1]
    return most, [
        (a, b, most - level) for a, b, level in zip(ticks, ends, levels, strict=True) if level < most
    ]
