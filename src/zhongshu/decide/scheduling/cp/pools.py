"""Tools, people and power: what works draw in, one cumulative a pool out, with levels that change over time."""

from __future__ import annotations

import itertools

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Interval
from zhongshu.decide.scheduling.cp.drawn import drawn_by_the_rest
from zhongshu.decide.scheduling.cp.opentime import open_spans
from zhongshu.decide.scheduling.cp.works import Work, works

#: An interval and what is drawn in it.
Drawn = tuple[Interval, Expr]


def share_all(draft: Draft) -> None:
    """No pool gives more than it has at any tick."""
    drawn: dict[int, list[Drawn]] = {}
    for work in works(draft):
        for pool in sorted({p for demands, _ in work.members for p in demands}):
            amount = _amount(draft, work, pool)
            drawn.setdefault(pool, []).extend((i, amount) for i in _worked(draft, work))
    _started(draft, drawn)
    for pool, intervals in sorted(drawn.items()):
        _limit(draft, pool, intervals)


def _limit(draft: Draft, pool: int, intervals: list[Drawn]) -> None:
    levels = draft.problem.pools[pool].levels
    most = max(level for _, level in levels)
    ends = [since for since, _ in levels[1:]] + [draft.last + 1]
    low = [
        (since, end, most - level) for (since, level), end in zip(levels, ends, strict=True) if level < most
    ]
    if not draft.whole:
        low += drawn_by_the_rest(draft, pool)
    for since, end, amount in low:
        since, end = max(since, min(0, draft.first)), min(end, draft.last + 1)
        if since < end and amount > 0:
            intervals.append((draft.model.new_fixed_size_interval_var(since, end - since, ""), amount))
    draft.model.add_cumulative([i for i, _ in intervals], [a for _, a in intervals], most)


def _amount(draft: Draft, work: Work, pool: int) -> Expr:
    """What is drawn: a batch draws the most that one member draws."""
    amounts = {demands.get(pool, 0) for demands, _ in work.members}
    if len(amounts) == 1:
        return amounts.pop()
    hinted = None
    if draft.guess is not None:
        hinted = max((d.get(pool, 0) for d, there in work.members if draft.hinted_literal(there)), default=0)
    amount = draft.number(0, max(amounts), hinted)
    for demands, there in work.members:
        if demands.get(pool, 0):
            draft.require(amount >= demands[pool], there)
    return amount


def _worked(draft: Draft, work: Work) -> list[Interval]:
    """The spans in which it is really worked on, between the pauses."""
    inside = work.over
    if not inside:
        size = work.length
        if size is None:
            size = draft.apart(work.start, work.end, work.hinted)
        return [draft.interval(work.start, size, work.end, work.present)]
    spans: list[Interval] = []
    hinted = None if draft.guess is None else draft.guess.placed[work.task]
    before = draft.number(0, draft.last, None if hinted is None else max(0, inside[0].start - hinted.start))
    spans.append(draft.interval(work.start, before, inside[0].start, work.present))
    for a, b in itertools.pairwise(inside):
        if a.end < b.start:
            spans.append(draft.interval(a.end, b.start - a.end, b.start, work.present))
    after = draft.number(0, draft.last, None if hinted is None else max(0, hinted.end - inside[-1].end))
    spans.append(draft.interval(inside[-1].end, after, work.end, work.present))
    return spans


def _started(draft: Draft, drawn: dict[int, list[Drawn]]) -> None:
    """What has started draws until its end, save while its unit is closed; a batch the most that one member draws."""
    blocks: dict[tuple[int, int, int], dict[int, int]] = {}
    for task in draft.free:
        end = draft.end(task)
        if not draft.facts.started[task] or end <= 0:
            continue
        mode = draft.problem.tasks[task].modes[next(iter(draft.uses[task]), 0)]
        alone = -1 if draft.problem.units[mode.unit].capacity > 0 else task
        most = blocks.setdefault((mode.unit, end, alone), {})
        for pool, amount in mode.demands:
            most[pool] = max(most.get(pool, 0), amount)
    for (unit, end, _), most in blocks.items():
        for since, until in open_spans(draft.problem.units[unit].closed, 0, end):
            interval = draft.model.new_fixed_size_interval_var(since, until - since, "")
            for pool, amount in most.items():
                drawn.setdefault(pool, []).append((interval, amount))
