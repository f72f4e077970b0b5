"""The order book in a browser: orders found, made, changed, brought in by file; lots put right by a named person."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.web.lab import Lab
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import pack, save_plan
from zhongshu.kernel.store.tables import Lot, WorkOrder

pytestmark = pytest.mark.browser
NS = 1_000_000_000
HOLDS = ("quality", "cancelled", "aborted")
CSV = "工单,产品,数量,交期\nF-1,hood-8235,20,2099-12-01\n"


@pytest.fixture(scope="module", autouse=True)
def held_lots(lab: Lab) -> list[int]:
    """Some lots wait for a person, and a live plan says that the first order ends an hour late."""
    store = Store(lab.data.store_url)
    with store.begin() as session:
        lots = session.scalars(
            select(Lot).where(Lot.status == "waiting").order_by(Lot.id).limit(len(HOLDS))
        ).all()
        for lot, why in zip(lots, HOLDS, strict=True):
            lot.status, lot.hold, lot.place, lot.next_step, lot.good = "held", why, "draw-01", 1, 18
        due = session.get_one(WorkOrder, ("kitchen", "W-2204")).due_ns
        orders = [{"id": "W-2204", "end": 3600, "late_s": 3600, "due": 0}]
        content = pack({"origin_ns": due, "orders": orders, "tasks": {}, "kpis": {}})
        save_plan(session, "kitchen", status="live", made_ns=due, origin_ns=due, content=content)
        found = [lot.id for lot in lots]
    store.close()
    return found


def api(lab: Lab, path: str) -> Any:
    with urlopen(Request(lab.url + path), timeout=10) as answer:
        return json.loads(answer.read())


def opened(visit: Any, language: str = "en", size: tuple[int, int] = (1600, 900), query: str = "") -> Page:
    page: Page = visit(language, size).open(f"/orders{query}")
    page.wait_for_selector("#book tbody tr")
    return page


def fill(page: Page, **values: str) -> None:
    """Fill the dialog and go on; the person is asked for in each."""
    for name, value in values.items():
        field = page.locator(f'dialog [name="{name}"]')
        field.select_option(value) if field.evaluate("e => e.tagName") == "SELECT" else field.fill(value)
    page.locator("dialog button[type=submit]").click()


def ids(page: Page) -> list[str]:
    return page.locator("#book tbody td.id").all_inner_texts()


@pytest.mark.parametrize(
    ("language", "size"), [("zh", (1600, 900)), ("en", (1600, 900)), ("zh", (390, 844)), ("en", (390, 844))]
)
def test_the_page_in_each_language_and_size(visit: Any, language: str, size: tuple[int, int]) -> None:
    page = opened(visit, language, size, "?order=W-2204")
    page.wait_for_selector(".o-terms")
    assert (
        page.locator("nav [aria-current=page]")
        .inner_text()
        .endswith("决策" if language == "zh" else "Decide")
    )
    assert (
        "book." not in page.inner_text("main")
        and "lot." not in page.inner_text("main")
        and "hold." not in page.inner_text("main")
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "nothing sticks out at the side"
    )
    expect(page.locator("#held tbody tr")).to_have_count(len(HOLDS))
    late = page.locator("#book tbody tr", has_text="W-2204").locator("td").nth(5)
    expect(late).to_have_text("■ 60 min" if language == "en" else "■ 60 分")
    assert late.get_attribute("data-mark") == "alarm"


def test_orders_are_found_and_sorted(visit: Any) -> None:
    page = opened(visit)
    first = ids(page)
    page.click("#book th[data-sort=priority] button")
    page.click("#book th[data-sort=id] button")
    page.click("#book th[data-sort=id] button")
    expect(page.locator("#book th[data-sort=id]")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#book tbody td.id").first).to_have_text(sorted(first)[-1])
    page.fill("#find", "2207")
    expect(page.locator("#book tbody tr")).to_have_count(1)
    assert "search=2207" in (page.get_attribute("#book-csv", "href") or "")
    page.fill("#find", "")
    page.check("#late")
    expect(page.locator("#book tbody td.id").first).to_be_visible()
    page.fill("#find", "nothing like it")
    expect(page.locator("#book .none")).to_be_visible()


def test_a_new_order_is_taken_changed_held_and_cancelled_by_name(visit: Any, lab: Lab) -> None:
    page = opened(visit)
    page.click("#order-new")
    fill(page, id="N-1", product="hood-8330", quantity="12", due="2099-01-02T08:00", person="李娜")
    expect(page.locator("#one h2")).to_have_text("N-1")
    assert api(lab, "/api/orders/N-1")["created_by"] == "李娜"
    page.get_by_role("button", name="Change", exact=True).click()
    assert page.input_value('dialog [name="due"]') == "2099-01-02T08:00"  # the plant's zone, there and back
    fill(page, quantity="10", priority="1", note="call")  # the name is remembered
    expect(page.locator("#one .o-past")).to_contain_text("pieces 12 → 10")
    page.locator("#one").get_by_role("button", name="Hold").click()
    fill(page)
    expect(page.locator("#one header .note")).to_have_text("On hold")
    page.locator("#one").get_by_role("button", name="Release").click()
    fill(page)
    expect(page.locator("#one header .note")).to_have_text("Waiting")
    page.get_by_role("button", name="Cancel order").click()
    page.keyboard.press("Escape")
    assert api(lab, "/api/orders/N-1")["status"] == "received"
    page.get_by_role("button", name="Cancel order").click()
    fill(page)
    expect(page.locator("#one header .note")).to_have_text("Being cancelled")
    assert api(lab, "/api/orders/N-1")["status"] == "cancelling"


def test_what_is_refused_is_said_in_the_pages_language(visit: Any) -> None:
    visitor = visit("zh")
    page = visitor.open("/orders?order=W-2205")
    page.wait_for_selector(".o-terms")
    page.get_by_role("button", name="修改").click()
    fill(page, quantity="1", person="李娜")
    expect(page.locator("#toast")).to_contain_text("不能少于此数")
    # A refusal is a 4xx, which the browser writes to its console by itself: that line alone is no fault of the page.
    visitor.errors[:] = [error for error in visitor.errors if "status of 409" not in error]


def test_a_file_is_shown_and_taken_in_or_not(visit: Any, lab: Lab, tmp_path: Path) -> None:
    page = opened(visit)

    def choose(text: str) -> None:
        file = tmp_path / "orders.csv"
        file.write_text(text, encoding="utf-8")
        with page.expect_file_chooser() as chooser:
            page.click("#order-import")
        chooser.value.set_files(file)
        page.wait_for_selector("dialog table")

    choose(CSV + "F-2,nonsense,1,soon\n")
    expect(page.locator("dialog tbody tr").first).to_contain_text("■")
    expect(page.locator("dialog .note").first).to_contain_text("none was taken in")
    fill(page)
    assert api(lab, "/api/orders?search=f-")["total"] == 0
    choose(CSV)
    fill(page, person="李娜")
    expect(page.locator("#toast")).to_contain_text("1 orders were taken in")
    assert api(lab, "/api/orders/F-1")["created_by"] == "李娜"


def test_held_lots_are_put_right_by_name(visit: Any, lab: Lab, held_lots: list[int]) -> None:
    page = opened(visit)
    row = page.locator("#held tbody tr", has_text="Quality hold")
    row.get_by_role("button", name="Count").click()
    fill(page, good="15", scrap="3", note="dent", person="王强")
    expect(page.locator("#journal tbody tr").first).to_contain_text("good 18 → 15")
    row.get_by_role("button", name="Is elsewhere").click()
    fill(page, place="stamp-01")
    expect(page.locator("#journal tbody tr").first).to_contain_text("place")
    row.get_by_role("button", name="Release").click()
    fill(page)
    expect(page.locator("#journal tbody tr").first).to_contain_text("release")
    row.get_by_role("button", name="Count").click()
    fill(page, good="0", scrap="20")
    expect(page.locator("dialog h2")).to_contain_text("scrap all of it?")
    page.keyboard.press("Escape")
    kinds = [c["kind"] for c in api(lab, f"/api/corrections?subject=lot:{held_lots[0]}")["corrections"]]
    assert kinds == ["release", "move", "count"]
    assert {c["by"] for c in api(lab, f"/api/corrections?subject=lot:{held_lots[0]}")["corrections"]} == {
        "王强"
    }


def test_a_correction_of_an_order_is_undone(visit: Any, lab: Lab) -> None:
    page = opened(visit, query="?order=W-2210")
    page.wait_for_selector(".o-terms")
    page.get_by_role("button", name="Change", exact=True).click()
    fill(page, priority="2", person="李娜")
    expect(page.locator("#journal tbody tr").first).to_contain_text("priority 5 → 2")
    page.locator("#journal tbody tr").first.get_by_role("button", name="Undo").click()
    fill(page, person="王强")
    expect(page.locator("#journal tbody tr").first).to_contain_text("priority 2 → 5")
    assert api(lab, "/api/orders/W-2210")["priority"] == 5


def test_pictures_for_people(visit: Callable[..., Any]) -> None:
    for language in ("zh", "en"):
        for name, size in (("desk", (1600, 900)), ("phone", (390, 844))):
            visitor = visit(language, size)
            visitor.open("/orders?order=W-2204").wait_for_selector(".o-terms")
            assert visitor.shoot(f"orders-{name}-{language}").stat().st_size > 20_000
