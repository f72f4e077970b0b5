"""Sequence-dependent set-ups: a unit's occupants in, the circuit that orders them and the ticks of set-up out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal
from zhongshu.decide.scheduling.cp.occupant import Occupant
from zhongshu.decide.scheduling.cp.opentime import advance, open_pieces, open_ticks
from zhongshu.decide.scheduling.cp.piecewise import piecewise


def sequence(draft: Draft, unit: int, here: list[Occupant], share: float) -> None:
    """Order the occupants of a unit in a circuit and keep its set-ups; below a ``share`` of 1 only near pairs count."""
    arcs: list[tuple[int, int, Literal]] = []
    node = {o.key: n for n, o in enumerate(here, start=1)}
    order = _guessed_order(draft, unit, here)
    follows = {(a, b) for a, b in zip([None, *order], [*order, None], strict=True)}
    fixed = [o.key for o in here if o.fixed]
    nothing = draft.flag(None if draft.guess is None else not order)
    arcs.append((0, 0, nothing))
    for o in here:
        if o.present is not True:
            arcs.append((node[o.key], node[o.key], _negated(o.present)))
            # Or tasks of no ticks could run in a circle of their own.
            draft.model.add_bool_or([_negated(o.present), nothing.negated()])
        else:
            draft.model.add(nothing == 0)
        last = draft.flag((o.key, None) in follows)
        arcs.append((node[o.key], 0, last))
        if _may_be_first(draft, unit, o, here):
            first = draft.flag((None, o.key) in follows)
            arcs.append((0, node[o.key], first))
            _first_setup(draft, unit, o, first, (None, o.key) in follows)
    for a, b in _pairs(draft, here, fixed, order, share):
        then = draft.flag((a.key, b.key) in follows)
        arcs.append((node[a.key], node[b.key], then))
        _setup(draft, unit, a, b, then, (a.key, b.key) in follows)
    draft.model.add_circuit(arcs)


def _guessed_order(draft: Draft, unit: int, here: list[Occupant]) -> list[int]:
    """Keys in the order of the guess, as far as they are among the occupants; empty without a guess."""
    if draft.guess is None:
        return []
    known = {o.key for o in here}
    keys = []
    for position, block in enumerate(draft.guess.blocks[unit]):
        free = block.members[0] in draft.is_free
        keys.append(min(block.members) if free else -1 - position)
    return [key for key in keys if key in known]


def _may_be_first(draft: Draft, unit: int, o: Occupant, here: list[Occupant]) -> bool:
    """Started tasks come first, and so does whatever stays before the window."""
    if any(x.started and x.present is True for x in here if x.key != o.key) and not o.started:
        return False
    before = [x for x in here if x.fixed and x.left <= draft.first and x.key != o.key]
    if o.fixed:
        return not any(x.key > o.key for x in here if x.fixed)
    return not before


def _pairs(
    draft: Draft, here: list[Occupant], fixed: list[int], order: list[int], share: float
) -> Iterator[tuple[Occupant, Occupant]]:
    """Who may come right before whom. Blocks that stay keep their order."""
    by_key = {o.key: o for o in here}
    following = {(by_key[a].key, by_key[b].key) for a, b in itertools.pairwise(fixed)}
    near = None
    if share < 1:
        draft.thinned = True
        near = _near(draft, here, order, max(8, int(share * len(here))))
    for a in here:
        for b in here:
            if a.key == b.key or (b.started and not a.started):
                continue
            if a.fixed and b.fixed and (a.key, b.key) not in following:
                continue
            if near is not None and (a.key, b.key) not in near:
                continue
            yield a, b


def _near(draft: Draft, here: list[Occupant], order: list[int], width: int) -> set[tuple[int, int]]:
    """Pairs that lie within ``width`` places of each other, in the guess and where there is none by earliest start."""
    rank: dict[int, int] = {}
    if draft.guess is not None:
        rank = {o.key: draft.guess.placed[o.key].start for o in here if not o.fixed}
    for o in here:
        rank.setdefault(o.key, o.start if o.fixed else draft.facts.earliest[o.key])
    line = sorted(rank, key=lambda key: (rank[key], key))
    half = max(1, width // 2)
    found = {(a, b) for n, a in enumerate(line) for b in line[max(0, n - half) : n + half + 1]}
    return found | set(itertools.pairwise(order))


def _first_setup(draft: Draft, unit: int, o: Occupant, first: Literal, hinted: bool) -> None:
    """From what the unit is set up for now."""
    found = draft.problem.units[unit]
    if o.started or found.family < 0:
        return
    ticks = draft.problem.setups[found.setups][found.family][o.family]
    begin = advance(found.closed, max(0, found.ready), ticks)
    if not o.fixed:
        draft.model.add(o.start >= begin).only_enforce_if(first)
    elif o.start < begin:
        draft.model.add(first == 0)
    draft.price(draft.problem.weights.setup * ticks * draft.scale, first, int(hinted))


def _setup(draft: Draft, unit: int, a: Occupant, b: Occupant, then: Literal, hinted: bool) -> None:
    """One after the other with the set-up between, which rests while the unit is closed."""
    found = draft.problem.units[unit]
    ticks = 0 if b.started else draft.problem.setups[found.setups][a.family][b.family]
    if a.fixed and b.fixed:
        if open_ticks(found.closed, a.left, b.start) < ticks:
            draft.model.add(then == 0)
    else:
        draft.model.add(b.start >= a.left + ticks).only_enforce_if(then)
        if ticks and any(c.start < draft.last and c.end > draft.first for c in found.closed):
            opened = _opened(draft, unit, b.start, b.key, "start") - _opened(
                draft, unit, a.left, a.key, "left"
            )
            draft.model.add(opened >= ticks).only_enforce_if(then)
    draft.price(draft.problem.weights.setup * ticks * draft.scale, then, int(hinted))


def _opened(draft: Draft, unit: int, at: Expr, key: int, which: str) -> Expr:
    """Open ticks of the unit until a start or a departure, counted from the first tick of the model."""
    closed = draft.problem.units[unit].closed
    since = min(0, draft.first)
    if isinstance(at, int):
        return open_ticks(closed, since, at) if at >= since else at - since
    hinted = None
    if draft.guess is not None:
        block = draft.guess.block(key)
        hinted = block.start if which == "start" else block.left
    # Batches depart with their last lot, so that a leader has a departure on each unit.
    name = (which, key, unit if draft.problem.units[unit].capacity > 0 else -1, closed)
    return piecewise(draft, at, open_pieces(closed, since, draft.last), name, hinted)


def _negated(literal: Literal) -> Literal:
    return (not literal) if isinstance(literal, bool) else literal.negated()
