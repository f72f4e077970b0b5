"""Takes the pictures of docs/pictures from a running demo: `python -m bench.pictures [--url http://127.0.0.1:18420]`."""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

from playwright.async_api import Browser, async_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
#: Until every value on the page has come and the trend has been drawn.
SETTLE_MS = 4000


async def take(url: str) -> None:
    """Overview, Decide and Act in both languages, as the README shows them."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for language in ("zh", "en"):
            await _picture(browser, url, language, FOLDER / f"overview-{language}.png")
            await _picture(browser, f"{url}/decide", language, FOLDER / f"decide-{language}.png")
            await _picture(browser, f"{url}/act", language, FOLDER / f"act-{language}.png")
        await browser.close()


async def _picture(browser: Browser, url: str, language: str, path: Path) -> None:
    context = await browser.new_context(viewport={"width": 1600, "height": 900})
    await context.add_cookies([{"name": "zs_language", "value": language, "url": url}])
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_timeout(SETTLE_MS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=path)
    await context.close()


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m bench.pictures")
    words.add_argument("--url", default="http://127.0.0.1:18420")
    asyncio.run(take(words.parse_args().url))
