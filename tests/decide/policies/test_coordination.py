"""Advice becomes proposals: nothing twice while it is open, nothing for who waits, nothing lost when a rule fails."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.decide.policies.scene import MIN_NS, NOW_NS, Scene, plant
from zhongshu.decide.policies import ALL, Advice, Ask, Facts, Policy, Remake, Wait, coordination
from zhongshu.decide.policies.coordination import Coordination
from zhongshu.decide.policies.measured import Meter
from zhongshu.kernel.clock import NS
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.store import Store
from zhongshu.model.batch import Batch
from zhongshu.model.messages import CommandChanged, Proposed

STEP_NS = 30 * NS


class Says(Policy):
    """Whatever it was told to say."""

    name = "says"

    def __init__(self, *advice: Advice) -> None:
        super().__init__()
        self.advice = advice

    def advise(self, facts: Facts) -> Iterator[Advice]:
        yield from self.advice


class Fails(Says):
    """Says something, then breaks."""

    name = "fails"

    def advise(self, facts: Facts) -> Iterator[Advice]:
        yield from self.advice
        raise ZeroDivisionError("by zero")


class Desk:
    """A Coordination with its own clock and values that a test writes."""

    def __init__(self, *policies: Policy) -> None:
        store = Store("sqlite://")
        store.migrate()
        self.plant = assign_ids(plant(), store)
        self.scene = Scene(self.plant)
        self.latest = Latest(self.plant)
        self.ids = {(p.unit, p.name): p.id for p in self.plant.points}
        self.coordination = Coordination(self.plant, self.latest, policies)
        self.now_ns, self.seq = NOW_NS, 0
        for (unit, point), value in self.scene.values.items():
            self.measure(unit, point, value)

    def measure(self, unit: str, point: str, value: float, quality: int = 0) -> None:
        self.seq += 1
        one = np.array([self.ids[unit, point]], np.int32)
        at, worth = np.array([self.now_ns], np.int64), np.array([value], np.float64)
        self.latest.update(Batch("heat", "test", self.seq, 0, one, at, worth, np.array([quality], np.uint8)))

    def look(self) -> list[Proposed]:
        self.now_ns += STEP_NS
        return self.coordination.look(self.scene.work, self.scene.facts().plan, self.now_ns)

    def end(self, proposed: Proposed, status: str) -> None:
        self.coordination.hear(
            CommandChanged(
                "heat", "act", self.now_ns, 1, proposed.proposal, proposed.unit, proposed.verb, status, "", ""
            )
        )


SLEEP = Ask("press-1", "standby_set", 1.0, "sleep_in_gap")
WAKE = Ask("press-1", "standby_set", 0.0, "wake_for_planned_work")


def test_an_ask_becomes_a_command_like_any_other() -> None:
    desk = Desk(Says(SLEEP))
    (proposed,) = desk.look()
    assert (proposed.unit, proposed.verb, proposed.decision) == ("press-1", "SET_PARAMETER", "says")
    assert (proposed.reason, proposed.subject) == ("sleep_in_gap", "unit:press-1")
    assert json.loads(proposed.args) == {"point": desk.ids["press-1", "standby_set"], "value": 1.0}
    assert proposed.expires_ns > desk.now_ns


def test_nothing_is_asked_twice_while_it_is_open_nor_when_it_is_so_already() -> None:
    desk = Desk(Says(SLEEP))
    (first,) = desk.look()
    assert desk.look() == []
    for status in ("approved", "sent", "accepted", "unknown"):
        desk.end(first, status)
        assert desk.look() == []
    desk.measure("press-1", "standby_set", 1.0)
    desk.end(first, "proven")
    assert desk.look() == []
    desk.measure("press-1", "standby_set", 0.0)
    assert len(desk.look()) == 1


@pytest.mark.parametrize("status", ["refused", "expired", "failed"])
def test_what_came_to_nothing_is_tried_again_after_a_pause(status: str) -> None:
    desk = Desk(Says(SLEEP))
    (first,) = desk.look()
    desk.end(first, status)
    assert [len(desk.look()) for _ in range(4)] == [0, 0, 0, 1]


def test_of_two_that_ask_for_opposites_the_first_is_heard() -> None:
    desk = Desk(Says(SLEEP), Says(WAKE))
    assert [json.loads(p.args)["value"] for p in desk.look()] == [1.0]


def test_who_waits_is_not_woken_but_may_go_to_rest() -> None:
    desk = Desk(Says(Wait("press-1", "load_above_cap"), WAKE))
    desk.measure("press-1", "standby_set", 1.0)
    assert desk.look() == [] and desk.coordination.waiting == {"press-1": "load_above_cap"}
    desk = Desk(Says(Wait("press-1", "load_above_cap"), SLEEP))
    assert len(desk.look()) == 1


def test_a_unit_waits_no_longer_than_somebody_says_so() -> None:
    says = Says(Wait("press-1", "load_above_cap"))
    desk = Desk(says)
    desk.look()
    says.advice = ()
    desk.look()
    assert desk.coordination.waiting == {}


def test_pieces_are_made_again_once() -> None:
    desk = Desk(ALL["rework"]())
    desk.scene.order("W-1", 8)
    desk.scene.lot(1)
    desk.scene.lot(2, good=1)
    desk.look()
    desk.look()
    assert desk.scene.work.grown == [("W-1", 3)]


def test_a_plant_is_not_switched_in_one_stroke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordination, "ASKS_MOST", 2)
    ovens = [Ask(unit, "chamber_temperature_set", 60.0, "x") for unit in ("oven-1", "oven-2")]
    desk = Desk(Says(SLEEP, *ovens))
    assert [len(desk.look()) for _ in range(3)] == [2, 1, 0]


def test_a_unit_is_asked_one_thing_at_a_time() -> None:
    desk = Desk(Says(SLEEP, Ask("press-1", "service_set", 1.0, "maintenance_in_gap")))
    (first,) = desk.look()
    assert first.reason == "sleep_in_gap" and desk.look() == []
    desk.measure("press-1", "standby_set", 1.0)
    desk.end(first, "proven")
    assert [p.reason for p in desk.look()] == ["maintenance_in_gap"]


def test_a_rule_that_fails_stops_no_other_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(Fails(SLEEP), Says(Ask("press-2", "standby_set", 1.0, "x")))
    with caplog.at_level(logging.ERROR):
        assert [p.unit for p in desk.look()] == ["press-1", "press-2"]
        desk.look()
    assert [r.message for r in caplog.records] == ["policy 'fails' failed: ZeroDivisionError: by zero"]


@pytest.mark.parametrize(
    "ask",
    [
        Ask("press-9", "standby_set", 1.0, "x"),
        Ask("press-1", "power", 1.0, "x"),
        Ask("pack", "nothing", 1, "x"),
    ],
)
def test_what_can_not_be_written_is_not_proposed_but_told(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert Desk(Says(ask)).look() == []
    assert f"{ask.unit} has no set-point {ask.point!r}" in caplog.text


def test_nothing_is_made_for_an_order_that_nobody_knows() -> None:
    desk = Desk(Says(Remake("W-9", 3, "x"), Remake("W-1", 0, "x")))
    desk.scene.order("W-1")
    desk.look()
    assert desk.scene.work.grown == []


def test_values_that_are_not_good_are_not_known() -> None:
    desk = Desk(ALL["preheat"]())
    desk.scene.planned("7:1", "oven-1", in_min=300)
    assert len(desk.look()) == 1
    other = Desk(ALL["preheat"]())
    other.scene.planned("7:1", "oven-1", in_min=300)
    other.measure("oven-1", "chamber_temperature_set", 200.0, quality=2)
    assert other.look() == []


def test_idleness_is_counted_from_its_begin_and_ends_with_work() -> None:
    desk = Desk(ALL["standby"]({"unknown_min": 2}))
    assert [len(desk.look()) for _ in range(5)] == [0, 0, 0, 0, 2]
    busy: Any = Desk(ALL["standby"]({"unknown_min": 2}))
    for turn in range(8):
        busy.scene.work.states["press-1"] = ("EXECUTE" if turn % 3 == 0 else "IDLE", "PRODUCTION")
        assert "press-1" not in [p.unit for p in busy.look()]


def test_the_meter_adds_up_a_quarter_of_an_hour_and_begins_the_next_at_nothing() -> None:
    desk = Desk()
    meter = Meter(desk.plant, desk.latest)
    desk.measure("oven-1", "power", 100.0)
    desk.measure("press-1", "power", 20.0)
    assert meter.read(NOW_NS).kw == 120.0
    later = meter.read(NOW_NS + 5 * MIN_NS)
    assert later.kwh == pytest.approx(10.0) and later.left_s == 600
    assert later.mean_kw() == pytest.approx(120.0) and later.mean_kw(30) == pytest.approx(140.0)
    after = meter.read(NOW_NS + 16 * MIN_NS)
    assert after.kwh == pytest.approx(2.0) and after.left_s == 840
