"""A made-up plan of the kitchen plant: greedy, but true to routings, exclusive units, breaks, ovens and set-ups; one seed, one plan."""

from __future__ import annotations

import json
import random
import zlib
from typing import Any

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plan_tables import Plan as PlanRow
from zhongshu.model.plant import Plant, Product

NS = 1_000_000_000
H = 3600
BEFORE, AFTER = -4 * H, 7 * H
BREAK = (2 * H, 2 * H + 1800)
FROZEN = 1200
#: Lots at once.
OVENS = {"cure": 4, "fire": 3, "temper": 2}
COLUMNS = (
    "id", "order", "lot", "product", "operation", "unit", "start", "end", "left", "setup", "batch", "moved", "frozen",
    "pinned", "status", "actual_start", "actual_end",
)  # fmt: skip


class Maker:
    """Places lot after lot, each step on the able unit where it ends first."""

    def __init__(self, plant: Plant, tasks: int, seed: int) -> None:
        self.plant, self.most, self.chance = plant, tasks, random.Random(seed)
        self.units = [u.id for u in plant.machines]
        self.able: dict[str, list[int]] = {}
        for index, unit in enumerate(plant.machines):
            for capability in plant.type_of[unit.type].capabilities:
                self.able.setdefault(capability.name, []).append(index)
        self.closed: list[list[list[Any]]] = [[[*BREAK, "break"]] for _ in self.units]
        self.free = [BEFORE + self.chance.randrange(900) for _ in self.units]
        self.family = [""] * len(self.units)
        self.open_batch: dict[int, list[Any]] = {}
        self.batches = 0
        self.rows: list[list[Any]] = []
        self.moves: list[list[int]] = []
        self.orders: list[dict[str, Any]] = []
        self.lots = 1000
        self.vehicle_free = [BEFORE] * len(plant.vehicles)
        self._trouble()
        self.pace = self._pace()

    def _trouble(self) -> None:
        down, service = self.units.index("stamp-07"), self.units.index("weld-04")
        self.closed[down].insert(0, [-60, 2400, "down"])
        self.closed[service].append([3 * H, 4 * H, "maintenance"])
        for index in self.able["coat"]:
            self.closed[index].append([6 * H, 7 * H, "overtime"])

    def _pace(self) -> dict[str, float]:
        """Seconds a task so that every kind of unit is about equally busy."""
        count: dict[str, int] = {}
        for product in self.plant.products:
            times = 3 if product.sellable else 2
            for step in product.routing:
                count[step.capability] = count.get(step.capability, 0) + times
        whole = sum(count.values())
        share = {name: self.most * n / whole for name, n in count.items()}
        return {
            name: min(2700.0, 0.62 * (AFTER - BEFORE) * len(self.able[name]) / n) for name, n in share.items()
        }

    def make(self) -> None:
        """Orders until there are as many tasks as wanted."""
        sellable = [p for p in self.plant.products if p.sellable]
        while len(self.rows) < self.most:
            number = len(self.orders)
            self._order(self.chance.choice(sellable), number)
        self.rows = self.rows[: self.most]

    def _order(self, product: Product, number: int) -> None:
        release = BEFORE + round(len(self.rows) / self.most * (AFTER - BEFORE) * 0.86)
        lots = self.chance.choice((2, 3, 4, 4, 6))
        self.orders.append(
            {
                "id": f"W-{2201 + number}",
                "product": product.id,
                "quantity": lots * product.lot_size,
                "weight": self.chance.choice((1, 1, 2, 3)),
            }
        )
        end = release
        for _ in range(lots):
            end = max(end, self._lot(product, number, release))
            if len(self.rows) >= self.most:
                break
        due = release + round((end - release) * self.chance.uniform(1.02, 1.5)) + 600
        if number % 37 == 21:
            due = end - self.chance.randrange(600, 2700)
        self.orders[number] |= {"due": due, "end": end, "late_s": max(0, end - due)}

    def _lot(self, product: Product, order: int, release: int) -> int:
        """This lot after the lots of its parts."""
        ready = release
        for part in product.components:
            ready = max(ready, self._lot(self.plant.product_of[part.product], order, release))
        self.lots += 1
        lot, before = self.lots, -1
        for step_number, step in enumerate(product.routing):
            if len(self.rows) >= self.most:
                return ready
            index, ready = self._task(product, order, lot, step_number, step, ready)
            if before >= 0:
                self._move(lot, order, before, index)
            before = len(self.rows) - 1
        return ready

    def _task(
        self, product: Product, order: int, lot: int, number: int, step: Any, ready: int
    ) -> tuple[int, int]:
        lasts = round(self.pace[step.capability] * self.chance.uniform(0.55, 1.4))
        ready += 240 if number else 0
        found = [self._place(u, product.family, ready, lasts) for u in self.able[step.capability]]
        best = min(range(len(found)), key=lambda k: (found[k][1], k))
        unit, (start, end, setup) = self.able[step.capability][best], found[best]
        batch = -1
        size = OVENS.get(step.capability, 1)
        open_ = self.open_batch.get(unit)
        if size > 1 and open_ and open_[3] < size and open_[0] >= ready:
            start, end, batch, setup = open_[0], open_[1], open_[2], 0
            open_[3] += 1
        else:
            if size > 1:
                self.batches += 1
                batch = self.batches
                self.open_batch[unit] = [start, end, batch, 1]
            self.free[unit], self.family[unit] = end, product.family
        self._row(f"{lot}:{number}", order, lot, product.id, step.operation, unit, start, end, setup, batch)
        return len(self.rows) - 1, end

    def _place(self, unit: int, family: str, ready: int, lasts: int) -> tuple[int, int, int]:
        changed = self.family[unit] not in ("", family)
        setup = 420 if changed and unit % 3 == 0 else 180 if changed and unit % 3 == 1 else 0
        start = max(ready, self.free[unit] + setup)
        for closed_from, closed_to, kind in sorted(self.closed[unit]):
            if kind != "overtime" and start - setup < closed_to and start + lasts > closed_from:
                start = closed_to + setup
        return start, start + lasts, setup

    def _row(
        self,
        task: str,
        order: int,
        lot: int,
        product: str,
        operation: int,
        unit: int,
        start: int,
        end: int,
        setup: int,
        batch: int,
    ) -> None:
        late = self.chance.randrange(-60, 240) if self.chance.random() < 0.3 else 0
        status = "done" if end < -30 else "running" if start < 0 else "planned"
        began = start + late if status != "planned" else None
        if began is not None and status == "running":
            began = min(began, -20)
        ended = end + late if status == "done" else None
        ended = min(ended, -1) if ended is not None else None
        frozen = int(status == "planned" and start < FROZEN)
        self.rows.append(
            [
                task,
                order,
                lot,
                product,
                operation,
                unit,
                start,
                end,
                end,
                setup,
                batch,
                0,
                frozen,
                0,
                status,
                began,
                ended,
            ]
        )

    def _move(self, lot: int, order: int, before: int, after: int) -> None:
        left, came = self.rows[before], self.rows[after]
        pickup = max(left[7], came[6] - 200)
        vehicle = min(range(len(self.vehicle_free)), key=lambda v: self.vehicle_free[v])
        if self.vehicle_free[vehicle] > pickup:
            return
        drop = min(pickup + self.chance.randrange(60, 140), came[6])
        self.vehicle_free[vehicle] = drop + 20
        left[8] = pickup
        self.moves.append([lot, order, vehicle, left[5], came[5], pickup, drop])

    def mark(self) -> None:
        """What this re-plan moved, and two tasks that a person pinned."""
        planned = [row for row in self.rows if row[14] == "planned" and row[6] > FROZEN]
        for row in self.chance.sample(planned, 26):
            row[11] = 1
        for row in self.chance.sample(planned, 4):
            row[13] = 1


