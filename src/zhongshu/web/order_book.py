"""The order book: work orders from the store beside what the live plan says of them, filtered, sorted, page by page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.lots import can_go_on
from zhongshu.kernel.store.orders import OPEN
from zhongshu.kernel.store.plan_tables import Plan
from zhongshu.kernel.store.plans import PlanStatus, unpack
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.web.orders import order_row

NS = 1_000_000_000
SORTS = {
    "due": WorkOrder.due_ns,
    "priority": WorkOrder.priority,
    "id": WorkOrder.id,
    "product": WorkOrder.product,
    "quantity": WorkOrder.quantity,
    "created": WorkOrder.created_ns,
    "status": WorkOrder.status,
}
#: What only the live plan or the lots can tell; sorted after they were read.
DERIVED = ("end", "late", "progress")
#: Orders that are sorted at once by what only the plan or the lots can tell.
SORTED_MAX = 20_000
#: SQLite takes a limited number of values in one statement.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """Which orders, in which order, and how many of them from where on."""

    status: str = "open"
    search: str = ""
    product: str = ""
    late: bool = False
    due_from_ns: int = 0
    due_to_ns: int = 0
    sort: str = "due"
    descending: bool = False
    limit: int = 200
    offset: int = 0


@dataclass(slots=True)
class Forecast:
    """What the live plan says of orders: their ends in ns; ``version`` 0 where there is no plan."""

    version: int = 0
    ends: dict[str, int] = field(default_factory=dict)


class OrderBook:
    """Reads blocking; safe for several threads. A plan is unpacked once, when it is new."""

    def __init__(self, plant: Plant, store: Store) -> None:
        self._plant, self._store = plant, store
        self._forecast = Forecast()
        self._lock = Lock()

    def listed(self, wish: Wish, now_ns: int) -> dict[str, Any]:
        """``orders`` of this page, ``total`` of all that fit, ``plan`` the version that their ends come from."""
        with self._store.read() as session:
            forecast = self._forecasts(session)
            query = _filtered(self._plant.id, wish)
            if wish.late or wish.sort in DERIVED:
                found = list(session.scalars(query.limit(SORTED_MAX)).all())
                rows = self._rows(session, found, forecast, now_ns)
                rows = [row for row in rows if not wish.late or row["late_s"] > 0]
                rows = _sorted(rows, wish)
                total, rows = len(rows), rows[wish.offset : wish.offset + wish.limit]
            else:
                total = int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
                key = SORTS[wish.sort]
                ordered = query.order_by(key.desc() if wish.descending else key.asc(), WorkOrder.id)
                found = list(session.scalars(ordered.offset(wish.offset).limit(wish.limit)).all())
                rows = self._rows(session, found, forecast, now_ns)
        return {"orders": rows, "total": total, "plan": forecast.version}

    def one(self, order: str, now_ns: int) -> dict[str, Any] | None:
        """One order with its lots; None where there is none."""
        with self._store.read() as session:
            found = session.get(WorkOrder, (self._plant.id, order))
            if found is None:
                return None
            row = self._rows(session, [found], self._forecasts(session), now_ns)[0]
            lots = session.scalars(
                select(Lot).where(Lot.plant == self._plant.id, Lot.order_id == order).order_by(Lot.id)
            )
            return row | {"note": found.note, "lots": [self.lot_row(lot) for lot in lots]}

    def lot_row(self, lot: Lot) -> dict[str, Any]:
        """A lot for people: where it stands, what comes next, and why it is held."""
        product = self._plant.product_of.get(lot.product)
        routing = product.routing if product else ()
        step = routing[lot.next_step] if lot.next_step < len(routing) else None
        return {
            "lot": lot.id,
            "order": lot.order_id,
            "product": lot.product,
            "quantity": lot.quantity,
            "good": lot.good,
            "scrap": lot.scrap,
            "status": lot.status,
            "hold": lot.hold or ("refused" if lot.status == "held" else ""),
            "place": lot.place,
            "at_output": lot.at_output,
            "target": lot.target,
            "parent": lot.parent_lot or 0,
            "step": lot.next_step,
            "steps": len(routing),
            "next": step.capability if step else "",
            "exists": bool(lot.next_step or lot.started_ns) or lot.status in ("starting", "running"),
            "can_release": can_go_on(self._plant, lot),
            "since_ms": lot.updated_ns // 1_000_000,
        }

    def _rows(
        self, session: Session, found: list[WorkOrder], forecast: Forecast, now_ns: int
    ) -> list[dict[str, Any]]:
        lots = self._lots(session, [order.id for order in found])
        rows = []
        for order in found:
            open_ = order.status in OPEN
            end_ns = forecast.ends.get(order.id, 0) if open_ else 0
            # By the due time as it is now: the plan may not know yet of one that was just changed.
            late_s = max(0, ((end_ns or now_ns) - order.due_ns) // NS) if open_ else 0
            statuses, share = lots.get(order.id, (Counter(), 0.0))
            rows.append(
                order_row(order)
                | {
                    "end_ms": end_ns // 1_000_000,
                    "late_s": late_s,
                    "progress": 1.0 if order.status == "done" else round(share, 3),
                    "lot_statuses": dict(statuses),
                    "held": statuses["held"],
                }
            )
        return rows

    def _lots(self, session: Session, orders: list[str]) -> dict[str, tuple[Counter[str], float]]:
        """Of each order: lots by status, and the share of its operations that are done."""
        steps = {product.id: len(product.routing) for product in self._plant.products}
        counts: dict[str, Counter[str]] = {}
        done: Counter[str] = Counter()
        all_: Counter[str] = Counter()
        for start in range(0, len(orders), AT_ONCE):
            query = (
                select(Lot.order_id, Lot.product, Lot.status, func.count(), func.sum(Lot.next_step))
                .where(Lot.plant == self._plant.id, Lot.order_id.in_(orders[start : start + AT_ONCE]))
                .where(Lot.status != "cancelled")
                .group_by(Lot.order_id, Lot.product, Lot.status)
            )
            for order, product, status, count, next_steps in session.execute(query):
                counts.setdefault(order, Counter())[status] += count
                done[order] += int(next_steps or 0)
                all_[order] += count * steps.get(product, 0)
        return {name: (counts[name], done[name] / all_[name] if all_[name] else 0.0) for name in counts}

    def _forecasts(self, session: Session) -> Forecast:
        live = select(Plan.version).where(Plan.plant == self._plant.id, Plan.status == PlanStatus.LIVE.value)
        version = session.scalar(live.order_by(Plan.version.desc()).limit(1)) or 0
        with self._lock:
            if version != self._forecast.version:
                self._forecast = _forecast(session, self._plant.id, version)
            return self._forecast


def _forecast(session: Session, plant: str, version: int) -> Forecast:
    found = session.get(Plan, (plant, version)) if version else None
    if found is None:
        return Forecast()
    document = unpack(found.content)
    origin_ns = int(document.get("origin_ns", found.origin_ns))
    ends = {
        order["id"]: origin_ns + int(order["end"]) * NS
        for order in document.get("orders", ())
        if order.get("end") is not None
    }
    return Forecast(version, ends)


def _filtered(plant: str, wish: Wish) -> Select[WorkOrder]:
    query = select(WorkOrder).where(WorkOrder.plant == plant)
    if wish.status != "all":
        query = query.where(WorkOrder.status.in_(OPEN if wish.status == "open" else (wish.status,)))
    if wish.product:
        query = query.where(WorkOrder.product == wish.product)
    if wish.due_from_ns:
        query = query.where(WorkOrder.due_ns >= wish.due_from_ns)
    if wish.due_to_ns:
        query = query.where(WorkOrder.due_ns < wish.due_to_ns)
    for word in wish.search.lower().split():
        # Lower case on both sides: one database compares so by itself, the other does not.
        query = query.where(
            or_(
                func.lower(WorkOrder.id).contains(word, autoescape=True),
                func.lower(WorkOrder.product).contains(word, autoescape=True),
                func.lower(WorkOrder.created_by).contains(word, autoescape=True),
            )
        )
    return query


def _sorted(rows: list[dict[str, Any]], wish: Wish) -> list[dict[str, Any]]:
    rows.sort(key=lambda row: str(row["id"]))
    keys = {"end": "end_ms", "late": "late_s", "due": "due_ms", "created": "created_ms"}
    name = keys.get(wish.sort, wish.sort)
    return sorted(rows, key=lambda row: row[name], reverse=wish.descending)
