"""Machines that rest: ovens that cool and must be heated, presses that sleep and wake, maintenance on request; and the bill for it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.decide.policies.scene import plant
from zhongshu.kernel.clock import NS, VirtualClock
from zhongshu.model.commands import Call, Outcome, Result, Verb
from zhongshu.model.states import UnitMode, UnitState
from zhongshu.twin.floor import Floor
from zhongshu.twin.lots import Where
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.timing import TICK_NS
from zhongshu.twin.twin import Twin

START_NS = 1_767_225_600 * NS
HOUR = 3600.0
#: No chance; an oven of 130 kW that loses half of it when hot, and cools with a time constant of an hour.
TRUTH = TwinTruth.model_validate(
    {
        "machines": {
            "cycle_factor": 1.0,
            "cycle_spread": 0.0,
            "scrap": 0.0,
            "mtbf_h": 0.0,
            "micro_stop_min": 0.0,
            "wear_life_h": 1e6,
            "maintenance_min": 20,
            "wake_factor": 1.0,
        },
        "types": {"oven": {"power_idle": 0.5, "cool_h": 1.0}},
    }
)
FULL_KW, HOT_KW, HALL_C = 130.0, 65.0, 24.0


class Hall:
    """The floor with a stopwatch."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.floor = Floor(plant(), TRUTH, 1, START_NS, lambda k, _, f: self.events.append({"kind": k, **f}))
        self.key = 0

    def wait(self, seconds: float) -> None:
        self.floor.advance(self.floor.now_ns + round(seconds * NS))

    def kwh(self, unit: str) -> float:
        self.floor.machines[unit].settle()
        return self.floor.machines[unit].energy_kwh

    def celsius(self, unit: str = "oven-1") -> float:
        rest: Any = self.floor.machines[unit].rest
        return float(rest.celsius(self.floor.now_ns))

    def set(self, unit: str, point: str, value: float) -> Result:
        return self.floor.written(unit, point, value).result

    def start(self, unit: str, lot: int, operation: int) -> Result:
        self.key += 1
        args = {"lot": lot, "product": 1, "operation": operation, "quantity": 4}
        return self.floor.called(Call(unit, Verb.START_JOB, self.key, args)).result

    def stamped(self, number: int, unit: str = "oven-1") -> None:
        """A lot in front of the oven."""
        stock = self.floor.shop.stock
        stock.move(stock.create(number, 1, 4, unit), Where.INPUT, unit)
        stock.lots[number].done = 1

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [e for e in self.events if e["kind"] == kind]


def test_an_oven_that_nobody_sets_back_stays_hot_and_pays_for_it() -> None:
    hall = Hall()
    hall.wait(4 * HOUR)
    assert hall.celsius() == 200.0
    assert hall.kwh("oven-1") == pytest.approx(4 * HOT_KW)
    hall.stamped(1)
    assert hall.start("oven-1", 1, 20) is Result.OK
    hall.wait(5)
    assert hall.floor.machines["oven-1"].state is UnitState.EXECUTE
    assert not hall.of("unready")


def test_a_set_back_oven_cools_by_its_losses_and_draws_nothing_until_it_is_there() -> None:
    hall = Hall()
    assert hall.set("oven-1", "chamber_temperature_set", 60.0) is Result.OK
    hall.wait(HOUR / 2)
    assert hall.celsius() == pytest.approx(HALL_C + 176 * math.exp(-0.5))
    assert hall.kwh("oven-1") == 0.0
    hall.wait(2 * HOUR)
    assert hall.celsius() == 60.0
    there_h = math.log(176 / 36)
    assert hall.kwh("oven-1") == pytest.approx(HOT_KW * 36 / 176 * (2.5 - there_h))


