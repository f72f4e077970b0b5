"""Corrections of reality by a named person: what they saw of a lot or counted in the store, kept for ever and announced."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy.orm import Session

from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store.orders import OPEN, change_order, hold_order
from zhongshu.kernel.store.plan_tables import Correction, Stock
from zhongshu.kernel.store.signed import Refused, Signed, Why, corrections, record
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.model.messages import LotCorrected, StockCorrected
from zhongshu.model.plant import Plant, Product

ENDED = ("consumed", "stored", "cancelled")
AT_WORK = ("starting", "running")
STOCK_MAX = 1e9


def count_lot(
    session: Session, plant: Plant, lot: int, signed: Signed, *, good: int, scrap: int
) -> Correction:
    """So many pieces of it are good, so many scrap; a lot of which nothing is good is made again. Raises Refused."""
    row = _lot(session, plant.id, lot, ended=("cancelled", "consumed"))
    if not _exists(row):
        raise Refused("lot.nothing", Why.CONFLICT, lot=lot)
    if row.status in AT_WORK:
        raise Refused("lot.counting", Why.CONFLICT, lot=lot)
    if good < 0 or scrap < 0 or good + scrap > row.quantity:
        raise Refused("lot.count", lot=lot, quantity=row.quantity)
    before, after = {"good": row.good, "scrap": row.scrap}, {"good": good, "scrap": scrap}
    return _correct(session, row, signed, "count", before, after)


def move_lot(
    session: Session, plant: Plant, lot: int, signed: Signed, *, place: str, at_output: bool | None = None
) -> Correction:
    """It lies at a machine, behind it where ``at_output``; None: in front of it if it can be worked on there."""
    row = _lot(session, plant.id, lot, ended=ENDED)
    unit = plant.unit_of.get(place)
    if unit is None or plant.type_of[unit.type].is_vehicle:
        raise Refused("lot.place", place=place[:64])
    if not _exists(row):
        raise Refused("lot.nothing", Why.CONFLICT, lot=lot)
    if at_output is None:
        routing = plant.product_of[row.product].routing
        step = routing[row.next_step] if row.next_step < len(routing) else None
        at_output = step is None or not plant.type_of[unit.type].can(step.capability)
    before = {"place": row.place, "at_output": row.at_output}
    return _correct(session, row, signed, "move", before, {"place": place, "at_output": at_output})


def hold_lot(session: Session, plant: Plant, lot: int, signed: Signed) -> Correction:
    """Keep it from its next operation until somebody releases it; raises Refused."""
    row = _lot(session, plant.id, lot, ended=(*ENDED, "left"))
    if row.hold:
        raise Refused("lot.held", Why.CONFLICT, lot=lot)
    return _correct(session, row, signed, "hold", {"hold": ""}, {"hold": "quality"})


def release_lot(session: Session, plant: Plant, lot: int, signed: Signed) -> Correction:
    """Let it go on from where it stands; raises Refused, also where what it needs will never come."""
    row = _lot(session, plant.id, lot, ended=ENDED)
    if not row.hold and row.status != "held":
        raise Refused("lot.not-held", Why.CONFLICT, lot=lot)
    if not can_go_on(plant, row):
        raise Refused("lot.parts-gone", Why.CONFLICT, lot=lot)
    return _correct(session, row, signed, "release", {"hold": row.hold or "refused"}, {"hold": ""})


def count_stock(
    session: Session, plant: Plant, material: str, signed: Signed, *, quantity: float
) -> Correction:
    """So much of a bought material is there; raises Refused."""
    known = materials(plant)
    if material not in known:
        raise Refused("stock.material", Why.MISSING, material=material[:64], known=", ".join(known) or "–")
    if not math.isfinite(quantity) or not 0 <= quantity <= STOCK_MAX:
        raise Refused("stock.quantity", material=material)
    row = session.get(Stock, (plant.id, material))
    before = {"quantity": None if row is None else row.quantity}
    if row is None:
        row = Stock(plant=plant.id, material=material)
        session.add(row)
    row.quantity, row.updated_ns = float(quantity), signed.now_ns
    kept = record(
        session, plant.id, signed, "stock", f"material:{material}", before, {"quantity": row.quantity}
    )
    event = StockCorrected(plant.id, signed.stage, signed.now_ns, kept.id, material, row.quantity, signed.by)
    put_event(session, signed.stage, event, msg_id=f"correction.{plant.id}.{kept.id}")
    return kept


def undo(session: Session, plant: Plant, correction: int, signed: Signed) -> Correction:
    """Correct it back to what was before: another correction, under the name of who undoes it. Raises Refused."""
    row = session.get(Correction, correction)
    if row is None or row.plant != plant.id:
        raise Refused("correction.none", Why.MISSING, correction=correction)
    kind, _, subject = row.subject.partition(":")
    before = row.before
    if kind == "order" and row.kind == "order" and "status" not in before:
        change_order(session, plant, subject, signed, **before)
    elif kind == "order" and row.kind in ("hold", "release"):
        hold_order(session, plant, subject, signed, held=row.kind == "release")
    elif row.kind == "count" and row.after.get("good"):
        return count_lot(session, plant, int(subject), signed, good=before["good"], scrap=before["scrap"])
    elif row.kind == "move" and before["place"]:
        return move_lot(session, plant, int(subject), signed, **before)
    elif row.kind == "hold":
        return release_lot(session, plant, int(subject), signed)
    elif row.kind == "release":
        return hold_lot(session, plant, int(subject), signed)
    elif row.kind == "stock" and before["quantity"] is not None:
        return count_stock(session, plant, subject, signed, quantity=before["quantity"])
    else:
        raise Refused("correction.final", Why.CONFLICT, correction=correction)
    return corrections(session, plant.id, limit=1)[0]


def can_go_on(plant: Plant, row: Lot) -> bool:
    """False for a lot whose parts will not come: those of a cancelled order, or those that an aborted job holds."""
    product = plant.product_of.get(row.product)
    if product is None or row.hold not in ("cancelled", "aborted"):
        return True
    left = (
        product.routing[row.next_step :] if row.hold == "cancelled" else product.routing[row.next_step :][:1]
    )
    return not any(_needs_parts(plant, product, step.operation) for step in left)


def materials(plant: Plant) -> list[str]:
    """Ids of what the plant buys: materials it names, and components that it does not make itself."""
    named = {material.id for material in plant.materials}
    bought = {
        c.product for p in plant.products for c in p.components if not plant.product_of[c.product].routing
    }
    return sorted(named | bought)


def _needs_parts(plant: Plant, product: Product, operation: int) -> bool:
    return any(c.operation == operation and plant.product_of[c.product].routing for c in product.components)


def _lot(session: Session, plant: str, lot: int, *, ended: tuple[str, ...]) -> Lot:
    row = session.get(Lot, lot) if 0 < lot < 2**31 else None
    if row is None or row.plant != plant:
        raise Refused("lot.none", Why.MISSING, lot=lot)
    if row.status in ended:
        raise Refused("lot.closed", Why.CONFLICT, lot=lot, status=row.status)
    order = session.get(WorkOrder, (plant, row.order_id))
    if order is None or (order.status not in OPEN and row.status != "left"):
        raise Refused("lot.order-closed", Why.CONFLICT, lot=lot, order=row.order_id)
    return row


def _exists(row: Lot) -> bool:
    return bool(row.next_step or row.started_ns) or row.status in AT_WORK


def _correct(
    session: Session, row: Lot, signed: Signed, kind: str, before: dict[str, Any], after: dict[str, Any]
) -> Correction:
    if before == after:
        raise Refused("lot.same", Why.CONFLICT, lot=row.id)
    kept = record(session, row.plant, signed, kind, f"lot:{row.id}", before, after)
    event = LotCorrected(
        row.plant,
        signed.stage,
        signed.now_ns,
        kept.id,
        row.id,
        kind,
        after.get("good", 0),
        after.get("scrap", 0),
        after.get("place", ""),
        after.get("at_output", False),
        signed.by,
    )
    put_event(session, signed.stage, event, msg_id=f"correction.{row.plant}.{kept.id}")
    return kept
