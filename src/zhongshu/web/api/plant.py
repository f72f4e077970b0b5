"""GET /api/plant: the plant as pages draw it: areas, units, types, roads, products, connections, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from zhongshu.model import roles
from zhongshu.model.plant import Plant, Text
from zhongshu.model.states import UnitMode, UnitState
from zhongshu.web.room import Room

try:
    from orjson import dumps
except ImportError:  # it comes with NiceGUI where there is a wheel for the machine
    import json

    def dumps(value: Any, /) -> bytes:  # type: ignore[misc]
        """JSON in UTF-8."""
        return json.dumps(value, ensure_ascii=False).encode()


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["plant"])

    @cache
    def body() -> bytes:
        return dumps({**described(room.plant), "speed": speed(room)})

    @routes.get(
        "/plant", summary="Areas, units, types, road map, products and connections", response_class=Response
    )
    async def plant() -> Response:
        return Response(body(), media_type="application/json")

    return routes


def speed(room: Room) -> float:
    """Plant seconds in a wall second."""
    long_ns = 1_000_000_000_000_000  # so long that the clock's rounding does not show
    return round((room.clock.to_plant_ns(long_ns) - room.clock.to_plant_ns(0)) / long_ns, 6)


def described(plant: Plant) -> dict[str, Any]:
    """The plant without addresses and settings; units in the order of the frames."""
    return {
        "id": plant.id,
        "name": text(plant.name),
        "timezone": plant.timezone,
        "stale_after_s": plant.stale_after_s,
        "states": {str(state.value): state.name for state in UnitState},
        "modes": {str(mode.value): mode.name for mode in UnitMode},
        "areas": [_area(area) for area in plant.areas],
        "types": [
            {"id": t.id, "name": text(t.name), "icon": t.icon, "is_vehicle": t.is_vehicle}
            for t in plant.types
        ],
        "units": [_unit(plant, unit) for unit in plant.units],
        "vehicles": [unit.id for unit in plant.vehicles],
        "connections": [
            {"id": c.id, "protocol": c.protocol, "endpoint": _endpoint(c.settings)} for c in plant.connections
        ],
        "products": [
            {"id": p.id, "code": p.code, "name": text(p.name), "sellable": p.sellable} for p in plant.products
        ],
        "operations": [{"number": o.number, "name": text(o.name)} for o in plant.operations],
        "shifts": [
            {"name": text(s.name), "days": s.days, "start_min": s.start_min, "end_min": s.end_min}
            for s in plant.shifts
        ],
        "roads": {
            "nodes": [[n.id, n.number, n.x_m, n.y_m] for n in plant.roads.nodes],
            "edges": [[e.start, e.end] for e in plant.roads.edges],
            "chargers": plant.roads.chargers,
        },
    }


def _area(area: Any) -> dict[str, Any]:
    return {
        "id": area.id,
        "name": text(area.name),
        "rect_m": [area.x_m, area.y_m, area.width_m, area.height_m],
        "lines": [{"id": line.id, "name": text(line.name), "units": line.units} for line in area.lines],
    }


def _unit(plant: Plant, unit: Any) -> dict[str, Any]:
    main = [
        p.id for p in unit.points if p.kind == "float" and p.role not in (roles.SAMPLE_COUNT, roles.SCAN_TIME)
    ]
    return {
        "id": unit.id,
        "name": text(unit.name),
        "type": unit.type,
        "area": unit.area,
        "line": unit.line,
        "connection": unit.connection,
        "at_m": [unit.x_m, unit.y_m],
        "points": len(unit.points),
        "main": main[:4],
        "has_state": plant.role(unit, roles.UNIT_STATE) is not None,
    }


def _endpoint(settings: Mapping[str, Any]) -> str:
    """Where a connection leads, without any secret."""
    if "endpoint" in settings:
        return str(settings["endpoint"])
    if "port" in settings:
        return f"{settings.get('host', '127.0.0.1')}:{settings['port']}"
    return str(settings.get("broker", ""))


def text(label: Text) -> dict[str, str]:
    """A label in both languages."""
    return {"zh": label.zh, "en": label.en}
