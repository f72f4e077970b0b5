"""Each rule alone: these facts, this advice; and silence where it has nothing to say."""

from __future__ import annotations

import pytest

from tests.decide.policies.scene import Scene, plant
from zhongshu.decide.policies import ALL, Advice, Ask, Load, Policy, PolicyError, Remake, Wait
from zhongshu.decide.work import Hold, LotStatus


def said(name: str, scene: Scene, **settings: float) -> list[Advice]:
    return list(ALL[name](settings).advise(scene.facts()))


# --- preheat


def test_an_oven_is_set_back_in_a_long_gap_and_left_hot_in_a_short_one() -> None:
    scene = Scene()
    scene.planned("7:1", "oven-1", in_min=120)
    scene.planned("8:1", "oven-2", in_min=44)
    assert said("preheat", scene) == [Ask("oven-1", "chamber_temperature_set", 60.0, "set_back_in_gap")]


def test_a_gap_is_never_too_short_to_cool_and_to_come_back() -> None:
    scene = Scene()
    scene.planned("7:1", "oven-1", in_min=47)  # twice 20 min, and 8 early
    scene.planned("8:1", "oven-2", in_min=49)
    assert [a.unit for a in said("preheat", scene, gap_min=10) if isinstance(a, Ask)] == ["oven-2"]


def test_an_oven_in_local_mode_is_not_heated_either() -> None:
    scene = Scene()
    scene.values["oven-1", "chamber_temperature_set"] = 60.0
    scene.values["oven-1", "chamber_temperature"] = 60.0
    scene.planned("7:1", "oven-1", in_min=10)
    assert len(said("preheat", scene)) == 1
    scene.work.states["oven-1"] = ("IDLE", "LOCAL")
    assert said("preheat", scene) == []


def test_an_oven_is_heated_as_late_as_its_own_temperature_allows() -> None:
    scene = Scene()
    for oven in ("oven-1", "oven-2"):
        scene.values[oven, "chamber_temperature_set"] = 60.0
        scene.planned(f"{7 if oven == 'oven-1' else 8}:1", oven, in_min=20)
    scene.values["oven-1", "chamber_temperature"] = 60.0  # 20 min nominal, and 8 early
    scene.values["oven-2", "chamber_temperature"] = 150.0  # 7 min, and 8 early
    assert said("preheat", scene) == [
        Ask("oven-1", "chamber_temperature_set", 200.0, "heat_for_planned_load")
    ]
    assert len(said("preheat", scene, early_min=15)) == 2


def test_a_lot_that_the_plan_does_not_know_wakes_the_oven_it_was_given_to() -> None:
    scene = Scene()
    scene.values["oven-1", "chamber_temperature_set"] = 60.0
    scene.lot(1, target="oven-1", next_step=1, status=LotStatus.MOVING)
    assert [a.value for a in said("preheat", scene) if isinstance(a, Ask)] == [200.0]


def test_without_a_plan_an_oven_rests_when_it_had_nothing_to_do_for_long() -> None:
    scene = Scene()
    scene.idle_min = {"oven-1": 61, "oven-2": 59}
    assert [a.unit for a in said("preheat", scene) if isinstance(a, Ask)] == ["oven-1"]


@pytest.mark.parametrize("spoiled", ["busy", "lot in front", "local", "unknown", "running"])
def test_preheat_is_silent_about_an_oven_that(spoiled: str) -> None:
    scene = Scene()
    scene.planned("7:1", "oven-1", in_min=300)
    scene.planned("8:1", "oven-2", in_min=10)
    match spoiled:
        case "busy":
            scene.work.states["oven-1"] = ("EXECUTE", "PRODUCTION")
        case "lot in front":
            scene.waits(1, "oven-1", 1)
        case "local":
            scene.work.states["oven-1"] = ("IDLE", "LOCAL")
        case "unknown":
            del scene.values["oven-1", "chamber_temperature_set"]
        case "running":
            scene.lot(1, target="oven-1", next_step=1, status=LotStatus.STARTING)
    assert said("preheat", scene) == []


# --- standby


def test_a_machine_sleeps_in_a_gap_and_wakes_ahead_of_its_work() -> None:
    scene = Scene()
    scene.planned("7:0", "press-1", in_min=30)
    scene.planned("8:0", "press-2", in_min=6.9)
    scene.values["press-2", "standby_set"] = 1.0
    assert said("standby", scene) == [
        Ask("press-1", "standby_set", 1.0, "sleep_in_gap"),
        Ask("press-2", "standby_set", 0.0, "wake_for_planned_work"),
    ]


