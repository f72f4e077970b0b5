"""The pages: a shell for each, sent as it stands; what lives on it is drawn by the browser's own modules."""

from __future__ import annotations

from html import escape

from fastapi import FastAPI, Request
from nicegui import ui
from nicegui.client import Client
from nicegui.page import page as page_of

from zhongshu.web.room import Room
from zhongshu.web.shell import shell
from zhongshu.web.words import COOKIE, language_of, words

LOCALES = {"zh": "zh-CN", "en": "en-US"}
THEME_COOKIE = "zs_theme"
THEMES = ("light", "dark")
PATHS = {
    "overview": "/",
    "sense": "/sense",
    "decide": "/decide",
    "orders": "/orders",
    "act": "/act",
    "history": "/history",
}
#: Styles that one page alone needs.
OWN_STYLES = {"decide": ("decide",), "orders": ("decide", "orders"), "act": ("decide", "orders", "act")}
#: A browser that sleeps or a network that drops must not lose its page at once.
RECONNECT_WALL_S = 30.0
MESSAGES_KEPT = 0  # nothing live goes through NiceGUI, so there is nothing to send again


def add_pages(app: FastAPI, room: Room) -> None:
    """Every page of the control room; NiceGUI holds the page, its title and language, and dialogs to come."""
    for name, path in PATHS.items():
        _add_page(room, name, path)

    @ui.page("/device/{unit}")
    def device(client: Client, request: Request, unit: str) -> None:
        _show(client, request, room, "device", unit)

    ui.run_with(
        app,
        title="zhongshu 中枢",
        favicon=FAVICON,
        dark=None,
        tailwind=False,
        prod_js=True,
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_WALL_S,
        message_history_length=MESSAGES_KEPT,
        gzip_middleware_factory=None,
        show_welcome_message=False,
    )


def _add_page(room: Room, name: str, path: str) -> None:
    @ui.page(path)
    def shown(client: Client, request: Request) -> None:
        _show(client, request, room, name, "")


def _show(client: Client, request: Request, room: Room, name: str, unit: str) -> None:
    """The shell in the browser's language and theme; the live parts follow over ``/live`` and the API."""
    language = language_of(request.cookies.get(COOKIE), request.headers.get("accept-language", ""))
    theme = request.cookies.get(THEME_COOKIE, "")
    plant = room.plant.name.of(language)
    known = room.plant.unit_of.get(unit)
    heading = known.name.of(language) if known else words().text(f"title.{name}", language)
    client.page = page_of(
        request.url.path,
        title=f"{heading} · {plant}",
        language=LOCALES[language],  # type: ignore[arg-type]
        dark=theme == "dark" if theme in THEMES else None,
    )
    modules = "".join(
        f'<link rel="modulepreload" href="/assets/js/{m}.js">' for m in ("boot", "words", "live")
    )
    styles = "".join(
        f'<link rel="stylesheet" href="/assets/css/{s}.css">'
        for s in ("base", "shell", "pages", *OWN_STYLES.get(name, ()))
    )
    mark = f"document.documentElement.dataset.theme={theme!r};" if theme in THEMES else ""
    boot = '<script type="module" src="/assets/js/boot.js"></script>'
    ui.add_head_html(f"<script>{mark}</script>{styles}{modules}{boot}")
    ui.add_body_html(shell(name, language, plant, heading, escape(unit, quote=True)))


FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#22282d"/>'
    '<path d="M8 11h16v9H8z M16 6v20" fill="none" stroke="#f4f5f6" stroke-width="2.6"/></svg>'
)
