"""Dispatch without a plan: who chooses first, by the rules of the literature; what planning is measured against."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from zhongshu.decide.first_come import FirstCome
from zhongshu.decide.follow import Follow, PlanInForce
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import Lot, Order, Work
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Unit

#: One pass over the open lots of the work, at a plant time, with the plan in force if there is one.
Dispatch = Callable[[Work, Roads, int, PlanInForce | None], FirstCome]
#: How far ahead the ATC index looks, in mean remaining times of the open lots; and how much a set-up counts.
LOOK_AHEAD, SETUP_WEIGHT = 2.0, 4.0


class EarliestDue(FirstCome):
    """EDD: the lot whose order is due first chooses first."""

    def __init__(self, work: Work, roads: Roads, now_ns: int, plan: PlanInForce | None = None) -> None:
        super().__init__(work, roads, now_ns)

    def _in_order(self) -> Iterator[Lot]:
        yield from sorted(
            self._work.open_lots(), key=lambda lot: (self._work.orders[lot.order].due_ns, lot.number)
        )

    def release_rank(self, order: Order) -> tuple[float, ...]:
        """By due date."""
        return (order.due_ns,)


class BestRule(FirstCome):
    """Apparent tardiness cost with set-ups (Vepsalainen & Morton 1987; Lee, Bhaskaran & Pinedo 1997), looked at anew at each
    pass: the lot that loses most by waiting chooses first, a unit that is set up for it is taken before others.
    """

    def __init__(self, work: Work, roads: Roads, now_ns: int, plan: PlanInForce | None = None) -> None:
        self._rests = work.plant.rest_s
        self._rest_s = {lot.number: self._lot_rest_s(lot) for lot in work.lots.values()}
        open_s = [rest for rest in self._rest_s.values() if rest > 0]
        self._mean_s = sum(open_s) / len(open_s) if open_s else 1.0
        self._family = _families(work)
        super().__init__(work, roads, now_ns)

    def _in_order(self) -> Iterator[Lot]:
        yield from sorted(self._work.open_lots(), key=lambda lot: (-self._index(lot), lot.number))

    def _index(self, lot: Lot) -> float:
        """The priority; set-ups count where the lot lies before the unit that would have to be set up for it."""
        setup_s = 0.0
        if lot.target and lot.place == lot.target and not lot.at_output:
            setup_s = self._setup_s(lot, self._work.plant.unit_of[lot.target])
        urgency = self._urgency(self._work.orders[lot.order], self._whole_rest_s(lot))
        return urgency * math.exp(-SETUP_WEIGHT * setup_s / self._mean_s)

    def _urgency(self, order: Order, rest_s: float) -> float:
        slack_s = max(0.0, (order.due_ns - self._now_ns) / NS - rest_s)
        weight = self._work.plant.planning.weight(order.priority)
        return weight / max(1.0, rest_s) * math.exp(-slack_s / (LOOK_AHEAD * self._mean_s))

    def _whole_rest_s(self, lot: Lot) -> float:
        """Until the product is done: the lot's own way, and that of all it is built into."""
        total, now = 0.0, lot
        while True:
            total += self._rest_s.get(now.number, 0.0)
            parent = self._work.lots.get(now.parent)
            if parent is None:
                return total
            now = parent

    def _unit_rank(self, lot: Lot, unit: Unit, start: str) -> tuple[float, float, str]:
        setup_s = self._setup_s(lot, unit)
        return self._busy(unit) * self._mean_s / 8 + setup_s, self._seconds(start, unit.station), unit.id

    def _setup_s(self, lot: Lot, unit: Unit) -> float:
        step = self._work.step(lot)
        if step is None:
            return 0.0
        kind, product = self._work.plant.type_of[unit.type], self._work.product(lot)
        return kind.setup_s(step.capability, self._family.get(unit.id, ""), product.family_at(step))

    def release_rank(self, order: Order) -> tuple[float, ...]:
        """By the same index."""
        rest_s = self._rests[order.product][0] * self._work.plant.product_of[order.product].lot_size
        return (-self._urgency(order, rest_s),)

    def _lot_rest_s(self, lot: Lot) -> float:
        """Nominal seconds of the operations that are left."""
        return self._rests[lot.product][lot.next_step] * max(1, lot.good or lot.quantity)


def _families(work: Work) -> Mapping[str, str]:
    """What each unit was last set up for, as far as a lot on it or behind it tells."""
    last: dict[str, tuple[int, str]] = {}
    for lot in work.lots.values():
        k = lot.next_step - 1 if lot.at_output else lot.next_step
        routing = work.product(lot).routing
        if lot.started_ns and 0 <= k < len(routing) and lot.place in work.plant.unit_of:
            family = work.product(lot).family_at(routing[k])
            last[lot.place] = max(last.get(lot.place, (0, "")), (lot.started_ns, family))
    return {unit: family for unit, (_, family) in last.items()}


def first_come(work: Work, roads: Roads, now_ns: int, _plan: PlanInForce | None = None) -> FirstCome:
    """First come, first served, whatever is planned."""
    return FirstCome(work, roads, now_ns)


#: By name; only ``follow`` looks at the plan in force.
DISPATCHES: Mapping[str, Dispatch] = {
    "first-come": first_come,
    "earliest-due": EarliestDue,
    "best-rule": BestRule,
    "follow": Follow,
}
