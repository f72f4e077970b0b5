"""Tasks that are over: what units said of them, beside what the last plan before them had said, for the chart's past.

A plan document holds what is still to be done; each new plan leaves out what was finished meanwhile. The plans of before,
which the store keeps, tell when a finished task was to have run, and of which order it was.
"""

from __future__ import annotations

from threading import Lock as ThreadLock
from typing import Any

from sqlalchemy import select

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Lot
from zhongshu.web.plan_progress import ENDS, PlanProgress, Row
from zhongshu.web.plan_store import LIVE, Plans

NS_A_MS = 1_000_000
#: Plans that are read again after a start; further back nobody compares.
READ_AGAIN = 12
#: Planned times remembered; more than any chart shows.
KEPT = 50_000
#: SQLite takes a limited number of values in one statement.
LOTS_AT_ONCE = 500

Task = tuple[int, int]
Planned = tuple[int, int, str, str]


class PlanPast:
    """One plant's finished tasks. ``columns`` blocks: it reads the store."""

    def __init__(self, plant: str, store: Store, plans: Plans, progress: PlanProgress) -> None:
        self._plant, self._store, self._plans, self._progress = plant, store, plans, progress
        self._planned: dict[Task, Planned] = {}
        self._read: set[int] = set()
        self._lock = ThreadLock()

    def columns(self, after_ms: int) -> dict[str, list[Any]]:
        """Tasks that ended after ``after_ms`` (plant time), by column; ``start`` and ``end`` are null where no plan knew it."""
        over = [row for row in self._progress.since(0)[1] if row[5] in ENDS and row[4] >= after_ms]
        with self._lock:
            self._look_up()
            planned = dict(self._planned)
        orders = self._orders({row[0] for row in over if (row[0], row[1]) not in planned})
        rows = [found for row in over if (found := _joined(row, planned, orders))]
        names = ("lot", "operation", "unit", "order", "product", "start", "end", "actual_start", "actual_end")
        return {name: [row[k] for row in rows] for k, name in enumerate(names)}

    def _look_up(self) -> None:
        """Read plans that were not read yet, the oldest first: the last word before a task began is the one that counts."""
        versions = [row["version"] for row in self._plans.rows() if row["status"] in (LIVE, "superseded")]
        for version in sorted(set(versions) - self._read)[-READ_AGAIN:]:
            found = self._plans.packed(version)
            if found is not None:
                self._note(found.document())
        self._read = set(versions)
        while len(self._planned) > KEPT:
            del self._planned[next(iter(self._planned))]

    def _note(self, document: dict[str, Any]) -> None:
        tasks, orders = document["tasks"], document["orders"]
        origin_ms = document["origin_ns"] // NS_A_MS
        names = ("lot", "operation", "start", "end", "order", "product", "status")
        for lot, operation, start, end, order, product, status in zip(
            *(tasks[n] for n in names), strict=True
        ):
            if status == "planned" or (lot, operation) not in self._planned:
                word = (origin_ms + start * 1000, origin_ms + end * 1000, orders[order]["id"], product)
                self._planned[lot, operation] = word

    def _orders(self, lots: set[int]) -> dict[int, tuple[str, str]]:
        """Order and product of lots that no plan told of."""
        found: dict[int, tuple[str, str]] = {}
        numbers = sorted(lots)
        with self._store.read() as session:
            for k in range(0, len(numbers), LOTS_AT_ONCE):
                some = numbers[k : k + LOTS_AT_ONCE]
                query = select(Lot.id, Lot.order_id, Lot.product).where(
                    Lot.plant == self._plant, Lot.id.in_(some)
                )
                found |= {lot: (order, product) for lot, order, product in session.execute(query).all()}
        return found


def _joined(
    row: Row, planned: dict[Task, Planned], orders: dict[int, tuple[str, str]]
) -> tuple[Any, ...] | None:
    lot, operation, unit, began, ended = row[:5]
    start, end, order, product = planned.get((lot, operation), (None, None, *orders.get(lot, ("", ""))))
    return (lot, operation, unit, order, product, start, end, began, ended) if order else None
