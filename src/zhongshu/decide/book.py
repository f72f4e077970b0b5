"""Decide's book: open orders and lots in the store, saved in one transaction with the proposals that follow from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zhongshu.decide.work import Hold, Lot, LotStatus, Order, Vehicle, Work
from zhongshu.kernel.config import STORE_VARIABLE
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store, StoreError
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.store.tables import Lot as LotRow
from zhongshu.kernel.store.tables import WorkOrder as OrderRow
from zhongshu.kernel.store.upsert import upsert
from zhongshu.kernel.wire import decode_event, encode_event
from zhongshu.model.messages import JobProgressed, OrderProgressed, Proposed, TransportProgressed
from zhongshu.model.plant import Plant

STAGE = "decide"
POSITION = "decide.events"
VEHICLES = "decide.vehicles"
EARLY = "decide.early"
#: The largest count a column holds; a device that reports more than this reports nonsense.
COUNT_MAX = 2**31 - 1
#: Orders that somebody still works on or has to look at.
OPEN = ("received", "released", "held", "cancelling")


class WorkBook:
    """Synchronous; call it in a thread."""

    def __init__(self, plant: Plant, store: Store) -> None:
        self._plant, self._store = plant, store

    def load(self) -> tuple[Work, int, int]:
        """The open work, the last EVENTS sequence in it, and the highest lot number ever given."""
        work = Work(self._plant)
        with self._store.read() as session:
            mine = select(OrderRow).where(OrderRow.plant == self._plant.id)
            _require_alone(session, self._plant.id)
            left = select(LotRow.order_id).where(
                LotRow.plant == self._plant.id, LotRow.status == LotStatus.LEFT.value
            )
            wanted = OrderRow.status.in_(OPEN) | OrderRow.id.in_(left)
            for row in session.scalars(mine.where(wanted)):
                work.orders[row.id] = _order(row)
            known = select(OrderRow.id).where(OrderRow.plant == self._plant.id, OrderRow.status != "received")
            work.known_orders = {*session.scalars(known), *work.orders}
            for event in json.loads(get_meta(session, self._plant.id, EARLY) or "[]"):
                early = decode_event(event["kind"], event["payload"].encode())
                if isinstance(early, JobProgressed | TransportProgressed):
                    work.early[early.key] = early
            lots = session.scalars(
                select(LotRow).where(LotRow.plant == self._plant.id, LotRow.order_id.in_(work.orders))
            )
            for lot in lots:
                work.lots[lot.id] = _lot(lot)
            vehicles = json.loads(get_meta(session, self._plant.id, VEHICLES) or "{}")
            work.vehicles = {
                name: Vehicle(**v) for name, v in vehicles.items() if name in self._plant.unit_of
            }
            position = int(get_meta(session, self._plant.id, POSITION) or 0)
            highest = session.scalar(select(func.max(LotRow.id))) or 0
        return work, position, highest

    def save(self, work: Work, position: int, proposals: Sequence[Proposed], now_ns: int) -> None:
        """Everything that changed, the proposals, and how far the events were read: all or nothing."""
        with self._store.begin() as session:
            for name in sorted(work.dirty_orders):
                self._save_order(session, work.orders[name], now_ns)
            session.flush()
            rows = [_row(self._plant.id, work, work.lots[n], now_ns) for n in sorted(work.dirty_lots)]
            upsert(session, LotRow, rows)
            if work.dirty_vehicles:
                vehicles = {name: _vehicle(vehicle) for name, vehicle in work.vehicles.items()}
                set_meta(session, self._plant.id, VEHICLES, json.dumps(vehicles))
            for proposal in proposals:
                put_event(session, STAGE, proposal, msg_id=f"proposal.{proposal.proposal}")
            early = [
                {"kind": type(e).__name__, "payload": encode_event(e).decode()} for e in work.early.values()
            ]
            set_meta(session, self._plant.id, EARLY, json.dumps(early))
            set_meta(session, self._plant.id, POSITION, str(position))
        work.dirty_orders.clear()
        work.dirty_lots.clear()
        work.dirty_vehicles.clear()

    def _save_order(self, session: Session, order: Order, now_ns: int) -> None:
        row = session.get(OrderRow, (self._plant.id, order.id))
        if row is None or (row.status, row.done, row.scrapped) == (order.status, order.done, order.scrapped):
            return
        row.status, row.done, row.scrapped = order.status, order.done, order.scrapped
        event = OrderProgressed(
            self._plant.id, STAGE, now_ns, order.id, order.status, order.done, order.quantity
        )
        put_event(session, STAGE, event, msg_id=f"order.{order.id}.{order.status}.{order.done}.{now_ns}")


def _require_alone(session: Session, plant: str) -> None:
    """Lots are numbered through a database, by the one decide in it; raises StoreError."""
    other = session.scalar(select(LotRow.plant).where(LotRow.plant != plant).limit(1))
    if other is not None:
        raise StoreError(
            f"this database belongs to plant {other!r}; give plant {plant!r} a database of its own in {STORE_VARIABLE}"
        )


def _vehicle(vehicle: Vehicle) -> dict[str, Any]:
    """Its fields, none of which holds others; ``asdict`` copies them one by one, and this is written at most passes."""
    return {name: getattr(vehicle, name) for name in Vehicle.__slots__}


def _order(row: OrderRow) -> Order:
    return Order(
        row.id,
        row.product,
        row.quantity,
        row.due_ns,
        row.release_ns,
        row.priority,
        row.created_ns,
        row.status,
        row.done,
        row.scrapped,
    )


def _lot(row: LotRow) -> Lot:
    return Lot(
        number=row.id,
        order=row.order_id,
        product=row.product,
        quantity=row.quantity,
        parent=row.parent_lot or 0,
        good=row.good,
        scrap=row.scrap,
        next_step=row.next_step,
        place=row.place,
        at_output=row.at_output,
        target=row.target,
        build_at={int(op): unit for op, unit in json.loads(row.build_at).items()},
        status=LotStatus(row.status),
        attempt=row.attempt,
        proposal=row.proposal,
        command=row.command,
        not_before_ns=row.not_before_ns,
        started_ns=row.started_ns,
        hold=Hold(row.hold),
    )


def _row(plant: str, work: Work, lot: Lot, now_ns: int) -> dict[str, Any]:
    routing = work.product(lot).routing
    return {
        "id": lot.number,
        "plant": plant,
        "order_id": lot.order,
        "product": lot.product,
        "quantity": lot.quantity,
        "good": min(lot.good, COUNT_MAX),
        "scrap": min(lot.scrap, COUNT_MAX),
        "operation": routing[lot.next_step - 1].operation if lot.next_step else 0,
        "next_step": lot.next_step,
        "place": lot.place,
        "status": lot.status.value,
        "parent_lot": lot.parent or None,
        "updated_ns": now_ns,
        "at_output": lot.at_output,
        "target": lot.target,
        "build_at": json.dumps(lot.build_at),
        "proposal": lot.proposal,
        "command": lot.command,
        "attempt": lot.attempt,
        "not_before_ns": lot.not_before_ns,
        "started_ns": lot.started_ns,
        "hold": lot.hold.value,
    }
