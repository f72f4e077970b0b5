"""/api/plan: plans from the store, what became of their tasks, and questions that go to the planner over the bus."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from zhongshu.kernel.bus import BusError
from zhongshu.model import subjects
from zhongshu.model.plant import Plant
from zhongshu.web.api.person import PERSON_COOKIE, signed
from zhongshu.web.plan_csv import as_csv
from zhongshu.web.plan_past import PlanPast
from zhongshu.web.plan_store import LIVE, Packed, Which
from zhongshu.web.room import Room
from zhongshu.web.words import words

ASK_WALL_S = 10.0
#: Where no planner was heard of lately, nobody waits as long for one.
ASK_ABSENT_WALL_S = 3.0
PLANNER = "planner"
MS = 1_000_000
PERSON_MAX = 64
#: What reaches the plant is done under a name; the rest only asks, or leaves the live plan as it is.
SIGNED = ("release", "undo")

Version = Annotated[int, Path(ge=1, lt=2**31, description="Number of the plan.")]
What = Literal["quote", "why", "try", "release", "discard", "undo", "solve"]


class Ask(BaseModel):
    """A question to the planner; which other fields there are depends on ``what``."""

    model_config = ConfigDict(extra="allow")

    what: What = Field(
        description=(
            "quote {product, quantity, priority?} · why {order} · try {base, scenario, edits, seconds?} · "
            "release {version} · discard {version} · undo {} · solve {seconds?}"
        )
    )
    by: str = Field("", max_length=PERSON_MAX, description="Who asks; pages send the name their person gave.")


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api/plan", tags=["plan"])
    over = PlanPast(room.plant.id, room.store, room.plans, room.progress)

    @routes.get("", summary="The live plan, all what-ifs and the last few plans, newest first, without tasks")
    async def plans() -> dict[str, Any]:
        rows = await asyncio.to_thread(room.plans.rows)
        return {"plans": rows, "planner": planner(room), "now_ns": room.clock.now_ns()}

    @routes.get("/now", summary="Which plans there are, whether the planner runs, and tasks that moved on")
    async def now(
        since: Annotated[int, Query(ge=0, lt=2**62, description="`cursor` of the answer before.")] = 0,
    ) -> dict[str, Any]:
        rows = await asyncio.to_thread(room.plans.rows)
        cursor, tasks = room.progress.since(since)
        listed = [[row["version"], row["status"], row["made_ns"], row["name"]] for row in rows]
        return {"plans": listed, "planner": planner(room), "cursor": cursor, "tasks": tasks}

    @routes.get(
        "/past", summary="Tasks that ended lately: when they ran, and when the last plan before had them"
    )
    async def past(
        hours: Annotated[int, Query(ge=1, le=72, description="Plant time.")] = 10,
    ) -> dict[str, Any]:
        after_ms = room.clock.now_ns() // MS - hours * 3_600_000
        return await asyncio.to_thread(over.columns, after_ms)

    @routes.get("/abilities", summary="Which units can do which operation, and how many lots an oven takes")
    async def able() -> dict[str, Any]:
        return abilities(room.plant)

    @routes.get("/live", summary="The live plan with all its tasks", response_class=Response)
    async def live(
        request: Request,
        since: Annotated[
            int, Query(ge=0, description="Nothing but its number if it is still this version.")
        ] = 0,
    ) -> Response:
        found = await _packed(room, LIVE)
        if since and found.version == since:
            return JSONResponse({"version": since, "unchanged": True})
        return await _sent(request, found)

    @routes.get("/{version}", summary="One plan with all its tasks", response_class=Response)
    async def one(request: Request, version: Version) -> Response:
        return await _sent(request, await _packed(room, version))

    @routes.get("/{version}/tasks.csv", summary="A plan's tasks as CSV", response_class=StreamingResponse)
    async def tasks(version: Annotated[str, Path(pattern=r"^(live|[1-9]\d{0,8})$")]) -> StreamingResponse:
        found = await _packed(room, LIVE if version == LIVE else int(version))
        document = await asyncio.to_thread(found.document)
        name = f"{room.plant.id}-plan-{found.version}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(as_csv(document), media_type="text/csv; charset=utf-8", headers=headers)

    @routes.post(
        "/ask",
        summary="Ask the planner: 200 its answer, 409 it refuses and says why, 503 it does not run or does not answer",
        response_class=JSONResponse,
    )
    async def ask(request: Request, question: Ask) -> JSONResponse:
        return await _asked(room, question, _person(room, request, question))

    return routes


def planner(room: Room) -> str:
    """``up`` while its process speaks, ``silent`` when it has fallen silent, ``absent`` where nobody heard of it."""
    if PLANNER in room.watch.alive():
        return "up"
    return "silent" if PLANNER in room.watch.health else "absent"


def abilities(plant: Plant) -> dict[str, Any]:
    """``operations``: unit ids by operation number; ``lots``: lots at once, by unit, where it is more than one."""
    able: dict[str, list[str]] = {}
    for unit in plant.machines:
        for capability in plant.type_of[unit.type].capabilities:
            able.setdefault(str(capability.operation), []).append(unit.id)
    lots = {u.id: plant.type_of[u.type].batch for u in plant.machines if plant.type_of[u.type].batch > 1}
    return {"operations": able, "lots": lots}


async def _packed(room: Room, which: Which) -> Packed:
    found = await asyncio.to_thread(room.plans.packed, which)
    if found is None:
        told = "there is no live plan yet" if which == LIVE else f"there is no plan {which}"
        raise HTTPException(404, told)
    return found


async def _sent(request: Request, found: Packed) -> Response:
    """As it was packed; to a browser that has it already, only that it has."""
    headers = {"ETag": f'"{found.tag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if f'"{found.tag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        plain = await asyncio.to_thread(found.plain)
        return Response(plain, media_type="application/json", headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(found.body, media_type="application/json", headers=headers)


def _person(room: Room, request: Request, question: Ask) -> str:
    """The name in the question, else the one that the person gave this browser; raises Refused where one is needed."""
    if question.what in SIGNED:
        return signed(room, request, question.by).by
    named = question.by or unquote(request.cookies.get(PERSON_COOKIE, ""), errors="replace")
    name = "".join(c for c in named if c.isprintable()).strip()[:PERSON_MAX]
    return name or ("api" if request.headers.get("authorization") else "web")


async def _asked(room: Room, question: Ask, by: str) -> JSONResponse:
    try:
        payload = json.dumps({**question.model_dump(), "by": by}, allow_nan=False).encode()
    except ValueError as error:
        raise HTTPException(422, f"the question holds what JSON cannot say: {error}") from error
    patience_s = ASK_WALL_S if planner(room) == "up" else ASK_ABSENT_WALL_S
    try:
        reply = await room.bus.request(subjects.plan_ask(room.plant.id), payload, timeout_s=patience_s)
        answer = json.loads(reply)
    except (BusError, TimeoutError, ValueError):
        key = "error.planner-slow" if planner(room) == "up" else "error.planner-absent"
        return _refused(503, {language: words().text(key, language) for language in ("zh", "en")})
    if not isinstance(answer, dict) or not answer.get("ok"):
        told = answer.get("error") if isinstance(answer, dict) else None
        return _refused(409, told if isinstance(told, dict) else {"zh": str(told), "en": str(told)})
    return JSONResponse(answer)


def _refused(status: int, error: dict[str, Any]) -> JSONResponse:
    return JSONResponse({"ok": False, "error": error, "detail": str(error.get("en", ""))}, status)
