"""Longest waits of material that is under way already: kept where they can still be met, else told; read by build."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from zhongshu.decide.planning.build_lots import Flow
from zhongshu.decide.scheduling.problem import Arc, Unit
from zhongshu.kernel.clock import NS

#: The way to the unit, with some waiting for a vehicle, in ticks.
WAY = 300


def bounded_waits(flow: Flow, units: Sequence[Unit], releases: Sequence[int]) -> tuple[list[Arc], list[int]]:
    """All arcs, and the tasks for which a longest wait cannot be demanded any more: no plan could meet it.

    For lots that lie somewhere already the wait is measured from the end of the operation before, as far as the book
    knows it. Each of them takes a machine of its own in this estimate, so that a wait that is kept can be met.
    """
    arcs, late = list(flow.arcs), []
    free = {u: max((p.end or 0) for p in flow.started.values() if p.unit == u) for u in _busy(flow)}
    for index, most in sorted(flow.waits, key=lambda w: w[1]):
        arc = arcs[index]
        left = most - _passed_s(flow, arc.after)
        modes = flow.tasks[arc.after].modes
        unit = min((m.unit for m in modes), key=lambda u: _soonest(u, free, units))
        soonest = _soonest(unit, free, units) + _setup(flow, unit)
        if left < max(soonest, arc.ready + WAY, releases[flow.tasks[arc.after].job]):
            late.append(arc.after)
            continue
        free[unit] = soonest + max(m.duration for m in modes)
        arcs[index] = replace(arc, lag_max=left - arc.ready if not arc.moves else left)
    for index, arc in enumerate(arcs):
        begun = flow.started.get(arc.before)
        if begun is not None and arc.lag_max is not None:
            if (begun.end or 0) + arc.lag_max < releases[flow.tasks[arc.after].job]:
                late.append(arc.after)
                arcs[index] = replace(arc, lag_max=None)
    return arcs, late


def _busy(flow: Flow) -> set[int]:
    return {p.unit for p in flow.started.values() if p.unit is not None}


def _soonest(unit: int, free: dict[int, int], units: Sequence[Unit]) -> int:
    """When a machine is free and open."""
    at = free.get(unit, 0)
    for closed in units[unit].closed:
        if closed.start <= at < closed.end:
            at = closed.end
    return at


def _setup(flow: Flow, unit: int) -> int:
    """The longest set-up that it could need."""
    kind = flow.floor.kind(unit)
    rows = [kind.setups, *(c.setups for c in kind.capabilities)]
    return math.ceil(max((s for matrix in rows for row in matrix.values() for s in row.values()), default=0))


def _passed_s(flow: Flow, task: int) -> int:
    """Seconds since the operation before ended; where the book tells only the beginning, since then less its duration."""
    ref = flow.refs[task]
    lot = flow.lots[ref.lot]
    if not lot.started_ns:
        return 0
    product = flow.work.product(lot)
    before = flow.modes.task(product, ref.step - 1, max(1, lot.good), 0, None, "")
    return max(0, (flow.now_ns - lot.started_ns) // NS - min(m.duration for m in before.modes))
