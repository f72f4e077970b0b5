"""GET /api/decisions: what the brain and people decided, what it rested on, and what came of it, newest first."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from zhongshu.kernel.store.decisions import decisions
from zhongshu.kernel.store.tables import Decision
from zhongshu.web.decisions import IMPROVED, brief, whole
from zhongshu.web.room import Room

MS = 1_000_000


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["decisions"])

    @routes.get(
        "/decisions", summary="The newest decisions: trigger, what moved, what is expected, hops in wall ms"
    )
    async def listed(
        rule: Annotated[str, Query(max_length=40, description="breakdown, orders, improved, release …")] = "",
        improvements: Annotated[
            bool, Query(description="false leaves out what only the search found.")
        ] = True,
        subject: Annotated[str, Query(max_length=200, description="A unit, an order, a person.")] = "",
        before_ms: Annotated[
            int, Query(ge=0, lt=2**53, description="Only those before this plant time.")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 60,
    ) -> dict[str, Any]:
        wanted = {
            "rules": (rule,) if rule else (),
            "without": "" if improvements or rule else IMPROVED,
            "subject": subject.replace("\0", ""),
            "before_ns": before_ms * MS,
            "limit": limit,
        }
        rows = await asyncio.to_thread(_rows, room, wanted)
        return {"decisions": rows, "reaction": room.watch.summary()["reaction"]}

    @routes.get(
        "/decisions/{decision}", summary="One decision with its options, every job that moved, every order"
    )
    async def one(decision: str) -> dict[str, Any]:
        found = await asyncio.to_thread(_one, room, decision)
        if found is None:
            raise HTTPException(404, f"there is no decision {decision[:64]!r}")
        return found

    return routes


def _rows(room: Room, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    with room.store.read() as session:
        return [brief(row) for row in decisions(session, room.plant.id, **wanted)]


def _one(room: Room, decision: str) -> dict[str, Any] | None:
    with room.store.read() as session:
        found = session.get(Decision, (room.plant.id, decision.replace("\0", "")))
        return None if found is None else whole(found)
