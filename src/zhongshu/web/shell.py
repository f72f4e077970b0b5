"""The static frame of every page: navigation, top bar and the places where the browser's modules draw."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from zhongshu.web.act_shell import act_body
from zhongshu.web.decide_shell import decide_body
from zhongshu.web.order_book_page import orders_body
from zhongshu.web.words import words

Say = Callable[[str], str]
NAV = (
    ("overview", "/"),
    ("sense", "/sense"),
    ("decide", "/decide"),
    ("act", "/act"),
    ("history", "/history"),
)


def shell(page: str, language: str, plant: str, heading: str, unit: str) -> str:
    """The body of a page as HTML; ``unit`` is already escaped."""

    def say(key: str) -> str:
        return escape(words().text(key, language), quote=True)

    return f"""
<div id="zs" data-page="{page}" data-language="{language}" data-unit="{unit}">
<a class="skip" href="#main">{say("skip")}</a>
<header class="top">
  <a class="brand" href="/">{say("brand")}</a><span class="plant">{escape(plant)}</span>
  <span class="clock" id="clock" title="{say("clock.label")}">–</span>
  <span class="figures" id="figures" role="status" aria-live="off" aria-label="{say("top.figures")}"></span>
  <button class="plain" id="theme" title="{say("top.theme")}" aria-label="{say("top.theme")}">◐</button>
  <button class="plain" id="language" title="{say("top.language-label")}" aria-label="{say("top.language-label")}">{say("top.language")}</button>
</header>
<nav class="loop" aria-label="{say("nav.label")}">{_links(page, say)}</nav>
<main id="main" class="page-{page}" tabindex="-1">
<h1 class="{"seen" if page in ("sense", "act", "history", "orders") else "unseen"}">{escape(heading)}</h1>
{BODIES[page](say)}
</main>
<div id="stale" role="alert" hidden></div>
</div>
"""


def _links(page: str, say: Say) -> str:
    links = []
    for name, path in NAV:
        here = (
            ' aria-current="page"'
            if name == page or (name, page) in (("sense", "device"), ("decide", "orders"))
            else ""
        )
        links.append(
            f'<a href="{path}"{here}><b aria-hidden="true">{say(f"nav.{name}-sign")}</b><span>{say(f"nav.{name}")}</span></a>'
        )
    return "".join(links)


def _overview(say: Say) -> str:
    return f"""
<section class="floor" aria-label="{say("map.label")}">
  <div class="floor-bar"><div class="story" id="story" role="status" aria-live="polite" aria-label="{say("story.label")}" hidden></div>
    <div class="legend" id="legend"></div>
    <button class="plain" id="as-table" aria-pressed="false">{say("map.as-table")}</button></div>
  <div class="floor-view" id="floor-view"><canvas id="floor" tabindex="0" role="img" aria-label="{say("map.label")}"></canvas>
    <div class="tip" id="tip" role="tooltip" hidden></div></div>
  <div class="floor-table" id="floor-table" hidden></div>
</section>
<aside class="side">
  <section><header><h2>{say("doing.title")}</h2><span class="note" id="doing-note"></span></header><div id="doing"></div>
    <a class="more" href="/act">{say("doing.all")} →</a></section>
  <section><header><h2>{say("orders.title")}</h2><span class="note" id="orders-note"></span></header><div id="orders"></div></section>
</aside>
<section class="strip" id="strip" aria-label="{say("strip.label")}"></section>
"""


def _sense(say: Say) -> str:
    return f"""
<section class="card wide"><header><h2>{say("sense.connections")}</h2><span class="note" id="connections-note"></span></header>
  <div id="connections" class="scroll"></div></section>
<section class="card"><header><h2>{say("sense.latency")}</h2><span class="note" id="latency-note"></span></header>
  <div id="latency"></div></section>
<section class="card"><header><h2>{say("sense.hops")}</h2><span class="note"></span></header><div id="hops"></div></section>
<section class="card wide"><header><h2>{say("sense.gaps")}</h2><span class="note" id="gaps-note"></span></header>
  <div id="gaps" class="scroll"></div></section>
<section class="card wide"><header><h2>{say("sense.devices")}</h2><span class="note" id="devices-note"></span>
  <span class="tools"><label class="check"><input type="checkbox" id="trouble"> {say("sense.filter-trouble")}</label>
  <input type="search" id="find" placeholder="{say("sense.search")}" aria-label="{say("sense.search")}"></span></header>
  <div id="devices" class="scroll tall"></div></section>
"""


def _device(say: Say) -> str:
    return f"""
<section class="card wide" id="device-head"></section>
<section class="card trends"><header><h2>{say("device.trends")}</h2></header><div id="trends"></div></section>
<section class="card"><header><h2>{say("device.commands")}</h2></header><div id="doing"></div></section>
<section class="card wide"><header><h2>{say("device.points")}</h2><span class="note">{say("device.history")}</span>
  <span class="tools"><input type="search" id="find" placeholder="{say("device.search")}" aria-label="{say("device.search")}"></span></header>
  <div id="points" class="scroll tall"></div></section>
"""


def _history(say: Say) -> str:
    ranges = "".join(
        f'<button class="plain" data-range="{name}">{say(f"history.range-{name}")}</button>'
        for name in ("10min", "1h", "shift", "day")
    )
    return f"""
<aside class="card picker"><header><h2>{say("history.pick")}</h2></header>
  <input type="search" id="find" placeholder="{say("history.search")}" aria-label="{say("history.search")}">
  <div id="found" class="scroll"></div></aside>
<section class="card chart"><header class="bar"><span class="tools">{ranges}
  <label class="check"><input type="checkbox" id="follow"> {say("history.follow")}</label></span>
  <span class="note" id="chart-note" role="status"></span>
  <span class="tools"><a class="plain" id="csv" download>{say("history.export-csv")}</a>
  <a class="plain" id="parquet" download>{say("history.export-parquet")}</a></span></header>
  <div id="charts" role="img" aria-label="{say("history.chart")}"></div><div id="values"></div></section>
"""


BODIES: dict[str, Callable[[Say], str]] = {
    "overview": _overview,
    "sense": _sense,
    "device": _device,
    "decide": decide_body,
    "orders": orders_body,
    "act": act_body,
    "history": _history,
}
