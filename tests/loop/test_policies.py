"""What each policy is worth on the twin: the same day with it and without, and what it costs where it costs something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.decide.policies.scene import TEXT
from zhongshu.cli.rehearsal.harness import Played, play
from zhongshu.decide.policies import ALL, Ask, Facts, Policy
from zhongshu.decide.policies.preheat import Preheat
from zhongshu.twin.settings import TwinTruth

#: No chance but that of the customer and of durations.
CALM = {"mtbf_h": 0, "scrap": 0.0, "micro_stop_min": 0}
OVEN = {"power_idle": 0.5, "cool_h": 0.6}


class NeverHeats(Preheat):
    """A bad one: sets ovens back and forgets them."""

    name = "never-heats"

    def advise(self, facts: Facts) -> Iterator[Ask]:
        yield from (ask for ask in super().advise(facts) if ask.reason == "set_back_in_gap")


@cache
def plant_file(stamp_s: int = 60) -> Path:
    path = Path(mkdtemp()) / "plant.yaml"
    path.write_text(TEXT.replace("stamp: {cycle_s: 60,", f"stamp: {{cycle_s: {stamp_s},"), encoding="utf-8")
    return path


def day(
    *policies: Policy, machines: Any = None, types: Any = None, customer: Any = None, **how: Any
) -> Played:
    stamp_s = how.pop("stamp_s", 60)
    truth = TwinTruth.model_validate(
        {"machines": CALM | (machines or {}), "types": types or {}, "customer": customer or {}}
    )
    found = play(plant_file(stamp_s), policies, truth=truth, speed=how.pop("speed", 120.0), **how)
    assert found.figures["commands_unknown"] == 0
    return found


def waited_s(played: Played) -> int:
    """How long jobs waited for heat, or for machines to wake."""
    return sum(e.fields["wait_s"] for e in played.of("unready"))


def test_preheat_saves_a_fifth_and_loads_find_a_warm_oven_which_setting_back_alone_does_not_give() -> None:
    customer = {"burst": 2, "orders_per_h": 0.8, "lots_max": 1, "due_min_h": 3, "due_max_h": 8}
    how = {"types": {"oven": OVEN}, "customer": customer, "stamp_s": 450}
    how |= {"run_by": "brain", "seed": 2, "hours": 6, "speed": 60.0}
    held, heated, bad = day(**how), day(ALL["preheat"](), **how), day(NeverHeats(), **how)
    assert waited_s(held) == 0 == held.figures["cold_starts"]
    assert heated.figures["energy_kwh"] < 0.8 * held.figures["energy_kwh"]
    assert heated.figures["orders_done"] == held.figures["orders_done"] > 3
    assert waited_s(heated) < 300 < 1500 < waited_s(bad)
    assert heated.figures["asked"]["preheat"] >= 4


def test_standby_saves_power_and_pays_with_waking() -> None:
    customer = {"burst": 3, "orders_per_h": 1, "lots_max": 2, "due_min_h": 3, "due_max_h": 8}
    how = {"customer": customer, "seed": 2, "hours": 6}
    awake, asleep = day(**how), day(ALL["standby"](), **how)
    assert asleep.figures["energy_kwh"] < 0.97 * awake.figures["energy_kwh"]
    assert asleep.figures["orders_done"] == awake.figures["orders_done"] > 3
    assert (
        awake.figures["cold_starts"] == 0 < asleep.figures["cold_starts"]
    )  # nobody plans here: surprises wait


@pytest.mark.long
def test_maintenance_comes_when_it_was_asked_for_not_when_the_machine_is_worn_out() -> None:
    customer = {
        "burst": 1,
        "orders_per_h": 0.7,
        "lots_min": 2,
        "lots_max": 3,
        "due_min_h": 1.2,
        "due_max_h": 1.6,
    }
    how = {
        "machines": {"maintenance_min": 20},
        "types": {"press": {"wear_life_h": 1.2}},
        "customer": customer,
    }
    how |= {"stamp_s": 240, "seed": 4, "hours": 12}
    left, asked = day(**how), day(ALL["maintenance"]({"worn_percent": 50, "unknown_min": 5}), **how)
    by_itself = asked.figures["maintenances"] - asked.figures["asked"]["maintenance"]
    assert by_itself <= left.figures["maintenances"] / 2
    assert asked.figures["maintenances"] > left.figures["maintenances"]  # parts are changed before their time


@pytest.mark.long
def test_peak_stays_nearer_to_the_cap_and_orders_come_later() -> None:
    customer = {"burst": 6, "orders_per_h": 2, "lots_max": 3, "due_min_h": 4, "due_max_h": 8}
    how = {"types": {"oven": OVEN}, "customer": customer, "seed": 2, "hours": 4}
    free, capped = day(**how), day(ALL["peak"]({"cap_kw": 230}), **how)
    assert capped.figures["peak_kw"] < 0.9 * free.figures["peak_kw"]
    assert capped.figures["orders_done"] <= free.figures["orders_done"]
    assert capped.figures["wip_mean"] > free.figures["wip_mean"]


@pytest.mark.long
def test_rework_delivers_what_was_ordered_and_makes_more_for_it() -> None:
    customer = {"burst": 4, "orders_per_h": 1, "lots_max": 4, "due_min_h": 2, "due_max_h": 6}
    how = {"machines": {"scrap": 0.08}, "customer": customer, "seed": 2, "hours": 6}
    short, whole = day(**how), day(ALL["rework"](), **how)
    assert whole.figures["pieces_short"] < short.figures["pieces_short"] / 3
    assert whole.figures["energy_kwh"] > short.figures["energy_kwh"]


@pytest.mark.parametrize("policies", [(), ("preheat", "standby")])
def test_the_same_seed_gives_the_same_day(policies: tuple[str, ...]) -> None:
    def told() -> tuple[Any, ...]:
        found = day(*(ALL[name]() for name in policies), seed=7, hours=1.5, types={"oven": OVEN})
        clock = ("took_s", "times_real")
        return {k: v for k, v in found.figures.items() if k not in clock}, found.events

    assert told() == told()
