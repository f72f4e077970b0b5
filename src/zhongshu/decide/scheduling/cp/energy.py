"""The price of energy: placed tasks and batches in, what they cost over the tariff's bands out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft, Expr, Literal
from zhongshu.decide.scheduling.cp.opentime import open_spans
from zhongshu.decide.scheduling.cp.piecewise import evaluate, piecewise
from zhongshu.decide.scheduling.problem import Closed

Pieces = list[tuple[int, int, int, int]]


def charge_all(draft: Draft) -> None:
    """Add power x price x worked ticks of everything that is free, in thousandths of money."""
    if not draft.problem.weights.energy or not draft.problem.prices:
        return
    for task in draft.free:
        for m, used in draft.uses[task].items():
            mode = draft.problem.tasks[task].modes[m]
            if mode.power and not draft.problem.units[mode.unit].capacity:
                _charge(draft, task, mode.unit, [(mode.power, used)], used)
    for unit, joins in draft.joins.items():
        for task, leader in list(joins):
            if task == leader:
                _charge_batch(draft, unit, leader)


def _charge_batch(draft: Draft, unit: int, leader: int) -> None:
    """A batch draws the most that one member draws."""
    powers: list[tuple[int, Literal]] = []
    for (task, other), joined in draft.joins[unit].items():
        if other == leader:
            modes = draft.problem.tasks[task].modes
            for m, used in draft.uses[task].items():
                if modes[m].unit == unit and modes[m].power:
                    powers.append((modes[m].power, [joined] if used is True else [joined, used]))
    if powers:
        _charge(draft, leader, unit, powers, draft.joins[unit][leader, leader])


def _charge(draft: Draft, task: int, unit: int, powers: list[tuple[int, Literal]], present: Literal) -> None:
    """The cost is at least what each that takes part would cost alone; nothing pushes it higher."""
    closed = draft.problem.units[unit].closed
    until = draft.last
    pieces = money_pieces(closed, draft.problem.prices, min(0, draft.first), until)
    ticks = _spent(draft, pieces, closed, task)
    most = max(power for power, _ in powers) * max(0, *(v + s * (b - a) for a, b, s, v in pieces))
    hinted = None
    if draft.guess is not None:
        placed = draft.guess.placed[task]
        drawn = max((p for p, there in powers if _holds(draft, there)), default=0)
        hinted = drawn * (_money(pieces, placed.end) - _money(pieces, placed.start))
    if len(powers) == 1 and present is True:
        draft.price(draft.problem.weights.energy, powers[0][0] * ticks, hinted)
        return
    cost = draft.number(0, most, hinted)
    for power, there in powers:
        literals = [x for x in (there if isinstance(there, list) else [there]) if x is not True]
        draft.model.add(cost >= power * ticks).only_enforce_if(literals)
    draft.price(draft.problem.weights.energy, cost, hinted)


def _holds(draft: Draft, there: Literal) -> bool:
    return all(draft.hinted_literal(x) for x in (there if isinstance(there, list) else [there]))


def _spent(draft: Draft, pieces: Pieces, closed: tuple[Closed, ...], task: int) -> Expr:
    """Money per 1,000 kW between start and end of a task, on units with this calendar."""
    spent: list[Expr] = []
    for which, at in (("start", draft.start(task)), ("end", draft.end(task))):
        if isinstance(at, int):
            spent.append(_money(pieces, at))
            continue
        hinted = None
        if draft.guess is not None:
            placed = draft.guess.placed[task]
            hinted = placed.start if which == "start" else placed.end
        spent.append(piecewise(draft, at, pieces, ("money", which, task, closed), hinted))
    return spent[1] - spent[0]


def _money(pieces: Pieces, at: int) -> int:
    """The same for one instant; nothing was paid for before the model begins."""
    return evaluate(pieces, max(at, pieces[0][0]))


def money_pieces(
    closed: tuple[Closed, ...], prices: tuple[tuple[int, int], ...], since: int, until: int
) -> Pieces:
    """What 1,000 kW have cost from tick 0 until t, for t in [since, until]: nothing while closed or before tick 0."""
    slopes: dict[int, int] = {since: 0}
    bands = zip(prices, [t for t, _ in prices[1:]] + [until], strict=True)
    for (begin, price), end in bands:
        for a, b in open_spans(closed, max(0, begin), min(end, until)):
            slopes[a], slopes[b] = price, slopes.get(b, 0)
    ticks = sorted(t for t in slopes if t <= until)
    pieces: Pieces = []
    value = 0
    for at, following in zip(ticks, ticks[1:] + [until + 1], strict=True):
        slope = slopes[at]
        pieces.append((at, following - 1, slope, value))
        value += slope * (following - at)
    return [p for p in pieces if p[0] <= p[1]]
