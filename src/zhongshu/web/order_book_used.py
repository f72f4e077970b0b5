"""What orders have used up so far: lots from the store, multiplied with the bills of bought material of the plant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.model.plant import Plant
from zhongshu.web.order_book_csv import iso

AT_ONCE = 500


def performances(session: Session, plant: Plant, orders: list[str]) -> Iterator[dict[str, Any]]:
    """Orders as ``order_book_xml.write_performance`` takes them, in the order given; unknown ones are left out."""
    for start in range(0, len(orders), AT_ONCE):
        some = orders[start : start + AT_ONCE]
        rows = {
            row.id: row
            for row in session.scalars(
                select(WorkOrder).where(WorkOrder.plant == plant.id, WorkOrder.id.in_(some))
            )
        }
        lots: dict[str, list[Lot]] = {name: [] for name in rows}
        for lot in session.scalars(select(Lot).where(Lot.plant == plant.id, Lot.order_id.in_(some))):
            lots[lot.order_id].append(lot)
        for name in some:
            if name in rows:
                yield _performance(plant, rows[name], lots[name])


def _performance(plant: Plant, row: WorkOrder, lots: list[Lot]) -> dict[str, Any]:
    ended = max((lot.updated_ns for lot in lots), default=0) if row.status in ("done", "cancelled") else 0
    return {
        "id": row.id,
        "product": row.product,
        "status": row.status,
        "done": row.done,
        "scrapped": row.scrapped,
        "start": "",
        "end": iso(ended // 1_000_000, plant.timezone),
        "used": used_up(plant, lots),
    }


def used_up(plant: Plant, lots: list[Lot]) -> dict[str, tuple[float, str]]:
    """Bought material by id, with its unit: what entered at the operations that were begun on these lots."""
    uom = {material.id: material.uom for material in plant.materials}
    total: Counter[str] = Counter()
    for lot in lots:
        product = plant.product_of.get(lot.product)
        if product is None:
            continue
        begun = lot.next_step + (lot.status == "running")
        operations = {step.operation for step in product.routing[:begun]}
        for supply in product.materials:
            if supply.operation in operations:
                total[supply.material] += supply.quantity * lot.quantity  # type: ignore[assignment]
        for part in product.components:
            if part.operation in operations and not plant.product_of[part.product].routing:
                total[part.product] += part.quantity * lot.quantity  # type: ignore[assignment]
    return {name: (round(amount, 6), uom.get(name, "pcs")) for name, amount in sorted(total.items())}
