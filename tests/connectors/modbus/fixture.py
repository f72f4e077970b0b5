"""Modbus in the contract suite: a press whose longer values stand word-swapped, and an oven with registers apart."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.link import Link, make_plant, make_point, make_unit
from zhongshu.model import roles
from zhongshu.model.plant import Connection, Point, Unit

#: name, kind, role, dtype, writable; in this order from register ``base`` on.
POINTS = (
    ("state", "enum", roles.UNIT_STATE, "uint16", False),
    ("mode", "enum", roles.UNIT_MODE, "uint16", False),
    ("count", "int", roles.SAMPLE_COUNT, "uint32", False),
    ("scan_ms", "int", roles.SCAN_TIME, "int64", False),
    ("temperature", "float", "", "float32", False),
    ("speed", "float", roles.SETPOINT, "float32", True),
    ("verb", "int", roles.REQUEST_VERB, "int16", True),
    ("lot", "int", roles.REQUEST_LOT, "int64", True),
    ("product", "int", roles.REQUEST_PRODUCT, "int32", True),
    ("operation", "int", roles.REQUEST_OPERATION, "int16", True),
    ("quantity", "int", roles.REQUEST_QUANTITY, "int32", True),
    ("key", "int", roles.REQUEST_KEY, "int32", True),
    ("answered_key", "int", roles.COMMAND_KEY, "int32", False),
    ("answered_result", "int", roles.COMMAND_RESULT, "int16", False),
)
SIZES = {"int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "float32": 2, "int64": 4}


def machine(
    name: str, unit_id: int, *, base: int = 0, rate_hz: float = 10.0, word_order: str = "big"
) -> Unit:
    """A machine of 14 points in holding registers from ``base`` on."""
    points: list[Point] = []
    register = base
    for point, kind, role, dtype, writable in POINTS:
        address = {"table": "holding", "register": register, "dtype": dtype, "word_order": word_order}
        points.append(
            make_point(name, point, kind, role=role, writable=writable, rate_hz=rate_hz, address=address)
        )
        register += SIZES[dtype]
    return make_unit(name, points, address={"unit_id": unit_id})


def link(tmp_path: Path, port: int) -> Link:
    """Two machines behind one server."""
    settings = {"host": "127.0.0.1", "port": port, "timeout_s": 1.0}
    connection = Connection("c1", "modbus", settings)
    plant = make_plant([machine("press", 1, word_order="little"), machine("oven", 17, base=400)], connection)
    return Link(
        plant,
        connection,
        plant.units,
        tmp_path,
        "temperature",
        writable="speed",
        calls=True,
        whole_image=True,
    )
