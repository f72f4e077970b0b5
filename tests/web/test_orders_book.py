"""The order book on both databases: filters, sorting and pages, and what the live plan says of each order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.decide.small_plant import chain_product, make_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import pack, save_plan
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.web.order_book import OrderBook, Wish

NS = 1_000_000_000
NOW = 10**18
PLANT = make_plant({"a-1": "a", "b-1": "b"}, products=(chain_product(["a", "b"]),))


@pytest.fixture
def book(store: Store) -> OrderBook:
    rows = (  # id, status, due in s from now, priority, by
        ("W-10", "released", 100, 3, "ERP"), ("w-9", "received", 300, 5, "Li_Na"), ("W_1", "held", 50, 5, "100%"),
        ("W-2", "done", 10, 1, "ERP"), ("W-3", "cancelled", 20, 1, ""), ("W-4", "cancelling", 400, 9, "ERP"),
    )  # fmt: skip
    with store.begin() as session:
        for name, status, due_s, priority, by in rows:
            session.add(
                WorkOrder(plant="small", id=name, product="hood", quantity=10, due_ns=NOW + due_s * NS, status=status,
                          priority=priority, created_ns=NOW, created_by=by)
            )  # fmt: skip
        session.add(
            WorkOrder(
                plant="other", id="X", product="hood", quantity=1, due_ns=NOW, status="received", created_ns=1
            )
        )
        session.flush()
        for number, (status, step) in enumerate(
            (("stored", 2), ("held", 1), ("planned", 0), ("cancelled", 0))
        ):
            session.add(Lot(id=number + 1, plant="small", order_id="W-10", product="hood", quantity=5, good=5, status=status,
                            next_step=step, hold="quality" if status == "held" else ""))  # fmt: skip
    return OrderBook(PLANT, store)


def plan(store: Store, **ends: int) -> int:
    """A live plan made now; ends in s from then."""
    orders = [
        {"id": name.replace("__", "-"), "due": 0, "end": end, "late_s": 0} for name, end in ends.items()
    ]
    with store.begin() as session:
        content = pack({"origin_ns": NOW, "orders": orders})
        return save_plan(session, "small", status="live", made_ns=NOW, origin_ns=NOW, content=content)


def ids(book: OrderBook, **wish: Any) -> list[str]:
    return [row["id"] for row in book.listed(Wish(**wish), NOW)["orders"]]


def test_open_orders_by_due_time_and_every_other_sort(book: OrderBook) -> None:
    assert ids(book) == ["W_1", "W-10", "w-9", "W-4"]
    assert ids(book, status="all") == ["W-2", "W-3", "W_1", "W-10", "w-9", "W-4"]
    assert ids(book, status="done") == ["W-2"]
    assert ids(book, sort="due", descending=True) == ["W-4", "w-9", "W-10", "W_1"]
    assert ids(book, sort="priority")[0] == "W-10" and ids(book, sort="priority", descending=True)[0] == "W-4"
    assert ids(book, sort="progress", descending=True)[0] == "W-10"
    assert ids(book, due_from_ns=NOW + 100 * NS, due_to_ns=NOW + 400 * NS) == ["W-10", "w-9"]
    assert ids(book, product="hood", status="held") == ["W_1"] and ids(book, product="x") == []


def test_search_knows_no_case_and_no_wild_cards(book: OrderBook) -> None:
    assert ids(book, search="W-9") == ["w-9"] and ids(book, search="ERP w-1") == ["W-10"]
    assert ids(book, search="_") == ["W_1", "w-9"]  # in an id, in a name
    assert ids(book, search="%") == ["W_1"] and ids(book, search="\\") == [] and ids(book, search="'") == []


def test_pages_do_not_overlap(book: OrderBook) -> None:
    for sort in ("created", "late"):
        pages = [ids(book, status="all", sort=sort, limit=2, offset=n) for n in (0, 2, 4, 6)]
        assert (
            sorted(name for page in pages for name in page) == ["W-10", "W-2", "W-3", "W-4", "W_1", "w-9"]
            and pages[3] == []
        )
    assert book.listed(Wish(limit=1), NOW)["total"] == 4


def test_lateness_is_the_live_plans(book: OrderBook, store: Store) -> None:
    assert book.listed(Wish(), NOW)["plan"] == 0 and ids(book, late=True) == []
    assert [row["late_s"] for row in book.listed(Wish(), NOW + 120 * NS)["orders"]] == [
        70,
        20,
        0,
        0,
    ]  # by the clock
    version = plan(store, W__10=160, W_1=40)
    found = book.listed(Wish(), NOW)
    assert found["plan"] == version
    rows = {row["id"]: row for row in found["orders"]}
    assert (rows["W-10"]["end_ms"], rows["W-10"]["late_s"]) == ((NOW + 160 * NS) // 1_000_000, 60)
    assert rows["W_1"]["late_s"] == 0 and rows["w-9"]["end_ms"] == 0
    assert ids(book, late=True) == ["W-10"] and ids(book, sort="late", descending=True)[0] == "W-10"
    plan(store, W__10=90)
    assert ids(book, late=True) == []
    with store.begin() as session:  # the due time has changed since
        session.get_one(WorkOrder, ("small", "W-10")).due_ns = NOW + 30 * NS
    assert book.listed(Wish(late=True), NOW)["orders"][0]["late_s"] == 60


def test_progress_counts_operations_and_held_lots_are_told(book: OrderBook) -> None:
    row = next(row for row in book.listed(Wish(), NOW)["orders"] if row["id"] == "W-10")
    assert (
        row["progress"] == 0.5 and row["held"] == 1
    )  # 3 of 6 operations; the dropped lot counts for nothing
    assert row["lot_statuses"] == {"stored": 1, "held": 1, "planned": 1}
    done = book.listed(Wish(status="done"), NOW)["orders"][0]
    assert (done["progress"], done["late_s"]) == (1.0, 0)


def test_one_order_comes_with_its_lots(book: OrderBook) -> None:
    one = book.one("W-10", NOW)
    assert one is not None and [lot["status"] for lot in one["lots"]] == [
        "stored",
        "held",
        "planned",
        "cancelled",
    ]
    held = one["lots"][1]
    assert (held["hold"], held["next"], held["step"], held["steps"], held["exists"]) == (
        "quality",
        "b",
        1,
        2,
        True,
    )
    assert book.one("X", NOW) is None  # of another plant