def kitchen_plan(
    plant: Plant, origin_ns: int, *, tasks: int = 10_000, seed: int = 7, version: int = 318
) -> dict[str, Any]:
    """A plan document as the planner publishes it."""
    maker = Maker(plant, tasks, seed)
    maker.make()
    maker.mark()
    orders = [{"due": 0, "end": 0, "late_s": 0} | order for order in maker.orders]
    late = [o for o in orders if o["late_s"]]
    setups = [row[9] for row in maker.rows if row[9]]
    tardiness = sum(o["late_s"] * o["weight"] for o in late)
    kpis = {
        "tasks": len(maker.rows), "orders": len(orders), "late": len(late), "on_time_pct": round(100 - 100 * len(late) / len(orders), 1),
        "weighted_tardiness_s": tardiness, "makespan_s": max(row[7] for row in maker.rows), "flow_s": 9000, "setups": len(setups),
        "setup_s": sum(setups), "energy_cost": 8410.0, "moved": sum(row[11] for row in maker.rows), "bound": round(tardiness * 0.89),
        "gap_pct": 11.0, "without_replan": {"weighted_tardiness_s": tardiness * 2 + 1800}, "first_s": 0.06, "improve_s": 4.2,
    }  # fmt: skip
    cause = {
        "kind": "breakdown",
        "text": {"zh": "冲压机 07 停机", "en": "Press 07 is down"},
        "t_ns": origin_ns - 60 * NS,
    }
    names = ("lot", "order", "vehicle", "from", "to", "pickup", "drop")
    return {
        "version": version, "status": "live", "name": "", "made_ns": origin_ns, "origin_ns": origin_ns, "frozen_until": FROZEN,
        "cause": cause, "kpis": kpis, "orders": orders, "vehicles": [v.id for v in plant.vehicles],
        "units": [{"id": u, "closed": sorted(c)} for u, c in zip(maker.units, maker.closed, strict=True)],
        "tasks": {name: [row[k] for row in maker.rows] for k, name in enumerate(COLUMNS)},
        "moves": {name: [row[k] for row in maker.moves] for k, name in enumerate(names)},
    }  # fmt: skip


def keep(store: Store, plant: str, document: dict[str, Any], **values: Any) -> None:
    """Into the store as the planner would."""
    with store.begin() as session:
        packed = zlib.compress(json.dumps(document, ensure_ascii=False).encode(), 6)
        given = {
            name: document[name]
            for name in ("version", "status", "name", "made_ns", "origin_ns", "cause", "kpis")
        }
        session.add(
            PlanRow(
                plant=plant, content=packed, **{"base": None, "edits": [], "by": "brain", **given, **values}
            )
        )