def test_a_machine_is_let_be_where_the_gap_is_short_or_its_sleep_goes_on() -> None:
    scene = Scene()
    scene.planned("7:0", "press-1", in_min=13)
    scene.planned("8:0", "press-2", in_min=8)
    scene.values["press-2", "standby_set"] = 1.0
    assert said("standby", scene) == []


def test_ovens_do_not_sleep_and_machines_are_not_heated() -> None:
    scene = Scene()
    scene.idle_min = dict.fromkeys(("press-1", "press-2", "oven-1", "oven-2"), 600)
    assert {a.unit for a in said("standby", scene) if isinstance(a, Ask)} == {"press-1", "press-2"}
    assert {a.unit for a in said("preheat", scene) if isinstance(a, Ask)} == {"oven-1", "oven-2"}


# --- maintenance


def test_a_worn_machine_goes_to_maintenance_in_a_gap_that_is_long_enough() -> None:
    scene = Scene()
    scene.values["press-1", "wear"] = 85.0
    scene.planned("7:0", "press-1", in_min=36)
    assert said("maintenance", scene) == [Ask("press-1", "service_set", 1.0, "maintenance_in_gap")]
    scene.tasks[0] = ("7:0", "press-1", 34, 10)
    assert said("maintenance", scene) == []


def test_maintenance_asks_the_most_worn_and_leaves_one_of_the_type_at_work() -> None:
    scene = Scene()
    scene.idle_min = {"press-1": 60, "press-2": 60}
    scene.values["press-1", "wear"], scene.values["press-2", "wear"] = 82.0, 95.0
    assert [a.unit for a in said("maintenance", scene) if isinstance(a, Ask)] == ["press-2"]
    scene.values["press-2", "service_set"] = 1.0
    scene.work.states["press-2"] = ("STOPPED", "MAINTENANCE")
    assert said("maintenance", scene) == []


def test_maintenance_is_silent_about_what_is_not_worn_not_idle_or_already_asked() -> None:
    scene = Scene()
    scene.idle_min = {"press-1": 60, "press-2": 60}
    scene.values["press-1", "wear"] = 79.0
    scene.values["press-2", "wear"] = 99.0
    scene.waits(1, "press-2", 0)
    assert said("maintenance", scene) == []
    assert said("maintenance", scene, at_once=1, worn_percent=70) == [
        Ask("press-1", "service_set", 1.0, "maintenance_in_gap")
    ]
    scene.values["press-1", "service_set"] = 1.0
    assert said("maintenance", scene, worn_percent=70) == []


def test_a_machine_that_does_something_is_not_asked_whatever_the_plan_says() -> None:
    scene = Scene()
    scene.values["press-1", "wear"] = 95.0
    scene.planned("7:0", "press-1", in_min=300)
    assert len(said("maintenance", scene)) == 1
    scene.work.states["press-1"] = ("SUSPENDED", "PRODUCTION")
    assert said("maintenance", scene) == []


def test_one_that_was_asked_counts_as_away_before_it_goes() -> None:
    scene = Scene()
    scene.idle_min = {"press-1": 60}
    scene.values["press-1", "wear"] = 95.0
    scene.values["press-2", "service_set"] = 1.0
    assert said("maintenance", scene, at_once=1) == []
    assert len(said("maintenance", scene, at_once=2)) == 1


def test_wear_that_was_measured_before_the_parts_were_changed_is_not_believed() -> None:
    scene = Scene()
    scene.idle_min = {"press-1": 60}
    scene.values["press-1", "wear"] = 95.0
    scene.age_min = {("press-1", "wear"): 9, ("press-1", "service_set"): 8}  # it was asked, and is back
    assert said("maintenance", scene) == []
    scene.age_min["press-1", "wear"] = 7
    assert len(said("maintenance", scene)) == 1


# --- peak


def peak_scene(kw: float) -> Scene:
    scene = Scene()
    scene.load = Load(kw=kw, kwh=kw / 8, left_s=450)  # half of the quarter is over
    scene.waits(1, "press-1", 0)
    scene.waits(2, "oven-1", 1, "W-2")
    return scene


