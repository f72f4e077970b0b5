"""What named persons decide about orders and lots is entered in the work: changes, holds, counts, moved lots; pure, no I/O."""

from __future__ import annotations

from zhongshu.decide.work import Hold, Lot, LotStatus, Order, Work, closed
from zhongshu.model.messages import LotCorrected, OrderChanged, OrderHeld

#: Between two operations: a hold takes effect at once. All other open lots first end what they are in.
_AT_REST = (LotStatus.PLANNED, LotStatus.WAITING, LotStatus.FINISHED, LotStatus.HELD)


def change_order(work: Work, event: OrderChanged) -> None:
    """Due time, priority and quantity as they are now; a cancelled order's planned lots end, the begun ones are held."""
    order = work.orders.get(event.order)
    if order is None or order.status in ("done", "cancelled"):
        return
    order.due_ns, order.priority = event.due_ns, event.priority
    work.dirty_orders.add(order.id)
    if event.cancelled:
        order.status = "cancelling"
        for lot in _open(work, order.id):
            hold(work, lot, Hold.CANCELLED)
        settle_order(work, order)
    else:
        order.quantity = event.quantity
        if any(lot.order == order.id for lot in work.lots.values()):
            _resize(work, order)


def hold_order(work: Work, event: OrderHeld) -> None:
    """Stop every open lot of the order, or let those go on that were stopped by this."""
    order = work.orders.get(event.order)
    if order is None or order.status in ("done", "cancelled", "cancelling"):
        return
    mine = [lot for lot in work.lots.values() if lot.order == order.id]
    if event.held:
        order.status = "held"
        for lot in _open(work, order.id):
            hold(work, lot, Hold.ORDER)
    else:
        order.status = "released" if mine else "received"
        for lot in mine:
            if lot.hold == Hold.ORDER:
                release(work, lot)
        settle_order(work, order)
    work.dirty_orders.add(order.id)


def correct_lot(work: Work, event: LotCorrected) -> None:
    """Enter what a person saw of one lot; a lot that came to its end meanwhile stays as it is."""
    lot = work.lots.get(event.lot)
    if lot is None or lot.status is LotStatus.CANCELLED:
        return
    match event.kind:
        case "count":
            _count(work, lot, event.good, event.scrap)
        case "move":
            _move(work, lot, event)
        case "hold":
            hold(work, lot, Hold.QUALITY)
        case "release":
            release(work, lot)
        case _:
            return
    work.touch(lot)


def hold(work: Work, lot: Lot, why: Hold) -> None:
    """Keep a lot from its next operation; one of which nothing exists yet ends where its order was cancelled."""
    if closed(lot) or lot.status is LotStatus.LEFT:
        return
    if not lot.hold or why is Hold.CANCELLED:
        lot.hold = why
    if lot.status in _AT_REST:
        stop(work, lot)
    work.touch(lot)


def stop(work: Work, lot: Lot) -> None:
    """A lot with a hold on it has come to rest."""
    if lot.hold is Hold.CANCELLED and not exists(lot):
        end(lot)
    else:
        if not exists(lot) and not lot.build_at:
            lot.place, lot.target = "", ""
        lot.status = LotStatus.HELD


def release(work: Work, lot: Lot) -> None:
    """Let a lot go on from where it stands; the next proposal for it is another one than the last."""
    lot.hold = Hold.NO
    work.touch(lot)
    if lot.status is not LotStatus.HELD:
        return
    lot.attempt += 1
    lot.proposal, lot.command, lot.not_before_ns = "", 0, 0
    if work.step(lot) is None:
        work.finish(lot)
        settle_order(work, work.orders[lot.order])
    else:
        lot.status = LotStatus.WAITING if exists(lot) else LotStatus.PLANNED
        if not exists(lot) and not lot.build_at:
            lot.place, lot.target = "", ""


