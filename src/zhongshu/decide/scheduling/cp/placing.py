"""Where and when a task can lie: alternative units, durations and calendars; facts in, start, end and mode literals out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.draft import Draft, Literal, Piece, domain
from zhongshu.decide.scheduling.cp.opentime import Run, Spans, join, runs
from zhongshu.decide.scheduling.problem import AT_HAND, Closed, Mode


def place_all(draft: Draft) -> None:
    """Start, end, left and mode literals of every free task."""
    for task in draft.free:
        if draft.facts.started[task]:
            _place_started(draft, task)
        else:
            _place(draft, task)
        _leave(draft, task)
    if not draft.whole:
        _leave_towards_free(draft)


def _leave_towards_free(draft: Draft) -> None:
    """A fixed lot that a free task waits for leaves its unit no later than it does now: nobody else has to give way."""
    for task in draft.free:
        for k in draft.facts.lots_in[task]:
            before = draft.problem.arcs[k].before
            if before == AT_HAND or before in draft.left_of or before in draft.is_free:
                continue
            placed = draft.plan.placed[before]
            if draft.problem.units[draft.plan.unit[before]].buffer_out is None or placed.left == placed.end:
                draft.left_of[before] = placed.end
            else:
                draft.left_of[before] = draft.number(placed.end, placed.left, placed.left)


def _place_started(draft: Draft, task: int) -> None:
    """Measured times stand; only the mode may be open, where the unit has two that fit."""
    pin = draft.problem.pin_of[task]
    draft.start_of[task], draft.end_of[task] = pin.start or 0, pin.end or 0
    draft.uses[task] = _mode_literals(draft, task, draft.facts.options[task])
    draft.pieces[task] = []


def _place(draft: Draft, task: int) -> None:
    options = {m: found for m in draft.facts.options[task] if (found := _pieces(draft, task, m))}
    if not options:
        draft.impossible()
        draft.start_of[task] = draft.end_of[task] = draft.first
        draft.uses[task], draft.pieces[task] = {}, []
        return
    draft.uses[task] = _mode_literals(draft, task, tuple(options))
    pieces = [p for m, found in options.items() for p in _piece_literals(draft, task, m, found)]
    draft.pieces[task] = pieces
    everywhere = join(span for p in pieces for span in p.spans)
    start = draft.within(everywhere, None if draft.guess is None else draft.guess.placed[task].start)
    draft.start_of[task] = start
    for p in pieces:
        if p.spans != everywhere:
            inside = draft.model.add_linear_expression_in_domain(start, domain(p.spans))
            inside.only_enforce_if(p.literal)
    _end(draft, task, pieces)


def _end(draft: Draft, task: int, pieces: list[Piece]) -> None:
    """The end: start plus the length of the piece that is taken; a batch decides where the length is None."""
    start, lengths = draft.start_of[task], {p.length for p in pieces}
    only = pieces[0].length
    if len(lengths) == 1 and only is not None:
        draft.end_of[task] = start + only
        draft.length_of[task] = only
        return
    hinted = None if draft.guess is None else draft.guess.placed[task].end
    end = draft.number(draft.first, draft.last, hinted)
    draft.end_of[task] = end
    if None not in lengths:
        draft.model.add(end == start + sum(p.length * p.literal for p in pieces))
        return
    for p in pieces:
        if p.length is None:
            draft.require(end >= start, p.literal)
        else:
            draft.require(end == start + p.length, p.literal)


def _leave(draft: Draft, task: int) -> None:
    """When the lot leaves the unit: at the end unless it may have to wait there for its output buffer."""
    end = draft.end_of[task]
    units = draft.problem.units
    bounded = [u for u in draft.facts.units_of(task) if units[u].buffer_out is not None]
    if not draft.facts.lots_out[task] or not bounded:
        draft.left_of[task] = end
        return
    low = min(draft.first, end) if isinstance(end, int) else draft.first
    left = draft.number(low, draft.last, None if draft.guess is None else draft.guess.placed[task].left)
    draft.left_of[task] = left
    draft.model.add(left >= end)
    for u in draft.facts.units_of(task):
        if units[u].buffer_out is None:
            draft.require(left == end, draft.on(task, u))


def _pieces(draft: Draft, task: int, m: int) -> list[Piece]:
    """The ways to lie on one mode, without their literals."""
    found, mode = draft.problem.tasks[task], draft.problem.tasks[task].modes[m]
    unit, pin = draft.problem.units[mode.unit], draft.problem.pin_of.get(task)
    first = max(draft.first, draft.problem.jobs[found.job].release, unit.ready, 0)
    if draft.whole:
        first = max(first, draft.facts.earliest[task])
    last = draft.last
    if pin is not None and pin.start is not None:
        first, last = max(first, pin.start), min(last, pin.start)
    if first > last:
        return []
    if unit.capacity > 0 and (mode.unit, found.family) in draft.facts.uneven:
        return [Piece(m, ((first, last),), None, (), True)]
    possible = runs(unit.closed, mode.duration, found.interruptible, first, last)
    possible = tuple(
        _ending(r, mode.duration, draft.last, None if pin is None else pin.end) for r in possible
    )
    possible = tuple(r for r in possible if r.first <= r.last)
    return [Piece(m, at, mode.duration + r.shift, r.over, True) for at, r in _grouped(draft, mode, possible)]


def _ending(run: Run, duration: int, last: int, end: int | None) -> Run:
    """The part of a run that ends by ``last``, or exactly at ``end``."""
    length = duration + run.shift
    if end is not None:
        return Run(max(run.first, end - length), min(run.last, end - length), run.shift, run.over)
    return Run(run.first, min(run.last, last - length), run.shift, run.over)


def _grouped(draft: Draft, mode: Mode, possible: tuple[Run, ...]) -> list[tuple[Spans, Run]]:
    """Runs of equal length together; by the pauses themselves where something is shared while the work goes on."""
    shared = draft.problem.units[mode.unit].capacity > 0 and draft.problem.pools
    apart = bool(mode.demands or shared)
    groups: dict[int | tuple[Closed, ...], list[Run]] = {}
    for r in possible:
        groups.setdefault(r.over if apart else r.shift, []).append(r)
    return [(join((r.first, r.last) for r in group), group[0]) for group in groups.values()]


def _mode_literals(draft: Draft, task: int, modes: tuple[int, ...]) -> dict[int, Literal]:
    """One literal a mode, exactly one of them true; plainly True where there is no choice."""
    if not modes:
        draft.impossible()
    if len(modes) == 1:
        return {modes[0]: True}
    chosen = None if draft.guess is None else draft.guess.placed[task].mode
    made = {m: draft.flag(None if chosen is None else chosen == m) for m in modes}
    draft.model.add_exactly_one(made.values())
    return made


def _piece_literals(draft: Draft, task: int, m: int, found: list[Piece]) -> list[Piece]:
    """The pieces of one mode with literals that add up to the mode's."""
    used = draft.uses[task][m]
    if len(found) == 1:
        p = found[0]
        return [Piece(p.mode, p.spans, p.length, p.over, used)]
    made = []
    for p in found:
        hinted = None
        if draft.guess is not None:
            placed = draft.guess.placed[task]
            lies = any(a <= placed.start <= b for a, b in p.spans)
            hinted = placed.mode == m and lies
        made.append(Piece(p.mode, p.spans, p.length, p.over, draft.flag(hinted)))
    draft.model.add(sum(p.literal for p in made) == used)
    return made
