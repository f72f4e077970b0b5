"""Two plants → what changed between them in plain words, shown before a running plant takes over a changed file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from zhongshu.model.plant import Plant, Point, Text, Unit

#: More names than this in one line are counted.
_MOST_NAMES = 6
#: Of a point, its own place and number say nothing new.
_POINT_PLACE = frozenset({"id", "path", "unit"})
_PLANT_VALUES = ("id", "name", "site", "timezone", "currency", "stale_after_s", "settings", "policies")


def difference(old: Plant, new: Plant) -> list[str]:
    """Every change, one line each, like changes of many units told together; empty where nothing changed.

    Ids of points are ignored: they are assigned after loading.
    """
    lines = [
        f"plant: {name} {_shown(getattr(old, name))} → {_shown(getattr(new, name))}"
        for name in _PLANT_VALUES
        if getattr(old, name) != getattr(new, name)
    ]
    lines += _keyed("area", old.areas, new.areas, lambda a: a.id, {"id", "lines"})
    lines += _keyed(
        "line",
        [(area.id, line) for area in old.areas for line in area.lines],
        [(area.id, line) for area in new.areas for line in area.lines],
        lambda pair: f"{pair[0]}/{pair[1].id}",
        set(),
        part=lambda pair: {"name": pair[1].name},
    )
    lines += _keyed("operation", old.operations, new.operations, lambda o: o.capability, {"capability"})
    lines += _keyed("type", old.types, new.types, lambda t: t.id, {"id"})
    lines += _keyed("connection", old.connections, new.connections, lambda c: c.id, {"id"})
    lines += _units(old, new)
    lines += _points(old, new)
    lines += _keyed("product", old.products, new.products, lambda p: p.id, {"id"})
    lines += _keyed("shift", old.shifts, new.shifts, lambda s: s.id, {"id"})
    lines += _keyed(
        "tariff band", old.tariff, new.tariff, lambda b: f"from {_clock(b.start_min)}", {"start_min"}
    )
    lines += _keyed("node", old.roads.nodes, new.roads.nodes, lambda n: n.id, {"id"})
    lines += _keyed("edge", old.roads.edges, new.roads.edges, lambda e: e.id, {"id", "start", "end"})
    lines += _planning(old, new)
    if set(old.roads.chargers) != set(new.roads.chargers):
        lines.append(f"chargers: {_shown(old.roads.chargers)} → {_shown(new.roads.chargers)}")
    return lines


def _planning(old: Plant, new: Plant) -> list[str]:
    """What planning must respect and aims at."""
    lines = _keyed("pool", old.pools, new.pools, lambda p: p.id, {"id"})
    lines += _keyed("material", old.materials, new.materials, lambda m: m.id, {"id"})
    lines += _keyed("maintenance", old.maintenance, new.maintenance, lambda m: m.id, {"id"})
    lines += _keyed(
        "calendar",
        old.calendars.items(),
        new.calendars.items(),
        lambda pair: pair[0],
        set(),
        part=lambda pair: {"shifts": tuple(shift.id for shift in pair[1])},
    )
    lines += _keyed("interlock", old.interlocks, new.interlocks, lambda x: x.id, {"id"})
    for what, was, now in (("planning", old.planning, new.planning), ("autonomy", old.ladder, new.ladder)):
        before, after = _values(was), _values(now)
        lines += [
            f"{what}: {name} {_shown(before[name])} → {_shown(after[name])}"
            for name in before
            if before[name] != after[name]
        ]
    return lines


def _keyed(
    what: str,
    old: Iterable[Any],
    new: Iterable[Any],
    key: Callable[[Any], str],
    skip: set[str],
    part: Callable[[Any], Mapping[str, Any]] | None = None,
) -> list[str]:
    """Added, removed and changed things of one kind."""
    before, after = {key(x): x for x in old}, {key(x): x for x in new}
    lines = _come_and_gone(what, list(before), list(after))
    for name in before.keys() & after.keys() if before != after else ():
        a, b = (part or _values)(before[name]), (part or _values)(after[name])
        lines += [
            f"{what} {name}: {k} {_shown(a[k])} → {_shown(b[k])}" for k in a if k not in skip and a[k] != b[k]
        ]
    return sorted(lines)


def _values(thing: Any) -> dict[str, Any]:
    return {f.name: getattr(thing, f.name) for f in fields(thing)}


def _come_and_gone(what: str, before: list[str], after: list[str]) -> list[str]:
    had, has = set(before), set(after)
    added, removed = [x for x in after if x not in had], [x for x in before if x not in has]
    lines = [f"{what} added: {_names(added)}"] if added else []
    return lines + ([f"{what} removed: {_names(removed)}"] if removed else [])


def _units(old: Plant, new: Plant) -> list[str]:
    lines = _come_and_gone("unit", list(old.unit_of), list(new.unit_of))
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for unit_id, before in old.unit_of.items():
        after = new.unit_of.get(unit_id)
        if after is not None:
            for change in _unit_changes(before, after):
                alike[change].append(unit_id)
    return lines + [f"unit {_names(units)}: {change}" for change, units in alike.items()]


def _unit_changes(a: Unit, b: Unit) -> list[str]:
    changes = []
    if a.path != b.path:
        changes.append(
            f"moved from {a.path.rpartition('/')[0]} to {b.path.rpartition('/')[0]} (a new place, new points)"
        )
    if (a.x_m, a.y_m) != (b.x_m, b.y_m):
        changes.append("another place on the floor")
    for name in ("name", "type", "connection", "station", "address", "speed", "calendar"):
        x, y = getattr(a, name), getattr(b, name)
        if x != y:
            changes.append(f"{name} {_shown(x)} → {_shown(y)}")
    return changes


def _points(old: Plant, new: Plant) -> list[str]:
    """Changes of points, told once for all units of a type that share them."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for unit_id, before in old.unit_of.items():
        after = new.unit_of.get(unit_id)
        if after is not None:
            for change in _point_changes(before, after):
                alike[f"type {after.type}: point {change}"].append(unit_id)
    return [f"{change} ({len(units)} unit{'s' * (len(units) > 1)})" for change, units in alike.items()]


def _point_changes(a: Unit, b: Unit) -> list[str]:
    before, after = {p.name: p for p in a.points}, {p.name: p for p in b.points}
    changes = [f"{name} added" for name in after if name not in before]
    changes += [f"{name} removed" for name in before if name not in after]
    for name in before.keys() & after.keys():
        x, y = before[name], after[name]
        if x is not y:
            changes += [f"{name}: {change}" for change in _one_point(x, y, a.address != b.address)]
    return sorted(changes)


def _one_point(a: Point, b: Point, moved: bool) -> list[str]:
    # Where the unit's own address changed, those of its points follow; that is no second piece of news.
    skip = _POINT_PLACE | ({"address"} if moved else set())
    return [
        f"{f.name} {_shown(getattr(a, f.name))} → {_shown(getattr(b, f.name))}"
        for f in fields(Point)
        if f.name not in skip and getattr(a, f.name) != getattr(b, f.name)
    ]


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _shown(value: Any) -> str:
    """A value for people: labels as labels, mappings and lists short."""
    if isinstance(value, Text):
        return f"“{value.zh} / {value.en}”"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(v) for v in value) + "]"
    if hasattr(value, "__dataclass_fields__"):
        return (
            "{"
            + ", ".join(f"{k}: {_shown(v)}" for k, v in _values(value).items() if v not in (None, {}, ()))
            + "}"
        )
    return (
        "nothing"
        if value is None or value == ""
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
