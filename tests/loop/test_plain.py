"""Nothing goes wrong: orders are made in the order in which they came, and every piece is accounted for."""

from __future__ import annotations

from tests.loop.rehearsal import Rehearsal
from tests.loop.virtual import run
from tests.twin.small import EXACT, small_plant


def test_orders_get_through() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 1) as it:
            for product, quantity in (("box", 8), ("tray", 4), ("box", 6)):
                it.order(product, quantity)
            assert await it.until_done(4.0) < 0.5
            await it.settle()
            assert not it.holds.refusals

    run(play)
