"""What the planner plans from: the book in the store, people's rules, the stock, and what the units measure now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from zhongshu.decide.book import WorkBook
from zhongshu.decide.planning.build import Built, Measured, PlanRule, Receipt, build
from zhongshu.decide.work import Vehicle, Work
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Receipt as ReceiptRow
from zhongshu.kernel.store.plan_tables import Stock
from zhongshu.kernel.store.plans import live_plan, unpack
from zhongshu.kernel.store.rules import rules_in_force
from zhongshu.model.plant import Plant


@dataclass(frozen=True, slots=True)
class Situation:
    """Read at one moment."""

    plant: Plant
    work: Work
    rules: tuple[PlanRule, ...]
    measured: Measured
    live: Mapping[str, Any] | None
    now_ns: int

    def problem(
        self,
        rules: Sequence[PlanRule] = (),
        previous: Mapping[str, Any] | None = None,
        work: Work | None = None,
    ) -> Built:
        """The scheduling problem, with more rules, another plan to stay close to, or another book if given."""
        return build(
            self.plant,
            work or self.work,
            self.now_ns,
            (*self.rules, *rules),
            self.live if previous is None else previous,
            self.measured,
        )


def read_situation(plant: Plant, store: Store, floor: Mapping[str, Any], now_ns: int) -> Situation:
    """Blocking; call it in a thread. ``floor``: what decide answered on ``subjects.floor_ask``."""
    work, _, _ = WorkBook(plant, store).load()
    work.states = {unit: (state, mode) for unit, (state, mode) in floor["states"].items()}
    work.vehicles = {name: Vehicle(**values) for name, values in floor["vehicles"].items()}
    with store.read() as session:
        rules = tuple(
            PlanRule(r.id, r.kind, r.subject, r.start_ns or None, r.end_ns or None, r.args)
            for r in rules_in_force(session, plant.id, now_ns)
        )
        stock = {
            s.material: s.quantity for s in session.scalars(select(Stock).where(Stock.plant == plant.id))
        }
        expected = select(ReceiptRow).where(ReceiptRow.plant == plant.id, ReceiptRow.status == "expected")
        receipts = tuple(Receipt(r.material, r.quantity, r.due_ns) for r in session.scalars(expected))
        row = live_plan(session, plant.id)
        live = unpack(row.content) if row is not None else None
        if live is not None and row is not None:
            live["version"] = row.version
    return Situation(plant, work, rules, Measured(stock=stock, receipts=receipts), live, now_ns)
