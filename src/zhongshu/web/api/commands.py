"""GET /api/commands: commands with every step of their life, newest first."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.store.rulings import rulings
from zhongshu.kernel.store.tables import Command, CommandStep
from zhongshu.web.api.approvals import ruling_row
from zhongshu.web.commands import newest, rows_of
from zhongshu.web.room import Room

MS = 1_000_000


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

    @routes.get(
        "/commands/{key}",
        summary="One command: what it follows, every step of its life with who took it and the samples it rests on",
    )
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
            "decision": found.decision,
            "plan": found.plan or None,
            "approved_by": found.approved_by,
            "waits": found.waits,
            "expires_ms": found.expires_ns // MS,
            "life": [_step_row(room, step) for step in _life(session, key)],
            "rulings": [ruling_row(r) for r in rulings(session, room.plant.id, [key])],
        }


def _life(session: Session, key: int) -> list[CommandStep]:
    mine = select(CommandStep).where(CommandStep.command == key)
    return list(session.scalars(mine.order_by(CommandStep.id)))


def _step_row(room: Room, step: CommandStep) -> dict[str, Any]:
    """A step with who took it, and the measured values it rests on; ``t_ms`` is plant time."""
    paths = {p.id: p.path for p in room.plant.points}
    return {
        "status": step.status,
        "t_ms": step.t_ns // MS,
        "wall_ms": step.wall_ns // MS,
        "detail": step.detail,
        "by": step.by,
        "samples": [
            {
                "point": sample["point"],
                "path": paths.get(sample["point"], ""),
                "t_ms": sample["t_ns"] / MS,
                "value": sample["value"],
            }
            for sample in step.samples
        ],
    }
