"""Areas, lines and unit templates of the file → every unit with its points and addresses, checked as it grows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zhongshu.kernel.plantfile.floor import grid, nearest
from zhongshu.kernel.plantfile.hours import OWN, check_calendar
from zhongshu.kernel.plantfile.patterns import PatternError, fill, filled, holes
from zhongshu.kernel.plantfile.points import Planned, planned_points
from zhongshu.kernel.plantfile.pointwire import point_addresses
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.spec import AreaSpec, LineSpec, PlantSpec, UnitSpec
from zhongshu.kernel.plantfile.validate import validate_part
from zhongshu.kernel.plantfile.wire import WIRES, settings_of
from zhongshu.model.plant import Area, Connection, Line, Point, RoadMap, Text, Unit

#: More devices than this behind one connection make it a single point of failure and a slow one.
MOST_DEVICES = 25


@dataclass(slots=True)
class Tree:
    """Units as they are spelled out, and where the file speaks of each."""

    spec: PlantSpec
    connections: Mapping[str, Connection]
    roads: RoadMap
    findings: Findings
    units: list[Unit] = field(default_factory=list)
    loc_of: dict[str, Loc] = field(default_factory=dict)
    devices: Counter[str] = field(default_factory=Counter)
    stations: dict[str, Loc] = field(default_factory=dict)
    planned: dict[str, list[Planned]] = field(default_factory=dict)
    addresses: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    unit_ids: defaultdict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))

    def points_of(self, type_id: str) -> list[Planned]:
        """The points of a type, worked out once."""
        if type_id not in self.planned:
            self.planned[type_id] = planned_points(self.spec, type_id, self.findings)
        return self.planned[type_id]


def areas(tree: Tree) -> tuple[Area, ...]:
    """Every area with its lines; the units land in ``tree.units``."""
    made: list[Area] = []
    for i, area in enumerate(tree.spec.areas):
        loc: Loc = ("areas", i)
        _once(area.id, [a.id for a in made], "area", (*loc, "id"), tree.findings)
        places = iter(grid(area, sum(t.count for line in area.lines for t in line.units)))
        lines: list[Line] = []
        for j, line in enumerate(area.lines):
            _once(
                line.id, [x.id for x in lines], "line of this area", (*loc, "lines", j, "id"), tree.findings
            )
            before = len(tree.units)
            for k, template in enumerate(line.units):
                spots = [next(places) for _ in range(template.count)]
                where: Loc = (*loc, "lines", j, "units", k)
                hours = _calendar(tree, (template, where), (line, where[:-2]), (area, loc))
                _spell_out(tree, area, line.id, template, where, spots, hours)
            ids = tuple(unit.id for unit in tree.units[before:])
            lines.append(Line(line.id, line.name or Text(line.id, line.id), ids))
        name = area.name or Text(area.id, area.id)
        made.append(Area(area.id, name, area.x_m, area.y_m, area.width_m, area.height_m, tuple(lines)))
    for connection, count in tree.devices.items():
        if count > MOST_DEVICES:
            _too_many(tree, connection, count)
    return tuple(made)


def _calendar(tree: Tree, *around: tuple[UnitSpec | LineSpec | AreaSpec, Loc]) -> str:
    """The calendar that the innermost part names, else that of the type, else the plant's own."""
    found = [check_calendar(part.calendar, loc, tree.spec, tree.findings) for part, loc in around]
    template = around[0][0]
    type_ = tree.spec.types.get(template.type) if isinstance(template, UnitSpec) else None
    found.append(type_.calendar if type_ is not None else None)
    return next(("" if name == OWN else name for name in found if name is not None), "")


def _once(name: str, others: list[str], what: str, loc: Loc, findings: Findings) -> None:
    if name in others:
        findings.error(loc, f"There is a {what} “{name}” already.", "Rename one of the two, or join them.")


def _too_many(tree: Tree, connection: str, count: int) -> None:
    loc = next(tree.loc_of[u.id] for u in tree.units if u.connection == connection)
    tree.findings.error(
        (*loc, "connection"),
        f"{count} devices use the connection “{connection}”; at most {MOST_DEVICES} may.",
        "Spread them: “connection: name-{g}” with “per_connection: 20”, and a connection for each.",
    )


def _spell_out(
    tree: Tree,
    area: AreaSpec,
    line: str,
    template: UnitSpec,
    loc: Loc,
    spots: list[tuple[float, float]],
    hours: str,
) -> None:
    """All units of one template; a pattern that makes no sense is told once."""
    findings = tree.findings
    if template.count > 1 and "n" not in holes(template.id):
        findings.error(
            (*loc, "id"),
            f"{template.count} units would all be called “{template.id}”.",
            "Put {n} or {n:02} into the id.",
        )
        return
    if template.type not in tree.spec.types:
        findings.unknown((*loc, "type"), "type", template.type, tree.spec.types, "under types")
        return
    for i in range(template.count):
        numbers: dict[str, str | int] = {
            "n": template.first + i,
            "g": i // template.per_connection + 1,
            "i": i,
            "plant": tree.spec.plant,
            "site": tree.spec.site,
            "area": area.id,
            "line": line,
            "type": template.type,
        }
        x, y = spots[i]
        if template.x_m is not None or template.y_m is not None:
            x = x if template.x_m is None else template.x_m + i * template.pitch_m
            y = y if template.y_m is None else template.y_m
        if not _spell_one(tree, template, loc, numbers, (x, y), hours):
            return


