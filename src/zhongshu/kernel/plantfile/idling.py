"""A type's rest and service in the file → what stages and twin read, checked against its points; called by expand."""

from __future__ import annotations

from collections.abc import Mapping

from zhongshu.kernel.plantfile.equipment import TypeSpec
from zhongshu.kernel.plantfile.points import Planned
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.model.idling import Rest, Service


def rest(type_id: str, type_: TypeSpec, points: Mapping[str, Planned], findings: Findings) -> Rest | None:
    """How the type's units save energy."""
    said = type_.rest
    if said is None:
        return None
    loc: Loc = ("types", type_id, "rest")
    _settable(loc, said.point, {"work": said.work, "rest": said.rest}, points, findings)
    if said.measured is not None and said.measured not in points:
        findings.unknown((*loc, "measured"), "point of this type", said.measured, points, "under points")
    if said.work == said.rest:
        findings.error((*loc, "rest"), "“rest” and “work” are the same.", "Write what is set for rest.")
    wake_s = 60 * said.wake_min
    return Rest(said.point, said.work, said.rest, wake_s, said.measured or "", said.wake_kw)


def service(
    type_id: str, type_: TypeSpec, points: Mapping[str, Planned], findings: Findings
) -> Service | None:
    """How the type's units are asked for maintenance."""
    said = type_.service
    if said is None:
        return None
    _settable(("types", type_id, "service"), said.point, {"point": 1.0}, points, findings)
    return Service(said.point, 60 * said.takes_min)


def _settable(
    loc: Loc, name: str, values: Mapping[str, float], points: Mapping[str, Planned], findings: Findings
) -> None:
    """The point is there, may be written, and takes the values."""
    if name not in points:
        findings.unknown((*loc, "point"), "point of this type", name, points, "under points")
        return
    spec = points[name].spec
    if not spec.writable:
        remedy = "Add “writable: true” to the point."
        findings.absent((*loc, "point"), f"The point “{name}” is not writable.", remedy)
    for key, value in values.items():
        low, high = spec.low, spec.high
        if (low is not None and value < low) or (high is not None and value > high):
            limits = f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}"
            findings.error(
                (*loc, key), f"“{name}” does not take {value:g}: its limits are {limits}.", "Change either."
            )
