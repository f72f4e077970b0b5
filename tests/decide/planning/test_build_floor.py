"""Units, people, tools, materials and vehicles of the problem: as the plant file says and as they are measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.decide.planning.plants import (
    NOW,
    UNITS,
    built,
    changed_type,
    idle,
    lot,
    modes,
    order,
    plant_of,
    product,
    step,
    waiting,
)
from tests.decide.small_plant import label
from zhongshu.decide.planning.build import Measured, PlanRule, Receipt
from zhongshu.decide.planning.build_floor import CHARGE_S, Closure
from zhongshu.decide.scheduling.problem import Closed
from zhongshu.decide.scheduling.validate import problems_of
from zhongshu.decide.work import LotStatus
from zhongshu.kernel.clock import NS
from zhongshu.model.planning import Aims, Arrival, Maintenance, Material, Planning, Pool, Supply
from zhongshu.model.plant import Plant, Shift, TariffBand

H = 3600
CHAIN = product("hood", 1, step(10, "a-cut"), step(20, "b-coat"), step(30, "c-cure"), step(40, "d-pack"))
DAY = Shift("day", label("day"), (0, 1, 2, 3, 4, 5, 6), 480, 960, ())


def at(hours: float) -> int:
    return NOW + round(hours * H) * NS


def unit(made, name: str):  # type: ignore[no-untyped-def]
    return made.problem.units[made.units.index(name)]


def with_calendar(plant: Plant, name: str, calendar: str) -> Plant:
    return replace(
        plant, units=tuple(replace(u, calendar=calendar) if u.id == name else u for u in plant.units)
    )


def test_calendars_maintenance_and_rules_close_and_open_units() -> None:
    oil = Maintenance("oil", label("oil"), ("coat-1",), (0,), "", 14 * 60, 15 * 60)
    plant = with_calendar(plant_of(CHAIN, shifts=(DAY,), maintenance=(oil,)), "oven-1", "always")
    plant = replace(plant, planning=Planning(horizon_s=24 * H))
    work = idle(plant)
    rules = [
        PlanRule(1, "exclude", "cut-1", at(1), at(2)),
        PlanRule(2, "maintenance", "cut-2", at(2), at(3)),
        PlanRule(3, "overtime", "pack-1", at(4), at(6)),
    ]
    made = built(work, rules)
    assert unit(made, "oven-1").closed == ()
    assert unit(made, "coat-1").closed == (Closed(2 * H, 3 * H, resumable=False), Closed(4 * H, 20 * H))
    assert unit(made, "cut-1").closed == (Closed(H, 2 * H, resumable=False), Closed(4 * H, 20 * H))
    assert unit(made, "cut-2").closed[0] == Closed(2 * H, 3 * H, resumable=False)
    assert unit(made, "pack-1").closed == (Closed(6 * H, 20 * H),)
    assert list(made.closures[made.units.index("pack-1")]) == [
        Closure(4 * H, 20 * H, "break"),
        Closure(4 * H, 6 * H, "overtime"),
    ]
    assert {c.kind for c in made.closures[made.units.index("cut-1")]} == {"break", "down"}


@pytest.mark.parametrize("mode", ["LOCAL", "MANUAL", "MAINTENANCE", "LOCKED_OUT", "UNDEFINED"])
def test_a_unit_that_may_not_be_commanded_is_not_planned(mode: str) -> None:
    work = idle(plant_of(CHAIN))
    work.states["cut-1"] = ("IDLE", mode)
    order(work, "A")
    made = built(work)
    first = made.tasks[0].id
    assert set(modes(made, first)) == {"cut-2"}
    assert unit(made, "cut-1").closed == (Closed(0, 7200, resumable=False),)
    waiting(work, 7, "A", "cut-1", 0)
    assert set(modes(built(work), "7:0")) == {"cut-1"}, "what lies before it waits for it"


def test_a_lost_unit_is_not_planned_and_the_only_one_is_expected_back() -> None:
    work = idle(plant_of(CHAIN))
    work.states["coat-1"] = ("UNDEFINED", "UNDEFINED")
    order(work, "A")
    made = built(work)
    assert set(modes(made, made.tasks[1].id)) == {"coat-1"}
    assert unit(made, "coat-1").closed[0] == Closed(0, 7200, resumable=False)


def test_a_broken_unit_is_expected_back_after_its_repair() -> None:
    work = idle(plant_of(CHAIN))
    work.states["cut-1"] = ("ABORTED", "PRODUCTION")
    order(work, "A")
    made = built(work)
    assert unit(made, "cut-1").closed == (Closed(0, 1800, resumable=False),)
    assert set(modes(made, made.tasks[0].id)) == {"cut-1", "cut-2"}


def test_older_units_take_longer_and_ovens_a_load() -> None:
    plant = changed_type(plant_of(CHAIN), "c-cure", {"load_s": 900.0}, batch=3)
    plant = replace(plant, units=tuple(replace(u, speed=0.5) if u.id == "cut-2" else u for u in plant.units))
    work = idle(plant)
    order(work, "A")
    made = built(work)
    assert modes(made, made.tasks[0].id) == {"cut-1": 25, "cut-2": 50}
    assert modes(made, made.tasks[2].id) == {"oven-1": 900}
    assert (unit(made, "oven-1").capacity, made.problem.tasks[2].size) == (3, 1)
    assert unit(made, "cut-1").capacity == 0


def test_ovens_may_count_pieces() -> None:
    work = idle(changed_type(plant_of(CHAIN), "c-cure", batch_pieces=8))
    order(work, "A")
    made = built(work)
    assert (unit(made, "oven-1").capacity, made.problem.tasks[2].size) == (8, 5)


def test_families_set_ups_and_what_a_unit_is_set_up_for() -> None:
    coat = {"white": {"white": 0.0, "black": 300.0}, "black": {"white": 900.0, "black": 0.0}}
    products = [
        product(c, i, step(10, "a-cut"), step(20, "b-coat", family=c), step(30, "c-cure"), step(40, "d-pack"))
        for i, c in enumerate(coat, 1)
    ]
    work = idle(changed_type(plant_of(*products), "b-coat", setups=coat))
    order(work, "A", product="white")
    order(work, "B", product="black")
    made = built(work)
    booth = unit(made, "coat-1")
    white, black = made.problem.tasks[1].family, made.problem.tasks[5].family
    matrix = made.problem.setups[booth.setups]
    assert (matrix[white][black], matrix[black][white], matrix[white][white]) == (300, 900, 0)
    assert booth.family == -1, "nobody knows"
    assert unit(built(work, measured=Measured(family={"coat-1": "black"})), "coat-1").family == black
    waiting(work, 7, "A", "coat-1", 2, at_output=True)
    assert unit(built(work), "coat-1").family == white, "the last lot lies behind it"


def test_pools_power_and_its_cap() -> None:
    crew = Pool("crew", label("crew"), "crew", 2)
    die = Pool("die", label("die"), "tool", 1)
    press = product("hood", 1, step(10, "a-cut", needs={"die": 1, "crew": 1}), step(20, "b-coat"))
    plant = plant_of(press, pools=(crew, die), planning=Planning(cap_kw=75.5))
    work = idle(changed_type(plant, "a-cut", {"needs": {"crew": 1}, "power_kw": 40.4, "interruptible": True}))
    order(work, "A")
    made = built(work)
    assert [(p.name, p.levels) for p in made.problem.pools] == [
        ("crew", ((0, 2),)), ("die", ((0, 1),)), ("power", ((0, 75),)),
    ]  # fmt: skip
    first, second = made.problem.tasks
    assert {(m.demands, m.power) for m in first.modes} == {(((0, 2), (1, 1), (2, 40)), 40)}
    assert {(m.demands, m.power) for m in second.modes} == {((), 0)}
    assert (first.interruptible, second.interruptible) == (True, False)


def test_materials_in_thousandths_from_the_file_or_as_counted() -> None:
    steel = Material("steel", label("steel"), "kg", 100, (Arrival((0,), 13 * 60, 50.0),))
    made_of = replace(CHAIN, materials=(Supply("steel", 1.25, 10),))
    work = idle(plant_of(made_of, materials=(steel,), planning=Planning(horizon_s=24 * H)))
    order(work, "A")
    made = built(work)
    assert made.problem.tasks[0].consumes == ((0, 6250),)
    assert [t.consumes for t in made.problem.tasks[1:]] == [(), (), ()]
    (found,) = made.problem.materials
    assert (found.stock, found.arrivals) == (100_000, ((H, 50_000),))
    counted = Measured(
        stock={"steel": 7.5}, receipts=(Receipt("steel", 2.0, at(0.5)), Receipt("tin", 9.0, at(1)))
    )
    (found,) = built(work, measured=counted).problem.materials
    assert (found.stock, found.arrivals) == (7_500, ((1800, 2_000), (H, 50_000)))


def test_travel_times_are_those_of_the_roads_and_of_handling() -> None:
    work = idle(plant_of(CHAIN, planning=Planning(pick_s=4, drop_s=3)))
    order(work, "A")
    problem = built(work).problem
    names = list(UNITS)
    a, b = names.index("cut-1"), names.index("pack-1")
    assert (problem.empty[a][b], problem.travel[a][b], problem.travel[a][a], problem.empty[a][a]) == (
        40,
        47,
        7,
        0,
    )
    assert [u.station for u in problem.units] == list(range(len(names)))
    (vehicle,) = problem.vehicles
    assert problem.empty[vehicle.station][a] == 0
    assert vehicle.station >= len(names), "it stands at a node, not at a unit"
    assert problems_of(problem) == ()


def test_vehicles_out_of_reach_charging_or_empty() -> None:
    work = idle(plant_of(CHAIN, vehicles=4))
    work.states["agv-0"] = ("IDLE", "LOCAL")
    work.vehicles["agv-1"].charging = True
    work.vehicles["agv-1"].battery = 50.0
    work.vehicles["agv-2"].battery = 5.0
    order(work, "A")
    assert [(v.name, v.ready) for v in built(work).problem.vehicles] == [
        ("agv-1", CHARGE_S), ("agv-2", CHARGE_S), ("agv-3", 0),
    ]  # fmt: skip


def test_weights_and_prices() -> None:
    tariff = (TariffBand(label("all"), 0, 1440, 0.72),)
    work = idle(plant_of(CHAIN, tariff=tariff, planning=Planning(aims=Aims(1, 2, 3, 4, 1500, 6), churn=9)))
    problem = built(work).problem
    assert problem.prices == ((0, 200),)
    weights = problem.weights
    assert (weights.tardiness, weights.makespan, weights.flow, weights.setup, weights.energy, weights.stability) == (
        1, 2, 3, 4, 2, 6,
    )  # fmt: skip
    assert problem.churn is None, "without a plan in force nothing can move"


def test_a_running_lot_takes_nothing_from_the_others() -> None:
    work = idle(plant_of(CHAIN))
    order(work, "A")
    lot(work, 7, "A", status=LotStatus.RUNNING, place="cut-1", target="cut-1", started_ns=NOW)
    lot(work, 8, "A")
    assert problems_of(built(work).problem) == ()
