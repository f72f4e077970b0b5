"""Named persons change orders and put lots right: what the store takes, refuses, keeps and announces, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.decide.small_plant import assembled, make_plant
from zhongshu.kernel.store import Store, lots, orders, rules
from zhongshu.kernel.store.plan_tables import Correction, PlanRule, Stock
from zhongshu.kernel.store.signed import Refused, Signed, Why
from zhongshu.kernel.store.tables import Lot, Outgoing, WorkOrder
from zhongshu.kernel.wire import decode_event
from zhongshu.model.messages import (
    Event,
    LotCorrected,
    OrderChanged,
    OrderHeld,
    PlanRuleChanged,
    StockCorrected,
)
from zhongshu.model.orders import WorkOrder as Wanted
from zhongshu.model.plant import Plant, Product

NOW = 10**18
UNITS = {"cut-1": "a-cut", "build-1": "d-build", "mount-1": "e-mount"}


def plant_with_bolts() -> Plant:
    top, *parts = assembled(["d-build", "e-mount"], {"body": ["a-cut"]})
    bolt = Product("bolt", 9, top.name, "", 1, (), (), False)
    return make_plant(UNITS, products=(top, *parts, bolt))


PLANT = plant_with_bolts()


def signed(by: str = "Li Na", note: str = "", now_ns: int = NOW) -> Signed:
    return Signed(by, now_ns, note)


@pytest.fixture
def book(store: Store) -> Store:
    """An order that has begun, with one lot of each kind, and one that has not."""
    with store.begin() as session:
        for name in ("W-1", "W-2"):
            order = Wanted(name, "hood", 20, 2 * NOW, 0, 5)
            assert orders.receive_order(session, PLANT, order, by="ERP", now_ns=NOW, stage="web")
        session.flush()
        session.get_one(WorkOrder, ("small", "W-1")).status = "released"
        for number, status, step in (
            (1, "waiting", 1),
            (2, "planned", 0),
            (3, "running", 0),
            (4, "stored", 2),
        ):
            session.add(
                Lot(id=number, plant="small", order_id="W-1", product="hood", quantity=5, good=5, status=status,
                    next_step=step, place="build-1" if step else "", started_ns=int(status == "running"))
            )  # fmt: skip
        session.flush()
        session.add(Lot(id=5, plant="small", order_id="W-1", product="body", quantity=5, good=5, status="finished",
                        next_step=1, place="cut-1", at_output=True, parent_lot=2))  # fmt: skip
    return store


def events(store: Store) -> list[Event]:
    with store.read() as session:
        rows = session.scalars(select(Outgoing).order_by(Outgoing.id)).all()
        return [decode_event(row.kind, row.payload.encode()) for row in rows if row.kind != "OrderReceived"]


def audit(store: Store) -> list[tuple[str, str, dict[str, Any], dict[str, Any], str, str]]:
    with store.read() as session:
        rows = session.scalars(select(Correction).order_by(Correction.id)).all()
        return [(r.kind, r.subject, r.before, r.after, r.by, r.note) for r in rows]


def refusal(store: Store, deed: Any, *args: Any, **more: Any) -> tuple[str, Why]:
    """Key and kind of the refusal; nothing of it is left in the store."""
    before = (len(audit(store)), len(events(store)))
    with pytest.raises(Refused) as told, store.begin() as session:
        deed(session, PLANT, *args, **more)
    assert (len(audit(store)), len(events(store))) == before
    assert told.value.both["zh"] and told.value.both["en"]
    return told.value.key, told.value.why


def test_an_order_is_changed_with_a_name_under_it(book: Store) -> None:
    with book.begin() as session:
        orders.change_order(
            session, PLANT, "W-2", signed(note="客户来电"), due_ns=3 * NOW, priority=1, quantity=7
        )
    with book.read() as session:
        row = session.get_one(WorkOrder, ("small", "W-2"))
        assert (row.due_ns, row.priority, row.quantity, row.status) == (3 * NOW, 1, 7, "received")
    assert events(book) == [OrderChanged("small", "web", NOW, "W-2", 7, 3 * NOW, 1, False, "Li Na")]
    before = {"due_ns": 2 * NOW, "priority": 5, "quantity": 20}
    after = {"due_ns": 3 * NOW, "priority": 1, "quantity": 7}
    assert audit(book) == [("order", "order:W-2", before, after, "Li Na", "客户来电")]


def test_what_cannot_be_of_an_order_is_refused(book: Store) -> None:
    change = orders.change_order
    assert refusal(book, change, "W-9", signed(), priority=1) == ("order.none", Why.MISSING)
    assert refusal(book, change, "W-2", signed(), priority=5) == ("order.same", Why.CONFLICT)
    assert refusal(book, change, "W-2", signed(), priority=10) == ("order.priority", Why.WRONG)
    assert refusal(book, change, "W-2", signed(), quantity=0) == ("order.quantity", Why.WRONG)
    assert refusal(book, change, "W-2", signed(), due_ns=0) == ("order.due", Why.WRONG)
    # 5 of lot 1, 5 of lot 2 (a part of it exists), 5 at work, 5 in store: nothing can be left out.
    assert refusal(book, change, "W-1", signed(), quantity=19) == ("order.begun", Why.CONFLICT)
    with book.begin() as session:
        session.get_one(WorkOrder, ("small", "W-2")).status = "done"
    assert refusal(book, change, "W-2", signed(), priority=1) == ("order.closed", Why.CONFLICT)


@pytest.mark.parametrize("by", ["", " ", "x" * 65, "a\nb", " Li"])
def test_nobody_changes_anything_without_a_name(by: str) -> None:
    with pytest.raises(Refused, match="name"):
        Signed(by, NOW)
    with pytest.raises(Refused, match="note"):
        Signed("Li", NOW, "x" * 501)


def test_an_order_is_cancelled_once(book: Store) -> None:
    with book.begin() as session:
        orders.cancel_order(session, PLANT, "W-1", signed())
    assert events(book) == [OrderChanged("small", "web", NOW, "W-1", 20, 2 * NOW, 5, True, "Li Na")]
    assert refusal(book, orders.cancel_order, "W-1", signed())[0] == "order.cancelling"
    assert refusal(book, orders.change_order, "W-1", signed(), priority=1)[0] == "order.cancelling"
    assert refusal(book, lots.undo, 1, signed()) == ("correction.final", Why.CONFLICT)


def test_an_order_is_held_released_and_undone(book: Store) -> None:
    for order, back in (("W-1", "released"), ("W-2", "received")):
        with book.begin() as session:
            orders.hold_order(session, PLANT, order, signed(), held=True)
        assert refusal(book, orders.hold_order, order, signed(), held=True)[0] == "order.held"
        with book.begin() as session:
            assert session.get_one(WorkOrder, ("small", order)).status == "held"
            newest = session.scalars(select(Correction.id).order_by(Correction.id.desc())).first()
            assert newest is not None
            lots.undo(session, PLANT, newest, signed("Wang"))
            assert session.get_one(WorkOrder, ("small", order)).status == back
        assert refusal(book, orders.hold_order, order, signed(), held=False)[0] == "order.not-held"
    said = [(e.order, e.held, e.by) for e in events(book) if isinstance(e, OrderHeld)]
    assert said == [
        ("W-1", True, "Li Na"),
        ("W-1", False, "Wang"),
        ("W-2", True, "Li Na"),
        ("W-2", False, "Wang"),
    ]


def test_a_lot_is_counted_and_counted_back(book: Store) -> None:
    with book.begin() as session:
        kept = lots.count_lot(session, PLANT, 1, signed(note="压痕"), good=3, scrap=2)
    with book.begin() as session:  # decide has entered it by now
        row = session.get_one(Lot, 1)
        row.good, row.scrap = 3, 2
        lots.undo(session, PLANT, kept.id, signed("Wang"))
    assert [(e.kind, e.lot, e.good, e.scrap, e.by) for e in events(book) if isinstance(e, LotCorrected)] == [
        ("count", 1, 3, 2, "Li Na"), ("count", 1, 5, 0, "Wang"),
    ]  # fmt: skip
    assert audit(book)[0] == (
        "count",
        "lot:1",
        {"good": 5, "scrap": 0},
        {"good": 3, "scrap": 2},
        "Li Na",
        "压痕",
    )


def test_a_lot_scrapped_whole_cannot_be_had_back(book: Store) -> None:
    with book.begin() as session:
        kept = lots.count_lot(session, PLANT, 1, signed(), good=0, scrap=5)
    assert refusal(book, lots.undo, kept.id, signed())[0] == "correction.final"
    assert refusal(book, lots.undo, 99, signed()) == ("correction.none", Why.MISSING)


def test_what_cannot_be_of_a_lot_is_refused(book: Store) -> None:
    count, move = lots.count_lot, lots.move_lot
    assert refusal(book, count, 99, signed(), good=1, scrap=0) == ("lot.none", Why.MISSING)
    assert refusal(book, count, 2**40, signed(), good=1, scrap=0) == ("lot.none", Why.MISSING)
    assert refusal(book, count, 2, signed(), good=1, scrap=0)[0] == "lot.nothing"
    assert refusal(book, count, 3, signed(), good=1, scrap=0)[0] == "lot.counting"
    for good, scrap in ((-1, 0), (0, -1), (5, 1), (6, 0)):
        assert refusal(book, count, 1, signed(), good=good, scrap=scrap) == ("lot.count", Why.WRONG)
    assert refusal(book, count, 1, signed(), good=5, scrap=0)[0] == "lot.same"
    assert refusal(book, move, 1, signed(), place="nowhere") == ("lot.place", Why.WRONG)
    assert refusal(book, move, 1, signed(), place="agv-0") == ("lot.place", Why.WRONG)
    assert refusal(book, move, 2, signed(), place="cut-1")[0] == "lot.nothing"
    assert refusal(book, move, 4, signed(), place="cut-1")[0] == "lot.closed"
    assert refusal(book, lots.release_lot, 1, signed())[0] == "lot.not-held"
    with book.begin() as session:
        session.get_one(WorkOrder, ("small", "W-1")).status = "done"
    assert refusal(book, count, 4, signed(), good=1, scrap=0)[0] == "lot.order-closed"


def test_a_moved_lot_lies_in_front_of_what_can_work_on_it(book: Store) -> None:
    with book.begin() as session:
        lots.move_lot(session, PLANT, 1, signed(), place="mount-1")
        lots.move_lot(session, PLANT, 1, signed(), place="cut-1")
        kept = lots.move_lot(session, PLANT, 1, signed(), place="mount-1", at_output=True)
        session.get_one(Lot, 1).place = "mount-1"
        lots.undo(session, PLANT, kept.id, signed())
    said = [(e.place, e.at_output) for e in events(book) if isinstance(e, LotCorrected)]
    assert said == [("mount-1", False), ("cut-1", True), ("mount-1", True), ("build-1", False)]


def test_a_lot_is_held_and_released(book: Store) -> None:
    with book.begin() as session:
        kept = lots.hold_lot(session, PLANT, 1, signed())
    with book.begin() as session:
        session.get_one(Lot, 1).hold = "quality"
    assert refusal(book, lots.hold_lot, 1, signed())[0] == "lot.held"
    with book.begin() as session:
        lots.undo(session, PLANT, kept.id, signed())
    assert [e.kind for e in events(book) if isinstance(e, LotCorrected)] == ["hold", "release"]


@pytest.mark.parametrize(("hold", "step", "goes"), [
    ("quality", 0, True), ("refused", 0, True), ("cancelled", 1, True), ("cancelled", 0, False), ("aborted", 0, False), ("aborted", 1, True),
])  # fmt: skip
def test_a_lot_whose_parts_will_never_come_is_not_released(
    book: Store, hold: str, step: int, goes: bool
) -> None:
    with book.begin() as session:
        row = session.get_one(Lot, 1)
        row.hold, row.status, row.next_step, row.started_ns = hold, "held", step, 1
    if goes:
        with book.begin() as session:
            lots.release_lot(session, PLANT, 1, signed())
    else:
        assert refusal(book, lots.release_lot, 1, signed())[0] == "lot.parts-gone"


def test_stock_is_counted_and_counted_back(book: Store) -> None:
    assert lots.materials(PLANT) == []  # nobody builds bolts in
    product = PLANT.product_of["hood"]
    from dataclasses import replace

    from zhongshu.model.plant import Component

    with_bolts = replace(product, components=(*product.components, Component("bolt", 4, 10)))
    plant = replace(PLANT, products=tuple(with_bolts if p.id == "hood" else p for p in PLANT.products))

    def count(session: Session, quantity: float, by: str = "Li Na") -> Correction:
        return lots.count_stock(session, plant, "bolt", signed(by), quantity=quantity)

    with book.begin() as session:
        first, second = count(session, 100), count(session, 90.5)
    with book.begin() as session:
        lots.undo(session, plant, second.id, signed("Wang"))
        assert session.get_one(Stock, ("small", "bolt")).quantity == 100
    said = [(e.material, e.quantity, e.by) for e in events(book) if isinstance(e, StockCorrected)]
    assert said == [("bolt", 100, "Li Na"), ("bolt", 90.5, "Li Na"), ("bolt", 100, "Wang")]
    assert refusal(book, lots.undo, first.id, signed())[0] == "correction.final"  # nobody knew before
    assert refusal(book, lots.count_stock, "bolt", signed(), quantity=1)[0] == "stock.material"
    for wrong in (-1, float("nan"), float("inf"), 1e12):
        with pytest.raises(Refused), book.begin() as session:
            count(session, wrong)


def test_rules_are_laid_down_and_ended(store: Store) -> None:
    with store.begin() as session:
        unit = rules.lay_down(
            session, PLANT, signed(note="换油"), kind="maintenance", subject="cut-1", start_ns=5, end_ns=9
        )
        pin = rules.lay_down(
            session, PLANT, signed(), kind="pin", subject="17:2", args={"unit": "cut-1", "start_ns": 5}
        )
    with store.read() as session:
        assert [row.id for row in rules.rules_in_force(session, "small")] == [unit.id, pin.id]
        assert [row.id for row in rules.rules_in_force(session, "small", now_ns=9)] == [pin.id]
        assert session.get_one(PlanRule, pin.id).args == {"unit": "cut-1", "start_ns": 5}
    with store.begin() as session:
        rules.end_rule(session, PLANT, unit.id, signed("Wang", now_ns=NOW + 1))
    with store.read() as session:
        assert [row.id for row in rules.rules_in_force(session, "small")] == [pin.id]
        assert [row.id for row in rules.rules_ever(session, "small", 9)] == [pin.id, unit.id]
    assert [e for e in events(store) if isinstance(e, PlanRuleChanged) and e.rule == unit.id] == [
        PlanRuleChanged("small", "web", NOW, unit.id, "maintenance", "cut-1", False, "Li Na"),
        PlanRuleChanged("small", "web", NOW + 1, unit.id, "maintenance", "cut-1", True, "Wang"),
    ]
    assert refusal(store, rules.end_rule, unit.id, signed()) == ("rule.none", Why.MISSING)


@pytest.mark.parametrize(("kind", "subject", "start", "end", "key"), [
    ("nonsense", "cut-1", 1, 2, "rule.kind"), ("exclude", "nowhere", 1, 2, "rule.unit"), ("exclude", "cut-1", 2, 2, "rule.times"),
    ("overtime", "cut-1", 1, 2**62, "rule.times"), ("pin", "cut-1", 0, 0, "rule.task"), ("hold", "1:", 0, 0, "rule.task"),
])  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(
    store: Store, kind: str, subject: str, start: int, end: int, key: str
) -> None:
    more = {"kind": kind, "subject": subject, "start_ns": start, "end_ns": end}
    assert refusal(store, rules.lay_down, signed(), **more)[0] == key
