"""GET /api/points, /api/units/{unit} and /api/trend: points by name with their newest value, and their past in buckets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, HTTPException, Query

from zhongshu.kernel.latest import NEVER
from zhongshu.model.batch import QUALITY_MASK
from zhongshu.model.plant import Point
from zhongshu.web.api.asking import times, wanted
from zhongshu.web.api.plant import text
from zhongshu.web.past import PastError
from zhongshu.web.room import Room

MS = 1_000_000
BUCKETS_MAX = 4000
FOUND_MAX = 500

Start = Annotated[
    str, Query(description="ISO 8601, or ns since 1970 UTC; plant time. Default: ten minutes before the end.")
]
End = Annotated[str, Query(description="ISO 8601, or ns since 1970 UTC; plant time. Default: now.")]
Buckets = Annotated[int, Query(ge=1, le=BUCKETS_MAX, description="About so many intervals.")]


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["points"])

    @routes.get(
        "/points", summary="Points whose path or label holds every word of `search`, with their newest value"
    )
    async def points(
        search: str = "", limit: Annotated[int, Query(ge=1, le=FOUND_MAX)] = 60, unit: str = ""
    ) -> dict[str, Any]:
        words = search.lower().split()
        found = [p for p in room.plant.points if (not unit or p.unit == unit) and matches(room, p, words)]
        return {"total": len(found), "points": [row(room, point) for point in found[:limit]]}

    @routes.get("/units/{unit}", summary="One unit with all its points and their newest values")
    async def one_unit(unit: str) -> dict[str, Any]:
        if unit not in room.plant.unit_of:
            raise HTTPException(404, f"there is no unit {unit!r}")
        known = room.plant.unit_of[unit]
        return {"id": unit, "name": text(known.name), "points": [row(room, point) for point in known.points]}

    @routes.get("/points/{path:path}/trend", summary="The past of one point in buckets")
    async def point_trend(
        path: str, start: Start = "", end: End = "", buckets: Buckets = 1000
    ) -> dict[str, Any]:
        return await answered(room, wanted(room.plant, [path]), start, end, buckets)

    @routes.get("/trend", summary="The past of several points in the same buckets")
    async def trend(
        points: Annotated[list[str], Query(description="Paths or ids; repeated, or joined by commas.")],
        start: Start = "",
        end: End = "",
        buckets: Buckets = 1000,
    ) -> dict[str, Any]:
        return await answered(room, wanted(room.plant, points), start, end, buckets)

    return routes


def matches(room: Room, point: Point, words: Sequence[str]) -> bool:
    """True if the point's path, its labels or its unit's names hold every word."""
    if not words:
        return True
    unit = room.plant.unit_of[point.unit]
    texts = (point.path, point.label.zh, point.label.en, unit.name.zh, unit.name.en, point.role)
    hay = " ".join(texts).lower()
    return all(word in hay for word in words)


def row(room: Room, point: Point) -> dict[str, Any]:
    """A point and its newest value; value null and quality -1 where nothing ever came; t_ms plant time of the source."""
    latest = room.watch.latest
    value, quality = float(latest.values[point.id]), latest.qualities[point.id]
    return {
        "id": point.id,
        "path": point.path,
        "unit": point.unit,
        "name": point.name,
        "label": text(point.label),
        "kind": point.kind,
        "uom": point.uom,
        "role": point.role,
        "writable": point.writable,
        "low": point.low,
        "high": point.high,
        "choices": {str(number): text(label) for number, label in point.choices.items()},
        "value": value if np.isfinite(value) else None,
        "quality": -1 if quality == NEVER else int(quality & QUALITY_MASK),
        "t_ms": int(latest.times_ns[point.id]) // MS,
    }


async def answered(room: Room, points: Sequence[Point], start: str, end: str, buckets: int) -> dict[str, Any]:
    """Ask the historian, and lay each point's buckets in columns."""
    start_ns, end_ns = times(room, start, end)
    try:
        table = await room.past.trend([p.id for p in points], start_ns, end_ns, buckets)
    except PastError as error:
        raise HTTPException(503, f"the historian does not answer this: {error}") from error
    metadata = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    width_ns = int(metadata.get("width_ns", max(1, (end_ns - start_ns) // buckets)))
    return {
        "start_ms": start_ns // MS,
        "end_ms": end_ns // MS,
        "width_ms": width_ns / MS,
        "points": [{**row(room, point), **columns(table, point.id)} for point in points],
    }


def columns(table: pa.Table, point: int) -> dict[str, list[Any]]:
    """Buckets of one point: ``t`` (ms, start), ``n``, ``low``, ``high``, ``mean``, ``last``, ``q`` the worst quality."""
    mine = table.filter(pc.equal(table["point"], point))
    times_ms = (mine["t_ns"].to_numpy() // MS).tolist()
    values = {name: [_number(v) for v in mine[name].to_pylist()] for name in ("low", "high", "mean", "last")}
    worst = (mine["quality"].to_numpy().astype(np.int64) & QUALITY_MASK).tolist()
    return {"t": times_ms, "n": mine["n"].to_pylist(), **values, "q": worst}


def _number(value: float | None) -> float | None:
    """JSON knows no NaN."""
    return float(f"{value:.7g}") if value is not None and np.isfinite(value) else None
