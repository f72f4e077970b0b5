"""The order book over HTTP: signed changes, files with a preview, corrections with their undo, rules for the planner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.web.lab import Lab
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Lot

ORDER = {"product": "bracket", "quantity": 20, "due": "2099-01-02T08:00", "by": "ERP"}
HEAD = "id,product,quantity,due\n"


@pytest.fixture
def http(lab: Lab) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=lab.url, timeout=20, headers={"Authorization": f"Bearer {lab.token()}"}
    ) as client:
        yield client


def made(http: httpx.Client, name: str) -> str:
    assert http.post("/api/orders", json=ORDER | {"id": name}).status_code == 201
    return f"/api/orders/{name}"


def lot_of(lab: Lab, order: str, **more: Any) -> int:
    """A lot as decide would have made it."""
    store = Store(lab.data.store_url)
    values = {
        "product": "bracket",
        "quantity": 20,
        "good": 20,
        "status": "waiting",
        "next_step": 1,
        "place": "press-1",
    } | more
    with store.begin() as session:
        lot = Lot(
            plant="minimal", order_id=order, updated_ns=load_clock(lab.data.clock_file).now_ns(), **values
        )
        session.add(lot)
        session.flush()
        number = lot.id
    store.close()
    return number


def test_an_order_is_changed_held_and_cancelled_by_somebody(http: httpx.Client) -> None:
    path = made(http, "O-1")
    assert http.patch(path, json={"priority": 1}).status_code == 422  # nobody signed
    changed = http.patch(
        path, json={"priority": 1, "quantity": 15, "due": "2099-01-03T08:00", "by": "李娜", "note": "急"}
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json()["priority"], changed.json()["quantity"], changed.json()["due_ms"]) == (
        1,
        15,
        4071081600000,
    )
    assert http.patch(path, json={"hold": True, "by": "李娜"}).json()["status"] == "held"
    assert http.patch(path, json={"hold": True, "by": "李娜"}).status_code == 409
    assert http.patch(path, json={"hold": False, "by": "李娜"}).json()["status"] == "received"
    assert http.delete(path, params={"by": "李娜"}).json()["status"] == "cancelling"
    late = http.patch(path, json={"priority": 2, "by": "李娜"})
    assert late.status_code == 409 and set(late.json()["error"]) == {"zh", "en"}
    assert http.delete("/api/orders/none", params={"by": "x"}).status_code == 404
    past = http.get("/api/corrections", params={"subject": "order:O-1"}).json()["corrections"]
    assert [(c["kind"], c["by"]) for c in past] == [
        ("order", "李娜"),
        ("release", "李娜"),
        ("hold", "李娜"),
        ("order", "李娜"),
    ]
    assert past[-1]["note"] == "急" and past[-1]["before"]["quantity"] == 20


def test_the_person_of_a_browser_signs(http: httpx.Client, lab: Lab) -> None:
    path = made(http, "O-2")
    with httpx.Client(base_url=lab.url, timeout=20) as page:
        page.get("/")
        page.cookies.set("zs_person", "%E6%9D%8E%E5%A8%9C")
        assert page.patch(path, json={"priority": 1}).status_code == 403  # without our origin
        assert page.patch(path, json={"priority": 1}, headers={"Origin": lab.url}).status_code == 200
    assert (
        http.get("/api/corrections", params={"subject": "order:O-2"}).json()["corrections"][0]["by"] == "李娜"
    )


def test_the_book_is_asked_in_every_way(http: httpx.Client) -> None:
    for name in ("B-1", "B-2", "B-3"):
        made(http, name)
    found = http.get(
        "/api/orders", params={"search": "b-", "limit": 2, "sort": "id", "descending": True}
    ).json()
    assert [o["id"] for o in found["orders"]] == ["B-3", "B-2"] and found["total"] == 3
    assert http.get("/api/orders", params={"late": True, "search": "b-"}).json()["total"] == 0
    for wrong in ({"sort": "nonsense"}, {"limit": 0}, {"offset": -1}, {"due_from": "soon"}):
        assert http.get("/api/orders", params=wrong).status_code == 422, wrong
    lines = http.get("/api/orders/export.csv", params={"search": "b-"}).text.splitlines()
    assert len(lines) == 4 and lines[1].startswith("B-1,bracket,20,2099-01-02T08:00:00+08:00")
    body = http.get("/api/orders/performance.xml", params={"search": "b-"})
    assert body.headers["content-type"] == "application/xml" and body.text.count("<OperationsResponse>") == 3


def test_a_file_is_shown_first_and_taken_in_whole_or_not_at_all(http: httpx.Client) -> None:
    def sent(body: str, **params: Any) -> httpx.Response:
        return http.post("/api/orders/import", content=body.encode(), params=params)

    good = HEAD + "F-1,bracket,5,2099-01-02\nF-2,bracket,6,2099-01-02\n"
    bad = good + "F-3,bracket,x,2099-01-02\n"
    shown = sent(good, preview=True)
    assert shown.status_code == 200 and [o["state"] for o in shown.json()["orders"]] == ["new", "new"]
    assert sent(bad, preview=True).json()["errors"] == 1
    refused = sent(bad, by="李娜")
    assert refused.status_code == 422 and refused.json()["taken"] == 0
    assert refused.json()["orders"][2]["line"] == 4 and refused.json()["orders"][2]["errors"]
    assert http.get("/api/orders", params={"search": "f-"}).json()["total"] == 0
    assert sent(good).status_code == 422  # nobody signed
    assert sent(good, by="李娜").json()["taken"] == 2
    assert sent(good, by="李娜").json() | {"orders": []} == {
        "format": "csv",
        "orders": [],
        "errors": 0,
        "new": 0,
        "known": 2,
        "taken": 0,
    }
    assert http.get("/api/orders/F-2").json()["created_by"] == "李娜"
    assert sent("nonsense", preview=True).status_code == 422
    dtd = sent('<!DOCTYPE a [<!ENTITY x "y">]><OperationsSchedule/>', preview=True)
    assert dtd.status_code == 422 and "entities" in dtd.json()["detail"]


def test_a_lot_is_put_right_and_back(http: httpx.Client, lab: Lab) -> None:
    made(http, "L-1")
    lot = lot_of(lab, "L-1")
    url = f"/api/lots/{lot}/corrections"
    counted = http.post(url, json={"kind": "count", "good": 18, "scrap": 2, "by": "王强", "note": "压痕"})
    assert counted.status_code == 201, counted.text
    assert counted.json()["before"] == {"good": 20, "scrap": 0} and counted.json()["after"] == {
        "good": 18,
        "scrap": 2,
    }
    moved = http.post(url, json={"kind": "move", "place": "packer", "by": "王强"})
    assert moved.json()["after"] == {"place": "packer", "at_output": False}
    assert http.post(url, json={"kind": "hold", "by": "王强"}).status_code == 201
    undone = http.post(f"/api/corrections/{moved.json()['id']}/undo", json={"by": "李娜"})
    assert undone.status_code == 409  # the book still says so: nobody has entered the correction here
    for wrong, status in (
        ({"kind": "count", "good": 21, "by": "x"}, 422), ({"kind": "count", "good": 1.5, "by": "x"}, 422), ({"kind": "nonsense", "by": "x"}, 422),
        ({"kind": "move", "place": "agv", "by": "x"}, 422), ({"kind": "release", "by": "x"}, 409), ({"kind": "hold"}, 422),
    ):  # fmt: skip
        assert http.post(url, json=wrong).status_code == status, wrong
    assert http.post("/api/lots/999999/corrections", json={"kind": "hold", "by": "x"}).status_code == 404


def test_held_lots_say_what_may_be_done(http: httpx.Client, lab: Lab) -> None:
    made(http, "L-2")
    lot = lot_of(lab, "L-2", status="held", hold="aborted", started_ns=1)
    row = next(r for r in http.get("/api/lots/held").json()["lots"] if r["lot"] == lot)
    assert (row["hold"], row["can_release"], row["can_count"], row["order"]) == ("aborted", True, True, "L-2")
    assert (
        http.post(f"/api/lots/{lot}/corrections", json={"kind": "release", "by": "李娜"}).status_code == 201
    )


def test_rules_are_laid_down_and_ended_over_http(http: httpx.Client) -> None:
    rule = {
        "kind": "maintenance",
        "subject": "press-1",
        "start": "2099-01-02T08:00",
        "end": "2099-01-02T12:00",
        "by": "李娜",
        "note": "换油",
    }
    laid = http.post("/api/plan/rules", json=rule)
    assert laid.status_code == 201 and laid.json()["start_ms"] == 4070995200000
    assert [r["id"] for r in http.get("/api/plan/rules").json()["rules"]] == [laid.json()["id"]]
    for wrong in ({"kind": "x"}, {"end": "2099-01-01T08:00"}, {"by": ""}, {"args": {"a": [1]}}):
        assert http.post("/api/plan/rules", json=rule | wrong).status_code == 422, wrong
    assert http.post("/api/plan/rules", json=rule | {"subject": "nowhere"}).status_code == 404
    path = f"/api/plan/rules/{laid.json()['id']}"
    assert http.delete(path).status_code == 422
    assert http.delete(path, params={"by": "王强"}).json()["ended_ms"]
    assert http.delete(path, params={"by": "王强"}).status_code == 404
    assert http.get("/api/plan/rules").json()["rules"] == []
    assert len(http.get("/api/plan/rules", params={"all": True}).json()["rules"]) == 1


def test_stock_of_what_nobody_buys_is_refused(http: httpx.Client) -> None:
    answer = http.put("/api/stock/nonsense", json={"quantity": 1, "by": "x"})
    assert answer.status_code == 404 and "material" in answer.json()["detail"]
    assert "stock" in http.get("/api/stock").json()
