"""Work orders come in and are changed through here, whoever does it: checked, stored and announced in one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store.signed import Refused, Signed, Why, record
from zhongshu.kernel.store.tables import Lot
from zhongshu.kernel.store.tables import WorkOrder as OrderRow
from zhongshu.model.messages import OrderChanged, OrderHeld, OrderReceived
from zhongshu.model.orders import WorkOrder
from zhongshu.model.plant import Plant

QUANTITY_MAX = 100_000
#: Orders that still make work; the others have ended.
OPEN = ("received", "released", "held", "cancelling")


class OrderRefused(Refused):
    """The order can't be taken; the message says why and what to do."""


def receive_order(
    session: Session, plant: Plant, order: WorkOrder, *, by: str, now_ns: int, stage: str
) -> bool:
    """Take the order in; False where the very same order is here already. Raises OrderRefused."""
    check_order(plant, order)
    known = session.get(OrderRow, (plant.id, order.id))
    if known is not None:
        if (known.product, known.quantity, known.due_ns) == (order.product, order.quantity, order.due_ns):
            return False
        raise OrderRefused(
            "order.known", Why.CONFLICT, order=order.id, quantity=known.quantity, product=known.product
        )
    session.add(
        OrderRow(
            plant=plant.id,
            id=order.id,
            product=order.product,
            quantity=order.quantity,
            due_ns=order.due_ns,
            release_ns=order.release_ns,
            priority=order.priority,
            status="received",
            created_ns=now_ns,
            created_by=by,
        )
    )
    event = OrderReceived(
        plant.id,
        stage,
        now_ns,
        order.id,
        order.product,
        order.quantity,
        order.due_ns,
        order.release_ns,
        order.priority,
    )
    put_event(session, stage, event, msg_id=f"order.{order.id}")
    return True


def change_order(
    session: Session,
    plant: Plant,
    order: str,
    signed: Signed,
    *,
    due_ns: int | None = None,
    priority: int | None = None,
    quantity: int | None = None,
) -> OrderRow:
    """Change what is given, for the plan from now on; raises Refused. Pieces already begun are made in any case."""
    row = _open_order(session, plant.id, order)
    before = _terms(row)
    after = before | {
        name: value
        for name, value in (("due_ns", due_ns), ("priority", priority), ("quantity", quantity))
        if value is not None
    }
    if after == before:
        raise Refused("order.same", Why.CONFLICT, order=order)
    _check_terms(order, after["quantity"], after["priority"], after["due_ns"])
    least = begun_pieces(session, plant.id, order)
    if after["quantity"] < min(least, before["quantity"]):
        raise Refused("order.begun", Why.CONFLICT, order=order, least=least)
    row.due_ns, row.priority, row.quantity = after["due_ns"], after["priority"], after["quantity"]
    _announce(session, row, signed, before, after, cancelled=False)
    return row


def cancel_order(session: Session, plant: Plant, order: str, signed: Signed) -> OrderRow:
    """Give the order up: nothing more of it is begun, what has begun ends its operation and waits for a person."""
    row = _open_order(session, plant.id, order)
    before = {"status": row.status}
    row.status = "cancelling"
    _announce(session, row, signed, before, {"status": row.status}, cancelled=True)
    return row


def hold_order(session: Session, plant: Plant, order: str, signed: Signed, *, held: bool) -> OrderRow:
    """Stop an order for its quality, or let it go on; raises Refused."""
    row = _open_order(session, plant.id, order)
    if held == (row.status == "held"):
        raise Refused("order.held" if held else "order.not-held", Why.CONFLICT, order=order)
    before = {"status": row.status}
    lots = session.scalar(select(Lot.id).where(Lot.plant == plant.id, Lot.order_id == order).limit(1))
    row.status = "held" if held else "released" if lots else "received"
    after = {"status": row.status}
    kept = record(session, plant.id, signed, "hold" if held else "release", f"order:{order}", before, after)
    event = OrderHeld(plant.id, signed.stage, signed.now_ns, kept.id, order, held, signed.by)
    put_event(session, signed.stage, event, msg_id=f"correction.{plant.id}.{kept.id}")
    return row


def begun_pieces(session: Session, plant: str, order: str) -> int:
    """Pieces of the order's product lots of which something was made, or a part of them; the least it can still be."""
    lots = {
        row.id: row
        for row in session.scalars(select(Lot).where(Lot.plant == plant, Lot.order_id == order))
        if row.status != "cancelled"
    }
    begun: set[int] = set()
    for row in lots.values():
        if row.status != "planned" and (row.status != "held" or row.next_step or row.started_ns):
            top = row
            while top.parent_lot in lots:
                top = lots[top.parent_lot]
            begun.add(top.id)
    return sum(lots[number].quantity for number in begun if lots[number].parent_lot is None)


def check_order(plant: Plant, order: WorkOrder) -> None:
    """Raises OrderRefused with the first thing that is wrong."""
    if not order.id or len(order.id) > 64 or not order.id.isprintable():
        raise OrderRefused("order.id")
    product = plant.product_of.get(order.product)
    if product is None or not product.sellable:
        sellable = ", ".join(sorted(p.id for p in plant.products if p.sellable))
        raise OrderRefused("order.product", product=order.product[:64], sellable=sellable)
    _check_terms(order.id, order.quantity, order.priority, order.due_ns)


def _check_terms(order: str, quantity: int, priority: int, due_ns: int) -> None:
    if not 0 < quantity <= QUANTITY_MAX:
        raise OrderRefused("order.quantity", order=order, quantity=quantity, limit=QUANTITY_MAX)
    if not 0 <= priority <= 9:
        raise OrderRefused("order.priority", order=order, priority=priority)
    if due_ns <= 0:
        raise OrderRefused("order.due", order=order)


def _open_order(session: Session, plant: str, order: str) -> OrderRow:
    row = session.get(OrderRow, (plant, order))
    if row is None:
        raise Refused("order.none", Why.MISSING, order=order[:64])
    if row.status == "cancelling":
        raise Refused("order.cancelling", Why.CONFLICT, order=order)
    if row.status not in OPEN:
        raise Refused("order.closed", Why.CONFLICT, order=order, status=row.status)
    return row


def _terms(row: OrderRow) -> dict[str, Any]:
    return {"due_ns": row.due_ns, "priority": row.priority, "quantity": row.quantity}


def _announce(
    session: Session,
    row: OrderRow,
    signed: Signed,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    cancelled: bool,
) -> None:
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    was = {name: before[name] for name in changed}
    kept = record(session, row.plant, signed, "order", f"order:{row.id}", was, changed)
    event = OrderChanged(
        row.plant,
        signed.stage,
        signed.now_ns,
        row.id,
        row.quantity,
        row.due_ns,
        row.priority,
        cancelled,
        signed.by,
    )
    put_event(session, signed.stage, event, msg_id=f"correction.{row.plant}.{kept.id}")
