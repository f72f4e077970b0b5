"""What a person's stop asks of machines at work, and its end of those that it held: from measured states to proposals; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.store.act_tables import AutonomyChange
from zhongshu.model import roles
from zhongshu.model.autonomy import WHOLE, Kind, Then, area_scope
from zhongshu.model.commands import Verb
from zhongshu.model.messages import Proposed
from zhongshu.model.plant import Plant
from zhongshu.model.states import UnitState

#: Wall time within which what a stop asks for must have been sent.
VALID_WALL_NS = 60_000_000_000
_AT_WORK = frozenset({UnitState.EXECUTE, UnitState.STARTING})
#: What the stop asks for, in which states, and what undoes it.
_ASKS = {
    Then.HOLD.value: (Verb.HOLD, frozenset({UnitState.EXECUTE}), Verb.UNHOLD, UnitState.HELD),
    Then.STOP.value: (Verb.STOP, _AT_WORK, Verb.RESET, UnitState.STOPPED),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One machine and what is asked of it; ``decision`` is stop or resume."""

    unit: str
    verb: Verb
    decision: str


def after_stop(
    plant: Plant, latest: Latest, change: AutonomyChange, newest: Callable[[str], str]
) -> list[Asked]:
    """For every machine in the scope of the stop, or of its end. ``newest`` tells what was last asked of one: stop, resume."""
    made = []
    for unit in plant.machines:
        point = plant.role(unit, roles.UNIT_STATE)
        if point is None or not latest.fresh(point.id) or not _inside(change.scope, unit.area):
            continue
        state = latest.value(point.id)
        if change.value in _ASKS:
            verb, at_work, _, _ = _ASKS[change.value]
            if state in at_work:
                made.append(Asked(unit.id, verb, "stop"))
        elif not change.value and change.before in _ASKS:
            _, _, undo, held = _ASKS[change.before]
            if state == held and newest(unit.id) == "stop":
                made.append(Asked(unit.id, undo, "resume"))
    return made


def ends_stop(change: AutonomyChange) -> bool:
    """After it, units that were held or stopped may go on."""
    return change.kind == Kind.STOPPED and not change.value and change.before in _ASKS


def _inside(scope: str, area: str) -> bool:
    return scope in (WHOLE, area_scope(area))


def own_proposal(plant: str, change: AutonomyChange, asked: Asked, clock: Clock) -> Proposed:
    """A proposal in the name of who stopped or resumed; its name makes it one, however often this is looked at."""
    return Proposed(
        plant=plant,
        source="act",
        t_ns=clock.now_ns(),
        proposal=f"{asked.decision}.{change.id}.{asked.unit}",
        unit=asked.unit,
        verb=asked.verb.name,
        args="{}",
        decision=asked.decision,
        reason=f"{asked.decision}_by_a_person",
        subject=f"unit:{asked.unit}",
        expires_ns=clock.to_plant_ns(clock.wall_ns() + VALID_WALL_NS),
        by=change.by,
    )
