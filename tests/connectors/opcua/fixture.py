"""The contract suite's ground for OPC UA: two units with methods on one server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.connectors.link import Link, make_plant, make_point, make_unit
from zhongshu.model import roles
from zhongshu.model.plant import Connection, Unit

URI = "urn:test:line"


def unit(name: str, *, connection: str = "c1", floats: int = 2) -> Unit:
    """A machine with floats, an enumeration, a switch and a writable parameter."""

    def node(point: str) -> dict[str, str]:
        return {"node": f"nsu={URI};s={name}.{point}"}

    points = [
        make_point(name, "state", "enum", role=roles.UNIT_STATE, address=node("state")),
        make_point(name, "mode", "enum", role=roles.UNIT_MODE, address=node("mode")),
        *(make_point(name, f"speed{n or ''}", address=node(f"speed{n or ''}")) for n in range(floats)),
        make_point(name, "guard", "bool", address=node("guard")),
        make_point(name, "setpoint", role=roles.SETPOINT, writable=True, address=node("setpoint")),
        make_point(name, "target", "int", writable=True, address=node("target")),
        make_point(name, "count", "int", role=roles.SAMPLE_COUNT, address=node("count")),
    ]
    return make_unit(name, points, connection=connection, address={"node": f"nsu={URI};s={name}"})


def link(tmp_path: Path, port: int, *, units: int = 2, floats: int = 2, **settings: Any) -> Link:
    """A server of two units on the loopback."""
    given = {"endpoint": f"opc.tcp://127.0.0.1:{port}/", "publishing_ms": 100, "timeout_s": 2.0, **settings}
    connection = Connection("c1", "opcua", given)
    plant = make_plant([unit(f"M{n + 1}", floats=floats) for n in range(units)], connection)
    return Link(plant, connection, plant.units, tmp_path, "speed", writable="setpoint", calls=True)
