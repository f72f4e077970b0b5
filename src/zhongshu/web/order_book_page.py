"""The frame of the order book's page: what waits for a person, the book, one order, the journal of corrections."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], str]
STATUSES = ("open", "received", "released", "held", "cancelling", "done", "cancelled", "all")


def orders_body(say: Say) -> str:
    """The page's own HTML; ``say`` gives texts escaped."""
    statuses = "".join(f'<option value="{s}">{say(f"book.status-{s}")}</option>' for s in STATUSES)
    return f"""
<section class="card wide" id="held-card" hidden><header><h2>{say("book.held-title")}</h2>
  <span class="note" id="held-note"></span></header><div id="held" class="scroll"></div></section>
<section class="card o-book"><header><h2>{say("book.title")}</h2><span class="note" id="book-note" role="status"></span>
  <span class="tools"><button class="plain primary" type="button" id="order-new">{say("book.new")}</button>
  <button class="plain" type="button" id="order-import">{say("book.import")}</button>
  <a class="plain" id="book-csv" href="/api/orders/export.csv" download>{say("book.export-csv")}</a>
  <a class="plain" id="book-xml" href="/api/orders/performance.xml" download title="{say("book.export-xml-hint")}">{say("book.export-xml")}</a>
  <a class="plain" href="/decide">{say("book.to-plan")}</a></span></header>
  <div class="o-filter"><input type="search" id="find" placeholder="{say("book.search")}" aria-label="{say("book.search")}">
  <select id="status" aria-label="{say("table.state")}">{statuses}</select>
  <label class="check"><input type="checkbox" id="late"> {say("book.only-late")}</label></div>
  <div id="book" class="scroll"></div>
  <div class="o-pages" id="pages" hidden><button class="plain" type="button" id="before">← {say("book.before")}</button>
  <span class="note" id="page-note"></span><button class="plain" type="button" id="after">{say("book.after")} →</button></div></section>
<aside class="card o-one" id="one" aria-label="{say("book.one")}" aria-live="polite"></aside>
<section class="card" id="stock-card" hidden><header><h2>{say("book.stock-title")}</h2>
  <span class="note">{say("book.stock-note")}</span></header><div id="stock" class="scroll tall"></div></section>
<section class="card o-journal"><header><h2>{say("book.journal")}</h2><span class="note">{say("book.journal-note")}</span></header>
  <div id="journal" class="scroll tall"></div></section>
<p class="unseen" id="book-said" role="status"></p>
"""