def settle_order(work: Work, order: Order) -> None:
    """Its last lot may have come to rest: then the order ends."""
    mine = [lot for lot in work.lots.values() if lot.order == order.id]
    if any(lot.order == order.id for lot in work.lost) or any(o == order.id for o, _ in work.grown):
        return
    if order.status == "cancelling":
        if all(closed(lot) or lot.status is LotStatus.LEFT for lot in mine):
            order.status = "cancelled"
            work.dirty_orders.add(order.id)
        return
    tops = [lot for lot in mine if not lot.parent]
    if tops and all(closed(lot) for lot in tops):
        order.status = "done"
        work.dirty_orders.add(order.id)


def exists(lot: Lot) -> bool:
    """Something of the lot was made already, or is being made."""
    return lot.next_step > 0 or lot.started_ns > 0 or lot.status in (LotStatus.STARTING, LotStatus.RUNNING)


def end(lot: Lot) -> None:
    """Nothing of it will come any more; what was reserved for it is free."""
    lot.status, lot.place, lot.target, lot.at_output = LotStatus.CANCELLED, "", "", False
    lot.build_at, lot.hold = {}, Hold.NO


def _count(work: Work, lot: Lot, good: int, scrap: int) -> None:
    if lot.status in (LotStatus.CONSUMED, LotStatus.LEFT):
        lot.good, lot.scrap = good, scrap
        return
    order = work.orders[lot.order]
    if lot.status is LotStatus.STORED:
        order.done += good - lot.good
        order.scrapped -= good - lot.good
        work.dirty_orders.add(order.id)
    lot.good, lot.scrap = good, scrap
    if good == 0 and lot.status not in (LotStatus.STORED, LotStatus.STARTING, LotStatus.RUNNING):
        end(lot)
        if order.status == "cancelling":
            settle_order(work, order)
        else:
            work.lost.append(lot)


def _move(work: Work, lot: Lot, event: LotCorrected) -> None:
    """It lies elsewhere; a job or transport that was out for it is no longer believed."""
    if closed(lot) or not exists(lot):
        return
    if lot.status in (LotStatus.MOVING, LotStatus.STARTING, LotStatus.RUNNING):
        lot.attempt += 1
        lot.proposal, lot.command, lot.not_before_ns = "", 0, 0
        lot.status = LotStatus.FINISHED if work.step(lot) is None else LotStatus.WAITING
    lot.place, lot.at_output = event.place, event.at_output
    lot.target = "" if event.at_output else event.place
    if lot.hold and lot.status in _AT_REST:
        stop(work, lot)


def _resize(work: Work, order: Order) -> None:
    """Ask for more lots, or end planned ones; what has begun is made in any case."""
    tops = [lot for lot in _open(work, order.id) if not lot.parent]
    stored = [lot for lot in work.lots.values() if lot.order == order.id and lot.status is LotStatus.STORED]
    waiting = sum(lot.quantity for lot in work.lost if lot.order == order.id and not lot.parent)
    asked = sum(pieces for name, pieces in work.grown if name == order.id)
    there = sum(lot.quantity for lot in (*tops, *(s for s in stored if not s.parent))) + waiting + asked
    if order.quantity > there:
        work.grown.append((order.id, order.quantity - there))
        return
    for lot in sorted(tops, key=lambda each: -each.number):
        tree = _tree(work, lot)
        if there <= order.quantity or any(exists(each) or each.proposal for each in tree):
            continue
        there -= lot.quantity
        for each in tree:
            end(each)
            work.touch(each)
    if there < order.quantity:  # the last lot that went was larger than what was too many
        work.grown.append((order.id, order.quantity - there))
    settle_order(work, order)


def _tree(work: Work, lot: Lot) -> list[Lot]:
    """The lot and all that is built into it."""
    parts = [part for part in work.lots.values() if part.parent == lot.number and not closed(part)]
    return [lot, *(each for part in parts for each in _tree(work, part))]


def _open(work: Work, order: str) -> list[Lot]:
    return [lot for lot in work.lots.values() if lot.order == order and not closed(lot)]
