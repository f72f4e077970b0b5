"""What a plant file says for planning: short forms and defaults become complete values."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhongshu.kernel.plantfile import PlantFileError, load_plant
from zhongshu.model.planning import Aims, Arrival, Maintenance, Planning, Pool, Supply
from zhongshu.model.plant import Plant
from zhongshu.model.text import Text

TEXT = (Path(__file__).parents[3] / "plants" / "minimal" / "plant.yaml").read_text(encoding="utf-8")
STAMP = "capabilities: {stamp: {cycle_s: 12, setup_s: 60}}"
BRACKET = "  bracket: {code: 1, name: 支架 / Bracket, sellable: true, lot_size: 10, routing: [stamp, pack]}\n"
COLOURS = "".join(
    f"  {colour}: {{code: {i}, colour: {colour}, routing: [stamp, pack]}}\n"
    for i, colour in enumerate(("white", "grey", "black"), 2)
)


def made(tmp_path: Path, *edits: tuple[str, str]) -> Plant:
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "plant.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        return load_plant(path)
    except PlantFileError as error:
        pytest.fail(str(error))


def painted(tmp_path: Path, stamp: str) -> Plant:
    """A plant of three colours; ``stamp`` is what the press can do."""
    by_colour = ("stamp: {number: 10,", "stamp: {number: 10, by: colour,")
    return made(tmp_path, by_colour, (BRACKET, COLOURS), (STAMP, stamp))


def test_an_old_file_has_sensible_defaults(tmp_path: Path) -> None:
    plant = made(tmp_path)
    assert plant.planning == Planning()
    assert plant.planning.aims == Aims()
    assert [plant.planning.weight(p) for p in (0, 1, 5, 10, 99)] == [10, 10, 6, 1, 1]
    assert (plant.pools, plant.materials, plant.maintenance, plant.calendars) == ((), (), (), {})
    assert {(u.speed, u.calendar) for u in plant.units} == {(1.0, "")}
    able = plant.type_of["press"].capabilities[0]
    assert (able.interruptible, able.power_kw, able.load_s, able.needs, able.setups) == (
        False,
        0.0,
        None,
        {},
        {},
    )


def test_the_pair_counts_before_the_row_and_the_column(tmp_path: Path) -> None:
    plant = painted(
        tmp_path,
        STAMP + "\n    setups: {white: {black: 600}, black: 900, any: {grey: 30}, grey: {grey: 5}}",
    )
    press = plant.type_of["press"]
    times = {(a, b): press.setup_s("stamp", a, b) for a in press.setups for b in press.setups}
    assert times == {
        ("white", "white"): 0, ("white", "grey"): 30, ("white", "black"): 600,
        ("grey", "white"): 60, ("grey", "grey"): 5, ("grey", "black"): 60,
        ("black", "white"): 900, ("black", "grey"): 900, ("black", "black"): 0,
    }  # fmt: skip
    assert press.setup_s("stamp", "", "white") == 60, "nobody knows what it is set up for"


def test_symmetric_needs_one_direction_only(tmp_path: Path) -> None:
    plant = painted(tmp_path, STAMP + "\n    setups: {white: {black: 600}, grey: 90}\n    symmetric: true")
    press = plant.type_of["press"]
    assert (press.setup_s("stamp", "white", "black"), press.setup_s("stamp", "black", "white")) == (600, 600)
    assert (press.setup_s("stamp", "white", "grey"), press.setup_s("stamp", "grey", "white")) == (90, 90)


def test_a_capability_may_have_its_own_matrix(tmp_path: Path) -> None:
    plant = painted(
        tmp_path,
        "capabilities: {stamp: {cycle_s: 12, setup_s: 60}, pack: {cycle_s: 3, setup_s: 7, setups: {default: 9}}}",
    )
    press = plant.type_of["press"]
    assert press.setup_s("stamp", "white", "black") == 60
    assert press.setup_s("pack", "white", "black") == 7
    assert set(press.can("pack").setups) == {"default"}, "packing goes by family, and there is only one"


def test_families_of_a_step_come_from_colour_and_from_the_step(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        ("stamp: {number: 10,", "stamp: {number: 10, by: colour,"),
        (
            BRACKET,
            "  hood: {code: 1, family: side, colour: red, routing: [stamp, {capability: pack, family: big}]}\n",
        ),
    )
    hood = plant.product_of["hood"]
    assert [hood.family_at(step) for step in hood.routing] == ["red", "big"]


def test_steps_say_waits_transfer_and_tools(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            BRACKET,
            "  a: {code: 1, routing: [stamp, {capability: pack, max_wait_min: 5, needs: {die: 2}}]}\n"
            "  b: {code: 2, routing: [stamp, {capability: pack, transfer: 4}]}\n",
        ),
        ("roads:", "pools: {die: {name: 模具 / Die, count: 3}}\nroads:"),
    )
    waits, flows = plant.product_of["a"].routing[1], plant.product_of["b"].routing[1]
    assert (waits.max_wait_s, waits.transfer, waits.needs) == (300, 0, {"die": 2})
    assert (flows.max_wait_s, flows.transfer) == (None, 4)


def test_ovens_power_people_and_speed(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            STAMP,
            "capabilities: {stamp: {cycle_s: 12, load_s: 700, interruptible: true, power_kw: 40, needs: {crew: 1}}}\n"
            "    batch_pieces: 60",
        ),
        ("count: 2, connection", "count: 2, speed: 0.5, connection"),
        (
            "roads:",
            'shifts: [{id: day, start: "06:00", end: "18:00"}]\n'
            "pools: {crew: {kind: crew, count: 1, shifts: {day: 4}, area: shop}}\nroads:",
        ),
    )
    press = plant.type_of["press"]
    able = press.can("stamp")
    assert (able.load_s, able.interruptible, able.power_kw, able.needs) == (700, True, 40, {"crew": 1})
    assert (press.batch_pieces, press.batches, plant.type_of["packer"].batches) == (60, True, False)
    assert plant.unit_of["press-1"].speed == 0.5
    assert plant.pools == (Pool("crew", Text("crew", "crew"), "crew", 1, {"day": 4}, "shop"),)


def test_calendars_by_unit_line_area_and_type(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        ("  - id: shop\n", "  - id: shop\n    calendar: one\n"),
        ("count: 2, connection", "count: 2, calendar: always, connection"),
        ("vehicle: true,", "vehicle: true, calendar: one,"),
        (
            "roads:",
            'shifts:\n  - {id: day, start: "06:00", end: "14:00"}\n  - {id: late, start: "14:00", end: "22:00"}\n'
            '  - {id: all, start: "00:00", end: "24:00"}\ncalendars: {one: [day], two: [day, late]}\nroads:',
        ),
    )
    assert [(u.id, u.calendar) for u in plant.units] == [
        ("press-1", "always"), ("press-2", "always"), ("packer", "one"), ("agv", "one"),
    ]  # fmt: skip
    assert [s.id for s in plant.shifts] == ["all"], "the shifts that no calendar names are the plant's own"
    assert {name: [s.id for s in shifts] for name, shifts in plant.calendars.items()} == {
        "one": ["day"],
        "two": ["day", "late"],
    }


def test_the_plants_own_calendar_may_be_named(tmp_path: Path) -> None:
    hours = (
        'shifts: [{id: day, start: "06:00", end: "14:00"}, {id: late, start: "14:00", end: "22:00"}]\n'
        "calendars: {plant: [day, late], one: [day]}\n"
    )
    plant = made(tmp_path, ("roads:", hours + "roads:"))
    assert [s.id for s in plant.shifts] == ["day", "late"]
    assert list(plant.calendars) == ["one"]


def test_materials_and_maintenance(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            "routing: [stamp, pack]}",
            "routing: [stamp, pack], materials: {steel: 1.5, box: {quantity: 0.1, at: pack}}}",
        ),
        (
            "roads:",
            'materials:\n  steel: {uom: kg, stock: 100, arrivals: [{days: mon-tue, at: "08:30", quantity: 50}]}\n'
            "  box: {stock: 10}\n"
            'maintenance:\n  - {id: oil, units: [press-1], days: [mon], start: "22:00", end: "02:00"}\n'
            '  - {id: belt, units: [packer], date: 2026-11-23, start: "10:00", end: "11:00"}\nroads:',
        ),
    )
    assert plant.product_of["bracket"].materials == (Supply("steel", 1.5, 10), Supply("box", 0.1, 20))
    steel = plant.materials[0]
    assert (steel.uom, steel.stock, steel.arrivals) == ("kg", 100, (Arrival((0, 1), 510, 50),))
    assert plant.maintenance == (
        Maintenance("oil", Text("oil", "oil"), ("press-1",), (0,), "", 1320, 1560),
        Maintenance("belt", Text("belt", "belt"), ("packer",), (), "2026-11-23", 600, 660),
    )


def test_planning_settings(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            "roads:",
            "planning: {frozen_s: 300, horizon_h: 24, churn: 50, cap_kw: 900, away_min: 90, weights: {1: 30, 5: 2},"
            " aims: {tardiness: 7, energy: 0}}\nroads:",
        ),
    )
    plan = plant.planning
    assert (plan.frozen_s, plan.horizon_s, plan.churn, plan.cap_kw, plan.away_s) == (
        300,
        86400,
        50,
        900,
        5400,
    )
    assert [plan.weight(p) for p in (1, 5, 6)] == [30, 2, 5]
    assert (plan.aims.tardiness, plan.aims.energy, plan.aims.makespan) == (7, 0, 10)
