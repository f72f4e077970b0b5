"""Rest in gaps that are long enough, be back before the next work: what pre-heat and stand-by have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zhongshu.decide.policies.advice import Ask
from zhongshu.decide.policies.facts import Facts
from zhongshu.model.idling import Rest
from zhongshu.model.plant import Unit


def resting_units(facts: Facts, *, heats: bool) -> Iterator[tuple[Unit, Rest, bool]]:
    """(unit, how it rests, whether it does) of units that may be commanded and whose set-point is known."""
    for unit in facts.plant.machines:
        rest = facts.plant.type_of[unit.type].rest
        if rest is None or rest.heats is not heats or not facts.work.commandable(unit.id):
            continue
        set_to = facts.value(unit.id, rest.point)
        if set_to is not None:
            yield unit, rest, rest.resting(set_to)


def may_rest(facts: Facts, unit: Unit, gap_s: float, unknown_s: float) -> bool:
    """Idle, and not needed for ``gap_s``; where nobody knows when it is needed next, after ``unknown_s`` without work."""
    if not facts.idle(unit.id):
        return False
    spare_s = facts.spare_s(unit.id)
    return facts.idle_s(unit.id) >= unknown_s if math.isinf(spare_s) else spare_s >= gap_s


def asked(unit: Unit, rest: Rest, reason: str, *, to_rest: bool) -> Ask:
    """The set-point for rest, or for work."""
    return Ask(unit.id, rest.point, rest.rest if to_rest else rest.work, reason)
