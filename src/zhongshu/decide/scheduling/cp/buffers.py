"""Limited buffers and blocking: lots that wait before or behind a unit in, cumulatives and equalities out.

The rule counts lots at each instant at which a lot is brought (semantics 8 and 9). Where every lot at hand lies there from
the beginning and all of them fit, that is a cumulative; else each lot that is brought counts the others itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Interval, Literal


@dataclass(frozen=True, slots=True)
class Lot:
    """Waits in [since, until) if ``here``; ``brought``: it is moved there, so that there must be room for it then.
    ``hinted``: (here, since, until) in the guess."""

    since: Expr
    until: Expr
    here: Literal
    brought: bool
    hinted: tuple[bool, int, int] | None

    @property
    def settled(self) -> bool:
        """Whether all of it is constant."""
        return isinstance(self.since, int) and isinstance(self.until, int) and isinstance(self.here, bool)


def buffer_all(draft: Draft) -> None:
    """Limits behind and before every unit that a ride touches."""
    outs: set[int] = set()
    ins: set[int] = set()
    for k in draft.rides:
        arc = draft.problem.arcs[k]
        outs |= {arc.origin} if arc.before < 0 else set(_units(draft, arc.before))
        ins |= set(_units(draft, arc.after))
    for task in draft.free:
        ins |= {u for u in draft.facts.units_of(task) if draft.facts.waiting_in[u]}
    for unit in sorted(outs):
        capacity = draft.problem.units[unit].buffer_out
        if capacity is not None:
            _hold(draft, _lots_behind(draft, unit), capacity)
    for unit in sorted(ins):
        capacity = draft.problem.units[unit].buffer_in
        if capacity is not None:
            _hold(draft, _lots_before(draft, unit), capacity)


def _units(draft: Draft, task: int) -> tuple[int, ...]:
    return draft.facts.units_of(task) if task in draft.is_free else (draft.plan.unit[task],)


def _lots_behind(draft: Draft, unit: int) -> list[Lot]:
    """Produced lots from their departure until they are fetched, and lots that lie there at hand."""
    found = []
    for k in _carried(draft, unit, behind=True):
        arc = draft.problem.arcs[k]
        if arc.before < 0:
            if arc.origin == unit:
                hinted = None if draft.guess is None else (True, arc.ready, draft.guess.moved[k].pickup)
                found.append(Lot(arc.ready, _pickup(draft, k), True, False, hinted))
            continue
        here = draft.on(arc.before, unit)
        if here is not False:
            hinted = None
            if draft.guess is not None:
                there = draft.guess.unit[arc.before] == unit
                hinted = (there, draft.guess.placed[arc.before].left, draft.guess.moved[k].pickup)
            found.append(Lot(draft.left(arc.before), _pickup(draft, k), here, True, hinted))
    return found


def _lots_before(draft: Draft, unit: int) -> list[Lot]:
    """Lots from their drop until their task starts, and lots that lie there at hand."""
    found = []
    for k in _carried(draft, unit, behind=False):
        after = draft.problem.arcs[k].after
        here = draft.on(after, unit)
        if here is not False:
            hinted = None
            if draft.guess is not None:
                there = draft.guess.unit[after] == unit
                hinted = (there, draft.guess.moved[k].drop, draft.guess.placed[after].start)
            found.append(Lot(_drop(draft, k), draft.start(after), here, True, hinted))
    for k in draft.facts.waiting_in[unit]:
        arc = draft.problem.arcs[k]
        hinted = None if draft.guess is None else (True, arc.ready, draft.guess.placed[arc.after].start)
        found.append(Lot(arc.ready, draft.start(arc.after), True, False, hinted))
    return found


def _carried(draft: Draft, unit: int, *, behind: bool) -> list[int]:
    """Arcs whose lot may wait behind (or before) a unit: all, or in a window the free ones and what the plan has there."""
    if draft.whole:
        return draft.facts.carried
    known = draft.plan.lots_behind if behind else draft.plan.lots_before
    return sorted({*draft.rides, *known.get(unit, ())})


def _pickup(draft: Draft, k: int) -> Expr:
    return draft.rides[k].pickup if k in draft.rides else draft.plan.moved[k].pickup


def _drop(draft: Draft, k: int) -> Expr:
    return draft.rides[k].drop if k in draft.rides else draft.plan.moved[k].drop


def _hold(draft: Draft, lots: list[Lot], capacity: int) -> None:
    """At most ``capacity`` of them wait whenever one is brought."""
    if capacity == 0:
        for lot in lots:
            if lot.brought and not lot.settled:
                draft.require(lot.since == lot.until, lot.here)
        return
    lots = [lot for lot in lots if not (lot.settled and _outside(draft, lot))]
    lying = [lot for lot in lots if not lot.brought]
    if len(lots) <= capacity:
        return
    if len(lying) <= capacity and all(lot.since <= 0 for lot in lying):
        draft.model.add_cumulative([_waiting(draft, lot) for lot in lots], [1] * len(lots), capacity)
        return
    for lot in lots:
        if lot.brought:
            _finds_room(draft, lot, lots, capacity)


def _outside(draft: Draft, lot: Lot) -> bool:
    return lot.until <= max(lot.since, draft.first) or lot.since > draft.last


def _waiting(draft: Draft, lot: Lot) -> Interval:
    hinted = None if lot.hinted is None else lot.hinted[2] - lot.hinted[1]
    return draft.interval(lot.since, draft.apart(lot.since, lot.until, hinted), lot.until, lot.here)


def _finds_room(draft: Draft, lot: Lot, lots: list[Lot], capacity: int) -> None:
    """If the lot has to wait where it is brought, at most ``capacity`` - 1 others are there at that instant."""
    waits = _waits(draft, lot)
    if waits is False:
        return
    there = [t for other in lots if other is not lot and (t := _there(draft, other, lot)) is not False]
    if len(there) >= capacity:
        draft.require(sum(there) <= capacity - 1, waits)


def _waits(draft: Draft, lot: Lot) -> Literal:
    if lot.settled:
        return bool(lot.here and lot.since < lot.until)
    hinted = None if lot.hinted is None else lot.hinted[0] and lot.hinted[1] < lot.hinted[2]
    waits = draft.flag(hinted)
    conditions = [waits.negated()] if lot.here is True else [waits.negated(), lot.here]
    draft.model.add(lot.since == lot.until).only_enforce_if(conditions)
    return waits


def _there(draft: Draft, other: Lot, lot: Lot) -> Literal:
    """A literal that must be true if ``other`` waits at the instant at which ``lot`` is brought."""
    if other.settled and isinstance(lot.since, int):
        return bool(other.here and other.since <= lot.since < other.until)
    hinted = later = gone = None
    if other.hinted is not None and lot.hinted is not None:
        later, gone = lot.hinted[1] < other.hinted[1], other.hinted[2] <= lot.hinted[1]
        hinted = other.hinted[0] and not later and not gone
    there, comes_later, is_gone = draft.flag(hinted), draft.flag(later), draft.flag(gone)
    draft.model.add(other.since > lot.since).only_enforce_if(comes_later)
    draft.model.add(other.until <= lot.since).only_enforce_if(is_gone)
    absent = (
        []
        if other.here is True
        else [not other.here if isinstance(other.here, bool) else other.here.negated()]
    )
    draft.model.add_bool_or([there, comes_later, is_gone, *absent])
    return there
