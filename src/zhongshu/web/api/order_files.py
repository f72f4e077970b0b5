"""Orders by the file: CSV and B2MML come in after a preview, whole or not at all; book and confirmations go out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from zhongshu.kernel.store.signed import Signed
from zhongshu.web.api.person import signed
from zhongshu.web.order_book import OrderBook, Wish
from zhongshu.web.order_book_csv import read_csv, write_csv
from zhongshu.web.order_book_import import Asked, ImportProblem, Judged, judge, take
from zhongshu.web.order_book_used import performances
from zhongshu.web.order_book_xml import read_b2mml, write_performance
from zhongshu.web.room import Room

#: Orders of one file that goes out.
OUT_MAX = 5000
#: What spreadsheets in Chinese offices still write.
OLD_CHINESE = "gb18030"


def add_routes(routes: APIRouter, room: Room, book: OrderBook, asks: Any) -> None:
    """Routes under /orders that must stand before the one that takes any order's id."""

    @routes.post(
        "/orders/import",
        summary="Orders from a file (CSV or B2MML as the body): 200 preview or taken, 422 not one was taken, and why",
        response_class=JSONResponse,
    )
    async def import_file(
        request: Request,
        preview: Annotated[bool, Query(description="Only say what would come of it.")] = False,
        by: Annotated[str, Query(max_length=64)] = "",
    ) -> JSONResponse:
        who = None if preview else signed(room, request, by)
        body = await request.body()
        try:
            answer = await asyncio.to_thread(_imported, room, body, who)
        except ImportProblem as problem:
            return JSONResponse(
                {"detail": str(problem), "error": problem.both, "orders": [], "errors": 1}, 422
            )
        if who is not None and not answer["errors"]:
            room.outbox.poke()
            room.orders.poke()
        return JSONResponse(answer, 422 if who is not None and answer["errors"] else 200)

    @routes.get("/orders/export.csv", summary="The order book as CSV", response_class=StreamingResponse)
    async def export(wish: Wish = asks) -> StreamingResponse:
        all_ = replace(wish, limit=OUT_MAX, offset=0)
        found = await asyncio.to_thread(book.listed, all_, room.clock.now_ns())
        lines = write_csv(found["orders"], room.plant.timezone)
        headers = {"Content-Disposition": f'attachment; filename="{room.plant.id}-orders.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    @routes.get(
        "/orders/performance.xml",
        summary="Confirmations as B2MML OperationsPerformance: made, scrapped and material used up, by order",
        response_class=Response,
    )
    async def performance(wish: Wish = asks) -> Response:
        all_ = replace(wish, limit=OUT_MAX, offset=0)
        body = await asyncio.to_thread(_performance, room, book, all_)
        headers = {"Content-Disposition": f'attachment; filename="{room.plant.id}-performance.xml"'}
        return Response(body, media_type="application/xml", headers=headers)


def read_file(body: bytes) -> tuple[str, list[Asked]]:
    """``csv`` or ``b2mml``, told by how the file begins, and the orders in it; raises ImportProblem."""
    if body.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<":
        return "b2mml", read_b2mml(body)
    return "csv", list(read_csv(_text(body)))


def _text(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", OLD_CHINESE]
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportProblem("import.encoding")


def _imported(room: Room, body: bytes, who: Signed | None) -> dict[str, Any]:
    """What came of every order; taken in only where somebody signs and nothing is wrong anywhere."""
    form, asked = read_file(body)
    if who is None:
        with room.store.read() as session:
            judged, taken = judge(session, room.plant, asked), 0
    else:
        with room.store.begin() as session:
            judged = judge(session, room.plant, asked)
            taken = 0 if _errors(judged) else take(session, room.plant, judged, who)
    new = sum(not one.known and not one.errors for one in judged)
    return {
        "format": form,
        "orders": [_row(one) for one in judged],
        "errors": _errors(judged),
        "new": new,
        "known": sum(one.known for one in judged),
        "taken": taken,
    }


def _errors(judged: list[Judged]) -> int:
    return sum(bool(one.errors) for one in judged)


def _row(one: Judged) -> dict[str, Any]:
    asked, order = one.asked, one.order
    return {
        "line": asked.line,
        "id": asked.id[:64],
        "product": asked.product[:64],
        "quantity": order.quantity if order else asked.quantity[:40],
        "due": asked.due[:40],
        "due_ms": order.due_ns // 1_000_000 if order else None,
        "priority": order.priority if order else asked.priority[:40],
        "state": "error" if one.errors else "known" if one.known else "new",
        "errors": one.errors,
    }


def _performance(room: Room, book: OrderBook, wish: Wish) -> bytes:
    now_ns = room.clock.now_ns()
    names = [row["id"] for row in book.listed(wish, now_ns)["orders"]]
    now = datetime.fromtimestamp(now_ns / 1e9, ZoneInfo(room.plant.timezone)).isoformat(timespec="seconds")
    with room.store.read() as session:
        parts: Iterator[bytes] = write_performance(
            f"{room.plant.id}-{now_ns // 1_000_000_000}", now, performances(session, room.plant, names)
        )
        return b"".join(parts)
