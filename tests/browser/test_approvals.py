"""The approval queue and the ladder on the Act page: a named person approves a command that waits, and puts an area on a rung."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.web.lab import Lab
from zhongshu.kernel.clock import NS, load_clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command

pytest.importorskip("zhongshu.web.api.approvals", reason="this brain has no approval queue")
pytestmark = pytest.mark.browser
Visitor = Callable[..., Visit]


def waiting(lab: Lab, unit: str, name: str) -> int:
    """A command that act has put into the queue; returns its key."""
    store, clock = Store(lab.data.store_url), load_clock(lab.data.clock_file)
    with store.begin() as session:
        now_ns = clock.now_ns()
        row = Command(
            plant="kitchen", proposal=name, unit=unit, verb="START_JOB", args={"lot": 5, "product": 1, "quantity": 4}, status="proposed",
            decision="plan 7", reason="planned_unit", subject="lot:5", by="brain", created_ns=now_ns, expires_ns=now_ns + 3600 * NS,
            waits=True,
        )  # fmt: skip
        session.add(row)
        session.flush()
        key = row.key
    store.close()
    return key


def ruled(lab: Lab, key: int) -> list[tuple[str, str]]:
    """What people said of a command, and who; act, which would go on with it, does not run here."""
    with urllib.request.urlopen(f"{lab.url}/api/commands/{key}", timeout=10) as answer:
        return [(word["ruling"], word["by"]) for word in json.load(answer)["rulings"]]


def test_a_named_person_approves_and_rejects_what_waits(visit: Visitor, lab: Lab) -> None:
    keys = [waiting(lab, f"store-0{k + 1}", f"test.wait.{k}") for k in range(2)]
    page = visit("en").open("/act")
    rows = page.locator("#approvals tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("planned on this unit")
    expect(page.locator("#approvals-tools button")).to_be_visible()
    for key, row, word in zip(keys, (rows.first, rows.last), ("Approve", "Reject"), strict=True):
        row.get_by_role("button", name=word).click()
        page.fill("dialog input[name=person]", "Li Wei")
        page.locator("dialog button[type=submit]").click()
        expect(page.locator("dialog")).to_have_count(0)
        page.wait_for_function(
            "key => fetch(`/api/commands/${key}`).then(a => a.json()).then(c => c.rulings.length > 0)",
            arg=key,
        )
        assert ruled(lab, key) == [(word.lower(), "Li Wei")]


@pytest.mark.parametrize(("language", "said"), [("en", "Li Wei"), ("zh", "Li Wei")])
def test_an_area_is_put_on_a_rung_by_name(visit: Visitor, language: str, said: str) -> None:
    page = visit(language).open("/act")
    page.locator("#ladder details").wait_for()
    if not page.locator(
        "#ladder details[open]"
    ).count():  # it opens by itself where something is not as usual
        page.locator("#ladder summary").click()
    select = page.locator("#ladder select").first
    wanted = {"en": "advise", "zh": "approve"}[language]
    select.select_option(wanted)
    page.fill("dialog input[name=person]", said)
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("#ladder li").first).to_have_attribute("data-level", wanted)
    expect(page.locator("#ladder li").first).to_contain_text(said)
    missing = page.evaluate(
        r"[...document.body.innerText.matchAll(/\b(ladder|approvals)\.[a-z-]+/g)].map(m => m[0])"
    )
    assert missing == []
