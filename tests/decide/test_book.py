"""Decide's book on both databases: what is saved is there after a restart, with the proposals that followed from it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.decide.imaginary_floor import ImaginaryFloor
from tests.decide.small_plant import assembled, make_plant
from zhongshu.decide.book import WorkBook
from zhongshu.decide.work import Hold, LotStatus
from zhongshu.kernel.store import Store, StoreError
from zhongshu.kernel.store.tables import Lot, Outgoing, WorkOrder
from zhongshu.model.messages import JobProgressed, Proposed

TREE = {"cut-1": "a-cut", "bend-1": "b-bend", "build-1": "d-build", "mount-1": "e-mount"}
NOW = 10**18


def floor_with_rows(store: Store, orders: int) -> ImaginaryFloor:
    products = assembled(["d-build", "e-mount"], {"body": ["a-cut", "b-bend"], "lid": ["a-cut"]})
    floor = ImaginaryFloor(make_plant(TREE, products=products), seed=5)
    with store.begin() as session:
        for number in range(orders):
            floor.order(f"W-{number}", 5)
            session.add(
                WorkOrder(plant="small", id=f"W-{number}", product="hood", quantity=5, due_ns=2 * NOW, priority=5,
                          status="received", created_ns=NOW)
            )  # fmt: skip
    return floor


def a_proposal(number: int) -> Proposed:
    return Proposed(
        "small", "decide", NOW, f"job.{number}", "cut-1", "START_JOB", "{}", "", "", "", NOW, "brain"
    )


def test_open_work_comes_back_as_it_was(store: Store) -> None:
    floor, book = floor_with_rows(store, 2), WorkBook(make_plant(TREE), store)
    book = WorkBook(floor.work.plant, store)
    for turn in range(40):
        floor.turn()
        for lot in floor.work.lots.values():
            floor.work.touch(lot)
        floor.work.dirty_orders |= set(floor.work.orders)
        floor.work.dirty_vehicles |= set(floor.work.vehicles)
        floor.work.early = {7: JobProgressed("small", "t", NOW, "cut-1", 7, "RUNNING", 1, 0)}
        book.save(floor.work, turn, [a_proposal(turn)], NOW + turn)
        book.save(floor.work, turn, [], NOW + turn)  # nothing changed in between
    again, position, highest = book.load()
    assert (position, highest) == (39, max(floor.work.lots))
    assert again.lots == floor.work.lots and again.vehicles == floor.work.vehicles
    assert again.early == floor.work.early and not again.changed
    assert again.orders == {
        name: replace(order, created_ns=NOW, release_ns=0) for name, order in floor.orders.items()
    }
    with store.read() as session:
        sent = [json.loads(row.payload)["proposal"] for row in session.scalars(
            select(Outgoing).where(Outgoing.kind == "Proposed").order_by(Outgoing.id)
        )]  # fmt: skip
    assert sent == [f"job.{turn}" for turn in range(40)]


@pytest.mark.parametrize("status", ["held", "cancelling"])
def test_what_a_person_stopped_is_not_forgotten(store: Store, status: str) -> None:
    floor = floor_with_rows(store, 1)
    floor.run(3)
    lot = next(iter(floor.work.lots.values()))
    lot.status, lot.hold = LotStatus.HELD, Hold.QUALITY
    for each in floor.work.lots.values():
        floor.work.touch(each)
    floor.orders["W-0"].status = status
    floor.work.dirty_orders.add("W-0")
    book = WorkBook(floor.work.plant, store)
    book.save(floor.work, 1, [], NOW)
    again, _, _ = book.load()
    assert again.orders["W-0"].status == status
    assert (again.lots[lot.number].status, again.lots[lot.number].hold) == (LotStatus.HELD, Hold.QUALITY)


def test_a_failed_save_leaves_nothing_and_can_be_repeated(store: Store) -> None:
    floor = floor_with_rows(store, 1)
    floor.run(2)
    for lot in floor.work.lots.values():
        floor.work.touch(lot)
    book = WorkBook(floor.work.plant, store)
    broken = replace(a_proposal(1), plant=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null"):
        book.save(floor.work, 9, [broken], NOW)
    assert book.load()[1] == 0 and floor.work.changed
    with store.read() as session:
        assert session.scalars(select(Lot)).all() == []
    book.save(floor.work, 9, [a_proposal(1)], NOW)
    assert book.load()[1] == 9 and book.load()[0].lots == floor.work.lots


def test_a_database_of_another_plant_is_left_alone(store: Store) -> None:
    with store.begin() as session:
        session.add(
            WorkOrder(
                plant="other", id="W", product="h", quantity=1, due_ns=1, status="released", created_ns=1
            )
        )
        session.add(Lot(plant="other", order_id="W", product="h", quantity=1, status="planned"))
    with pytest.raises(StoreError, match=r"other.*ZHONGSHU_STORE"):
        WorkBook(make_plant(TREE), store).load()
