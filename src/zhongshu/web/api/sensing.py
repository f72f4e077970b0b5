"""GET /api/gaps: the ledger of samples that are known to be missing, with what caused it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import ColumnElement, func, select

from zhongshu.kernel.store.tables import Gap
from zhongshu.web.api.asking import moment
from zhongshu.web.room import Room

MS = 1_000_000


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["sense"])

    @routes.get(
        "/gaps", summary="Intervals with missing samples, newest first; `missing` -1 where nobody can know"
    )
    async def gaps(
        unit: str = "",
        connection: str = "",
        start: str = "",
        end: str = "",
        limit: Annotated[int, Query(ge=1, le=5000)] = 200,
    ) -> dict[str, Any]:
        zone = room.plant.timezone
        span = (moment(start, zone) if start else -(2**62), moment(end, zone) if end else 2**62)
        return await asyncio.to_thread(_gaps, room, unit, connection, span, limit)

    return routes


def _gaps(room: Room, unit: str, connection: str, span: tuple[int, int], limit: int) -> dict[str, Any]:
    mine: tuple[ColumnElement[bool], ...] = (
        Gap.plant == room.plant.id,
        Gap.end_ns >= span[0],
        Gap.start_ns <= span[1],
    )
    if unit:
        # A gap of the whole connection is one of each of its units.
        home = room.plant.unit_of[unit].connection if unit in room.plant.unit_of else ""
        mine += ((Gap.unit == unit) | ((Gap.unit == "") & (Gap.connection == home)),)
    if connection:
        mine += (Gap.connection == connection,)
    with room.store.read() as session:
        total, missing = session.execute(
            select(func.count(), func.sum(Gap.missing).filter(Gap.missing > 0)).where(*mine)
        ).one()
        rows = session.scalars(select(Gap).where(*mine).order_by(Gap.start_ns.desc()).limit(limit))
        found = [_row(gap) for gap in rows]
    return {"total": int(total), "missing": int(missing or 0), "gaps": found}


def _row(gap: Gap) -> dict[str, Any]:
    return {
        "id": gap.id,
        "connection": gap.connection,
        "unit": gap.unit,
        "points": gap.points,
        "start_ms": gap.start_ns // MS,
        "end_ms": gap.end_ns // MS,
        "missing": gap.missing,
        "cause": gap.cause,
    }
