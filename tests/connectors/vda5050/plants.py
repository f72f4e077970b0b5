"""A small plant with a road map and two VDA 5050 vehicles, for the contract suite and for the tests beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.connectors.link import make_plant, make_point, make_unit
from zhongshu.model import roles
from zhongshu.model.plant import Connection, Edge, Node, Plant, Point, RoadMap, Unit

NODES = tuple(Node(f"N{i}", 100 + i, 2.0 * i, 0.5) for i in range(6))
EDGES = tuple(Edge(f"N{i}-N{i + 1}", f"N{i}", f"N{i + 1}", 2.0, 1.5) for i in range(5))
ROADS = RoadMap(NODES, EDGES, ("N0",))

_POINTS = {
    "state": ("enum", roles.UNIT_STATE),
    "mode": ("enum", roles.UNIT_MODE),
    "count": ("int", roles.SAMPLE_COUNT),
    "x": ("float", roles.POSITION_X),
    "y": ("float", roles.POSITION_Y),
    "heading": ("float", roles.HEADING),
    "velocity": ("float", roles.VELOCITY),
    "battery": ("float", roles.BATTERY),
    "charging": ("bool", roles.CHARGING),
    "driving": ("bool", roles.DRIVING),
    "last_node": ("int", roles.LAST_NODE),
    "order": ("int", roles.ORDER_KEY),
    "order_state": ("enum", roles.ORDER_STATE),
    "load": ("int", roles.LOAD),
    "errors": ("int", roles.ERRORS),
    "e_stop": ("enum", roles.E_STOP),
    "motor_temperature": ("float", ""),
}


def make_vehicle_points(unit: str) -> list[Point]:
    """Every role that a vehicle has, and one plain measurement that VDA 5050 does not know."""
    return [make_point(unit, name, kind, role=role) for name, (kind, role) in _POINTS.items()]


def vehicle_plant(settings: dict[str, Any], vehicles: int = 2) -> tuple[Plant, Connection, tuple[Unit, ...]]:
    """The plant, its one connection and the vehicles V1, V2, V3."""
    connection = Connection("c1", "vda5050", {"manufacturer": "robots", "timeout_s": 1.5, **settings})
    names = [f"V{i + 1}" for i in range(vehicles)]
    units = [make_unit(name, make_vehicle_points(name), address={"serial": name}) for name in names]
    plant = replace(make_plant(units, connection, vehicles=True), roads=ROADS)
    return plant, connection, plant.units
