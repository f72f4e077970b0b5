"""The frame of the Act page: the story, what the brain does now, decisions, vehicles, one order, commands, as places to draw in."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], str]
#: The parts of the page in their order, for its own short navigation.
PARTS = ("decisions", "vehicles", "path", "commands")


def act_body(say: Say) -> str:
    """The page's own HTML; ``say`` gives texts escaped."""
    parts = "".join(f'<a href="#{part}-card">{say(f"act.to-{part}")}</a>' for part in PARTS)
    return f"""
<nav class="a-parts" aria-label="{say("act.parts")}">{parts}</nav>
<section class="story wide" id="story" role="status" aria-live="polite" aria-label="{say("story.label")}" hidden></section>
<section class="card a-now"><header><h2>{say("now.title")}</h2></header><div id="now" role="status" aria-live="off"></div></section>
<section class="card a-reaction"><header><h2>{say("reaction.title")}</h2></header><div id="reaction"></div></section>
<section class="card wide" id="approvals-card" hidden><header><h2>{say("approvals.title")}</h2><span class="note" id="approvals-note" role="status"></span>
  <span class="tools" id="approvals-tools"></span></header><div id="approvals" class="scroll"></div></section>
<section class="card wide" id="ladder-card" hidden><header><h2>{say("ladder.title")}</h2><span class="note" id="ladder-note" role="status"></span>
  <span class="tools" id="ladder-tools"></span></header><div id="ladder"></div></section>
<section class="card a-list" id="decisions-card"><header><h2>{say("decided.title")}</h2><span class="note" id="decisions-note"></span>
  <span class="tools" id="decisions-tools"></span></header><div id="decisions" class="scroll"></div></section>
<section class="card a-one" aria-label="{say("decided.one")}"><header><h2>{say("decided.one")}</h2></header>
  <div id="decision" class="scroll" tabindex="0"></div></section>
<section class="card a-map" id="vehicles-card"><header><h2>{say("mission.title")}</h2><span class="note" id="vehicles-note"></span></header>
  <div class="floor-view" id="floor-view"><canvas id="floor" tabindex="0" role="img" aria-label="{say("map.label")}"></canvas>
  <div class="tip" id="tip" role="tooltip" hidden></div></div></section>
<section class="card a-vehicles" aria-label="{say("mission.table")}"><header><h2>{say("mission.table")}</h2>
  <span class="note">{say("mission.hint")}</span></header><div id="vehicles" class="scroll"></div></section>
<section class="card wide" id="path-card"><header><h2>{say("path.title")}</h2><span class="tools">
  <label>{say("orders.id")} <input type="search" id="order" list="order-list" placeholder="{say("path.find")}"></label>
  <datalist id="order-list"></datalist></span></header><div id="path"></div></section>
<section class="card wide" id="commands-card"><header><h2>{say("act.commands")}</h2><span class="note" id="act-note"></span>
  <span class="tools"><select id="status" aria-label="{say("table.state")}"></select>
  <input type="search" id="find" placeholder="{say("act.filter-unit")}" aria-label="{say("act.filter-unit")}">
  <input type="search" id="of-order" list="order-list" placeholder="{say("act.filter-order")}" aria-label="{say("act.filter-order")}"></span></header>
  <div id="life" class="a-life" role="status" hidden></div><div id="commands" class="scroll full"></div></section>
"""
