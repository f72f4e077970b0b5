"""/api/approvals: what waits for a person, and the person's word on it, one by one or many at once."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from zhongshu.kernel.store.act_tables import CommandRuling
from zhongshu.kernel.store.rulings import rule_on
from zhongshu.kernel.store.signed import Refused, Signed
from zhongshu.kernel.store.tables import Command
from zhongshu.model.commands import CommandStatus
from zhongshu.web.api.person import signed
from zhongshu.web.commands import rows_of
from zhongshu.web.room import Room

MANY = 1000
Number = Annotated[int, Field(ge=1, lt=2**31)]


class Judged(BaseModel):
    """One word on one or many commands that wait."""

    model_config = ConfigDict(extra="forbid")

    commands: list[Number] = Field(min_length=1, max_length=MANY, description="Keys of the commands.")
    ruling: Literal["approve", "reject"] = Field(description="approve or reject")
    by: str = Field("", max_length=64, description="Who; a page's person where it is empty.")
    note: str = Field("", max_length=500, description="Why.")


class Ended(BaseModel):
    """What became of a command that was unknown."""

    model_config = ConfigDict(extra="forbid")

    became: Literal["proven", "failed"] = Field(
        description="proven: it took effect; failed: it did not, and never will"
    )
    by: str = Field("", max_length=64, description="Who looked; a page's person where it is empty.")
    note: str = Field("", max_length=500, description="What was seen.")


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["approvals"])

    @routes.get("/approvals", summary="Commands that wait for a person, the oldest first")
    async def waiting() -> dict[str, Any]:
        return {"commands": await asyncio.to_thread(_waiting, room)}

    @routes.post(
        "/approvals",
        status_code=201,
        summary="Approve or reject; those that no longer wait are told with the reason, the others go on",
    )
    async def judge(request: Request, said: Judged) -> dict[str, Any]:
        who = signed(room, request, said.by, said.note)
        told = await asyncio.to_thread(_judged, room, said, who)
        room.outbox.poke()
        return told

    @routes.post(
        "/commands/{key}/end", status_code=201, summary="Say what became of a command that is unknown"
    )
    async def end(request: Request, key: Annotated[int, Path(ge=1, lt=2**31)], said: Ended) -> dict[str, Any]:
        who = signed(room, request, said.by, said.note)
        row = await asyncio.to_thread(_ended, room, key, said.became, who)
        room.outbox.poke()
        return row

    return routes


def ruling_row(row: CommandRuling) -> dict[str, Any]:
    """A person's word for the pages; ``t_ms`` is plant time."""
    return {
        "command": row.command,
        "ruling": row.ruling,
        "by": row.by,
        "note": row.note,
        "t_ms": row.t_ns // 1_000_000,
    }


def _waiting(room: Room) -> list[dict[str, Any]]:
    mine = select(Command).where(
        Command.plant == room.plant.id,
        Command.status == CommandStatus.PROPOSED.value,
        Command.waits.is_(True),
    )
    with room.store.read() as session:
        found = session.scalars(mine.order_by(Command.key).limit(MANY)).all()
        expires = {c.key: c.expires_ns // 1_000_000 for c in found}
        area = {u.id: u.area for u in room.plant.units}
        return [
            row | {"area": area.get(row["unit"], ""), "expires_ms": expires[row["key"]]}
            for row in rows_of(session, found)
        ]


def _judged(room: Room, said: Judged, who: Signed) -> dict[str, Any]:
    """One transaction for all; a single one that can't be is an error of the request, as everywhere."""
    done, refused = [], []
    with room.store.begin() as session:
        for key in dict.fromkeys(said.commands):
            try:
                done.append(ruling_row(rule_on(session, room.plant.id, key, said.ruling, who)))
            except Refused as error:
                if len(said.commands) == 1:
                    raise
                refused.append({"command": key, "detail": str(error), "error": error.both})
    return {"done": done, "refused": refused}


def _ended(room: Room, key: int, became: str, who: Signed) -> dict[str, Any]:
    with room.store.begin() as session:
        return ruling_row(rule_on(session, room.plant.id, key, became, who))
