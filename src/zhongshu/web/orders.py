"""Orders and lots as the pages show them: read from the store every two seconds, in a thread, by one reader for all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.orders import OPEN
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.web.board import Board

PERIOD_WALL_S = 2.0
#: Orders a page lists; the counts are of all.
SHOWN = 40
LOT_OPEN = ("waiting", "moving", "starting", "running", "finished", "held")


class OrderBoard(Board):
    """Poke it when an order comes in."""

    def __init__(self, plant: Plant, store: Store, clock: Clock) -> None:
        super().__init__("orders", PERIOD_WALL_S, {})
        self._plant, self._store, self._clock = plant, store, clock

    def _read(self) -> dict[str, Any]:
        midnight_ns = midnight(self._plant.timezone, self._clock.now_ns())
        with self._store.read() as session:
            return {
                "orders": open_orders(session, self._plant.id, SHOWN),
                "open": self._count(session, *OPEN),
                "late": self._late(session),
                "done": self._count(session, "done"),
                "done_today": self._done_today(session, midnight_ns),
                "pieces": self._pieces(session),
                "lots": self._lots(session),
            }

    def _count(self, session: Session, *status: str) -> int:
        query = select(func.count()).where(WorkOrder.plant == self._plant.id, WorkOrder.status.in_(status))
        return int(session.scalar(query) or 0)

    def _late(self, session: Session) -> int:
        now_ns = self._clock.now_ns()
        mine = select(func.count()).where(WorkOrder.plant == self._plant.id, WorkOrder.status.in_(OPEN))
        return int(session.scalar(mine.where(WorkOrder.due_ns < now_ns)) or 0)

    def _done_today(self, session: Session, midnight_ns: int) -> int:
        """Orders whose last lot came to rest since midnight; an order itself does not carry the time of its end."""
        ended = (
            select(Lot.order_id)
            .join(WorkOrder, (WorkOrder.plant == Lot.plant) & (WorkOrder.id == Lot.order_id))
            .where(WorkOrder.plant == self._plant.id, WorkOrder.status == "done")
            .group_by(Lot.order_id)
            .having(func.max(Lot.updated_ns) >= midnight_ns)
        )
        return int(session.scalar(select(func.count()).select_from(ended.subquery())) or 0)

    def _pieces(self, session: Session) -> int:
        query = select(func.sum(WorkOrder.done)).where(WorkOrder.plant == self._plant.id)
        return int(session.scalar(query) or 0)

    def _lots(self, session: Session) -> dict[str, int]:
        query = (
            select(Lot.status, func.count())
            .where(Lot.plant == self._plant.id, Lot.status.in_(LOT_OPEN))
            .group_by(Lot.status)
        )
        return {status: int(count) for status, count in session.execute(query).all()}


def open_orders(session: Session, plant: str, limit: int) -> list[dict[str, Any]]:
    """Orders not yet done: those that pieces are made of first, then by due time."""
    query = select(WorkOrder).where(WorkOrder.plant == plant, WorkOrder.status.in_(OPEN))
    released_first = (WorkOrder.status == "received").asc()
    found = session.scalars(query.order_by(released_first, WorkOrder.due_ns, WorkOrder.id).limit(limit))
    return [order_row(order) for order in found]


def order_row(order: WorkOrder) -> dict[str, Any]:
    """An order for the pages and the API; times in ms of plant time."""
    return {
        "id": order.id,
        "product": order.product,
        "quantity": order.quantity,
        "done": order.done,
        "scrapped": order.scrapped,
        "due_ms": order.due_ns // 1_000_000,
        "release_ms": order.release_ns // 1_000_000,
        "created_ms": order.created_ns // 1_000_000,
        "created_by": order.created_by,
        "priority": order.priority,
        "status": order.status,
    }


def midnight(timezone: str, now_ns: int) -> int:
    """The plant's last local midnight in ns."""
    local = datetime.fromtimestamp(now_ns / 1e9, ZoneInfo(timezone))
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return int(start.timestamp()) * 1_000_000_000
