"""A small plant with one Sparkplug edge node and two devices, for the contract suite and for the tests beside it."""

from __future__ import annotations

from typing import Any

from tests.connectors.link import make_plant, make_point, make_unit
from zhongshu.model import roles
from zhongshu.model.plant import Connection, Plant, Point, Unit

REQUESTS = (
    roles.REQUEST_KEY,
    roles.REQUEST_VERB,
    roles.REQUEST_LOT,
    roles.REQUEST_PRODUCT,
    roles.REQUEST_OPERATION,
    roles.REQUEST_QUANTITY,
)


def make_points(unit: str) -> list[Point]:
    """Every kind of point there is."""

    def point(name: str, kind: str = "float", **more: Any) -> Point:
        return make_point(unit, name, kind, address={"metric": f"Metrics/{name}"}, **more)

    plain = [
        point("state", "enum", role=roles.UNIT_STATE),
        point("mode", "enum", role=roles.UNIT_MODE),
        point("count", "int", role=roles.SAMPLE_COUNT),
        point("speed"),
        point("setpoint", role=roles.SETPOINT, writable=True),
        point("door", "bool"),
    ]
    answers = [point(r, "int", role=r) for r in (roles.COMMAND_KEY, roles.COMMAND_RESULT)]
    return plain + answers + [point(r, "int", role=r, writable=True) for r in REQUESTS]


def make_units(count: int) -> list[Unit]:
    """Units M1, M2 … as devices of the same names."""
    names = [f"M{i + 1}" for i in range(count)]
    return [make_unit(name, make_points(name), address={"device": name}) for name in names]


def sparkplug_plant(settings: dict[str, Any], units: int = 2) -> tuple[Plant, Connection, tuple[Unit, ...]]:
    """The plant, its one connection and the connection's units; ``settings`` are those of the broker."""
    connection = Connection("c1", "sparkplug", {"group": "G1", "edge": "E1", "timeout_s": 1.5, **settings})
    plant = make_plant(make_units(units), connection)
    return plant, connection, plant.units
