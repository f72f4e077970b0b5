"""GET /api/status and /api/health: what the processes of the brain say of themselves."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from zhongshu.web.room import Room


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["status"])

    @routes.get(
        "/status", summary="The plant and its brain in one summary, as `zhongshu status --json` prints it"
    )
    async def status() -> dict[str, Any]:
        return room.watch.summary()

    @routes.get("/health", summary="Every process's own figures, with the wall time at which they were heard")
    async def health() -> dict[str, Any]:
        return dict(room.watch.health)

    @routes.get(
        "/latency", summary="Latency (wall ms, source to queryable) of the last minutes, one reading a second"
    )
    async def latency() -> dict[str, Any]:
        readings = list(room.watch.latencies)
        return {
            "wall_ms": [t // 1_000_000 for t, _, _ in readings],
            "p50_ms": [p50 for _, p50, _ in readings],
            "p99_ms": [p99 for _, _, p99 in readings],
        }

    return routes
