"""Autonomy, interlocks and permits of the file → what act goes by, checked against the rest of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zhongshu.kernel.plantfile.actspec import InterlockSpec, WhenSpec
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.spec import PlantSpec
from zhongshu.model.autonomy import Ladder, Level
from zhongshu.model.interlocks import Compare, Interlock
from zhongshu.model.plant import Point, Unit


def ladder(spec: PlantSpec, findings: Findings) -> Ladder:
    """Where every area begins, and when the brain steps down."""
    known = [a.id for a in spec.areas]
    said = spec.autonomy
    for area in said.areas:
        if area not in known:
            findings.unknown(("autonomy", "areas", area), "area", area, known, "under areas")
    return Ladder(
        Level(said.default),
        {area: Level(level) for area, level in said.areas.items() if area in known},
        said.failures,
        60.0 * said.within_min,
        said.fresh_share,
        said.stale_s,
        said.approval_s,
        said.unit_gap_s,
        said.area_per_s,
    )


def interlocks(spec: PlantSpec, units: Sequence[Unit], findings: Findings) -> tuple[Interlock, ...]:
    """Every one with the units it is about, spelled out."""
    by_id = {u.id: u for u in units}
    made = []
    ids: set[str] = set()
    for i, lock in enumerate(spec.interlocks):
        loc: Loc = ("interlocks", i)
        if lock.id in ids:
            findings.error(
                (*loc, "id"), f"There is an interlock “{lock.id}” already.", "Rename one of the two."
            )
        ids.add(lock.id)
        asked = _asked(lock, by_id, spec, loc, findings)
        compared = _compared(lock.when, (*loc, "when"), findings)
        if bool(lock.may_not) == bool(lock.may_only):
            told = findings.error if lock.may_not else findings.absent
            told(
                loc,
                "It says both “may_not” and “may_only”."
                if lock.may_not
                else "It does not say what it is about.",
                "Write either “may_not: start_job” (waits while it holds) or “may_only: start_job” (waits unless it holds).",
            )
            continue
        if compared is None or not _known(lock, asked, by_id, loc, findings):
            continue
        verbs = tuple(v.upper() for v in (*lock.may_not, *lock.may_only))
        names = tuple(u.id for u in asked)
        when = lock.when
        made.append(
            Interlock(
                lock.id,
                names,
                verbs,
                when.unit or "",
                when.point,
                *compared,
                bool(lock.may_only),
                lock.reason,
            )
        )
    return tuple(made)


def _asked(
    lock: InterlockSpec, by_id: Mapping[str, Unit], spec: PlantSpec, loc: Loc, findings: Findings
) -> list[Unit]:
    """The units it is about, in the plant's order."""
    for k, unit in enumerate(lock.units):
        if unit not in by_id:
            findings.unknown((*loc, "units", k), "unit", unit, by_id, "in a line")
    for k, type_id in enumerate(lock.types):
        if type_id not in spec.types:
            findings.unknown((*loc, "types", k), "type", type_id, spec.types, "under types")
    found = [u for u in by_id.values() if u.id in lock.units or u.type in lock.types]
    if not (lock.units or lock.types):
        findings.absent(loc, "It names no units.", "Add “units: [press-1]” or “types: [press]”.")
    return found


def _compared(when: WhenSpec, loc: Loc, findings: Findings) -> tuple[Compare, float] | None:
    given = [(c, value) for c in Compare if (value := getattr(when, c.value)) is not None]
    if len(given) != 1:
        findings.error(
            loc,
            "It compares with nothing." if not given else "It compares more than once.",
            "Write exactly one of “above”, “below”, “equals”, “differs” with a number.",
        )
        return None
    return given[0]


def _known(
    lock: InterlockSpec, asked: Sequence[Unit], by_id: Mapping[str, Unit], loc: Loc, findings: Findings
) -> bool:
    """Whether the point is there: on the named unit, or on each of the units that are asked."""
    where: Loc = (*loc, "when", "point")
    if lock.when.unit is not None and lock.when.unit not in by_id:
        findings.unknown((*loc, "when", "unit"), "unit", lock.when.unit, by_id, "in a line")
        return False
    holders = [by_id[lock.when.unit]] if lock.when.unit is not None else asked
    for unit in holders:
        point = next((p for p in unit.points if p.name == lock.when.point), None)
        if point is None:
            names = [p.name for p in unit.points]
            findings.unknown(where, f"point of {unit.id}", lock.when.point, names, "under points")
            return False
        _warn_never(lock, point, where, findings)
    return bool(asked)


def _warn_never(lock: InterlockSpec, point: Point, where: Loc, findings: Findings) -> None:
    """A comparison with what the point can never read is a slip of the pen."""
    value = lock.when.above if lock.when.above is not None else lock.when.below
    beyond = value is not None and (
        (point.low is not None and value < point.low) or (point.high is not None and value > point.high)
    )
    if beyond:
        findings.warning(
            where,
            f"“{point.name}” reads from {point.low:g} to {point.high:g} {point.uom}, it is compared with {value:g}."
            if point.low is not None and point.high is not None
            else f"“{point.name}” never reads {value:g} {point.uom}.",
            "Compare in the point's unit of measure.",
        )