def test_what_would_lift_the_load_above_the_cap_waits_the_largest_first() -> None:
    assert said("peak", peak_scene(500), cap_kw=600) == []
    assert said("peak", peak_scene(530), cap_kw=600) == [Wait("oven-1", "load_above_cap")]
    assert said("peak", peak_scene(580), cap_kw=600) == [
        Wait("press-1", "load_above_cap"),
        Wait("oven-1", "load_above_cap"),
    ]


def test_the_quarter_of_an_hour_counts_not_the_moment() -> None:
    scene = peak_scene(600)
    scene.load = Load(kw=600, kwh=20, left_s=450)  # little was drawn before
    assert said("peak", scene, cap_kw=600) == []


def test_nobody_in_a_hurry_and_nobody_who_waited_long_waits() -> None:
    scene = peak_scene(580)
    scene.work.orders["W-1"].due_ns = scene.facts().now_ns  # due
    scene.waiting_min = {"oven-1": 21}
    assert said("peak", scene, cap_kw=600) == []
    scene = peak_scene(580)
    scene.work.orders["W-1"].priority = 1
    assert said("peak", scene, cap_kw=600) == [Wait("oven-1", "load_above_cap")]


def test_without_a_cap_peak_says_nothing_and_the_plants_own_cap_counts() -> None:
    assert said("peak", peak_scene(1e6)) == []
    capped = Scene(plant("planning: {cap_kw: 600}\n"))
    capped.load = Load(kw=580, kwh=580 / 8, left_s=450)
    capped.waits(1, "press-1", 0)
    assert said("peak", capped) == [Wait("press-1", "load_above_cap")]


def test_a_cold_oven_that_is_needed_soon_waits_with_its_heating() -> None:
    scene = Scene()
    scene.load = Load(kw=580, kwh=580 / 8, left_s=450)
    scene.values["oven-1", "chamber_temperature_set"] = 60.0
    scene.planned("7:1", "oven-1", in_min=20)
    assert said("peak", scene, cap_kw=600) == [Wait("oven-1", "load_above_cap")]


# --- rework


def test_rejects_beyond_what_the_order_can_bear_are_made_again() -> None:
    scene = Scene()
    scene.order("W-1", 40)
    scene.order("W-2", 40)
    for number in range(10):
        scene.lot(number + 1, "W-1")
        scene.lot(number + 11, "W-2")
    scene.work.lots[1].good, scene.work.lots[2].good = 2, 3  # 3 of 40
    scene.work.lots[11].good = 2  # 2 of 40, which is 5 %
    assert said("rework", scene) == [Remake("W-1", 3, "rejects_beyond_tolerance")]


def test_what_is_stored_or_asked_for_already_is_not_missing() -> None:
    scene = Scene()
    order = scene.order("W-1", 8)
    order.done = 4
    scene.lot(1, status=LotStatus.STORED)
    lot = scene.lot(2)
    assert said("rework", scene) == []
    lot.good = 1
    assert said("rework", scene) == [Remake("W-1", 3, "rejects_beyond_tolerance")]
    scene.work.grown.append(("W-1", 3))
    assert said("rework", scene) == []


def test_nothing_is_made_again_for_an_order_that_is_cancelled_or_lost_a_lot() -> None:
    scene = Scene()
    scene.order("W-1", 8).status = "cancelling"
    scene.lot(1, good=1, hold=Hold.CANCELLED)
    assert said("rework", scene) == []
    scene.order("W-2", 8)
    scene.lot(3, "W-2")
    scene.work.lost.append(scene.lot(2, "W-2", good=0, status=LotStatus.CANCELLED))
    assert said("rework", scene) == []


# --- settings


def test_a_setting_that_there_is_not_is_told_with_the_one_meant() -> None:
    with pytest.raises(PolicyError, match=r"policies.preheat.gap_mn: .* did you mean 'gap_min'"):
        ALL["preheat"]({"gap_mn": 3})
    with pytest.raises(PolicyError, match=r"policies.peak.cap_kw: 'much' is no number of at least 0"):
        ALL["peak"]({"cap_kw": "much"})
    with pytest.raises(PolicyError, match=r"policies.standby.gap_min: True is no number"):
        ALL["standby"]({"gap_min": True})


@pytest.mark.parametrize("kind", ALL.values(), ids=lambda kind: kind.name)
def test_every_policy_says_what_it_is_for(kind: type[Policy]) -> None:
    assert kind.__doc__ and kind.name == kind.name.lower()
    assert all(s.meaning and s.default >= s.low for s in kind.SETTINGS.values())
    assert not list(kind().advise(Scene().facts()))  # a plant where all is well