def test_heat_is_not_made_from_nothing() -> None:
    """Once it is hot again, all that a set-back saved is losses that did not happen."""
    hall, held = Hall(), Hall()
    hall.set("oven-1", "chamber_temperature_set", 60.0)
    hall.wait(3 * HOUR)
    hall.set("oven-1", "chamber_temperature_set", 200.0)
    hall.wait(3 * HOUR)
    held.wait(6 * HOUR)
    assert hall.celsius() == 200.0
    saved = held.kwh("oven-1") - hall.kwh("oven-1")
    # Losses go with the distance to the hall, so what is saved is the area between the two temperatures.
    end_c = HALL_C + FULL_KW / (HOT_KW / 176)
    up_h, down_h = math.log((end_c - 60) / (end_c - 200)), math.log(176 / 36)
    lower = (
        176 * down_h
        - (200 - 60)
        + 140 * (3 - down_h)
        + (200 - end_c) * up_h
        + (end_c - 60) * (1 - math.exp(-up_h))
    )
    assert saved == pytest.approx(HOT_KW / 176 * lower)


def test_a_job_on_a_cold_oven_heats_it_and_waits() -> None:
    hall = Hall()
    hall.set("oven-1", "chamber_temperature_set", 60.0)
    hall.wait(3 * HOUR)
    hall.stamped(1)
    assert hall.start("oven-1", 1, 20) is Result.OK
    end_c = HALL_C + FULL_KW / (HOT_KW / 176)
    needed_s = 3600 * math.log((end_c - 60) / (end_c - 197))
    assert hall.of("unready") == [{"kind": "unready", "unit": "oven-1", "wait_s": round(needed_s)}]
    machine = hall.floor.machines["oven-1"]
    assert machine.setpoints["chamber_temperature_set"] == 200.0
    hall.wait(needed_s - 1)
    assert machine.state is UnitState.STARTING and machine.power_kw == FULL_KW
    hall.wait(2)
    assert machine.state is UnitState.EXECUTE and hall.celsius() >= 197.0
    hall.wait(300)
    assert machine.job is not None and machine.job.good == 4


def test_an_oven_is_not_set_back_under_a_load() -> None:
    hall = Hall()
    hall.stamped(1)
    hall.start("oven-1", 1, 20)
    hall.wait(10)
    assert hall.set("oven-1", "chamber_temperature_set", 60.0) is Result.BUSY
    assert hall.set("oven-1", "chamber_temperature_set", 210.0) is Result.OK  # another recipe is no set-back


def test_a_sleeping_press_draws_little_and_a_surprise_waits_for_it() -> None:
    hall = Hall()
    hall.wait(HOUR)
    idle_kwh = hall.kwh("press-1")
    hall.set("press-1", "standby_set", 1.0)
    hall.wait(HOUR)
    assert hall.kwh("press-1") - idle_kwh == pytest.approx(idle_kwh * 0.05 / 0.22)
    assert hall.start("press-1", 1, 10) is Result.OK
    machine = hall.floor.machines["press-1"]
    assert machine.setpoints["standby_set"] == 0.0
    hall.wait(179)
    assert machine.state is UnitState.STARTING
    hall.wait(2)
    assert machine.state is UnitState.EXECUTE
    assert [e["wait_s"] for e in hall.of("unready")] == [180]


def test_a_press_that_was_woken_in_time_begins_at_once() -> None:
    hall = Hall()
    hall.set("press-1", "standby_set", 1.0)
    hall.wait(HOUR)
    hall.set("press-1", "standby_set", 0.0)
    hall.wait(181)
    hall.start("press-1", 1, 10)
    hall.wait(2)
    assert hall.floor.machines["press-1"].state is UnitState.EXECUTE and not hall.of("unready")


def test_a_press_that_was_woken_too_late_makes_its_job_wait_for_the_rest() -> None:
    hall = Hall()
    hall.set("press-1", "standby_set", 1.0)
    hall.wait(HOUR)
    hall.set("press-1", "standby_set", 0.0)
    hall.wait(100)
    hall.start("press-1", 1, 10)
    assert [e["wait_s"] for e in hall.of("unready")] == [80]


def test_maintenance_on_request_comes_when_the_job_is_done_and_ends_with_new_parts() -> None:
    hall = Hall()
    machine = hall.floor.machines["press-1"]
    machine.wear = 0.5
    hall.start("press-1", 1, 10)
    hall.wait(10)
    assert hall.set("press-1", "service_set", 1.0) is Result.OK
    hall.wait(100)
    assert machine.state is UnitState.EXECUTE
    hall.wait(200)
    assert machine.mode is UnitMode.MAINTENANCE
    hall.wait(20 * 60)
    assert machine.mode is UnitMode.PRODUCTION and machine.state is UnitState.IDLE
    assert machine.wear == 0.0 and machine.setpoints.get("service_set", 0.0) == 0.0
    assert len(hall.of("maintained")) == 1
    hall.set("press-1", "service_set", 1.0)
    hall.wait(5)
    assert machine.mode is UnitMode.MAINTENANCE  # an idle one goes at once


