"""/api/orders: the order book; orders come in one by one, are changed and cancelled by named persons."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from zhongshu.kernel.store.orders import cancel_order, change_order, hold_order, receive_order
from zhongshu.kernel.store.signed import Signed
from zhongshu.model.orders import WorkOrder
from zhongshu.web.api import order_files
from zhongshu.web.api.asking import moment
from zhongshu.web.api.person import signed
from zhongshu.web.order_book import OrderBook, Wish
from zhongshu.web.room import Room

Sort = Literal["due", "priority", "id", "product", "quantity", "created", "status", "end", "late", "progress"]


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


class Change(BaseModel):
    """What is to be another one of an order; whatever is left away stays."""

    model_config = ConfigDict(extra="forbid")

    due: str | int | None = Field(None, description="As for a new order.")
    priority: int | None = Field(None, strict=True, description="0 goes first, 9 last.")
    quantity: int | None = Field(None, strict=True, description="Pieces; not less than have begun.")
    hold: bool | None = Field(None, description="true stops the order for its quality, false lets it go on.")
    by: str = Field("", max_length=64, description="Who changes it; a page's person where it is empty.")
    note: str = Field("", max_length=500, description="Why.")


def wish(
    room: Room,
) -> Any:
    """What may be asked of the book, as a dependency of its routes."""

    def asked(
        status: Annotated[str, Query(description="open, all, or one of the store's words")] = "open",
        search: Annotated[str, Query(max_length=200, description="In id, product and who ordered.")] = "",
        product: Annotated[str, Query(max_length=64)] = "",
        late: Annotated[bool, Query(description="Only those that end late by the live plan.")] = False,
        due_from: Annotated[str, Query(description="Due at this time or later.")] = "",
        due_to: Annotated[str, Query(description="Due before this time.")] = "",
        sort: Sort = "due",
        descending: bool = False,
        limit: Annotated[int, Query(ge=1, le=5000)] = 200,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> Wish:
        first, last = (moment(text, room.plant.timezone) if text else 0 for text in (due_from, due_to))
        return Wish(
            status, search.replace("\0", ""), product, late, first, last, sort, descending, limit, offset
        )

    return Depends(asked)


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["orders"])
    book = OrderBook(room.plant, room.store)
    asks = wish(room)

    @routes.get("/orders", summary="The order book: filtered, sorted, with end and lateness by the live plan")
    async def orders(wish: Wish = asks) -> dict[str, Any]:
        return await asyncio.to_thread(book.listed, wish, room.clock.now_ns())

    order_files.add_routes(routes, room, book, asks)

    @routes.get("/orders/{order:path}", summary="One order with its lots")
    async def one_order(order: str) -> dict[str, Any]:
        return await _shown(room, book, order)

    @routes.post(
        "/orders",
        status_code=201,
        summary="Take in an order: 201 new, 200 here already, 409 another order has this id, 422 cannot be taken",
    )
    async def take(order: NewOrder, response: Response) -> dict[str, Any]:
        timezone = room.plant.timezone
        _require_readable(order)
        due_ns, release_ns = moment(order.due, timezone), moment(order.release, timezone)
        wanted = WorkOrder(order.id, order.product, order.quantity, due_ns, release_ns, order.priority)
        if not await asyncio.to_thread(_taken, room, wanted, order.by):
            response.status_code = 200
        _tell(room)
        return await _shown(room, book, order.id)

    @routes.patch(
        "/orders/{order:path}", summary="Change due, priority, quantity, or put it on hold; 409 too late"
    )
    async def change(request: Request, order: str, change: Change) -> dict[str, Any]:
        who = signed(room, request, change.by, change.note)
        due_ns = None if change.due is None else moment(change.due, room.plant.timezone)
        await asyncio.to_thread(_changed, room, order, change, due_ns, who)
        _tell(room)
        return await _shown(room, book, order)

    @routes.delete(
        "/orders/{order:path}",
        summary="Cancel: what has not begun is dropped, what has begun ends its operation and waits for a person",
    )
    async def cancel(
        request: Request,
        order: str,
        by: Annotated[str, Query(max_length=64)] = "",
        note: Annotated[str, Query(max_length=500)] = "",
    ) -> dict[str, Any]:
        await asyncio.to_thread(_cancelled, room, order, signed(room, request, by, note))
        _tell(room)
        return await _shown(room, book, order)

    return routes


def _tell(room: Room) -> None:
    """Something left for the outbox, and the board of the overview is another one."""
    room.outbox.poke()
    room.orders.poke()


async def _shown(room: Room, book: OrderBook, order: str) -> dict[str, Any]:
    row = await asyncio.to_thread(book.one, order, room.clock.now_ns())
    if row is None:
        raise HTTPException(404, f"there is no order {order[:64]!r}")
    return row


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
    """Into the store, with the event beside it; raises Refused."""
    with room.store.begin() as session:
        return receive_order(session, room.plant, order, by=by, now_ns=room.clock.now_ns(), stage="web")


def _changed(room: Room, order: str, change: Change, due_ns: int | None, who: Signed) -> None:
    with room.store.begin() as session:
        if change.hold is not None:
            hold_order(session, room.plant, order, who, held=change.hold)
        if change.hold is None or any(x is not None for x in (due_ns, change.priority, change.quantity)):
            change_order(
                session,
                room.plant,
                order,
                who,
                due_ns=due_ns,
                priority=change.priority,
                quantity=change.quantity,
            )


def _cancelled(room: Room, order: str, who: Signed) -> None:
    with room.store.begin() as session:
        cancel_order(session, room.plant, order, who)
