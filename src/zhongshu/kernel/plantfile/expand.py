"""PlantSpec → Plant: every connection, unit, point, node and step spelled out; read by load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.kernel.plantfile import idling
from zhongshu.kernel.plantfile.hours import calendars, check_timezone, shifts, tariff
from zhongshu.kernel.plantfile.patterns import PatternError, filled, holes
from zhongshu.kernel.plantfile.patterns import fill as fill_pattern
from zhongshu.kernel.plantfile.permissions import interlocks, ladder
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.products import capabilities, check_flow, operations, products
from zhongshu.kernel.plantfile.resources import check_batches, maintenance, materials, planning, pools
from zhongshu.kernel.plantfile.roads import check_reach, road_map
from zhongshu.kernel.plantfile.setups import setups
from zhongshu.kernel.plantfile.spec import ConnectionSpec, PlantSpec
from zhongshu.kernel.plantfile.units import Tree, areas
from zhongshu.kernel.plantfile.validate import validate_part
from zhongshu.kernel.plantfile.wire import WIRES, settings_of
from zhongshu.model.plant import Connection, Plant, RoadMap, Text, UnitType


def expanded(spec: PlantSpec, findings: Findings) -> Plant:
    """The whole plant; only to be used where ``findings`` holds no errors afterwards."""
    check_timezone(spec.timezone, findings)
    roads = road_map(spec.roads, findings)
    links = _connections(spec, findings)
    tree = Tree(spec, links, roads, findings)
    made = areas(tree)
    types = tuple(_type(spec, type_id, tree, findings) for type_id in spec.types)
    _check_roads(tree, roads, findings)
    check_batches(spec, findings)
    all_shifts = shifts(spec.shifts, findings)
    own_shifts, other_hours = calendars(spec, all_shifts, findings)
    plant = Plant(
        id=spec.plant,
        name=spec.name or Text(spec.plant, spec.plant),
        site=spec.site,
        timezone=spec.timezone,
        areas=made,
        types=types,
        units=tuple(tree.units),
        connections=tuple(links.values()),
        products=products(spec, findings),
        shifts=own_shifts,
        tariff=tariff(spec.tariff, findings),
        currency=spec.tariff.currency if spec.tariff else "CNY",
        roads=roads,
        stale_after_s=spec.stale_after_s,
        settings=dict(spec.settings),
        operations=operations(spec, findings),
        calendars=other_hours,
        pools=pools(spec, findings),
        materials=materials(spec),
        maintenance=maintenance(spec, [u.id for u in tree.units], findings),
        planning=planning(spec, findings),
        policies={name: dict(said) for name, said in spec.policies.items()},
        ladder=ladder(spec, findings),
        interlocks=interlocks(spec, tree.units, findings),
    )
    check_flow(spec, findings)
    _warn_unused(plant, findings)
    return plant


def _type(spec: PlantSpec, type_id: str, tree: Tree, findings: Findings) -> UnitType:
    type_ = spec.types[type_id]
    points = {p.name: p for p in tree.points_of(type_id)}
    for i, name in enumerate(type_.parameters):
        loc: Loc = ("types", type_id, "parameters", i)
        if name not in points:
            findings.unknown(loc, "point of this type", name, points, "under points")
        elif not points[name].spec.writable:
            findings.absent(loc, f"The point “{name}” is not writable.", "Add “writable: true” to the point.")
    return UnitType(
        id=type_id,
        name=type_.name or Text(type_id, type_id),
        icon=type_.icon,
        capabilities=capabilities(spec, type_id, findings),
        setups=setups(spec, type_id, findings),
        is_vehicle=type_.vehicle,
        buffer_in=type_.buffer_in,
        buffer_out=type_.buffer_out,
        parameters=tuple(type_.parameters),
        batch=type_.batch,
        batch_pieces=type_.batch_pieces,
        rest=idling.rest(type_id, type_, points, findings),
        service=idling.service(type_id, type_, points, findings),
    )


def _connections(spec: PlantSpec, findings: Findings) -> dict[str, Connection]:
    made: dict[str, Connection] = {}
    for i, template in enumerate(spec.connections):
        loc: Loc = ("connections", i)
        if template.count > 1 and "n" not in holes(template.id):
            remedy = "Put {n} into the id."
            findings.error(
                (*loc, "id"), f"{template.count} connections would all be called “{template.id}”.", remedy
            )
            continue
        for n in range(1, template.count + 1):
            connection = _connection(template, n, loc, findings)
            if connection is None:
                findings.forgiven |= {_filled_id(template, m) for m in range(1, template.count + 1)}
                break
            if connection.id in made:
                findings.error(
                    (*loc, "id"),
                    f"There is a connection “{connection.id}” already.",
                    "Rename one of the two.",
                )
            made[connection.id] = connection
    _check_endpoints(spec, made, findings)
    return made


def _filled_id(template: ConnectionSpec, n: int) -> str:
    try:
        return fill_pattern(template.id, {"n": n})
    except PatternError:
        return template.id


def _connection(template: ConnectionSpec, n: int, loc: Loc, findings: Findings) -> Connection | None:
    key = "id"
    try:
        connection_id = fill_pattern(template.id, {"n": n})
        key = "settings"
        settings: Mapping[str, Any] = {
            k: filled(v, {"n": n, "id": connection_id}) for k, v in template.settings.items()
        }
    except PatternError as error:
        what = (
            f"“{{{error.name}}}” cannot be filled in here."
            if error.name
            else "The braces { } make no pattern."
        )
        findings.error((*loc, key), what, "Connections may use {n}, and {id} in settings.")
        return None
    wire = WIRES.get(template.protocol)
    if wire is not None:
        checked = validate_part(wire.settings, settings, (*loc, "settings"), findings)
        if checked is None:
            return None
        settings = settings_of(checked)
    else:
        findings.warning(
            (*loc, "protocol"),
            f"zhongshu itself speaks no “{template.protocol}”; its settings are not checked here.",
            f"Its connector will check them. Built in are {', '.join(sorted(WIRES))}.",
        )
    return Connection(connection_id, template.protocol, settings)


def _check_endpoints(spec: PlantSpec, made: Mapping[str, Connection], findings: Findings) -> None:
    """Two connections to the same place would each believe to be the only one."""
    first: dict[tuple[Any, ...], str] = {}
    for connection in made.values():
        s = connection.settings
        place: tuple[Any, ...] = {
            "opcua": ("opcua", s.get("endpoint")),
            "modbus": ("modbus", s.get("host"), s.get("port")),
            "sparkplug": ("sparkplug", s.get("broker"), s.get("group"), s.get("edge")),
            "vda5050": ("vda5050", s.get("broker"), s.get("interface"), s.get("manufacturer")),
        }.get(connection.protocol, (connection.id,))
        if place in first:
            where = next(
                (
                    i
                    for i, t in enumerate(spec.connections)
                    for n in range(1, t.count + 1)
                    if _filled_id(t, n) == connection.id
                ),
                0,
            )
            findings.error(
                ("connections", where, "settings"),
                f"“{first[place]}” goes to the same place: {' '.join(str(x) for x in place[1:])}.",
                "Use one connection for both, or correct the address.",
            )
        first.setdefault(place, connection.id)


def _check_roads(tree: Tree, roads: RoadMap, findings: Findings) -> None:
    vehicles = [u for u in tree.units if tree.spec.types[u.type].vehicle]
    if not vehicles:
        return
    if not roads.nodes:
        findings.absent(
            (*tree.loc_of[vehicles[0].id], "type"),
            "There are vehicles, but no roads.",
            "Add “roads:” with lanes or nodes.",
        )
        return
    wanted: dict[str, Loc] = {
        charger: ("roads", "chargers", i) for i, charger in enumerate(tree.spec.roads.chargers)
    }
    for unit in tree.units:
        if unit.station:
            wanted.setdefault(unit.station, tree.stations.get(unit.station, tree.loc_of[unit.id]))
    check_reach(
        roads, {n: loc for n, loc in wanted.items() if n in {node.id for node in roads.nodes}}, findings
    )
    if not roads.chargers:
        findings.warning(("roads",), "Vehicles have nowhere to charge.", "Name a node under roads.chargers.")


def _warn_unused(plant: Plant, findings: Findings) -> None:
    used = {unit.type for unit in plant.units}
    for type_ in plant.types:
        if type_.id not in used and type_.id not in findings.forgiven:
            findings.warning(
                ("types", type_.id), f"No unit is of the type “{type_.id}”.", "Add units, or delete the type."
            )
    connected = {unit.connection for unit in plant.units}
    for i, connection in enumerate(plant.connections):
        if connection.id not in connected and not findings.forgiven:
            findings.warning(
                ("connections", i),
                f"No unit uses the connection “{connection.id}”.",
                "Add units, or delete it.",
            )
