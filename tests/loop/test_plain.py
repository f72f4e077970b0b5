"""Nothing goes wrong: orders are made in the order in which they came, urgent ones first, and every piece is accounted for."""

from __future__ import annotations

from sqlalchemy import select

from tests.loop.rehearsal import Rehearsal
from tests.twin.small import EXACT, small_plant
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.kernel.virtual import run
from zhongshu.kernel.wire import publish_event
from zhongshu.model.messages import OrderReceived


def test_first_come_is_first_served_and_every_piece_is_there() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 1) as it:
            for product, quantity in (("box", 8), ("tray", 4), ("box", 6), ("tray", 9), ("box", 3)):
                it.order(product, quantity)
                await it.forward(0.7)
            assert await it.until_done(4.0) < 0.5
            await it.settle()
            assert not it.holds.refusals
            assert not _overtaken(it)

    run(play)


def test_an_urgent_order_overtakes_what_has_not_begun() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 2) as it:
            for _ in range(6):
                it.order("tray", 8)
            await it.forward(3.0)
            urgent = it.order("tray", 4, priority=1)
            await it.until_done(4.0)
            await it.settle()
            begun = _first_starts(it)
            assert begun[urgent] < min(begun[f"W-{n}"] for n in (4, 5, 6))
            assert not _overtaken(it, but=urgent)

    run(play)


def test_an_order_told_twice_is_made_once() -> None:
    """The web died between telling the bus and noting it, and tells it again when the bus has long forgotten."""

    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 3) as it:
            name = it.order("tray", 4)
            await it.until_done(2.0)
            order = it.holds.orders[name]
            told = (order.product, order.quantity, order.due_ns, order.release_ns, order.priority)
            event = OrderReceived(it.plant.id, "web", it.clock.now_ns(), name, *told)
            await publish_event(it.bus, event, msg_id="again")
            await it.forward(5.0)
            await it.die(1.0)
            await publish_event(it.bus, event, msg_id="and again")
            await it.settle(30.0)

    run(play)


def _first_starts(it: Rehearsal) -> dict[str, int]:
    """Order → plant time at which its first job began."""
    with it.store.read() as session:
        order_of = {row.id: row.order_id for row in session.scalars(select(Lot))}
    begun: dict[str, int] = {}
    for t_ns, lot in it.holds.starts:
        begun.setdefault(order_of[lot], t_ns)
    return begun


def _overtaken(it: Rehearsal, but: str = "") -> list[str]:
    """Lots whose first job began before that of one of the same product that was ordered earlier.

    Products that begin with an assembly are left out: when their parts are there is not a matter of turns.
    """
    built = {p.id for p in it.plant.products if p.components}
    with it.store.read() as session:
        came = {row.id: row.created_ns for row in session.scalars(select(WorkOrder)) if row.id != but}
        rank = {
            row.id: (row.product, came[row.order_id], row.id)
            for row in session.scalars(select(Lot))
            if row.order_id in came and row.product not in built
        }
    begun: dict[int, int] = {}
    for t_ns, lot in it.holds.starts:
        if lot in rank:
            begun.setdefault(lot, t_ns)
    pairs = [(a, b) for a in begun for b in begun if rank[a][0] == rank[b][0] and rank[a] < rank[b]]
    return [f"lot {b} began before lot {a}" for a, b in pairs if begun[b] < begun[a]]
