"""The store's story of the material held against the twin's: lot by lot while the plant runs, piece by piece at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from sqlalchemy import select

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command, Lot, WorkOrder
from zhongshu.model.commands import ENDS, CommandStatus
from zhongshu.model.orders import WorkOrder as Ordered
from zhongshu.twin.lots import Lot as Real
from zhongshu.twin.lots import Where
from zhongshu.twin.twin import Twin

CLOSED = ("consumed", "stored", "cancelled")
_ENDED = {s.value for s in ENDS if s is not CommandStatus.UNKNOWN}


def differences(store: Store, twin: Twin) -> dict[int, str]:
    """Lots of which store and floor tell different stories right now, with both stories."""
    with store.read() as session:
        rows = [row for row in session.scalars(select(Lot)) if row.status not in CLOSED]
        ended = set(session.scalars(select(Command.key).where(Command.status.in_(_ENDED))))
    real = twin.floor.shop.stock.lots
    found = {}
    for row in rows:
        text = _difference(row, real.get(row.id), twin, row.command in ended)
        if text:
            found[row.id] = f"the store says {row.status} step {row.next_step} at {_side(row)}, {text}"
    return found


def _difference(row: Lot, lot: Real | None, twin: Twin, ended: bool) -> str:
    there = (
        "there is none" if lot is None else f"it is {lot.where} {lot.unit}, {lot.done} done, {lot.good} good"
    )
    match row.status:
        case "held":
            return f"which only a person can end; {there}"
        case "planned":
            return "" if lot is None else there
        case "waiting" | "finished":
            same = lot is not None and (lot.unit, lot.done, lot.good) == (row.place, row.next_step, row.good)
            return "" if same and lot is not None and lot.where is _where(row, twin) else there
        case "running":
            at_work = lot is not None and (lot.where, lot.unit) == (Where.MACHINE, row.target)
            return "" if at_work else there
        case "starting":
            return f"but its command {row.command} is ended; {there}" if ended else ""
        case "moving":
            drives = any(
                v.running and v.order and v.order.lot == row.id for v in twin.floor.vehicles.values()
            )
            return "" if drives or not ended else f"but no vehicle drives; {there}"
    return ""


def _where(row: Lot, twin: Twin) -> Where:
    if row.place in twin.floor.vehicles:
        return Where.VEHICLE
    return Where.OUTPUT if row.at_output else Where.INPUT


def _side(row: Lot) -> str:
    return f"{row.place or 'nowhere'}{' output' if row.at_output else ''}, {row.good} good"


def pieces(store: Store, twin: Twin, ordered: Mapping[str, Ordered]) -> Iterator[str]:
    """Everything that does not add up when all orders are done."""
    with store.read() as session:
        orders = {row.id: row for row in session.scalars(select(WorkOrder))}
        lots = list(session.scalars(select(Lot)))
    done: Counter[int] = Counter()
    more = "rework" in twin.plant.policies  # what was rejected was made again
    for name, order in ordered.items():
        row = orders[name]
        done[twin.plant.product_of[order.product].code] += row.done
        made = row.done + row.scrapped
        if row.status != "done" or (made < order.quantity if more else made != order.quantity):
            yield f"order {name} of {order.quantity}: {row.status}, {row.done} done, {row.scrapped} scrapped"
    if dict(done) != twin.floor.stored():
        yield f"the store counts {dict(done)} finished, the warehouse {twin.floor.stored()}"
    if any(twin.floor.unaccounted().values()):
        yield f"the twin itself lost pieces: {twin.floor.unaccounted()}"
    yield from _left(twin, lots)


def _left(twin: Twin, lots: list[Lot]) -> Iterator[str]:
    """What is still on the floor is what the store says was left over."""
    number = {p.id: p.code for p in twin.plant.products}
    left: Counter[tuple[str, int]] = Counter()
    for row in lots:
        if row.status == "left":
            left[row.place, number[row.product]] += row.good
        elif row.status not in CLOSED:
            yield f"lot {row.id} is still {row.status} at {_side(row)}"
    real: Counter[tuple[str, int]] = Counter()
    for lot in twin.floor.shop.stock.lots.values():
        real[lot.unit, lot.product] += lot.good
    for unit, own in twin.floor.shop.stock.bins.items():
        for product, count in own.items():
            real[unit, product] += count
    if +left != +real:
        yield f"the store says {dict(+left)} are left over, on the floor lie {dict(+real)}"
