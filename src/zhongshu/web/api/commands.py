"""GET /api/commands: commands with every step of their life, newest first."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from zhongshu.kernel.store.tables import Command
from zhongshu.web.commands import newest, rows_of
from zhongshu.web.room import Room


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["commands"])

    @routes.get(
        "/commands",
        summary="The newest commands, of one unit or in one status; steps are [status, wall ms, detail]",
    )
    async def commands(
        unit: str = "",
        status: str = "",
        order: Annotated[str, Query(max_length=64, description="Only those about lots of this order.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        wanted = {"unit": unit, "status": status, "order": order.replace("\0", ""), "limit": limit}
        return {"commands": await asyncio.to_thread(_newest, room, wanted)}

    @routes.get("/commands/{key}", summary="One command with every step of its life")
    async def one_command(key: Annotated[int, Path(ge=1, lt=2**31)]) -> dict[str, Any]:
        row = await asyncio.to_thread(_one, room, key)
        if row is None:
            raise HTTPException(404, f"there is no command {key}")
        return row

    return routes


def _newest(room: Room, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    with room.store.read() as session:
        return newest(session, room.plant.id, **wanted)


def _one(room: Room, key: int) -> dict[str, Any] | None:
    with room.store.read() as session:
        found = session.get(Command, key)
        if found is None or found.plant != room.plant.id:
            return None
        return {
            **rows_of(session, [found])[0],
            "args": found.args,
            "proposal": found.proposal,
        }
