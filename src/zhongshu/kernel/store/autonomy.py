"""How far the brain may go: changes with a name under them go in, the whole picture and its history come out."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store.act_tables import AutonomyChange
from zhongshu.kernel.store.signed import Refused, Signed, Why
from zhongshu.kernel.store.within import Within, plain
from zhongshu.model.autonomy import (
    WHOLE,
    Autonomy,
    Fact,
    Kind,
    Level,
    Then,
    area_scope,
    standings,
    unit_scope,
)
from zhongshu.model.messages import AutonomyChanged
from zhongshu.model.plant import Plant

_VERSION = select(func.max(AutonomyChange.id)).where(AutonomyChange.plant == bindparam("of"))


def load_autonomy(session: Session, plant: Plant) -> Autonomy:
    """As it holds now; what nobody ever changed is as the plant file says."""
    newest = (
        select(func.max(AutonomyChange.id))
        .where(AutonomyChange.plant == plant.id)
        .group_by(AutonomyChange.scope, AutonomyChange.kind)
    )
    rows = list(session.scalars(select(AutonomyChange).where(AutonomyChange.id.in_(newest))))
    facts = {(r.scope, Kind(r.kind)): Fact(r.value, r.by, r.t_ns, r.note, r.id) for r in rows}
    areas = {unit.id: unit.area for unit in plant.units}
    return standings(areas, plant.ladder, max((r.id for r in rows), default=0), facts)


def autonomy_version(within: Within, plant: str) -> int:
    """The number of the newest change, 0 where there never was one."""
    return plain(within).scalar(_VERSION, {"of": plant}) or 0


def set_level(session: Session, plant: Plant, area: str, level: str, signed: Signed) -> AutonomyChange:
    """Put an area on a rung; raises Refused."""
    if level not in set(Level):
        raise Refused("autonomy.level", level=level[:32], levels=", ".join(Level))
    _require_area(plant, area)
    before = load_autonomy(session, plant).level(area, plant.ladder)
    if before == level:
        raise Refused("autonomy.same", Why.CONFLICT, area=area, level=level)
    return _change(session, plant, area_scope(area), Kind.LEVEL, before, level, signed)


def step_down(session: Session, plant: Plant, area: str, signed: Signed) -> AutonomyChange | None:
    """One rung down, None from the lowest; for the brain itself, which never steps up."""
    before = load_autonomy(session, plant).level(area, plant.ladder)
    if before is Level.OBSERVE:
        return None
    return _change(session, plant, area_scope(area), Kind.LEVEL, before, before.below, signed)


def take_over(
    session: Session, plant: Plant, signed: Signed, *, unit: str = "", area: str = ""
) -> AutonomyChange:
    """The person has the unit or the area from now on, the brain sends nothing there; raises Refused."""
    scope = _unit_or_area(plant, unit, area)
    held = load_autonomy(session, plant).holding(scope, Kind.TAKEN)
    if held is not None:
        raise Refused("autonomy.taken", Why.CONFLICT, what=unit or area, by=held.by)
    return _change(session, plant, scope, Kind.TAKEN, "", "taken", signed)


def hand_back(
    session: Session, plant: Plant, signed: Signed, *, unit: str = "", area: str = ""
) -> AutonomyChange:
    """The brain has it again; raises Refused where nobody had taken it."""
    scope = _unit_or_area(plant, unit, area)
    if load_autonomy(session, plant).holding(scope, Kind.TAKEN) is None:
        raise Refused("autonomy.not-taken", Why.CONFLICT, what=unit or area)
    return _change(session, plant, scope, Kind.TAKEN, "taken", "", signed)


def stop_brain(
    session: Session, plant: Plant, signed: Signed, *, area: str = "", then: str = Then.NOTHING
) -> AutonomyChange:
    """The brain sends nothing more in the area, or the whole plant where it is empty; raises Refused.

    ``then`` says what becomes of machines at work. A stop that holds already may be made a harder one.
    """
    if then not in set(Then):
        raise Refused("autonomy.then", then=then[:32], choices=", ".join(Then))
    scope = _area_or_all(plant, area)
    held = load_autonomy(session, plant).holding(scope, Kind.STOPPED)
    if held is not None and held.value == then:
        raise Refused("autonomy.stopped", Why.CONFLICT, by=held.by)
    before = held.value if held is not None else ""
    return _change(session, plant, scope, Kind.STOPPED, before, then, signed)


def resume_brain(session: Session, plant: Plant, signed: Signed, *, area: str = "") -> AutonomyChange:
    """The stop of that area, or of the whole plant, is over; raises Refused where there was none."""
    scope = _area_or_all(plant, area)
    held = load_autonomy(session, plant).holding(scope, Kind.STOPPED)
    if held is None:
        raise Refused("autonomy.not-stopped", Why.CONFLICT)
    return _change(session, plant, scope, Kind.STOPPED, held.value, "", signed)


def autonomy_changes(
    session: Session, plant: str, *, scope: str = "", after: int = 0, limit: int = 200
) -> list[AutonomyChange]:
    """The newest changes first; ``after`` leaves out those up to that number."""
    mine = select(AutonomyChange).where(AutonomyChange.plant == plant, AutonomyChange.id > after)
    if scope:
        mine = mine.where(AutonomyChange.scope == scope)
    return list(session.scalars(mine.order_by(AutonomyChange.id.desc()).limit(limit)))


def _require_area(plant: Plant, area: str) -> None:
    known = [a.id for a in plant.areas]
    if area not in known:
        raise Refused("autonomy.area", Why.MISSING, area=area[:64], known=", ".join(known))


def _unit_or_area(plant: Plant, unit: str, area: str) -> str:
    if bool(unit) == bool(area):
        raise Refused("autonomy.one-of")
    if area:
        _require_area(plant, area)
        return area_scope(area)
    if unit not in plant.unit_of:
        raise Refused("autonomy.unit", Why.MISSING, unit=unit[:64])
    return unit_scope(unit)


def _area_or_all(plant: Plant, area: str) -> str:
    if not area:
        return WHOLE
    _require_area(plant, area)
    return area_scope(area)


def _change(
    session: Session, plant: Plant, scope: str, kind: Kind, before: str, value: str, signed: Signed
) -> AutonomyChange:
    row = AutonomyChange(
        plant=plant.id,
        scope=scope,
        kind=str(kind),
        before=str(before),
        value=str(value),
        by=signed.by,
        note=signed.note,
        t_ns=signed.now_ns,
    )
    session.add(row)
    session.flush()
    event = AutonomyChanged(
        plant.id,
        signed.stage,
        signed.now_ns,
        row.id,
        scope,
        row.kind,
        row.before,
        row.value,
        signed.by,
        signed.note,
    )
    put_event(session, signed.stage, event, msg_id=f"autonomy.{plant.id}.{row.id}")
    return row
