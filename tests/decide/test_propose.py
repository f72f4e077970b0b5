"""A command names what it goes by: the version of the plan where the plan has it so, else the rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.decide.planning.plants import NOW, idle, lot, order, plant_of
from zhongshu.decide.first_come import Move, Start
from zhongshu.decide.follow import PlanInForce
from zhongshu.decide.propose import Proposer
from zhongshu.decide.roads import Roads
from zhongshu.decide.vehicles import Charge
from zhongshu.decide.work import Lot, LotStatus, Work
from zhongshu.model.decisions import by_plan, by_rule, plan_of

PLAN = PlanInForce(
    {
        "version": 17,
        "origin_ns": NOW,
        "units": [{"id": "cut-1"}, {"id": "coat-1"}],
        "orders": [{"id": "W-1"}],
        "tasks": {"id": ["1:0", "1:1"], "unit": [0, 1], "start": [0, 60], "end": [50, 90], "order": [0, 0]},
    }
)


def proposed(choice: Any, work: Work, plan: PlanInForce | None) -> Any:
    made = Proposer(work, Roads(work.plant.roads), 1.0).propose(choice, NOW, plan)
    assert made is not None
    return made


def floor(**more: Any) -> tuple[Work, Lot]:
    work = idle(plant_of())
    order(work, "W-1")
    return work, lot(work, 1, "W-1", **more)


@pytest.mark.parametrize(
    ("unit", "plan", "decision", "reason"),
    [
        ("cut-1", PLAN, "plan 17", "planned_unit"),
        ("cut-2", PLAN, "rule first_come", "first_come_free_unit"),
        ("cut-1", None, "rule first_come", "first_come_free_unit"),
    ],
)
def test_a_start_goes_by_the_plan_only_where_the_plan_has_it(
    unit: str, plan: PlanInForce | None, decision: str, reason: str
) -> None:
    work, one = floor(status=LotStatus.PLANNED)
    made = proposed(Start(one, unit), work, plan)
    assert (made.decision, made.reason) == (decision, reason)


def test_a_lot_is_fetched_by_the_plan_for_its_next_step() -> None:
    work, one = floor(status=LotStatus.WAITING, place="cut-1", at_output=True, next_step=1, target="coat-1")
    vehicle = next(iter(work.vehicles))
    assert proposed(Move(one, vehicle, "cut-1", "coat-1"), work, PLAN).decision == "plan 17"


def test_charging_goes_by_a_rule() -> None:
    work, _ = floor()
    vehicle = next(iter(work.vehicles))
    choice = Charge(vehicle, work.plant.roads.nodes[-1].id)
    assert proposed(choice, work, PLAN).decision == "rule battery"


def test_what_a_command_goes_by_is_read_again() -> None:
    assert plan_of(by_plan(17)) == 17
    assert plan_of(by_rule("first_come")) == plan_of("") == plan_of("plan x") == 0
