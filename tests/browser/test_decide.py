"""The Decide page in headless Chromium: 10,000 tasks seen, moved, tried, released and undone, by hand, keys and on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bench.gantt import lines, measure
from tests.browser.conftest import Visit
from tests.ports import low_port
from tests.web.lab import KITCHEN, run_apart
from tests.web.plan_lab import PlanLab, plan_lab
from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.wire import publish_event
from zhongshu.model.messages import CommandChanged, JobProgressed, Proposed

pytestmark = pytest.mark.browser
Visitor = Callable[..., Visit]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlanLab]:
    """A control room of the kitchen plant with a live plan of 10,000 tasks and the pretended planner."""
    lab = plan_lab(KITCHEN, tmp_path_factory.mktemp("decide"), low_port)
    try:
        lab.start_planner()
        yield lab
    finally:
        lab.close()


#: A task in sight that may be moved: where its bar lies on the page, and its number.
MOVABLE = """() => {
  const gantt = document.getElementById('gantt').gantt, box = gantt.canvas.getBoundingClientRect();
  for (const [r, row] of gantt.rows.entries()) {
    if (row.kind !== 'unit') continue;
    for (const i of row.bars) {
      const [x, x1, y] = [gantt.view.x(gantt.plan.from[i]), gantt.view.x(gantt.plan.to[i]), gantt.view.y(r) + gantt.view.row / 2];
      if (y > 150 && y < 450 && x > 500 && x1 < 800 && x1 - x > 40 && gantt.hand.movable(i))
        return {x: box.x + x + 12, y: box.y + y, row: gantt.view.row, task: gantt.plan.id[i], order: gantt.plan.orders[gantt.plan.order[i]].id};
    }
  }
}"""
CHART = "document.getElementById('gantt').gantt"


def opened(visitor: Visit, path: str = "/decide") -> Page:
    page = visitor.open(path)
    page.wait_for_selector("#gantt[data-tasks]", state="attached", timeout=15_000)
    return page


def drag(page: Page, dx: float, dy: float = 0) -> dict[str, Any]:
    """Drag a movable task so far and let it go."""
    found: dict[str, Any] = page.evaluate(MOVABLE)
    page.mouse.move(found["x"], found["y"])
    page.mouse.down()
    page.mouse.move(found["x"] + dx / 2, found["y"] + dy / 2, steps=3)
    page.mouse.move(found["x"] + dx, found["y"] + dy, steps=3)
    found["ghost"] = page.evaluate(f"(({CHART}).look.ghost || {{}}).verdict")
    page.mouse.up()
    return found


def unknown_words(page: Page) -> list[str]:
    return [w for w in page.locator("body").inner_text().split() if re.fullmatch(r"[a-z]+\.[a-z_.-]+", w)]


@pytest.mark.parametrize(
    ("language", "late", "why"), [("zh", "晚的工单", "为何晚"), ("en", "Late orders", "late")]
)
def test_the_plan_is_painted_and_says_why_an_order_is_late(
    visit: Visitor, language: str, late: str, why: str
) -> None:
    page = opened(visit(language))
    chart = page.locator("#gantt")
    expect(chart).to_have_attribute("data-tasks", "10000")
    assert int(chart.get_attribute("data-bars") or 0) > 150
    expect(page.locator("#chosen-title")).to_have_text(late)
    page.locator("#chosen tbody tr").first.click()
    expect(page.locator("#chosen-title")).to_contain_text(why)
    expect(page.locator(".d-chain li")).to_have_count(3)
    expect(page.locator(".d-ways tbody tr")).to_have_count(2)
    assert "order=W-" in page.url or page.wait_for_url("**order=W-*") is None
    expect(page.locator("#replan tr")).to_have_count(7)
    assert unknown_words(page) == [] and page.locator("h1").count() == 1
    assert page.locator("[data-what-if]").count() == 0


def test_rows_by_unit_by_order_and_by_vehicle(visit: Visitor) -> None:
    page = opened(visit("en"))
    chart = page.locator("#gantt")
    expect(chart).to_have_attribute(
        "data-rows", str(264 + page.evaluate(f"{CHART}.rows.filter((r) => r.kind === 'head').length"))
    )
    page.select_option("#area", "welding")
    expect(chart).to_have_attribute("data-rows", "34")
    page.click("[data-by=vehicle]")
    expect(chart).to_have_attribute("data-rows", "20")
    page.select_option("#area", "")
    page.click("[data-by=order]")
    expect(chart).to_have_attribute("data-rows", str(page.evaluate(f"{CHART}.plan.orders.length")))
    page.fill("#find", "W-2250")
    expect(page.locator("#chosen-title")).to_contain_text("W-2250")
    assert page.evaluate(f"{CHART}.rows.some((row) => row.kind === 'lot' && row.bars.length > 2)")


def test_a_task_is_dragged_kept_released_and_undone(visit: Visitor) -> None:
    page = opened(visit("en"))
    before = page.locator("#tabs button").first.inner_text()
    found = drag(page, 70)
    assert found["ghost"]["level"] in ("ok", "warn")
    expect(page.locator("#effect")).to_contain_text("tasks move", timeout=8000)
    expect(page.locator("#effect")).to_contain_text(found["order"])
    page.click("#effect .primary")
    expect(page.locator("#plan-notice")).to_contain_text("not in force")
    expect(page.locator("[data-what-if] #gantt")).to_be_visible()
    expect(page.locator("#compare thead th")).to_have_count(3)
    expect(page.locator("#compare b").first).to_be_visible()
    assert page.evaluate(f"{CHART}.plan.moved[{CHART}.plan.indexOf.get('{found['task']}')]") == 1
    page.click("#release")
    expect(page.locator("dialog tbody tr").first).to_contain_text(found["order"])
    page.fill("dialog input", "Li")
    page.click("dialog .primary")
    expect(page.locator("#effect")).to_contain_text("is live")
    expect(page.locator("[data-what-if]")).to_have_count(0)
    assert page.locator("#tabs button").first.inner_text() != before
    page.click("#undo")
    expect(page.locator("dialog input")).to_have_value("Li")
    page.click("dialog .primary")
    expect(page.locator("#tabs button").first).to_have_text(before)


def test_a_drop_that_cannot_be_is_told_at_once_and_asks_nobody(visit: Visitor) -> None:
    visitor = visit("en")
    page = opened(visitor)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    found = drag(page, -420)
    assert found["ghost"]["level"] == "no" and found["ghost"]["reasons"]
    expect(page.locator("#effect")).to_contain_text("It cannot go there")
    assert not [body for body in asked if '"try"' in body]
    other = page.evaluate(
        f"(() => {{ const g = {CHART}; return g.rows.findIndex((row) => row.kind === 'unit' && row.key === 'pack-01') }})()"
    )
    verdict = page.evaluate(
        f"""async () => {{ const {{ check }} = await import('/assets/js/decide/check.js'); const g = {CHART};
        const i = g.plan.indexOf.get('{found["task"]}'); return check(g.plan, i, g.rows[{other}].unit, g.plan.start[i], g.rows[{other}], g.now()); }}"""
    )
    assert verdict["level"] == "no" and "cannot do" in verdict["reasons"][0]


def test_a_cancelled_try_leaves_nothing_behind(visit: Visitor) -> None:
    page = opened(visit("en"))
    tabs = page.locator("#tabs button").count()
    drag(page, 60)
    expect(page.locator("#effect .primary")).to_be_visible(timeout=8000)
    page.locator("#effect button", has_text="Cancel").click()
    expect(page.locator("#effect")).to_be_hidden()
    expect(page.locator("#tabs button")).to_have_count(tabs)


def test_pin_and_take_out_are_tried_as_what_ifs(visit: Visitor) -> None:
    page = opened(visit("zh"))
    found: dict[str, Any] = page.evaluate(MOVABLE)
    page.mouse.click(found["x"], found["y"])
    page.locator(".d-tools button", has_text="固定").click()
    page.locator("#effect .primary").click()
    expect(page.locator("#plan-notice")).to_contain_text("1 处改动")
    assert page.evaluate(f"{CHART}.plan.pinned[{CHART}.plan.indexOf.get('{found['task']}')]") == 1
    page.locator(".d-tools button", has_text="停用此设备").click()
    page.locator("dialog .primary").click()
    page.locator("#effect .primary").click()
    expect(page.locator("#plan-notice")).to_contain_text("2 处改动")
    page.locator(".d-away").click()
    page.click("dialog .primary")
    expect(page.locator("#plan-notice")).to_be_hidden()


def test_the_chart_by_keyboard(visit: Visitor) -> None:
    page = opened(visit("en"))
    chart = page.locator("#gantt")
    chart.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tip")).to_be_visible()
    first = chart.get_attribute("aria-label")
    page.keyboard.press("ArrowDown")
    expect(chart).not_to_have_attribute("aria-label", first or "")
    page.keyboard.press("Enter")
    expect(page.locator(".d-tools")).to_be_visible()
    span = page.evaluate(f"{CHART}.view.span")
    page.keyboard.press("+")
    assert page.evaluate(f"{CHART}.view.span") < span
    for _ in range(9):
        page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(f"{CHART}.view.t0 > {CHART}.now()")
    page.keyboard.press("Home")
    assert page.evaluate(f"{CHART}.view.t0 < {CHART}.now() && {CHART}.now() < {CHART}.view.end")
    page.keyboard.press("Escape")
    expect(page.locator("#chosen-title")).to_have_text("Late orders")


def test_the_table_beside_it_sorts_filters_and_stays_small(visit: Visitor) -> None:
    page = opened(visit("en"), "/decide?table=1")
    expect(page.locator("#task-count")).to_contain_text("of 10\u2009000")
    assert page.locator("#task-rows tbody tr").count() < 60
    page.fill("#task-find", "powder")
    page.click("[data-key=unit] button")
    rows = page.locator("#task-rows tbody tr.link")
    expect(rows.first).to_contain_text("Powder booth 01")
    page.click("[data-key=unit] button")
    expect(rows.first).to_contain_text("Powder booth 04")
    assert page.locator("[data-key=unit]").get_attribute("aria-sort") == "descending"
    rows.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".d-tools h3")).to_contain_text("Powder booth 04")
    with page.expect_download() as download:
        page.click("#task-csv")
    assert len(download.value.path().read_text(encoding="utf-8-sig").splitlines()) == 10_001


def test_wheel_pans_and_zooms_and_now_comes_back(visit: Visitor) -> None:
    page = opened(visit("en"))
    box = page.locator("#gantt").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 600, box["y"] + 300)
    page.mouse.wheel(0, 500)
    page.mouse.wheel(900, 0)
    page.wait_for_function(f"{CHART}.view.top > 100 && {CHART}.view.t0 > {CHART}.now() - 6000")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function(f"{CHART}.view.span < 6 * 3600 - 600")
    page.mouse.wheel(3000, 0)
    expect(page.locator("#to-now")).to_have_attribute("data-away", "1")
    page.click("#to-now")
    expect(page.locator("#to-now")).not_to_have_attribute("data-away", "1")


def test_a_task_that_begins_shows_so_without_a_new_plan(visit: Visitor, lab: PlanLab) -> None:
    page = opened(visit("en"))
    found: dict[str, Any] = page.evaluate(MOVABLE)
    at = f"{CHART}.plan.indexOf.get('{found['task']}')"
    lot, operation, unit = page.evaluate(
        f"(() => {{ const p = {CHART}.plan, i = {at}; return [p.lot[i], p.operation[i], p.units[p.unit[i]].id]; }})()"
    )

    async def speak() -> None:
        bus = await NatsBus.connect(load_access(lab.data.secrets), name="test")
        now = load_clock(lab.data.clock_file).now_ns()
        args = json.dumps({"lot": lot, "operation": operation, "product": 1, "quantity": 10})
        await publish_event(
            bus, Proposed("kitchen", "decide", now, "t9", unit, "START_JOB", args, "", "", "", now, "x")
        )
        await publish_event(
            bus, CommandChanged("kitchen", "act", now, 990_009, "t9", unit, "START_JOB", "sent", "", "")
        )
        await publish_event(bus, JobProgressed("kitchen", "understand", now, unit, 990_009, "RUNNING", 0, 0))
        await bus.close()

    run_apart(speak())
    page.wait_for_function(
        f"{CHART}.plan.state[{at}] === 1 && {CHART}.plan.from[{at}] <= {CHART}.now()", timeout=6000
    )


def test_what_is_over_stays_in_the_picture(visit: Visitor, lab: PlanLab) -> None:
    """Each new plan leaves out what was finished meanwhile; the chart still shows it, beside its planned time."""
    visitor = visit("en")
    now = load_clock(lab.data.clock_file).now_ns() // 1_000_000
    past = {
        "lot": [777, 778], "operation": [40, 40], "unit": ["stamp-01", "stamp-02"], "order": ["W-1", "W-2290"],
        "product": ["hood-8235", "hood-8235"], "start": [None, now - 900_000], "end": [None, now - 600_000],
        "actual_start": [now - 900_000, now - 800_000], "actual_end": [now - 600_000, now - 500_000],
    }  # fmt: skip
    visitor.page.route("**/api/plan/past", lambda route: route.fulfill(json=past))
    page = opened(visitor)
    expect(page.locator("#gantt")).to_have_attribute("data-tasks", "10002")
    at = f"{CHART}.plan.indexOf.get('778:past:40')"
    assert page.evaluate(
        f"[{CHART}.plan.state[{at}], {CHART}.plan.from[{at}] - {CHART}.plan.start[{at}]]"
    ) == [2, 100]
    page.fill("#find", "W-1")
    page.locator("#find").press("Enter")
    expect(page.locator("#chosen-title")).to_have_text("W-1")
    page.click("[data-by=order]")
    expect(page.locator("#chosen")).to_contain_text("1 of 1 tasks")


def test_a_date_is_quoted(visit: Visitor) -> None:
    page = opened(visit("en"))
    page.fill(".d-quote input", "60")
    page.click(".d-quote button")
    expect(page.locator(".d-answer b")).to_have_text(re.compile(r"\d\d:\d\d"), timeout=2000)
    expect(page.locator(".d-answer")).to_contain_text("Powder booth 02")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_phone_has_a_list(visit: Visitor, language: str) -> None:
    page = opened(visit(language, (390, 844), "dark"))
    expect(page.locator(".d-item").first).to_contain_text("■")
    page.locator(".d-item").first.click()
    expect(page.locator(".d-chain li")).to_have_count(3)
    page.click("[data-by=unit]")
    expect(page.locator("#phone")).to_have_attribute("data-count", "264")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert unknown_words(page) == []


def test_a_wall_is_legible(visit: Visitor) -> None:
    visitor = visit("zh", (3840, 2160), "dark")
    page = opened(visitor)
    assert page.evaluate(f"{CHART}.view.row") >= 48
    visitor.shoot("decide-wall")


TEXTS = [
    ("past-ink", "past"),
    ("plan-ink", "plan"),
    ("plan-ink", "run-rest"),
    ("run-ink", "run"),
    ("on-now", "now"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_on_a_bar_stands_out(visit: Visitor, theme: str) -> None:
    page = opened(visit("zh", theme=theme))
    script = """(pairs) => { const style = getComputedStyle(document.documentElement);
      const light = (name) => { const v = parseInt(style.getPropertyValue('--' + name).trim().slice(1), 16);
        const part = (n) => { const c = ((v >> n) & 255) / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
        return 0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0); };
      return pairs.map(([a, b]) => { const [x, y] = [light(a), light(b)]; return [a, b, (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)]; }); }"""
    found: list[Any] = page.evaluate(script, TEXTS)
    assert [pair for pair in found if not pair[2] >= 4.5] == []


def test_panning_ten_thousand_tasks(visit: Visitor, record_property: Callable[[str, object], None]) -> None:
    """The figures are reported, not judged: how fast a shared machine paints is not for a test to say."""
    page = opened(visit("zh"))
    panned = measure(page, 1.0)
    for line in lines(panned):
        record_property("gantt", line)
        print(line)
    assert all(p.tasks == 10_000 and p.bars > 100 and p.frames_per_s > 0 for p in panned)


def test_without_a_planner_the_plan_is_still_there(visit: Visitor, lab: PlanLab) -> None:
    visitor = visit("en")
    lab.stop("planner")
    page = opened(visitor)
    expect(page.locator("#plan-notice")).to_contain_text("planner", timeout=10_000)
    page.locator("#chosen tbody tr").first.click()
    expect(page.locator("#why")).to_contain_text("not running", timeout=12_000)
    visitor.errors.clear()  # a browser writes down every answer that is not 200
    lab.start_planner()
    page.locator("#why button").click()
    expect(page.locator(".d-chain li")).to_have_count(3)


def test_no_plan_yet_and_then_the_first_one(visit: Visitor, lab: PlanLab) -> None:
    lab.empty()
    visitor = visit("en")
    page = visitor.open("/decide")
    expect(page.locator("#plan-state")).to_contain_text("No plan yet")
    expect(page.locator("#plan-state button")).to_have_text("Plan now")
    lab.fill(tasks=2000)
    expect(page.locator("#gantt")).to_have_attribute("data-tasks", "2000", timeout=10_000)
    expect(page.locator("#plan-state")).to_be_hidden()
