"""Piecewise linear functions of one time: open ticks or money until then; sequences and energy ask for them."""

from __future__ import annotations

from collections.abc import Hashable

from zhongshu.decide.scheduling.cp.draft import Draft, Expr


def piecewise(
    draft: Draft, at: Expr, pieces: list[tuple[int, int, int, int]], name: Hashable, hinted: int | None
) -> Expr:
    """The value at ``at`` of a function given as pieces (first t, last t, slope, value at first), the same for the same
    ``name``; ``hinted`` is the t of the guess."""
    if name in draft.functions:
        return draft.functions[name]
    if len(pieces) == 1:
        first, _, slope, value = pieces[0]
        made = slope * (at - first) + value
    else:
        values = [v + s * (t - first) for first, last, s, v in pieces for t in (first, last)]
        made = draft.number(min(values), max(values), None if hinted is None else evaluate(pieces, hinted))
        here = []
        for first, last, slope, value in pieces:
            literal = draft.flag(None if hinted is None else first <= hinted <= last)
            here.append(literal)
            draft.model.add_linear_constraint(at, first, last).only_enforce_if(literal)
            draft.model.add(made == slope * at + (value - slope * first)).only_enforce_if(literal)
        draft.model.add_exactly_one(here)
    draft.functions[name] = made
    return made


def evaluate(pieces: list[tuple[int, int, int, int]], at: int) -> int:
    """The value of such a function at one instant."""
    for first, last, slope, value in pieces:
        if first <= at <= last:
            return value + slope * (at - first)
    raise ValueError(f"{at} lies outside the function")
