"""A machine breaks down under a whole brain with its planner: the decision on record is what really happened, hop by hop."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from tests.loop.rehearsal import Rehearsal
from tests.twin.small import EXACT, small_plant
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.planner import Planner
from zhongshu.kernel.store.decisions import decisions
from zhongshu.kernel.store.tables import Command, CommandStep, Decision, WorkOrder
from zhongshu.kernel.virtual import run
from zhongshu.model.decisions import HOPS, plan_of
from zhongshu.model.states import UnitState

#: Each time the same work, and a plan that is followed by the clock of the rehearsal.
PACE = Pace(gather_s=0.5, urgent_s=0.1, period_s=20.0, work=50, rules_s=60.0)
NS = 1_000_000_000


async def broken_press(it: Rehearsal) -> Planner:
    """Trays for both presses are planned; one press breaks down while it has work; everything is made in the end."""
    planner = Planner(it.plant, it.bus, it.store, it.clock, PACE)
    planning = asyncio.create_task(planner.run())
    try:
        await it.forward(5.0)
        for _ in range(8):
            it.order("tray", 8, due_h=1.0)
        await it.forward(12.0)
        unit = _busy(it)
        it.fault("breakdown", unit)
        await it.until_done(6.0)
        await it.forward(5.0)
    finally:
        planning.cancel()
        await asyncio.gather(planning, return_exceptions=True)
    return planner


def _busy(it: Rehearsal) -> str:
    """The press that was given a job last."""
    with it.store.read() as session:
        jobs = select(Command).where(Command.verb == "START_JOB", Command.unit.in_(["press-1", "press-2"]))
        return session.scalars(jobs.order_by(Command.key.desc())).first().unit  # type: ignore[union-attr]


def rows(it: Rehearsal, *rules: str) -> list[Decision]:
    with it.store.read() as session:
        return decisions(session, it.plant.id, rules=rules, limit=500)


def test_a_breakdown_is_followed_from_the_state_word_to_the_proof() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 3) as it:
            planner = await broken_press(it)
            [answer] = [
                row
                for row in rows(it, "breakdown")
                if row.facts["trigger"]["state"] == UnitState.ABORTED.name
            ]
            hops = answer.facts["hops"]
            assert set(hops) == set(HOPS)
            assert all(hops[a] <= hops[b] for a, b in pairwise(HOPS)), hops
            assert hops["proven"] - hops["measured"] < 60 * NS, (
                "wall time, though the plant runs 20 times as fast"
            )
            first = answer.facts["first"]
            assert plan_of(_decision(it, first["command"])) == first["version"] >= answer.facts["version"]
            steps = _steps(it, first["command"])
            for hop in ("sent", "accepted", "proven"):
                assert abs(steps[hop] - hops[hop]) < 1000, hop
            figures = planner.figures()["reaction"]
            assert figures["decisions"] >= 1
            assert figures["since_measured_ms"]["proven"]["n"] >= 1

    run(play)


def test_what_was_expected_is_held_against_what_came() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 4) as it:
            await broken_press(it)
            with it.store.read() as session:
                assert {order.status for order in session.scalars(select(WorkOrder))} == {"done"}
            named = [row for row in rows(it) if row.facts["orders"]]
            assert named
            for row in named:
                assert not row.facts["open"], row.id
                assert row.facts["actual"]["done"] == len(row.facts["orders"])
                for order in row.facts["orders"]:
                    assert order["status"] == "done"
                    assert order["actual_ns"] > row.t_ns

    run(play)


def test_every_command_names_the_plan_or_the_rule_it_goes_by() -> None:
    async def play() -> None:
        async with Rehearsal(small_plant(), EXACT, 5) as it:
            await broken_press(it)
            with it.store.read() as session:
                named = [command.decision for command in session.scalars(select(Command))]
            kinds = {decision.partition(" ")[0] for decision in named}
            assert kinds == {"plan", "rule"} or kinds == {"plan"}
            assert sum(bool(plan_of(decision)) for decision in named) > len(named) / 2

    run(play)


def _decision(it: Rehearsal, key: int) -> str:
    with it.store.read() as session:
        return session.get_one(Command, key).decision


def _steps(it: Rehearsal, key: int) -> dict[str, Any]:
    with it.store.read() as session:
        found = session.scalars(select(CommandStep).where(CommandStep.command == key))
        return {step.status: step.wall_ns for step in found}
