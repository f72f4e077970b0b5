"""/api/corrections: what a named person puts right: counts, moved lots, holds, stock; each can be corrected back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.store import lots
from zhongshu.kernel.store.plan_tables import Correction, Stock
from zhongshu.kernel.store.signed import Signed, corrections
from zhongshu.kernel.store.tables import Lot
from zhongshu.web.api.person import signed
from zhongshu.web.order_book import OrderBook
from zhongshu.web.room import Room

Deed = Callable[[Session, Signed], Correction]
Number = Annotated[int, Path(ge=1, lt=2**31)]


class Said(BaseModel):
    """Who says it, and why."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=64, description="Who says so; a page's person where it is empty.")
    note: str = Field("", max_length=500, description="Why.")


class LotSaid(Said):
    """What is so of a lot; which fields are needed depends on ``kind``."""

    kind: Literal["count", "move", "hold", "release"] = Field(
        description="count {good, scrap} · move {place, side?} · hold {} · release {}"
    )
    good: int = Field(0, strict=True, description="Good pieces.")
    scrap: int = Field(0, strict=True, description="Spoilt pieces.")
    place: str = Field("", max_length=64, description="Id of the machine at which it lies.")
    side: Literal["", "in", "out"] = Field(
        "", description="in front of it or behind it; empty: in front if it can be worked on there"
    )


class StockSaid(Said):
    """What was counted of a material."""

    quantity: float = Field(allow_inf_nan=False, description="So much is there.")


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["corrections"])
    book = OrderBook(room.plant, room.store)

    async def done(who: Signed, deed: Deed) -> dict[str, Any]:
        row = await asyncio.to_thread(_done, room, who, deed)
        room.outbox.poke()
        room.orders.poke()
        return row

    @routes.get("/corrections", summary="What was put right, newest first")
    async def all_(
        subject: Annotated[str, Query(max_length=128, description="lot:17, order:W-1, material:x")] = "",
        kind: Annotated[str, Query(max_length=16)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        return {"corrections": await asyncio.to_thread(_newest, room, subject, kind, limit)}

    @routes.get("/lots/held", summary="Lots that wait for a person, with what may be done")
    async def held() -> dict[str, Any]:
        return {"lots": await asyncio.to_thread(_held, room, book)}

    @routes.post("/lots/{lot}/corrections", status_code=201, summary="Put right what the book says of a lot")
    async def lot(request: Request, lot: Number, said: LotSaid) -> dict[str, Any]:
        return await done(signed(room, request, said.by, said.note), _of_lot(room, lot, said))

    @routes.get(
        "/stock", summary="Bought materials as last counted; quantity is null where nobody ever counted"
    )
    async def stock() -> dict[str, Any]:
        return {"stock": await asyncio.to_thread(_stock, room)}

    @routes.put("/stock/{material:path}", summary="Stock-take of a material")
    async def count(request: Request, material: str, said: StockSaid) -> dict[str, Any]:
        def deed(session: Session, who: Signed) -> Correction:
            return lots.count_stock(session, room.plant, material, who, quantity=said.quantity)

        return await done(signed(room, request, said.by, said.note), deed)

    @routes.post(
        "/corrections/{correction}/undo", status_code=201, summary="Correct it back to what was before"
    )
    async def undo(request: Request, correction: Number, said: Said) -> dict[str, Any]:
        def deed(session: Session, who: Signed) -> Correction:
            return lots.undo(session, room.plant, correction, who)

        return await done(signed(room, request, said.by, said.note), deed)

    return routes


def _of_lot(room: Room, lot: int, said: LotSaid) -> Deed:
    def deed(session: Session, who: Signed) -> Correction:
        match said.kind:
            case "count":
                return lots.count_lot(session, room.plant, lot, who, good=said.good, scrap=said.scrap)
            case "move":
                side = None if not said.side else said.side == "out"
                return lots.move_lot(session, room.plant, lot, who, place=said.place, at_output=side)
            case "hold":
                return lots.hold_lot(session, room.plant, lot, who)
            case "release":
                return lots.release_lot(session, room.plant, lot, who)

    return deed


def _done(room: Room, who: Signed, deed: Deed) -> dict[str, Any]:
    with room.store.begin() as session:
        return correction_row(deed(session, who))


def correction_row(row: Correction) -> dict[str, Any]:
    """A correction for the pages; ``t_ms`` is plant time."""
    return {
        "id": row.id,
        "kind": row.kind,
        "subject": row.subject,
        "before": row.before,
        "after": row.after,
        "by": row.by,
        "note": row.note,
        "t_ms": row.t_ns // 1_000_000,
    }


def _newest(room: Room, subject: str, kind: str, limit: int) -> list[dict[str, Any]]:
    with room.store.read() as session:
        found = corrections(session, room.plant.id, subject=subject, kind=kind, limit=limit)
        return [correction_row(row) for row in found]


def _held(room: Room, book: OrderBook) -> list[dict[str, Any]]:
    held = (
        select(Lot).where(Lot.plant == room.plant.id, Lot.status == "held").order_by(Lot.updated_ns, Lot.id)
    )
    with room.store.read() as session:
        rows = []
        for lot in session.scalars(held.limit(1000)):
            row = book.lot_row(lot)
            rows.append(row | {"can_count": row["exists"]})
        return rows


def _stock(room: Room) -> list[dict[str, Any]]:
    with room.store.read() as session:
        found = {
            row.material: row for row in session.scalars(select(Stock).where(Stock.plant == room.plant.id))
        }
    names = {m.id: {"zh": m.name.zh, "en": m.name.en, "uom": m.uom} for m in room.plant.materials}
    names |= {
        p.id: {"zh": p.name.zh, "en": p.name.en, "uom": ""} for p in room.plant.products if p.id not in names
    }
    return [
        {
            "material": name,
            "name": {language: names[name][language] for language in ("zh", "en")},
            "uom": names[name]["uom"],
            "quantity": found[name].quantity if name in found else None,
            "updated_ms": found[name].updated_ns // 1_000_000 if name in found else None,
        }
        for name in lots.materials(room.plant)
    ]
