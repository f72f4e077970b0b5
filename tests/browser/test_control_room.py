"""The control room in headless Chromium: what a person sees, in both languages, on a desk, a phone and a wall."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.web.lab import Lab, run_apart
from zhongshu.kernel.config import load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.model import subjects

pytestmark = pytest.mark.browser
Visitor = Callable[..., Visit]


def change_state(lab: Lab, unit: str, state: int) -> None:
    """Let a device change its state now."""

    async def ask() -> None:
        bus = await NatsBus.connect(load_access(lab.data.secrets), name="test")
        await bus.request(subjects.rpc("kitchen", "pretend"), json.dumps({"state": [unit, state]}).encode())
        await bus.close()

    run_apart(ask())


def painted(page: Page) -> int:
    """How many different colours the floor map shows."""
    script = """() => { const c = document.getElementById('floor'); const d = c.getContext('2d')
        .getImageData(0, 0, c.width, c.height).data; const s = new Set();
        for (let i = 0; i < d.length; i += 4) s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; }"""
    return int(page.evaluate(script))


@pytest.mark.parametrize(
    ("language", "connected", "points"),
    [("zh", "283/284 连接", "点好值"), ("en", "283/284 connected", "points good")],
)
def test_the_counts_are_right_in_both_languages(
    visit: Visitor, language: str, connected: str, points: str
) -> None:
    page = visit(language).open("/")
    expect(page.locator("#figures")).to_contain_text(connected, timeout=10_000)
    expect(page.locator("#figures")).to_contain_text(points)
    assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en-US"}[language]
    expect(page.locator("[data-figure=running] i")).to_contain_text("264")
    expect(page.locator("[data-figure=orders] b")).to_have_text("3")
    assert page.locator("h1").count() == 1


def test_every_device_is_painted_and_named(visit: Visitor) -> None:
    page = visit().open("/")
    floor = page.locator("#floor")
    expect(floor).to_have_attribute("data-devices", "264", timeout=10_000)
    expect(floor).to_have_attribute("data-vehicles", "20", timeout=10_000)
    assert painted(page) > 8
    floor.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tip")).to_be_visible()
    first = page.locator("#tip b").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tip b")).not_to_have_text(first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/device/*")


def test_the_map_has_a_table_beside_it(visit: Visitor) -> None:
    page = visit("en").open("/")
    page.click("#as-table")
    expect(page.locator("#floor-table tbody tr")).to_have_count(284)
    expect(page.locator("#floor-table")).to_contain_text("Down")
    page.click("#as-table")
    expect(page.locator("#floor")).to_be_visible()


def test_a_state_change_is_seen_within_a_second(visit: Visitor, lab: Lab) -> None:
    page = visit("en").open("/device/store-02")
    state = page.locator("[data-part=state] b")
    for number_, word in ((9, "Down"), (6, "Executing"), (9, "Down")):
        change_state(lab, "store-02", number_)
        expect(state).to_contain_text(word, timeout=1500)
    change_state(lab, "store-02", 6)


def test_live_values_move_without_making_elements_anew(visit: Visitor) -> None:
    page = visit().open("/device/store-01")
    row = page.locator("#points tbody tr", has_text="speed").first
    row.evaluate("node => { node.zs = 1; }")
    before = row.locator(".now").inner_text()
    expect(row.locator(".now")).not_to_have_text(before, timeout=10_000)
    assert row.evaluate("node => node.zs") == 1
    expect(page.locator("#trends canvas").first).to_be_visible()


def test_what_the_brain_does_shows_its_proof(visit: Visitor) -> None:
    page = visit("en").open("/")
    expect(page.locator("#doing .chip[data-mark=proven]").first).to_contain_text("proven", timeout=20_000)
    expect(page.locator("#doing .doing[data-mark]").first).to_be_visible(timeout=20_000)
    expect(page.locator("#orders tbody tr").first).to_contain_text("■")
    page.goto(page.url + "act")
    expect(page.locator("#commands tbody tr").nth(5)).to_be_visible(timeout=15_000)


def test_sense_finds_devices_and_lists_gaps(visit: Visitor) -> None:
    page = visit("en").open("/sense")
    expect(page.locator("#connections tbody tr")).to_have_count(16)
    expect(page.locator("#gaps tbody tr")).to_have_count(2)
    page.fill("#find", "AGV 03")
    expect(page.locator("#devices tbody tr")).to_have_count(1)
    page.fill("#find", "")
    page.check("#trouble")
    expect(page.locator("#devices tbody tr")).not_to_have_count(284)
    expect(page.locator("#devices")).to_contain_text("Stale")


def test_history_shows_picks_zooms_and_exports(visit: Visitor) -> None:
    page = visit("en").open("/history")
    page.fill("#find", "store-01 power")
    listed = page.locator("#found label.found")  # the list before it stays until the answer is there
    expect(listed.first).to_contain_text("power", timeout=15_000)
    listed.first.locator("input").check()
    expect(page.locator("#values tbody tr")).to_have_count(1, timeout=15_000)
    expect(page.locator("#charts canvas")).to_have_count(1)
    assert "points=" in page.url and "span=600" in page.url
    over = page.locator(".u-over").bounding_box()
    assert over is not None
    page.mouse.move(over["x"] + over["width"] - 2, over["y"] + 20)
    page.mouse.wheel(0, -300)
    page.wait_for_url("**start=*")
    again = page.url
    with page.expect_download() as download:
        page.click("#csv")
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("path,time,value,quality") and "/store-01/power,20" in text
    page.goto(again)
    expect(page.locator("#values tbody tr")).to_have_count(1, timeout=15_000)
    expect(page.locator("#follow")).not_to_be_checked()


def test_a_lost_server_is_told_and_comes_back(visit: Visitor, lab: Lab) -> None:
    visitor = visit("en")
    page = visitor.open("/")
    expect(page.locator("#figures")).to_contain_text("283/284", timeout=10_000)
    lab.stop("web")
    expect(page.locator("#stale")).to_be_visible(timeout=8000)
    expect(page.locator("#stale")).to_contain_text(re.compile(r"Data stopped at \d\d:\d\d:\d\d"))
    lab.start_web()
    expect(page.locator("#stale")).to_be_hidden(timeout=20_000)
    expect(page.locator("#figures")).to_contain_text("283/284", timeout=10_000)
    expect(page.locator("[data-figure=running] b")).not_to_have_text("0", timeout=15_000)
    visitor.errors.clear()  # a browser writes down every connection that failed meanwhile


@pytest.mark.parametrize("path", ["/", "/sense", "/device/store-01", "/act", "/history"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_phone_has_one_column(visit: Visitor, path: str, language: str) -> None:
    visitor = visit(language, (390, 844), "dark")
    page = visitor.open(path)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    missing = [
        word for word in page.locator("body").inner_text().split() if re.fullmatch(r"[a-z]+\.[a-z.-]+", word)
    ]
    assert missing == []


def test_a_wall_shows_the_floor_alone_in_large_type(visit: Visitor) -> None:
    visitor = visit("zh", (3840, 2160), "dark")
    page = visitor.open("/")
    expect(page.locator("#floor")).to_have_attribute("data-devices", "264")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    expect(page.locator(".side")).to_be_hidden()
    visitor.shoot("wall")


def test_language_and_light_are_switched_and_kept(visit: Visitor) -> None:
    page = visit("zh").open("/sense")
    page.click("#language")
    expect(page.locator("h1")).to_have_text("Sense")
    page.wait_for_selector("#connections tbody tr")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.locator("h1")).to_have_text("Sense")


LUMINANCE = """(() => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => { const v = parseInt(style.getPropertyValue(name).trim().slice(1), 16);
    const part = (n) => { const c = ((v >> n) & 255) / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0); };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const texts = ['--ink', '--soft', '--alarm-text', '--warn-text', '--minor-text'];
  const out = texts.flatMap((t) => ['--back', '--panel', '--raised', '--hover'].map((b) => [t, b, ratio(t, b)]));
  out.push(['--on-alarm', '--alarm', ratio('--on-alarm', '--alarm')]);
  return out;
})()"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_stands_out(visit: Visitor, theme: str) -> None:
    page = visit("zh", theme=theme).open("/")
    found: list[Any] = page.evaluate(LUMINANCE)
    assert [pair for pair in found if pair[2] < 4.5] == []
