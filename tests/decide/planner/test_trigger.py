"""What the planner answers: facts of units and jobs, and nothing that changes nothing."""

from __future__ import annotations

import pytest

from tests.decide.planner.desks import two_lines
from tests.decide.planning.plants import NOW
from zhongshu.decide.planner.trigger import JobTriggers, Trigger, UnitTriggers, gravest
from zhongshu.kernel.clock import NS, ScaledClock
from zhongshu.model.messages import CommandChanged, JobProgressed, StateChanged

CLOCK = ScaledClock(origin_wall_ns=NOW, origin_plant_ns=NOW, speed=10.0)
VEHICLE = two_lines().vehicles[0].id


def said(unit: str, state: str, mode: str = "PRODUCTION", before: str = "EXECUTE") -> StateChanged:
    at_ns = NOW + 100 * NS
    return StateChanged(
        "small", "t", at_ns, unit, state, mode, before, "PRODUCTION", NOW + 10 * NS + 5, NOW + 10 * NS + 9
    )


@pytest.mark.parametrize(
    ("unit", "state", "mode", "kind"),
    [
        ("coat-1", "ABORTED", "PRODUCTION", "breakdown"),
        ("coat-1", "UNDEFINED", "UNDEFINED", "breakdown"),
        ("coat-1", "IDLE", "MANUAL", "mode"),
        (VEHICLE, "UNDEFINED", "PRODUCTION", "vehicle"),
    ],
)
def test_what_takes_a_unit_away_is_answered_once(unit: str, state: str, mode: str, kind: str) -> None:
    triggers = UnitTriggers(two_lines(), CLOCK)
    found = triggers.of(said(unit, state, mode))
    assert found is not None
    assert (found.kind, found.subject) == (kind, unit)
    assert found.fact["t_ns"] == NOW + 100 * NS
    assert triggers.of(said(unit, state, mode)) is None
    back = triggers.of(said(unit, "IDLE", before=state))
    assert back is not None
    assert back.kind == "back"


def test_marks_are_wall_time_at_any_plant_speed() -> None:
    found = UnitTriggers(two_lines(), CLOCK).of(said("coat-1", "ABORTED"))
    assert found is not None
    assert found.marks["measured"] == NOW + 10 * NS, "100 s of plant time at ten times the speed"
    assert found.marks["received"] == NOW + 10 * NS + 5
    assert found.marks["said"] == NOW + 10 * NS + 9


def test_a_unit_that_fell_silent_was_measured_by_nobody() -> None:
    found = UnitTriggers(two_lines(), CLOCK).of(said("coat-1", "UNDEFINED"))
    assert found is not None
    assert found.marks.keys() == {"said", "heard"}


def test_a_state_that_takes_nothing_away_is_no_trigger() -> None:
    triggers = UnitTriggers(two_lines(), CLOCK)
    assert triggers.of(said("coat-1", "SUSPENDED")) is None
    assert triggers.of(said("coat-1", "IDLE", before="SUSPENDED")) is None
    assert UnitTriggers(two_lines(), CLOCK).of(said("coat-1", "IDLE", before="ABORTED")) is not None


PLAN = {"origin_ns": NOW, "tasks": {"id": ["4:1", "5:0"], "end": [1000, 500]}}


def ended(key: int, at_s: int, good: int = 20, scrap: int = 0, state: str = "DONE") -> JobProgressed:
    return JobProgressed("small", "t", NOW + at_s * NS, "coat-1", key, state, good, scrap)


def ordered(key: int, proposal: str) -> CommandChanged:
    return CommandChanged("small", "act", NOW, key, proposal, "coat-1", "START_JOB", "proposed", "", "lot:4")


@pytest.mark.parametrize(
    ("at_s", "good", "scrap", "kind"),
    [(1000, 20, 0, ""), (1299, 20, 1, ""), (1300, 20, 0, "late"), (700, 20, 0, "early"), (1000, 18, 2, "reject"), (1000, 0, 9, "reject")],
)  # fmt: skip
def test_a_job_off_the_plan_or_full_of_scrap_is_answered(at_s: int, good: int, scrap: int, kind: str) -> None:
    triggers = JobTriggers(CLOCK)
    triggers.ordered(ordered(77, "job.4.1.0"))
    assert triggers.of(ended(77, at_s - 1, state="RUNNING"), PLAN) is None
    found = triggers.of(ended(77, at_s, good, scrap), PLAN)
    assert (found.kind if found else "") == kind
    if found is not None:
        assert found.fact["task"] == "4:1"
        assert found.fact["off_s"] == (0 if kind == "reject" else at_s - 1000)


def test_a_job_nobody_planned_is_early_nor_late() -> None:
    triggers = JobTriggers(CLOCK)
    triggers.ordered(ordered(78, "move.4.1.0.5"))
    assert triggers.of(ended(78, 9000), PLAN) is None
    assert triggers.of(ended(79, 9000), None) is None


def test_the_gravest_gives_the_name() -> None:
    kinds = ["orders", "back", "vehicle", "late", "people"]
    chosen = gravest([Trigger(kind) for kind in kinds])
    assert chosen is not None
    assert chosen.kind == "vehicle"
    assert gravest([]) is None
