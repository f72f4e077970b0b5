"""The Act page in headless Chromium: the story of a breakdown, its decision in both languages, vehicles, an order, a command's life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.web.decided import put_breakdown
from tests.web.lab import Lab

pytestmark = pytest.mark.browser
Visitor = Callable[..., Visit]
SAID = {
    "zh": ("修补计划", "照旧等待", "修好并通过检查", "演示安排"),
    "en": ("repaired plan", "carry on as it was", "repaired and checked", "demo fault"),
}


@pytest.fixture(scope="module")
def facts(lab: Lab) -> dict[str, Any]:
    """A breakdown that the demo arranged, answered a moment ago."""
    return put_breakdown(lab, decision="plan-41-test", staged=True)


def opened(visit: Visitor, facts: dict[str, Any], language: str = "en", **how: Any) -> Page:
    page = visit(language, **how).open(f"/act?decision={facts['id']}")
    expect(page.locator("#decision")).to_have_attribute("data-decision", facts["id"], timeout=15_000)
    return page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_decision_tells_its_fact_its_options_its_orders_and_its_hops(
    visit: Visitor, facts: dict[str, Any], language: str
) -> None:
    page = opened(visit, facts, language)
    repaired, carried, hop, demo = SAID[language]
    one = page.locator("#decision")
    expect(one.locator(".d-options tbody tr")).to_have_count(3)
    expect(one.locator(".d-options tr[data-chosen]")).to_contain_text(repaired)
    expect(one.locator(".d-options")).to_contain_text(carried)
    expect(one.locator(".d-orders tbody tr").first).to_contain_text("■")
    expect(one.locator(".hop-list li")).to_have_count(13)
    expect(one.locator(".hop-list")).to_contain_text(hop)
    expect(one.locator(".hop-bars")).to_have_attribute("role", "img")
    expect(page.locator(f"#decisions [data-id='{facts['id']}']")).to_have_attribute("data-demo", demo)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en-US"}[language]
    untranslated = page.evaluate(
        r"[...document.body.innerText.matchAll(/\b(decided|did|expects|came|hop|hops|option|story|mission|path|now|reaction)\.[a-z-]+/g)].map(m => m[0])"
    )
    assert untranslated == []


def test_the_story_of_a_breakdown_is_told_on_overview_and_act(visit: Visitor, lab: Lab) -> None:
    facts = put_breakdown(lab, decision="plan-told-now", staged=True)
    for path in ("/", "/act"):
        page = visit("en").open(path)
        story = page.locator("#story")
        expect(story).to_contain_text("broke down", timeout=10_000)
        expect(story).to_contain_text("demo fault")
        expect(story).to_contain_text(f"{facts['moved']['jobs']} jobs moved to")
        expect(story).to_contain_text("made it better, 3 jobs moved")
        expect(story).to_contain_text("✓")
        expect(story.locator(".more")).to_have_attribute("href", "/act?decision=plan-told-now")
        story.locator(".story-close").click()
        expect(story).to_be_hidden()


def test_the_list_is_walked_through_by_keys_and_stands_in_the_address(
    visit: Visitor, facts: dict[str, Any]
) -> None:
    page = opened(visit, facts)
    page.select_option("#kind", "")
    rows = page.locator("#decisions .decided")
    expect(rows.nth(1)).to_be_visible()
    other = page.locator(f"#decisions .decided:not([data-id='{facts['id']}'])").first
    name = str(other.get_attribute("data-id"))
    other.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#decision")).to_have_attribute("data-decision", name)
    assert f"decision={name}" in page.url


def test_nothing_is_said_of_reactions_that_nobody_measured(visit: Visitor) -> None:
    page = visit("en").open("/act")
    expect(page.locator("#reaction")).to_contain_text("nothing is measured")
    expect(page.locator("#approvals-card")).to_contain_text("Nothing waits for approval")


def test_vehicles_are_on_the_map_and_in_a_table(visit: Visitor) -> None:
    page = visit("en").open("/act")
    expect(page.locator("#vehicles tbody tr")).to_have_count(20)
    expect(page.locator("#floor")).to_have_attribute("data-vehicles", "20")
    first = page.locator("#vehicles tbody tr").first
    first.focus()
    page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(first).to_contain_text("%")


def test_an_order_is_shown_end_to_end_and_an_unknown_one_is_said_to_be(visit: Visitor) -> None:
    visitor = visit("en")
    page = visitor.open("/act")
    page.fill("#order", "W-2206")
    page.keyboard.press("Enter")
    expect(page.locator("#path .p-row").first).to_be_visible()
    expect(page.locator("#path")).to_contain_text("In progress")
    assert "order=W-2206" in page.url
    page.fill("#order", "NO-SUCH")
    page.keyboard.press("Enter")
    expect(page.locator("#path")).to_contain_text("no order NO-SUCH")
    visitor.errors[:] = [error for error in visitor.errors if "404" not in error]  # the browser's own word


def test_a_command_tells_its_life_step_by_step(visit: Visitor) -> None:
    page = visit("en").open("/act")
    row = page.locator("#commands tbody tr").nth(4)
    expect(row).to_be_visible(timeout=15_000)
    row.locator(".num").click()
    life = page.locator("#life .life li")
    expect(life.first).to_contain_text("decided")
    expect(life.nth(2)).to_be_visible()
    page.select_option("#status", "refused")
    page.wait_for_function(
        "[...document.querySelectorAll('#commands tbody tr .chain')].every(c => /refused/.test(c.innerText))"
    )


@pytest.mark.parametrize(
    ("name", "size"), [("wall", (1920, 1080)), ("desk", (1366, 768)), ("phone", (390, 844))]
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(
    visit: Visitor, facts: dict[str, Any], name: str, size: tuple[int, int], theme: str
) -> None:
    page = opened(visit, facts, "zh", size=size, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    expect(page.locator("#decision .hop-bars")).to_be_visible()