@pytest.mark.parametrize("unit", ["oven-1", "press-1"])
def test_how_often_somebody_looks_changes_nothing(unit: str) -> None:
    point, rest, work = (
        ("standby_set", 1.0, 0.0) if unit == "press-1" else ("chamber_temperature_set", 60.0, 200.0)
    )
    ends = []
    for step in (7.0, 600.0):
        hall = Hall()
        hall.set(unit, point, rest)
        for _ in range(round(3600 / step)):
            hall.wait(step)
            hall.kwh(unit)
        hall.wait(START_NS / NS + 3600 - hall.floor.now_ns / NS)
        hall.set(unit, point, work)
        hall.wait(100)
        machine = hall.floor.machines[unit]
        ends.append(
            (
                hall.kwh(unit),
                machine.rest.ready_in_ns(hall.floor.now_ns),
                machine.rest.dump(hall.floor.now_ns),
            )
        )
    assert ends[0][1:] == ends[1][1:] and ends[0][0] == pytest.approx(ends[1][0], rel=1e-12)


def test_a_snapshot_keeps_heat_and_sleep() -> None:
    hall = Hall()
    hall.set("oven-1", "chamber_temperature_set", 60.0)
    hall.set("press-1", "standby_set", 1.0)
    hall.set("press-2", "standby_set", 1.0)
    hall.wait(600)
    hall.set("press-2", "standby_set", 0.0)
    hall.wait(60)
    state = json.loads(json.dumps(hall.floor.dump()))
    again = Floor(plant(), TRUTH, 1, hall.floor.now_ns + 86_400 * NS)
    again.restore(state)
    assert json.loads(json.dumps(again.dump())) == state
    hall.wait(1000)
    again.advance(again.now_ns + 1000 * NS)
    for name, machine in hall.floor.machines.items():
        there = again.machines[name]
        assert there.power_kw == pytest.approx(machine.power_kw), name
        assert there.rest.ready_in_ns(again.now_ns) == pytest.approx(
            machine.rest.ready_in_ns(hall.floor.now_ns), abs=1000
        )


def test_what_the_brain_measures_is_what_the_machine_draws() -> None:
    twin = Twin(plant(), TRUTH, VirtualClock(START_NS), 1)
    index = {p.path.rsplit("/", 2)[1] + "/" + p.name: i for i, p in enumerate(twin.plant.points)}
    at = {name: index[name] for name in ("oven-1/power", "oven-1/chamber_temperature", "press-1/power")}

    passed = 0.0

    def look(seconds: float) -> dict[str, float]:
        nonlocal passed
        passed += seconds
        twin.tick((START_NS + round(passed * NS)) // TICK_NS, everything=True)
        return {name: float(twin.scan.current[i]) for name, i in at.items()}

    look(1)
    hot = look(600)
    assert hot["oven-1/power"] == pytest.approx(HOT_KW, abs=4) and hot["press-1/power"] == pytest.approx(
        14.3, abs=2
    )
    assert hot["oven-1/chamber_temperature"] == pytest.approx(200, abs=12)
    twin.floor.written("oven-1", "chamber_temperature_set", 60.0)
    twin.floor.written("press-1", "standby_set", 1.0)
    for _ in range(40):
        cold = look(60)
    assert cold["oven-1/power"] < 6 and cold["press-1/power"] < 6
    assert cold["oven-1/chamber_temperature"] == pytest.approx(HALL_C + 176 * math.exp(-2400 / 3600), abs=14)


def test_a_refused_write_says_why() -> None:
    hall = Hall()
    hall.stamped(1)
    hall.start("oven-1", 1, 20)
    answer = hall.floor.written("oven-1", "chamber_temperature_set", 60.0)
    assert answer.outcome is Outcome.REFUSED and "1" in answer.reason
