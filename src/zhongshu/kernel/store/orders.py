"""Work orders come in through here, whoever brings them: checked against the plant, stored and announced in one transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store.tables import WorkOrder as OrderRow
from zhongshu.model.messages import OrderReceived
from zhongshu.model.orders import WorkOrder
from zhongshu.model.plant import Plant

QUANTITY_MAX = 100_000


class OrderRefused(ValueError):
    """The order can't be taken; the message says why and what to do."""


def receive_order(
    session: Session, plant: Plant, order: WorkOrder, *, by: str, now_ns: int, stage: str
) -> bool:
    """Take the order in; False where the very same order is here already. Raises OrderRefused."""
    _check(plant, order)
    known = session.get(OrderRow, (plant.id, order.id))
    if known is not None:
        if (known.product, known.quantity, known.due_ns) == (order.product, order.quantity, order.due_ns):
            return False
        raise OrderRefused(
            f"order {order.id} exists already, for {known.quantity} × {known.product}; use another id, or change that order"
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


def _check(plant: Plant, order: WorkOrder) -> None:
    if not order.id or len(order.id) > 64 or not order.id.isprintable():
        raise OrderRefused("an order needs an id of 1 to 64 printable characters")
    product = plant.product_of.get(order.product)
    sellable = sorted(p.id for p in plant.products if p.sellable)
    if product is None or not product.sellable:
        raise OrderRefused(
            f"{order.product!r} is not a product this plant sells; it sells {', '.join(sellable)}"
        )
    if not 0 < order.quantity <= QUANTITY_MAX:
        raise OrderRefused(f"quantity {order.quantity} of order {order.id} must be from 1 to {QUANTITY_MAX}")
    if not 0 <= order.priority <= 9:
        raise OrderRefused(f"priority {order.priority} of order {order.id} must be from 0 (first) to 9")
    if order.due_ns <= 0:
        raise OrderRefused(f"order {order.id} needs a due time")
