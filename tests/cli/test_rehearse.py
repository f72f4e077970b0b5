"""`zhongshu rehearse`: the kitchen plant in virtual time, by rules and by the planner; the same seed gives the same day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zhongshu.cli.rehearsal.policies import POLICIES
from zhongshu.cli.rehearse import Asked, rehearse
from zhongshu.decide.policies import PolicyError

KITCHEN = Path(__file__).parents[2] / "plants" / "kitchen" / "plant.yaml"


def played(capsys: pytest.CaptureFixture[str], policy: str, hours: float = 0.1) -> dict[str, Any]:
    assert rehearse(Asked(KITCHEN, hours, 3, policy, as_json=True)) == 0
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    return figures


@pytest.mark.parametrize(
    "policy",
    [p if p == "first-come" else pytest.param(p, marks=pytest.mark.long) for p in POLICIES],
)
def test_every_policy_sets_the_plant_to_work(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = played(capsys, policy)
    assert found["policy"] == policy and found["orders"] >= 58
    assert found["commands_proven"] > 20 and found["commands_unknown"] == 0
    assert found["energy_cost"] > 0 and found["energy_kwh"] > 50 and found["wip_mean"] > 1
    assert found["peak_kw"] == 0, "no quarter of an hour is over yet"
    assert (found["plans"] > 0) == POLICIES[policy].plans


@pytest.mark.long
def test_the_same_seed_gives_the_same_day(capsys: pytest.CaptureFixture[str]) -> None:
    def told() -> dict[str, Any]:
        found = played(capsys, "brain", 0.1)
        return {name: value for name, value in found.items() if name not in ("took_s", "times_real")}

    assert told() == told()


def test_figures_say_which_coordination_ran_and_which_was_switched_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = Asked(KITCHEN, 0.01, 3, "brain", as_json=True, without=("standby",))  # over before the first plan
    assert rehearse(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["without"] == ["standby"]
    assert "preheat" in found["coordination"] and "standby" not in found["coordination"]
    assert "standby" not in found["asked"]


def test_rules_are_rehearsed_without_coordination(capsys: pytest.CaptureFixture[str]) -> None:
    """What they are compared with is the brain as a whole."""
    assert played(capsys, "earliest-due", 0.01)["coordination"] == []


def test_a_coordination_policy_that_there_is_not_is_told() -> None:
    with pytest.raises(PolicyError, match="no policy 'standbye' to do without; did you mean 'standby'"):
        rehearse(Asked(KITCHEN, 0.1, 3, "first-come", as_json=True, without=("standbye",)))


def test_a_policy_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(SystemExit, match="there is no policy 'luck': first-come"):
        rehearse(Asked(KITCHEN, 1.0, 1, "luck", as_json=True))
