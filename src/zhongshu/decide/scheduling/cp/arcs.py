"""Orders in time: arcs with lags and overlaps in, linear constraints between starts and ends out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.problem import AT_HAND, Arc


def link_all(draft: Draft) -> None:
    """Every arc that touches a free task."""
    for k in touching(draft):
        arc = draft.problem.arcs[k]
        if arc.before == AT_HAND:
            _at_hand(draft, arc)
        elif arc.overlap is not None:
            _overlap(draft, arc, arc.overlap)
        else:
            _end_start(draft, arc)


def touching(draft: Draft) -> list[int]:
    """Live arcs into or out of free tasks, each once, in order."""
    if draft.whole:
        return draft.facts.live
    return sorted({k for task in draft.free for k in draft.facts.arcs_of[task]})


def _at_hand(draft: Draft, arc: Arc) -> None:
    start = draft.start(arc.after)
    draft.model.add(start >= arc.ready + arc.lag_min)
    if arc.lag_max is not None:
        draft.model.add(start <= arc.ready + arc.lag_max)


def _overlap(draft: Draft, arc: Arc, overlap: int) -> None:
    start, begun = draft.start(arc.after), draft.start(arc.before)
    draft.model.add(start >= begun + arc.lag_min)
    if arc.lag_max is not None:
        draft.model.add(start <= begun + arc.lag_max)
    draft.model.add(draft.end(arc.after) >= draft.end(arc.before) + overlap)


def _end_start(draft: Draft, arc: Arc) -> None:
    start, ended = draft.start(arc.after), draft.end(arc.before)
    draft.model.add(start >= ended + arc.lag_min)
    if arc.lag_max is not None:
        draft.model.add(start <= ended + arc.lag_max)
