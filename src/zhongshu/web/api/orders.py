"""GET and POST /api/orders: work orders of the plant, and the way in for whoever sells its products."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from zhongshu.kernel.store.orders import OrderRefused, receive_order
from zhongshu.kernel.store.tables import WorkOrder as OrderRow
from zhongshu.model.orders import WorkOrder
from zhongshu.web.api.asking import moment
from zhongshu.web.orders import OPEN, order_row
from zhongshu.web.room import Room


class NewOrder(BaseModel):
    """An order as it comes in."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="The customer's own number; the same order twice is taken once.")
    product: str = Field(description="Id of a product that this plant sells.")
    quantity: int = Field(strict=True, description="Pieces.")
    due: str | int = Field(
        description="Plant time: ISO 8601 (the plant's zone where it names none), or ns since 1970 UTC."
    )
    release: str | int = Field(0, description="Not to be begun before; as `due`.")
    priority: int = Field(5, strict=True, description="0 goes first, 9 last.")
    by: str = Field("api", max_length=64, description="Who orders.")


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["orders"])

    @routes.get(
        "/orders",
        summary="Orders by due time; `status` open (default), done, all, or one of the store's words",
    )
    async def orders(
        status: str = "open", limit: Annotated[int, Query(ge=1, le=5000)] = 200
    ) -> dict[str, Any]:
        rows = await asyncio.to_thread(_listed, room, status, limit)
        return {"orders": rows}

    @routes.get("/orders/{order:path}", summary="One order")
    async def one_order(order: str) -> dict[str, Any]:
        row = await asyncio.to_thread(_one, room, order)
        if row is None:
            raise HTTPException(404, f"there is no order {order!r}")
        return row

    @routes.post(
        "/orders",
        status_code=201,
        summary="Take in an order: 201 new, 200 here already, 409 another order has this id, 422 cannot be taken",
    )
    async def take(order: NewOrder, response: Response) -> dict[str, Any]:
        timezone = room.plant.timezone
        _require_readable(order)
        wanted = WorkOrder(
            order.id,
            order.product,
            order.quantity,
            moment(order.due, timezone),
            moment(order.release, timezone),
            order.priority,
        )
        new = await asyncio.to_thread(_taken, room, wanted, order.by)
        if new:
            room.outbox.poke()
            room.orders.poke()
        else:
            response.status_code = 200
        return await asyncio.to_thread(_one, room, order.id) or {}

    return routes


def _require_readable(order: NewOrder) -> None:
    """Names that people can tell apart; the rest is checked where orders come in. Raises HTTPException (422)."""
    if not order.id.isprintable():  # the store is asked for it before the order is judged
        raise HTTPException(
            422, f"the id {order.id!r} holds what cannot be printed: give 1 to 64 printable characters"
        )
    if order.id != order.id.strip():
        raise HTTPException(422, f"the id {order.id!r} begins or ends with a space: leave it away")
    if not order.by.isprintable() or not order.by.strip():
        raise HTTPException(422, f"`by` is {order.by!r}: give a name of 1 to 64 printable characters")


def _taken(room: Room, order: WorkOrder, by: str) -> bool:
    """Into the store, with the event beside it; raises HTTPException (409, 422)."""
    with room.store.begin() as session:
        known = session.get(OrderRow, (room.plant.id, order.id)) is not None
        try:
            return receive_order(session, room.plant, order, by=by, now_ns=room.clock.now_ns(), stage="web")
        except OrderRefused as error:
            raise HTTPException(409 if known else 422, str(error)) from error


def _listed(room: Room, status: str, limit: int) -> list[dict[str, Any]]:
    query = select(OrderRow).where(OrderRow.plant == room.plant.id)
    if status != "all":
        query = query.where(OrderRow.status.in_(OPEN if status == "open" else (status,)))
    with room.store.read() as session:
        return [
            order_row(o) for o in session.scalars(query.order_by(OrderRow.due_ns, OrderRow.id).limit(limit))
        ]


def _one(room: Room, order: str) -> dict[str, Any] | None:
    with room.store.read() as session:
        found = session.get(OrderRow, (room.plant.id, order))
        return order_row(found) if found else None
