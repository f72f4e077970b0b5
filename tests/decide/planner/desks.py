"""A planner's desk on a real store: orders and lots as the book keeps them, a floor as decide would tell it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from tests.decide.planning.plants import NOW, UNITS, idle, order, plant_of
from zhongshu.decide.book import WorkBook
from zhongshu.decide.planner.asks import answer
from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.check import violations
from zhongshu.decide.work import Lot, Work
from zhongshu.kernel.clock import VirtualClock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Outgoing, WorkOrder
from zhongshu.model.plant import Plant

TWO_LINES = UNITS | {"coat-2": "b-coat"}


class LateClock(VirtualClock):
    """It can be put forward between two re-plans."""

    def put_forward(self, ns: int) -> None:
        self._now_ns += ns


def orders_for(plant: Plant, count: int, **more: Any) -> Work:
    """Nothing begun, ``count`` orders of one lot."""
    work = idle(plant)
    for k in range(count):
        order(work, f"W-{k}", **more)
    return work


def desk_of(store: Store, work: Work) -> Desk:
    """The book goes into the store, the states of units and vehicles to the desk."""
    plant = work.plant
    with store.begin() as session:
        for made in work.orders.values():
            values = {k: v for k, v in asdict(made).items() if k != "scrapped"}
            session.add(WorkOrder(plant=plant.id, created_by="test", **values))
    keep(store, work, work.lots.values())
    desk = Desk(plant, store, LateClock(NOW))
    desk.floor = {
        "states": dict(work.states),
        "vehicles": {name: asdict(vehicle) for name, vehicle in work.vehicles.items()},
    }
    return desk


def keep(store: Store, work: Work, lots: Iterable[Lot]) -> None:
    """Lots as they are now."""
    for lot in lots:
        work.touch(lot)
    work.dirty_orders |= set(work.orders)
    WorkBook(work.plant, store).save(work, 0, [], NOW)


def ask(desk: Desk, what: str, **values: Any) -> dict[str, Any]:
    """As it comes over the bus; raises Refusal."""
    return answer(desk, json.dumps({"what": what, "by": "Li", **values}).encode())


def events(store: Store, kind: str = "SchedulePublished") -> list[dict[str, Any]]:
    """What is on its way to the bus."""
    with store.read() as session:
        rows = session.scalars(select(Outgoing).where(Outgoing.kind.contains(kind)).order_by(Outgoing.id))
        return [json.loads(row.payload) for row in rows]


def valid(desk: Desk) -> Built:
    """The problem of the plan in force, which the checker passed once more."""
    assert desk.now is not None
    assert violations(desk.now.plan.problem, desk.now.solution) == ()
    return desk.now.built


def unit_of(document: Any, task: str) -> str:
    row = document["tasks"]["id"].index(task)
    return str(document["units"][document["tasks"]["unit"][row]]["id"])


def start_ns(document: Any, task: str) -> int:
    row = document["tasks"]["id"].index(task)
    return int(document["origin_ns"] + document["tasks"]["start"][row] * 10**9)


def two_lines() -> Plant:
    return plant_of(units=TWO_LINES, vehicles=2)
