"""The frame of the Decide page: bar, chart, table and side panel as places in which the browser's modules draw."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], str]


def decide_body(say: Say) -> str:
    """The page's own HTML; ``say`` gives texts escaped."""
    return f"""
<div class="d-bar" role="toolbar" aria-label="{say("plan.bar")}">{_grouping(say)}{_zoom(say)}{_versions(say)}</div>
<section class="d-pane" aria-label="{say("plan.chart")}">
  <div class="d-notice" id="plan-notice" role="status" hidden></div>
  <div class="d-view" id="gantt-view">
    <canvas id="gantt" tabindex="0" role="application" aria-roledescription="{say("plan.role")}"
      aria-label="{say("plan.chart")}" aria-describedby="plan-keys"></canvas>
    <div class="tip" id="tip" role="tooltip" hidden></div><div class="d-state" id="plan-state" role="status"></div></div>
  <div class="d-phone" id="phone"></div>
  <section class="d-effect" id="effect" role="status" aria-label="{say("edit.effect")}" hidden></section>
  <section class="d-drawer" id="drawer" aria-label="{say("plan.table")}" hidden>
    <header><h2>{say("plan.table")}</h2><span class="note" id="task-count" role="status"></span><span class="tools">
      <input type="search" id="task-find" placeholder="{say("plan.table-find")}" aria-label="{say("plan.table-find")}">
      <a class="plain" id="task-csv" download>{say("history.export-csv")}</a></span></header>
    <div class="scroll" id="task-rows" tabindex="0"></div></section>
  <footer class="legend d-legend" id="gantt-legend"></footer>
  <p class="unseen" id="plan-keys">{say("plan.keys")}</p><p class="unseen" id="plan-said" role="status"></p>
</section>
<aside class="d-side">
  <section><header><h2 id="chosen-title"></h2><span class="note" id="chosen-note"></span></header><div id="chosen"></div></section>
  <section><header><h2>{say("replan.title")}</h2><span class="note" id="replan-note"></span></header><div id="replan"></div></section>
  <section><header><h2>{say("version.compare")}</h2><span class="note" id="plan-made"></span></header><div id="compare"></div></section>
  <section><header><h2>{say("quote.title")}</h2></header><div id="quote"></div></section>
</aside>
"""


def _button(name: str, text: str, hint: str, more: str = "") -> str:
    return f'<button class="plain" type="button" id="{name}" title="{hint}" aria-label="{hint}" {more}>{text}</button>'


def _grouping(say: Say) -> str:
    ways = "".join(
        f'<button class="plain" type="button" data-by="{way}" aria-pressed="false">{say(f"plan.by-{way}")}</button>'
        for way in ("unit", "order", "vehicle")
    )
    return f"""<span class="d-group" role="group" aria-label="{say("plan.by")}">{ways}</span>
<select id="area" aria-label="{say("table.area")}"></select>
<input type="search" id="find" list="order-list" placeholder="{say("plan.find")}" aria-label="{say("plan.find")}">
<datalist id="order-list"></datalist>"""


def _zoom(say: Say) -> str:
    spans = "".join(
        f'<button class="plain" type="button" data-span="{span}">{say(f"plan.span-{span}")}</button>'
        for span in ("hour", "shift", "day")
    )
    return f"""<span class="d-group d-zoom" role="group" aria-label="{say("plan.zoom")}">{spans}
{_button("zoom-out", "−", say("plan.zoom-out"))}{_button("zoom-in", "+", say("plan.zoom-in"))}
{_button("to-now", say("plan.now"), say("plan.to-now"))}{_button("denser", "≡", say("plan.denser"))}</span>
{_button("as-table", say("plan.as-table"), say("plan.as-table"), 'aria-pressed="false"')}"""


def _versions(say: Say) -> str:
    return f"""<span class="push"></span><span class="d-group d-tabs" id="tabs" role="group" aria-label="{say("version.tabs")}"></span>
<span class="d-group"><button class="plain" type="button" id="new-what-if" disabled>{say("version.new")}</button>
<button class="plain" type="button" id="undo" hidden>{say("version.undo")}</button>
<button class="plain primary" type="button" id="release" disabled>{say("version.release")}</button></span>"""
