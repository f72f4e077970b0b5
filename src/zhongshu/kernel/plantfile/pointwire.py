"""A type's points and a connection → the address pattern of each point, with the checks its protocol asks for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from zhongshu.kernel.plantfile.points import Planned
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.spec import PlantSpec
from zhongshu.kernel.plantfile.validate import validate_part
from zhongshu.kernel.plantfile.wire import (
    MOST_REGISTERS,
    WIRES,
    Register,
    RegisterAddress,
    registers,
    settings_of,
)
from zhongshu.model import roles
from zhongshu.model.plant import Connection

#: Written in one request, in this order, the key last: the device looks at the rest when the key changes.
REQUEST_ROLES = (
    roles.REQUEST_VERB,
    roles.REQUEST_LOT,
    roles.REQUEST_PRODUCT,
    roles.REQUEST_OPERATION,
    roles.REQUEST_QUANTITY,
    roles.REQUEST_KEY,
)
_STATE_ROLES = (roles.UNIT_STATE, roles.UNIT_MODE)
_JOB_ROLES = (roles.JOB_KEY, roles.JOB_STATE, roles.COMMAND_KEY, roles.COMMAND_RESULT)
_VEHICLE_ROLES = (
    *_STATE_ROLES,
    roles.POSITION_X,
    roles.POSITION_Y,
    roles.BATTERY,
    roles.LAST_NODE,
    roles.ORDER_KEY,
    roles.ORDER_STATE,
    roles.LOAD,
)


def point_addresses(
    spec: PlantSpec, type_id: str, planned: Sequence[Planned], connection: Connection, findings: Findings
) -> list[dict[str, Any]]:
    """One address a point; texts may still hold {node}, {id}, {point}."""
    _check_roles(spec, type_id, planned, connection, findings)
    wire = WIRES.get(connection.protocol)
    if wire is None:
        return [dict(p.spec.address) for p in planned]
    if connection.protocol == "modbus":
        return _registers(type_id, planned, connection, findings)
    made: list[dict[str, Any]] = []
    for p in planned:
        # A dtype is only meant for registers; groups that serve Modbus and Sparkplug alike carry it.
        own = {k: v for k, v in p.spec.address.items() if k != "dtype"}
        address = {**wire.point_default, **own}
        checked = validate_part(wire.point, _sample(address), (*p.loc, "address"), findings)
        made.append(address if checked is not None else {})
    return made


def _sample(address: dict[str, Any]) -> dict[str, Any]:
    """Patterns filled with something, so that the grammar can be asked before the names are known."""
    return {k: v.replace("{node}", "s=u") if isinstance(v, str) else v for k, v in address.items()}


def _registers(
    type_id: str, planned: Sequence[Planned], connection: Connection, findings: Findings
) -> list[dict[str, Any]]:
    addresses = [
        validate_part(RegisterAddress, p.spec.address, (*p.loc, "address"), findings)
        or RegisterAddress.model_validate({})
        for p in planned
    ]
    layout = registers((a, p.spec.kind, p.spec.role) for a, p in zip(addresses, planned, strict=True))
    _check_overlap(planned, layout, findings)
    _check_request(planned, layout, findings)
    for table in ("holding", "input"):
        taken = [r for r in layout if r.table == table]
        size = max((r.first + r.size for r in taken), default=0) - min((r.first for r in taken), default=0)
        if size > MOST_REGISTERS:
            findings.error(
                ("types", type_id, "points"),
                f"The {table} registers span {size}; one read takes at most {MOST_REGISTERS}.",
                "Take points away, use shorter dtypes, or close the holes between registers.",
            )
    rates = {p.rate_hz for p in planned}
    if len(rates) > 1:
        findings.warning(
            ("types", type_id),
            f"The points have {len(rates)} different rates, but a Modbus unit is scanned as a whole.",
            "Add “scan_hz: 0.5” (or your rate) to the type.",
        )
    words = connection.settings.get("word_order", "big")
    return [
        {
            "table": r.table,
            "register": r.first,
            "dtype": r.dtype,
            "word_order": settings_of(a).get("word_order", words),
        }
        for r, a in zip(layout, addresses, strict=True)
    ]


def _check_overlap(planned: Sequence[Planned], layout: Sequence[Register], findings: Findings) -> None:
    taken: dict[tuple[str, int], str] = {}
    for p, r in zip(planned, layout, strict=True):
        for at in range(r.first, r.first + r.size):
            if (r.table, at) in taken:
                findings.error(
                    (*p.loc, "address"),
                    f"“{p.name}” needs {r.table} register {at}, which belongs to “{taken[r.table, at]}”.",
                    "Move one of the two, or leave “register” away to have it laid out.",
                )
                break
            taken[r.table, at] = p.name


def _check_request(planned: Sequence[Planned], layout: Sequence[Register], findings: Findings) -> None:
    """The request goes out in one write: contiguous holding registers with the key last."""
    request = [(r, p) for r, p in zip(layout, planned, strict=True) if p.spec.role in REQUEST_ROLES]
    request.sort(key=lambda pair: (pair[0].table, pair[0].first))
    if not request:
        return
    joined = all(a.first + a.size == b.first for (a, _), (b, _) in itertools.pairwise(request))
    last = request[-1][1]
    if not joined or {r.table for r, _ in request} != {"holding"} or last.spec.role != roles.REQUEST_KEY:
        findings.error(
            last.loc,
            "The request_… points are no contiguous holding registers with request_key last.",
            "One write must take them all; include the group “request” as it is.",
        )


def _check_roles(
    spec: PlantSpec, type_id: str, planned: Sequence[Planned], connection: Connection, findings: Findings
) -> None:
    """Roles without which the brain is blind or dumb; honest counting is only recommended."""
    loc: Loc = ("types", type_id)
    type_, protocol = spec.types[type_id], connection.protocol
    there = {p.spec.role for p in planned}
    wanted = _VEHICLE_ROLES if type_.vehicle else (*_STATE_ROLES, *_JOB_ROLES) if type_.capabilities else ()
    if protocol in ("modbus", "sparkplug") and type_.capabilities:
        wanted = (*wanted, *REQUEST_ROLES)
    missing = [role for role in wanted if role not in there]
    if missing:
        groups = "vehicle" if type_.vehicle else "packml, job"
        groups += ", request" if not type_.vehicle and protocol in ("modbus", "sparkplug") else ""
        findings.absent(
            loc,
            f"On {protocol} its units need points with the roles {', '.join(missing)}.",
            f"Add “include: [{groups}]”.",
        )
    counting = [roles.SAMPLE_COUNT, roles.SCAN_TIME] if protocol == "modbus" else [roles.SAMPLE_COUNT]
    for role in counting:
        if role not in there:
            findings.warning(
                loc,
                f"No point has the role {role}: lost samples can't be told.",
                "Give it to a point if the devices can count.",
            )
    for p in planned:
        if p.spec.role in REQUEST_ROLES and not p.spec.writable:
            findings.error(
                p.loc, f"“{p.name}” has the role {p.spec.role} but is not writable.", "Add “writable: true”."
            )
    if type_.vehicle != (protocol == "vda5050") and protocol in WIRES:
        findings.error(
            loc,
            f"{'Vehicles' if type_.vehicle else 'Machines'} cannot be reached over {protocol}.",
            "Use a vda5050 connection for vehicles, and only for them.",
        )
