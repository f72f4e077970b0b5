"""Measures the Decide page's chart: frames a second while it is panned, and what painting one frame takes.

`python -m bench.gantt --url http://127.0.0.1:18420` looks at a control room that runs; tests call ``measure`` themselves.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench import machine, sections

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
#: Pans to and fro as a hand would, both ways at once, and waits for the screen between two steps.
PAN = """async ({seconds, rows, span}) => {
  const gantt = document.getElementById('gantt').gantt;
  gantt.view.show(gantt.now(), span);
  while (gantt.density !== rows) gantt.denser();
  const paints = [], bars = [];
  const note = () => { paints.push(gantt.painted.ms); bars.push(gantt.painted.bars); };
  gantt.addEventListener('painted', note);
  const screen = () => new Promise((done) => requestAnimationFrame(done));
  gantt.draw(); await screen(); await screen();
  const first = paints.at(-1);
  paints.length = bars.length = 0;
  const began = performance.now();
  let frames = 0, way = 1;
  while (performance.now() - began < seconds * 1000) {
    if (frames % 60 === 59) way = -way;
    gantt.view.pan(-11 * way, -7 * way);
    gantt.moved();
    await screen();
    frames += 1;
  }
  const lasted = (performance.now() - began) / 1000;
  gantt.removeEventListener('painted', note);
  paints.sort((a, b) => a - b);
  return {frames: frames / lasted, first, median: paints[paints.length >> 1], worst: paints[Math.floor(paints.length * 0.95)],
          bars: bars.reduce((a, b) => a + b, 0) / bars.length, tasks: gantt.plan.size};
}"""
#: How the chart is looked at: seconds in sight, and which of the row heights.
LOOKS = {"shift": (6 * 3600, 0), "day": (26 * 3600, 0), "day, lowest rows": (26 * 3600, 2)}


@dataclass(frozen=True, slots=True)
class Panned:
    """What was seen while panning; painting times in wall ms, the worst is the 95th percentile, ``bars`` a frame's mean."""

    look: str
    tasks: int
    bars: float
    frames_per_s: float
    paint_ms: float
    paint_worst_ms: float


def measure(page: Page, seconds: float = 2.0) -> list[Panned]:
    """Pan the chart of a Decide page that is open and shows a plan, in each of the looks, ``seconds`` of wall time each."""
    found = []
    for name, (span, rows) in LOOKS.items():
        seen = page.evaluate(PAN, {"seconds": seconds, "span": span, "rows": rows})
        figures = seen["bars"], seen["frames"], seen["median"], seen["worst"]
        found.append(Panned(name, seen["tasks"], *(round(figure, 1) for figure in figures)))
    return found


def lines(panned: list[Panned]) -> list[str]:
    """One line a look."""
    return [
        f"{p.look}: {p.frames_per_s:.0f} frames/s of {p.tasks} tasks, {p.bars:.0f} bars a frame, "
        f"painted in {p.paint_ms:.1f} ms (95 %: {p.paint_worst_ms:.1f} ms)"
        for p in panned
    ]


def section(panned: list[Panned], measured_on: str) -> str:
    """The looks as a section of docs/benchmarks.md."""
    rows = [
        (
            p.look,
            f"{p.frames_per_s:.0f}",
            f"{p.bars:,.0f}",
            f"{p.paint_ms:.1f}",
            f"{p.paint_worst_ms:.1f}",
        )
        for p in panned
    ]
    head = ("look", "frames a second", "bars a frame", "painting, ms (median)", "ms (95 %)")
    tasks = max((p.tasks for p in panned), default=0)
    about = (
        f"The chart of {tasks:,} operations, panned in headless Chromium without a graphics card, 1600 x 900."
    )
    return "\n".join(
        ["## The plan on the screen", "", measured_on, "", about, "", *sections.table(head, rows), ""]
    )


def main() -> None:
    """Open the Decide page of a running control room and measure."""
    words = argparse.ArgumentParser(prog="python -m bench.gantt")
    words.add_argument("--url", default="http://127.0.0.1:18420")
    words.add_argument("--seconds", type=float, default=4.0)
    words.add_argument("--write", action="store_true", help="put the section into docs/benchmarks.md, too")
    words.add_argument("--output", type=Path, default=sections.PAGE, help="the page for --write")
    asked = words.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(f"{asked.url}/decide")
        page.wait_for_selector("#gantt[data-tasks]")
        panned = measure(page, asked.seconds)
        browser.close()
    print("\n".join(lines(panned)))
    if asked.write:
        on = machine.line(machine.about(), datetime.now(UTC).date())
        sections.put(section(panned, on), asked.output)


if __name__ == "__main__":
    main()
