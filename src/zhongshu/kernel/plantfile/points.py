"""A type's included groups and own points → the points of one unit of it, before addresses; read by units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zhongshu.kernel.plantfile.equipment import PointSpec, TypeSpec
from zhongshu.kernel.plantfile.groups import builtin
from zhongshu.kernel.plantfile.problems import Findings, Loc, did_you_mean
from zhongshu.kernel.plantfile.spec import PlantSpec
from zhongshu.model import roles
from zhongshu.model.plant import Text


@dataclass(frozen=True, slots=True)
class Planned:
    """A point of a type, merged and complete; ``loc`` is where the file speaks of it last."""

    name: str
    spec: PointSpec
    label: Text
    choices: Mapping[int, Text]
    rate_hz: float
    loc: Loc


def planned_points(spec: PlantSpec, type_id: str, findings: Findings) -> list[Planned]:
    """Every point of a unit of that type, groups first, in the order of the file."""
    type_ = spec.types[type_id]
    loc: Loc = ("types", type_id)
    merged: dict[str, tuple[PointSpec, Loc]] = {}
    for place, group_id in enumerate(type_.include):
        for name, point in _group(spec, group_id, (*loc, "include", place), findings).items():
            merged.setdefault(name, (point, (*loc, "include", place)))
    for name, point in type_.points.items():
        merged[name] = (_refined(merged[name][0] if name in merged else None, point), (*loc, "points", name))
    planned = [_planned(spec, type_, name, point, where, findings) for name, (point, where) in merged.items()]
    _check_roles(planned, findings)
    return planned


def _group(spec: PlantSpec, group_id: str, loc: Loc, findings: Findings) -> Mapping[str, PointSpec]:
    known = {**builtin().point_groups, **spec.point_groups}
    if group_id not in known:
        findings.unknown(loc, "point group", group_id, known, "under point_groups")
    return known.get(group_id, {})


def _refined(base: PointSpec | None, point: PointSpec) -> PointSpec:
    """The included point with what the type says differently."""
    if base is None:
        return point
    changes = {name: getattr(point, name) for name in point.model_fields_set}
    return base.model_copy(update=changes)


def _planned(
    spec: PlantSpec, type_: TypeSpec, name: str, point: PointSpec, loc: Loc, findings: Findings
) -> Planned:
    words = name.replace("_", " ").capitalize()
    rate_hz = type_.scan_hz or point.rate_hz
    choices = _choices(spec, point, loc, findings)
    if point.low is not None and point.high is not None and point.low > point.high:
        findings.error(loc, f"“low” ({point.low:g}) is above “high” ({point.high:g}).", "Swap the two.")
    if point.role and point.role not in roles.ALL:
        findings.error(
            (*loc, "role"), f"There is no role “{point.role}”.", did_you_mean(point.role, roles.ALL)
        )
    if point.scale == 0:
        findings.error(
            (*loc, "scale"), "A scale of 0 makes every value the same.", "Write the factor, 1 for none."
        )
    return Planned(name, point, point.label or Text(words, words), choices, rate_hz, loc)


def _choices(spec: PlantSpec, point: PointSpec, loc: Loc, findings: Findings) -> Mapping[int, Text]:
    known = {**builtin().enumerations, **spec.enumerations}
    if point.enumeration is not None:
        if point.choices is not None:
            findings.error(
                (*loc, "choices"), "The point has “choices” and an “enumeration”.", "Keep one of the two."
            )
        if point.enumeration not in known:
            findings.unknown(
                (*loc, "enumeration"), "enumeration", point.enumeration, known, "under enumerations"
            )
        return known.get(point.enumeration, {})
    if point.kind == "enum" and not point.choices:
        findings.absent(
            loc, "An enum needs its choices.", "Add “choices: {0: 关 / Off, 1: 开 / On}” or an “enumeration”."
        )
    if point.kind != "enum" and point.choices:
        findings.error(
            (*loc, "choices"), f"A point of kind {point.kind} has no choices.", "Write “kind: enum”."
        )
    return point.choices or {}


def _check_roles(planned: list[Planned], findings: Findings) -> None:
    """A role other than setpoint is meant for one point of a unit."""
    first: dict[str, str] = {}
    for point in planned:
        role = point.spec.role
        if not role or role == roles.SETPOINT:
            continue
        if role in first:
            findings.error(
                (*point.loc, "role"),
                f"“{first[role]}” has the role {role} already.",
                "Give each role to one point only.",
            )
        first.setdefault(role, point.name)
