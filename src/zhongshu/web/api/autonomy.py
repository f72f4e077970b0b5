"""/api/autonomy: how far the brain may go in each area, take-over and stop by a named person, and the history of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from zhongshu.kernel.store.act_tables import AutonomyChange
from zhongshu.kernel.store.autonomy import (
    autonomy_changes,
    hand_back,
    load_autonomy,
    resume_brain,
    set_level,
    stop_brain,
    take_over,
)
from zhongshu.kernel.store.signed import Signed
from zhongshu.model.autonomy import WHOLE, Autonomy, Fact, Kind, Level, area_scope, unit_scope
from zhongshu.web.api.person import signed
from zhongshu.web.room import Room

Deed = Callable[[Session, Signed], AutonomyChange]


class Said(BaseModel):
    """Who says it, and why."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=64, description="Who; a page's person where it is empty.")
    note: str = Field("", max_length=500, description="Why.")


class LevelSaid(Said):
    """A rung of the ladder for an area."""

    area: str = Field(max_length=64, description="Id of the area.")
    level: str = Field(max_length=32, description="observe, advise, approve or act")


class WhereSaid(Said):
    """A unit or an area, one of the two."""

    unit: str = Field("", max_length=64, description="Id of the unit.")
    area: str = Field("", max_length=64, description="Id of the area.")


class AreaSaid(Said):
    """An area, or the whole plant."""

    area: str = Field("", max_length=64, description="Id of the area; empty for the whole plant.")


class StopSaid(AreaSaid):
    """A stop, and what becomes of machines at work."""

    then: str = Field(
        "finish",
        max_length=16,
        description="finish: they go on with what they have; hold: they hold; stop: they end the cycle and stop",
    )


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api/autonomy", tags=["autonomy"])

    async def done(request: Request, said: Said, deed: Deed) -> dict[str, Any]:
        who = signed(room, request, said.by, said.note)
        row = await asyncio.to_thread(_done, room, who, deed)
        room.outbox.poke()
        return row

    @routes.get("", summary="The level of every area, what is taken over and what is stopped")
    async def state() -> dict[str, Any]:
        return await asyncio.to_thread(_state, room)

    @routes.get("/changes", summary="Who or what changed it, when and why, newest first")
    async def changes(
        scope: Annotated[str, Query(max_length=128, description="plant, area:press, unit:press-1")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        return {"changes": await asyncio.to_thread(_changes, room, scope, limit)}

    @routes.post("/level", status_code=201, summary="Put an area on a rung; holds at once")
    async def level(request: Request, said: LevelSaid) -> dict[str, Any]:
        return await done(
            request, said, lambda session, who: set_level(session, room.plant, said.area, said.level, who)
        )

    @routes.post(
        "/take-over",
        status_code=201,
        summary="The person has the unit or area; the brain sends nothing there",
    )
    async def take(request: Request, said: WhereSaid) -> dict[str, Any]:
        return await done(
            request,
            said,
            lambda session, who: take_over(session, room.plant, who, unit=said.unit, area=said.area),
        )

    @routes.post("/hand-back", status_code=201, summary="The brain has it again")
    async def give_back(request: Request, said: WhereSaid) -> dict[str, Any]:
        return await done(
            request,
            said,
            lambda session, who: hand_back(session, room.plant, who, unit=said.unit, area=said.area),
        )

    @routes.post("/stop", status_code=201, summary="From now on the brain sends nothing there")
    async def stop(request: Request, said: StopSaid) -> dict[str, Any]:
        return await done(
            request,
            said,
            lambda session, who: stop_brain(session, room.plant, who, area=said.area, then=said.then),
        )

    @routes.post("/resume", status_code=201, summary="The stop is over; what it held goes on")
    async def resume(request: Request, said: AreaSaid) -> dict[str, Any]:
        return await done(
            request, said, lambda session, who: resume_brain(session, room.plant, who, area=said.area)
        )

    return routes


def _done(room: Room, who: Signed, deed: Deed) -> dict[str, Any]:
    with room.store.begin() as session:
        return change_row(deed(session, who))


def change_row(row: AutonomyChange) -> dict[str, Any]:
    """A change for the pages; ``t_ms`` is plant time."""
    return {
        "id": row.id,
        "scope": row.scope,
        "kind": row.kind,
        "before": row.before,
        "value": row.value,
        "by": row.by,
        "note": row.note,
        "t_ms": row.t_ns // 1_000_000,
    }


def _changes(room: Room, scope: str, limit: int) -> list[dict[str, Any]]:
    with room.store.read() as session:
        return [change_row(r) for r in autonomy_changes(session, room.plant.id, scope=scope, limit=limit)]


def _state(room: Room) -> dict[str, Any]:
    with room.store.read() as session:
        now = load_autonomy(session, room.plant)
    return {
        "version": now.version,
        "levels": [level.value for level in Level],
        "stopped": _fact(now.holding(WHOLE, Kind.STOPPED)),
        "areas": [_area(room, now, area.id) for area in room.plant.areas],
        "units": [
            {"unit": unit.id, "area": unit.area, "taken": _fact(fact)}
            for unit in room.plant.units
            if (fact := now.holding(unit_scope(unit.id), Kind.TAKEN)) is not None
        ],
    }


def _area(room: Room, now: Autonomy, area: str) -> dict[str, Any]:
    scope = area_scope(area)
    return {
        "area": area,
        "level": now.level(area, room.plant.ladder),
        "default": room.plant.ladder.areas.get(area, room.plant.ladder.default),
        "changed": _fact(now.holding(scope, Kind.LEVEL)),
        "taken": _fact(now.holding(scope, Kind.TAKEN)),
        "stopped": _fact(now.holding(scope, Kind.STOPPED)),
    }


def _fact(fact: Fact | None) -> dict[str, Any] | None:
    if fact is None:
        return None
    return {"value": fact.value, "by": fact.by, "note": fact.note, "t_ms": fact.t_ns // 1_000_000}