def _spell_one(
    tree: Tree,
    template: UnitSpec,
    loc: Loc,
    known: dict[str, str | int],
    spot: tuple[float, float],
    hours: str,
) -> bool:
    """One unit; False where the rest of its template would only say the same."""
    findings, key = tree.findings, "id"
    try:
        unit_id = fill(template.id, known)
        known["id"] = unit_id
        key = "connection"
        connection_id = fill(template.connection, known)
        known["connection"] = connection_id
        key = "station"
        station = _station(tree, template, known, loc, spot)
        node = next((n for n in tree.roads.nodes if n.id == station), None)
        if tree.spec.types[template.type].vehicle and node is not None:
            spot = node.x_m, node.y_m  # a vehicle is at home on its station
        key = "name"
        name = _name(tree, template, known)
    except PatternError as error:
        _bad_pattern((*loc, key), error, findings)
        return False
    connection = tree.connections.get(connection_id)
    if connection is None:
        findings.unknown(
            (*loc, "connection"), "connection", connection_id, tree.connections, "under connections"
        )
        return False
    if unit_id in tree.loc_of:
        findings.error(
            (*loc, "id"),
            f"There is a unit “{unit_id}” already.",
            "Ids are unique in the plant; change the pattern or “first”.",
        )
        return False
    tree.loc_of[unit_id] = loc
    tree.devices[connection_id] += 1
    address = _address(tree, template, connection, known, (*loc, "address"))
    if address is None:
        return False
    path = f"{tree.spec.site}/{known['area']}/{known['line']}/{unit_id}"
    points = _points(tree, template.type, connection, unit_id, path, {**known, **_strings(address)})
    tree.units.append(
        Unit(
            unit_id,
            path,
            name,
            template.type,
            str(known["area"]),
            str(known["line"]),
            connection_id,
            *spot,
            station,
            points,
            address,
            template.speed,
            hours,
        )
    )
    return True


def _bad_pattern(loc: Loc, error: PatternError, findings: Findings) -> None:
    what = (
        f"“{{{error.name}}}” cannot be filled in here." if error.name else "The braces { } make no pattern."
    )
    findings.error(loc, what, f"Patterns may use {', '.join('{' + name + '}' for name in error.known)}.")


def _name(tree: Tree, template: UnitSpec, known: dict[str, str | int]) -> Text:
    if template.name is not None:
        return Text(fill(template.name.zh, known), fill(template.name.en, known))
    of_type = tree.spec.types[template.type].name or Text(template.type, template.type)
    number = f" {known['n']:02}" if "n" in holes(template.id) else ""
    return Text(of_type.zh + number, of_type.en + number)


def _station(
    tree: Tree, template: UnitSpec, known: dict[str, str | int], loc: Loc, spot: tuple[float, float]
) -> str:
    if template.station == "auto":
        return nearest(tree.roads.nodes, *spot)
    station = fill(template.station, known)
    if station not in {node.id for node in tree.roads.nodes}:
        tree.findings.unknown(
            (*loc, "station"), "node", station, [n.id for n in tree.roads.nodes], "under roads"
        )
        return ""
    tree.stations.setdefault(station, (*loc, "station"))
    return station


def _address(
    tree: Tree, template: UnitSpec, connection: Connection, known: dict[str, str | int], loc: Loc
) -> dict[str, Any] | None:
    """The unit's address: what the file says over what the protocol makes by default; unique on its connection."""
    wire = WIRES.get(connection.protocol)
    pattern = {**(wire.unit_default if wire else {}), **template.address}
    taken = tree.unit_ids[connection.id]
    try:
        address = {key: filled(value, known) for key, value in pattern.items()}
    except PatternError as error:
        _bad_pattern(loc, error, tree.findings)
        return None
    if connection.protocol == "modbus":
        address.setdefault("unit_id", next(i for i in range(1, 1000) if i not in taken))
    if wire is not None:
        address = {k: str(v) if k in wire.unit_default else v for k, v in address.items()}
        checked = validate_part(wire.unit, address, loc, tree.findings)
        if checked is None:
            return None
        address = settings_of(checked)
    for key, value in address.items():
        if wire is not None and value in taken:
            where = (*loc, key) if key in template.address else loc[:-1]
            tree.findings.error(
                where,
                f"{key} {value} is taken on “{connection.id}”.",
                "Put {n} into it, or another connection.",
            )
            return None
        taken.add(value)
    return address


def _strings(address: Mapping[str, Any]) -> dict[str, str | int]:
    return {key: value for key, value in address.items() if isinstance(value, str | int)}


def _points(
    tree: Tree, type_id: str, connection: Connection, unit_id: str, path: str, known: dict[str, str | int]
) -> tuple[Point, ...]:
    planned = tree.points_of(type_id)
    key = (type_id, connection.id)
    if key not in tree.addresses:
        tree.addresses[key] = point_addresses(tree.spec, type_id, planned, connection, tree.findings)
    return tuple(
        Point(
            id=-1,
            path=f"{path}/{p.name}",
            unit=unit_id,
            name=p.name,
            label=p.label,
            kind=p.spec.kind,
            uom=p.spec.uom,
            role=p.spec.role,
            rate_hz=p.rate_hz,
            deadband=p.spec.deadband,
            low=p.spec.low,
            high=p.spec.high,
            writable=p.spec.writable,
            choices=p.choices,
            scale=p.spec.scale,
            offset=p.spec.offset,
            address=_filled_address(tree, address, {**known, "point": p.name}, p.loc),
        )
        for p, address in zip(planned, tree.addresses[key], strict=True)
    )


def _filled_address(
    tree: Tree, address: dict[str, Any], known: dict[str, str | int], loc: Loc
) -> dict[str, Any]:
    try:
        return {k: fill(v, known) if isinstance(v, str) and "{" in v else v for k, v in address.items()}
    except PatternError as error:
        _bad_pattern((*loc, "address"), error, tree.findings)
        return {}
