"""Rejects beyond what an order can bear → as many pieces again at once, not when the order is found short at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from zhongshu.decide.policies.advice import Remake
from zhongshu.decide.policies.facts import Facts
from zhongshu.decide.policies.policy import Policy, Setting
from zhongshu.decide.work import Hold, Order, closed


class Rework(Policy):
    """A customer who ordered ten wants ten, as near as ``bear_percent``. What was scrapped on the way is missing at the end.

    Only what was scrapped of the product itself counts: a part that fell short shows when it is built in.
    """

    name: ClassVar[str] = "rework"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "bear_percent": Setting(5.0, 0.0, "an order may be short of so much"),
    }

    def advise(self, facts: Facts) -> Iterator[Remake]:
        """Order by order."""
        coming: dict[str, int] = {}
        for lot in facts.work.lots.values():
            if not lot.parent and not closed(lot) and lot.hold is not Hold.CANCELLED:
                coming[lot.order] = coming.get(lot.order, 0) + lot.good
        asked = {order for order, _ in facts.work.grown} | {lot.order for lot in facts.work.lost}
        for order in facts.work.orders.values():
            if order.status == "released" and order.id in coming and order.id not in asked:
                short = self._short(order, coming[order.id])
                if short:
                    yield Remake(order.id, short, "rejects_beyond_tolerance")

    def _short(self, order: Order, coming: int) -> int:
        """Pieces that are missing, 0 where the order can bear it."""
        short = order.quantity - order.done - coming
        return short if short > order.quantity * self.set("bear_percent") / 100 else 0
