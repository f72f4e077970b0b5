"""When a unit is needed next, as far as plan and floor tell."""

from __future__ import annotations

import math

import pytest

from tests.decide.policies.scene import Scene
from zhongshu.decide.policies import Load
from zhongshu.decide.work import LotStatus


def spare_min(scene: Scene, unit: str = "press-1") -> float:
    return scene.facts().spare_s(unit) / 60


def test_nobody_knows_without_a_plan_and_without_a_lot() -> None:
    assert math.isinf(spare_min(Scene()))


def test_the_earliest_planned_start_that_has_not_begun_counts() -> None:
    scene = Scene()
    scene.lot(1, target="press-1", next_step=0, status=LotStatus.RUNNING)
    scene.lot(2, target="oven-1", next_step=1, status=LotStatus.WAITING)
    scene.planned("1:0", "press-2", in_min=-5)  # runs
    scene.planned("2:0", "press-2", in_min=2)  # over
    scene.planned("3:0", "press-2", in_min=40)  # not on the floor yet
    scene.planned("4:0", "press-2", in_min=60)
    assert spare_min(scene, "press-2") == 40


def test_what_is_overdue_is_needed_now_and_what_is_forgotten_is_not() -> None:
    scene = Scene()
    scene.lot(1, next_step=0)
    scene.planned("1:0", "press-1", in_min=-30)
    scene.planned("9:0", "press-2", in_min=-30)  # of an order that is closed
    assert spare_min(scene) == 0
    assert math.isinf(spare_min(scene, "press-2"))


def test_a_lot_on_its_way_is_needed_when_it_is_planned_there_else_at_once() -> None:
    scene = Scene()
    scene.lot(1, target="press-1", next_step=0, status=LotStatus.MOVING)
    assert spare_min(scene) == 0
    scene.planned("1:0", "press-1", in_min=25)
    assert spare_min(scene) == 25
    scene.tasks[0] = ("1:0", "press-1", -25, 10)
    assert spare_min(scene) == 0
    scene.tasks[0] = ("1:0", "press-2", 25, 10)  # planned elsewhere, but sent here
    assert spare_min(scene) == 0


def test_lots_that_are_held_or_over_are_not_coming() -> None:
    scene = Scene()
    scene.lot(1, target="press-1", status=LotStatus.HELD)
    scene.lot(2, target="press-1", status=LotStatus.CONSUMED)
    assert list(scene.facts().coming("press-1")) == [] and math.isinf(spare_min(scene))


def test_the_load_of_a_quarter_if_it_stays_so() -> None:
    assert Load(kw=100, kwh=0, left_s=900).mean_kw() == pytest.approx(100)
    assert Load(kw=100, kwh=25, left_s=0).mean_kw(50) == pytest.approx(100)
    assert Load(kw=0, kwh=12.5, left_s=450).mean_kw(100) == pytest.approx(100)
