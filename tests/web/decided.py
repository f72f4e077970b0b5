"""Decisions for a pretended brain: facts as the planner's own recorder makes them from two plans, and what came of them."""

from __future__ import annotations

import copy
from typing import Any

from tests.web.lab import Lab, run_apart
from tests.web.plans import kitchen_plan
from zhongshu.decide.planner.record import Decided, answered, improved, option
from zhongshu.decide.planner.trigger import Trigger
from zhongshu.kernel.clock import NS, load_clock
from zhongshu.kernel.config import load_access
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import add_decision
from zhongshu.kernel.wire import publish_event
from zhongshu.model.decisions import HOPS
from zhongshu.model.messages import DecisionMade, DemoStaged

#: Wall ms of the hops after the state word.
HOP_MS = dict(zip(HOPS, (0, 90, 330, 340, 450, 610, 640, 660, 800, 820, 860, 900, 1300), strict=True))


def put_breakdown(lab: Lab, *, decision: str = "", staged: bool = False) -> dict[str, Any]:
    """A machine broke down a moment ago, jobs moved to another one, and the search found something better since.

    Returns the facts of the answer, with its ``id`` and the ``unit``.
    """
    plant, clock = load_plant(lab.plant), load_clock(lab.data.clock_file)
    now_ns, wall_ns = clock.now_ns(), clock.wall_ns()
    before = kitchen_plan(plant, now_ns - 300 * NS, tasks=600, version=40) | {"course": {}, "gave_way": []}
    kpis = {
        "objective": 900_000.0,
        "moved": 5,
        "without_replan": {"weighted_tardiness_s": 9000, "objective": 1_100_000},
    }
    before["kpis"] |= kpis
    made, unit = _repaired(before)
    fact = {
        "unit": unit,
        "state": "ABORTED",
        "mode": "PRODUCTION",
        "previous_state": "EXECUTE",
        "t_ns": now_ns - 2 * NS,
    }
    marks = {hop: wall_ns - 2 * NS + ms * 1_000_000 for hop, ms in HOP_MS.items()}
    trigger = Trigger("breakdown", unit, fact, marks)
    answer = answered(trigger, before, made, {}, {})
    assert answer is not None
    better = improved(
        trigger, made, made | {"version": 42, "kpis": made["kpis"] | {"objective": 800_000.0}}, {}
    )
    name = decision or answer.id
    facts = dict(answer.facts) | {"follows": _follows(unit, marks), "first": _follows(unit, marks)}
    tried = option("improved", better.facts["options"][-1]) | {"moved": 3, "seconds": 5.0, "became": 42}
    facts["options"] = [*facts["options"], tried]  # as the desk writes it down once the search has ended
    store = Store(lab.data.store_url)
    with store.begin() as session:
        for one, found in ((Decided(name, "breakdown", unit, facts), facts), (better, better.facts)):
            shown = f"{one.id}.{now_ns}" if one is better else name
            add_decision(
                session, plant.id, shown, t_ns=now_ns, rule=one.rule, subject=one.subject, facts=found
            )
    store.close()
    told = DecisionMade(plant.id, "planner", now_ns, name, "breakdown", unit, 41)
    run_apart(
        _tell(
            lab,
            [*([DemoStaged(plant.id, "demo", now_ns - 3 * NS, "breakdown", unit)] if staged else []), told],
        )
    )
    return facts | {"id": name, "unit": unit}


def _repaired(before: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The plan after: what was planned on the busiest unit goes to another one, an order gets late by it."""
    made = copy.deepcopy(before) | {"version": 41, "course": {"order": []}}
    tasks = made["tasks"]
    planned = [k for k, status in enumerate(tasks["status"]) if status == "planned"]
    busy = max({tasks["unit"][k] for k in planned}, key=lambda u: sum(tasks["unit"][k] == u for k in planned))
    other = next(u for u in sorted({tasks["unit"][k] for k in planned}) if u != busy)
    for k in planned:
        if tasks["unit"][k] == busy:
            tasks["unit"][k] = other
    touched = made["orders"][tasks["order"][planned[0]]]
    touched["due"], touched["end"] = 1000, 4600
    before["orders"][tasks["order"][planned[0]]] |= {"due": 1000, "end": 900}
    return made, made["units"][busy]["id"]


def _follows(unit: str, marks: dict[str, int]) -> dict[str, Any]:
    hops = {hop: marks[hop] for hop in ("proposed", "sent", "accepted", "proven")}
    about = {"proposal": "job.1.0.0", "unit": unit, "verb": "START_JOB", "version": 41}
    return {**about, "command": 1, "status": "proven", "hops": hops}


async def _tell(lab: Lab, events: list[Any]) -> None:
    bus = await NatsBus.connect(load_access(lab.data.secrets), name="test")
    for event in events:
        await publish_event(bus, event)
    await bus.close()
