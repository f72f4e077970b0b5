"""A running control room of the kitchen plant, and a browser that tells what it asked of whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.ports import low_port
from tests.web.lab import KITCHEN, ROOT, Lab

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--no-first-run"]
SHOTS = ROOT / "tests/browser/screenshots"
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Bus, historian, pretended brain and control room of 284 devices."""
    lab = Lab(KITCHEN, tmp_path_factory.mktemp("kitchen"), low_port)
    try:
        lab.start(historian=True, still=False)
        yield lab
    finally:
        lab.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Debian's Chromium, headless; closed with the module, since its loop would keep other tests from theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """One visitor: opens pages, keeps what went wrong and whatever was asked of another host."""

    def __init__(self, browser: Browser, lab: Lab, language: str, size: tuple[int, int], theme: str) -> None:
        viewport = {"width": size[0], "height": size[1]}
        self.context: BrowserContext = browser.new_context(viewport=viewport)  # type: ignore[arg-type]
        cookies = (("zs_language", language), ("zs_theme", theme))
        self.context.add_cookies([{"name": n, "value": v, "url": lab.url} for n, v in cookies])
        self.page: Page = self.context.new_page()
        self.lab, self.foreign, self.errors = lab, [], []
        host = f"127.0.0.1:{lab.port}"
        self.context.on("request", lambda r: self._asked(r.url, host))
        self.page.on("websocket", lambda s: self._asked(s.url, host))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.foreign: list[str]
        self.errors: list[str]

    def _asked(self, url: str, host: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != host:
            self.foreign.append(url)

    def open(self, path: str) -> Page:
        """Go there and wait until the picture is live."""
        self.page.goto(self.lab.url + path)
        self.page.wait_for_selector("body[data-started]", timeout=30_000)
        self.page.wait_for_selector("#stale", state="hidden", timeout=20_000)
        return self.page

    def shoot(self, name: str) -> Path:
        """A picture for people to look at."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")
        return SHOTS / f"{name}.png"


@pytest.fixture
def visit(browser: Browser, lab: Lab) -> Iterator[object]:
    """Makes visitors; none of them may ask another host for anything, or meet an error."""
    visits: list[Visit] = []

    def make(language: str = "zh", size: tuple[int, int] = (1600, 900), theme: str = "light") -> Visit:
        visits.append(Visit(browser, lab, language, size, theme))
        return visits[-1]

    yield make
    for each in visits:
        each.context.close()
        assert each.foreign == []
        assert each.errors == []
