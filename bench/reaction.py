"""`python -m bench.reaction`: machines of a running demo break down; how long until the plan is mended and the floor follows it.

Everything is seen from outside: events as they come over the bus, answers over HTTP, the planner's own times in its health.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, sections
from bench.plant import health_of, start, started, stop, web_url
from zhongshu.cli.attach import Attached, attach
from zhongshu.kernel.clock import monotonic_s
from zhongshu.kernel.wire import decode_event
from zhongshu.model import subjects
from zhongshu.model.messages import CommandChanged, Event, Proposed, SchedulePublished, StateChanged
from zhongshu.twin.control import ask as ask_twin

TITLE = "## A machine breaks down in the running demo"
#: Wall seconds: until the plant has settled, most between two breakdowns, the longest wait for what follows one.
SETTLE_S, BETWEEN_S, WAIT_S = 45.0, 12.0, 30.0
DOWN = ("ABORTED", "STOPPED", "ABORTING", "STOPPING")
#: The steps of `Times` of the planner, as its health tells them.
STEPS = ("read", "build", "repair", "save")


@dataclass(frozen=True, slots=True)
class Reaction:
    """Wall seconds from the state word: the repaired plan is published, then the first command proposed since is accepted
    by its device, then the first is proven. ``tasks`` are in that plan, ``rerouted`` went elsewhere; ``planner_ms`` by step."""

    unit: str
    tasks: int
    published_s: float
    accepted_s: float
    proven_s: float
    planner_ms: dict[str, float]


@dataclass(slots=True)
class Watched:
    """What happened, and how long quotes took over HTTP."""

    speed: float
    missed: list[str] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    quotes_s: list[float] = field(default_factory=list)


class _Events:
    """Everything on the bus since this was made, with the moment in which it came."""

    def __init__(self, here: Attached) -> None:
        self._here = here
        self.seen: list[tuple[float, Event]] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        async for message in self._here.bus.replay(subjects.EVENTS, after=-1):
            event = decode_event(message.subject, message.payload)
            if event is not None:
                self.seen.append((monotonic_s(), event))
                self._news.set()

    async def first(self, since: int, wanted: Callable[[Event], bool]) -> tuple[int, float, Any]:
        """(place, moment, event) of the first one from a place on; raises TimeoutError."""
        async with asyncio.timeout(WAIT_S):
            while True:
                self._news.clear()
                for k in range(since, len(self.seen)):
                    if wanted(self.seen[k][1]):
                        return k, *self.seen[k]
                since = len(self.seen)
                await self._news.wait()


async def watch(folder: Path, speed: float, breakdowns: int, quotes: int, seed: int) -> Watched:
    """Start a demo, let so many machines break down, ask for so many quotes, stop it."""
    watched, draw = Watched(speed), random.Random(seed)
    process = start(folder, speed)
    try:
        await started(folder, process)
        await asyncio.sleep(SETTLE_S)
        async with attach(folder / "data") as here:
            events = _Events(here)
            listening = asyncio.create_task(events.run())
            await asyncio.sleep(1.0)
            for _ in range(breakdowns):
                await _one(folder, events, watched, draw)
                await asyncio.sleep(draw.uniform(2, BETWEEN_S))
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        for _ in range(quotes):
            watched.quotes_s.append(await asyncio.to_thread(_quote, folder, draw))
    finally:
        stop(process)
    return watched


async def _one(folder: Path, events: _Events, watched: Watched, draw: random.Random) -> None:
    unit = draw.choice(await asyncio.to_thread(_busy_units))
    since = len(events.seen)
    said = await asyncio.to_thread(
        ask_twin, folder / "data", {"op": "fault", "kind": "breakdown", "target": unit, "value": None}
    )
    if not said.get("ok"):
        watched.missed.append(f"{unit}: the twin refused")
        return
    try:
        down, seen_s, _ = await events.first(
            since, lambda e: isinstance(e, StateChanged) and e.unit == unit and e.state in DOWN
        )
        plan, published_s, made = await events.first(
            down, lambda e: isinstance(e, SchedulePublished) and e.cause == "breakdown"
        )
        step = await events.first(plan, _new_command(plan, events, ("accepted", "proven")))
        proof = await events.first(plan, _new_command(plan, events, ("proven",)))
    except TimeoutError:
        watched.missed.append(f"{unit}: nothing followed within {WAIT_S:g} s")
        return
    told = (await health_of(folder))["planner"]
    watched.reactions.append(
        Reaction(
            unit,
            made.tasks,
            published_s - seen_s,
            step[1] - seen_s,
            proof[1] - seen_s,
            {step: float(told[f"{step}_ms"] or 0) for step in STEPS},
        )
    )
    print(watched.reactions[-1], flush=True)


def _new_command(since: int, events: _Events, statuses: tuple[str, ...]) -> Callable[[Event], bool]:
    """A step of a command that was proposed after that place of the stream."""

    def wanted(event: Event) -> bool:
        if not isinstance(event, CommandChanged) or event.status not in statuses:
            return False
        new = (e for _, e in events.seen[since:] if isinstance(e, Proposed))
        return any(e.proposal == event.proposal for e in new)

    return wanted


def _busy_units() -> list[str]:
    """Machines that have something to do in the next hour of the plan in force."""
    plan = _get("/api/plan/live")
    tasks = plan["tasks"]
    soon = [u for u, start in zip(tasks["unit"], tasks["start"], strict=True) if 0 <= start < 3600]
    return sorted({plan["units"][u]["id"] for u in soon})


def _quote(folder: Path, draw: random.Random) -> float:
    """Wall seconds of one answer over HTTP."""
    products = sorted({order["product"] for order in _get("/api/plan/live")["orders"]})
    token = (folder / "data" / "secrets" / "api.token").read_text(encoding="utf-8").strip()
    question = {"what": "quote", "product": draw.choice(products), "quantity": 40, "by": "bench"}
    began_s = monotonic_s()
    _get("/api/plan/ask", question, token)
    return monotonic_s() - began_s


def _get(path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(
        web_url() + path,
        data=data,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def section(watched: Watched, measured_on: str) -> str:
    """The section as Markdown."""
    found = watched.reactions
    rows = [
        ("repaired plan published", *_spread([r.published_s for r in found])),
        ("first command since accepted by its device", *_spread([r.accepted_s for r in found])),
        ("first command since proven by measured values", *_spread([r.proven_s for r in found])),
    ]
    steps = [
        (name, *_spread([r.planner_ms[step] / 1000 for r in found]))
        for step, name in zip(
            STEPS,
            ("reading the measured state", "building the problem", "repair and check", "putting in force"),
            strict=True,
        )
    ]
    least, most = min(r.tasks for r in found), max(r.tasks for r in found)
    return "\n".join(
        [
            TITLE,
            "",
            measured_on,
            "",
            f"`zhongshu demo --speed {watched.speed:g}`: 284 devices on their real protocols, {least:,} to {most:,} open tasks in "
            f"the plan. {len(found) + len(watched.missed)} machines that had work in the next hour broke down one after the "
            f"other; {len(watched.missed)} times something did not follow{_missed(watched)}. Wall seconds, counted from the "
            "moment in which the breakdown was seen in the machine's state word:",
            "",
            *sections.table(("until", "median", "p95", "most"), rows),
            "",
            "What the planner did in that time:",
            "",
            *sections.table(("step", "median", "p95", "most"), steps),
            "",
            f"{len(watched.quotes_s)} due dates quoted over HTTP in the same demo, in wall seconds:",
            "",
            *sections.table(
                ("", "median", "p95", "most"), [("a quote with its reason", *_spread(watched.quotes_s))]
            ),
            "",
        ]
    )


def _missed(watched: Watched) -> str:
    return f" ({'; '.join(watched.missed)})" if watched.missed else ""


def _spread(values: Sequence[float]) -> tuple[str, str, str]:
    """Median, 95th percentile (the value that so many do not exceed), the most."""
    of = sorted(values)
    at = (len(of) // 2, -(-95 * len(of) // 100) - 1, len(of) - 1)
    return tuple(f"{of[k]:.3f}" if of[k] < 0.2 else f"{of[k]:.2f}" for k in at)  # type: ignore[return-value]


def main() -> None:
    """Measure and put the section into docs/benchmarks.md."""
    words = argparse.ArgumentParser(prog="python -m bench.reaction")
    words.add_argument("--speed", type=float, default=10.0)
    words.add_argument("--breakdowns", type=int, default=20)
    words.add_argument("--quotes", type=int, default=10)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--output", type=Path, default=sections.PAGE)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhongshu-bench-") as folder:
        watched = asyncio.run(watch(Path(folder), asked.speed, asked.breakdowns, asked.quotes, asked.seed))
    if not watched.reactions or not watched.quotes_s:
        raise SystemExit(f"nothing followed: {'; '.join(watched.missed)}")
    text = section(watched, machine.line(machine.about(), datetime.now(UTC).date()))
    sections.put(text, asked.output)
    print(text)


if __name__ == "__main__":
    main()
