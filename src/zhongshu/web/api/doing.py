"""What the brain acts on right now: GET /api/missions (vehicles) and GET /api/paths/ORDER (one order end to end)."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, HTTPException

from zhongshu.web.missions import missions
from zhongshu.web.order_path import order_path
from zhongshu.web.room import Room


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["doing"])

    @routes.get("/missions", summary="What every vehicle drives for: command, lot, order, from, to and route")
    async def driving() -> dict[str, Any]:
        return {"vehicles": await asyncio.to_thread(missions, room.plant, room.watch, room.store)}

    @routes.get("/paths/{order:path}", summary="One order end to end: lots, operations, places, commands")
    async def path(order: str) -> dict[str, Any]:
        _, progress = room.progress.since(0)
        found = await asyncio.to_thread(_path, room, order.replace("\0", ""), progress)
        if found is None:
            raise HTTPException(404, f"there is no order {order[:64]!r}")
        return found

    return routes


def _path(room: Room, order: str, progress: list[Any]) -> dict[str, Any] | None:
    with room.store.read() as session:
        return order_path(session, room.plant, order, progress)
