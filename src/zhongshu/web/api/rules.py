"""/api/plan/rules: maintenance, exclusions, overtime, pins and holds that named persons lay down for the planner."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from zhongshu.kernel.store.plan_tables import PlanRule
from zhongshu.kernel.store.rules import end_rule, lay_down, rules_ever, rules_in_force
from zhongshu.kernel.store.signed import Signed
from zhongshu.web.api.asking import moment
from zhongshu.web.api.person import signed
from zhongshu.web.room import Room


class NewRule(BaseModel):
    """A rule as a person lays it down."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(
        max_length=32, description="maintenance, exclude or overtime of a unit; pin or hold of a task"
    )
    subject: str = Field(max_length=64, description="Id of the unit, or the task as lot:step.")
    start: str | int = Field(0, description="Plant time: ISO 8601, or ns since 1970 UTC.")
    end: str | int = Field(0, description="As `start`; needed for units.")
    args: dict[str, str | int | float | bool] = Field(
        default_factory=dict, max_length=16, description="pin: unit, start_ns"
    )
    by: str = Field("", max_length=64, description="Who; a page's person where it is empty.")
    note: str = Field("", max_length=500, description="Why.")


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api/plan", tags=["plan"])

    @routes.get(
        "/rules", summary="Rules in force, in the order they were laid down; `all` also those that ended"
    )
    async def rules(all: bool = False) -> dict[str, Any]:  # noqa: A002 - the word of the question
        return {"rules": await asyncio.to_thread(_listed, room, all)}

    @routes.post("/rules", status_code=201, summary="Lay a rule down; it is in force at once")
    async def new(request: Request, rule: NewRule) -> dict[str, Any]:
        start_ns, end_ns = (moment(t, room.plant.timezone) for t in (rule.start, rule.end))
        who = signed(room, request, rule.by, rule.note)
        row = await asyncio.to_thread(_laid_down, room, rule, start_ns, end_ns, who)
        room.outbox.poke()
        return row

    @routes.delete("/rules/{rule}", summary="End a rule")
    async def end(
        request: Request,
        rule: Annotated[int, Path(ge=1, lt=2**31)],
        by: Annotated[str, Query(max_length=64)] = "",
    ) -> dict[str, Any]:
        row = await asyncio.to_thread(_ended, room, rule, signed(room, request, by))
        room.outbox.poke()
        return row

    return routes


def rule_row(row: PlanRule) -> dict[str, Any]:
    """A rule for the pages; times in ms of plant time."""
    return {
        "id": row.id,
        "kind": row.kind,
        "subject": row.subject,
        "start_ms": row.start_ns // 1_000_000,
        "end_ms": row.end_ns // 1_000_000,
        "args": row.args,
        "by": row.by,
        "note": row.note,
        "created_ms": row.created_ns // 1_000_000,
        "ended_ms": None if row.ended_ns is None else row.ended_ns // 1_000_000,
    }


def _listed(room: Room, ever: bool) -> list[dict[str, Any]]:
    with room.store.read() as session:
        found = rules_ever(session, room.plant.id, 500) if ever else rules_in_force(session, room.plant.id)
        return [rule_row(row) for row in found]


def _laid_down(room: Room, rule: NewRule, start_ns: int, end_ns: int, who: Signed) -> dict[str, Any]:
    with room.store.begin() as session:
        made = lay_down(
            session,
            room.plant,
            who,
            kind=rule.kind,
            subject=rule.subject,
            start_ns=start_ns,
            end_ns=end_ns,
            args=rule.args,
        )
        return rule_row(made)


def _ended(room: Room, rule: int, who: Signed) -> dict[str, Any]:
    with room.store.begin() as session:
        return rule_row(end_rule(session, room.plant, rule, who))
