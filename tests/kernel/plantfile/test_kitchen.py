"""The kitchen plant is what the twin, the benchmarks and the documents say that it is."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from pathlib import Path

import pytest

from zhongshu.kernel.plantfile import check_file, load_plant
from zhongshu.kernel.plantfile.estimate import balance, report, samples_per_s
from zhongshu.kernel.plantfile.pointwire import REQUEST_ROLES
from zhongshu.model import roles
from zhongshu.model.plant import Plant, Unit

FILE = Path(__file__).parents[3] / "plants" / "kitchen" / "plant.yaml"
AREAS = [
    "材料库",
    "激光下料",
    "冲压",
    "折弯",
    "焊接",
    "打磨",
    "清洗·喷涂",
    "搪瓷",
    "燃烧器",
    "电机·风轮",
    "玻璃",
    "总装",
    "检测",
    "包装",
    "立体库",
    "车队",
]


@pytest.fixture(scope="module")
def plant() -> Plant:
    return load_plant(FILE)


def protocol(plant: Plant, unit: Unit) -> str:
    return next(c.protocol for c in plant.connections if c.id == unit.connection)


def test_it_is_without_errors_and_warnings() -> None:
    assert [str(p) for p in check_file(FILE)] == []


def test_it_loads_fast_enough() -> None:
    started = time.process_time()
    load_plant(FILE)
    assert time.process_time() - started < 1.5


def test_it_has_284_devices_and_over_10_000_points(plant: Plant) -> None:
    assert len(plant.units) == 284
    assert len(plant.vehicles) == 20
    assert len(plant.types) >= 25
    assert 10_400 <= len(plant.points) <= 10_900
    assert [a.name.zh for a in plant.areas] == AREAS
    assert len({p.path for p in plant.points}) == len(plant.points)


def test_protocols_and_connections_are_shared_out(plant: Plant) -> None:
    of = Counter(protocol(plant, u) for u in plant.units)
    assert 170 <= of["opcua"] <= 180
    assert 60 <= of["modbus"] <= 65
    assert 20 <= of["sparkplug"] <= 30
    assert of["vda5050"] == 20
    links = Counter(c.protocol for c in plant.connections)
    assert links["opcua"] >= 8
    assert (links["modbus"], links["sparkplug"], links["vda5050"]) == (3, 2, 1)
    assert max(Counter(u.connection for u in plant.units).values()) <= 25
    secured = [c.settings for c in plant.connections if c.settings.get("security", "None") != "None"]
    assert {s["security"] for s in secured} == {"Basic256Sha256", "Aes256Sha256RsaPss"}
    assert all(s["user"] and s["password_file"] and s["mode"] == "SignAndEncrypt" for s in secured)


def test_a_type_speaks_one_protocol(plant: Plant) -> None:
    spoken: dict[str, set[str]] = {}
    for unit in plant.units:
        spoken.setdefault(unit.type, set()).add(protocol(plant, unit))
    assert {t: p for t, p in spoken.items() if len(p) > 1} == {}


def test_every_machine_has_what_the_brain_needs(plant: Plant) -> None:
    needed = {
        roles.UNIT_STATE, roles.UNIT_MODE, roles.SAMPLE_COUNT, roles.HEARTBEAT, roles.JOB_KEY, roles.JOB_STATE,
        roles.JOB_GOOD, roles.JOB_SCRAP, roles.JOB_PROGRESS, roles.COMMAND_KEY, roles.COMMAND_RESULT, roles.BUFFER_IN,
        roles.BUFFER_OUT, roles.POWER, roles.ENERGY, roles.TOTAL_GOOD, roles.TOTAL_SCRAP,
    }  # fmt: skip
    for unit in plant.machines:
        there = {p.role for p in unit.points}
        assert needed <= there, unit.id
        assert (set(REQUEST_ROLES) <= there) == (protocol(plant, unit) != "opcua"), unit.id
        assert (roles.SCAN_TIME in there) == (protocol(plant, unit) == "modbus"), unit.id


def test_points_have_believable_ranges_and_rates(plant: Plant) -> None:
    for point in plant.points:
        assert 0.1 <= point.rate_hz <= 10, point.path
        assert point.label.zh, point.path
        assert point.label.en, point.path
        if point.kind == "enum":
            assert set(point.choices), point.path
        if point.role == roles.SETPOINT:
            assert point.writable, point.path
            assert point.low is not None, point.path
            assert point.high is not None, point.path


def test_one_read_takes_all_registers_of_a_modbus_unit(plant: Plant) -> None:
    size = {"uint16": 1, "int16": 1, "int32": 2, "uint32": 2, "float32": 2}
    for unit in (u for u in plant.units if protocol(plant, u) == "modbus"):
        taken = [
            r
            for p in unit.points
            for r in range(p.address["register"], p.address["register"] + size.get(p.address["dtype"], 4))
        ]
        assert {p.address["table"] for p in unit.points} == {"holding"}
        assert sorted(taken) == list(range(len(taken)))  # contiguous, none twice
        assert len(taken) <= 120
        assert {p.rate_hz for p in unit.points} == {0.5}
        request = [p for p in unit.points if p.role in REQUEST_ROLES]
        assert [p.role for p in request] == list(REQUEST_ROLES)
        assert all(b.address["register"] - a.address["register"] <= 2 for a, b in itertools.pairwise(request))


def test_sample_budget(plant: Plant) -> None:
    estimate = samples_per_s(plant)
    print(f"{estimate:.0f} samples a wall second")
    assert 6_000 <= estimate <= 7_000


def test_routings_run_one_way_from_sheet_store_to_warehouse(plant: Plant) -> None:
    for product in plant.products:
        numbers = [s.operation for s in product.routing]
        assert numbers == sorted(set(numbers)), product.id
        for component in product.components:
            last = plant.product_of[component.product].routing[-1].operation
            assert last < component.operation, (product.id, component.product)
        assert (product.routing[-1].capability == "put-away") == product.sellable, product.id
        assert product.sellable or 2 <= len(product.routing) <= 7, product.id
    sellable = [p.id for p in plant.products if p.sellable]
    assert sum(p.startswith("hood") for p in sellable) >= 4
    assert sum(p.startswith("hob") for p in sellable) >= 3


def test_a_lot_takes_exactly_one_lot_of_each_part(plant: Plant) -> None:
    for product in plant.products:
        assert 5 <= product.lot_size <= 20
        for component in product.components:
            assert component.quantity * product.lot_size == plant.product_of[component.product].lot_size


def test_lots_take_one_to_twenty_two_minutes_an_operation(plant: Plant) -> None:
    for product in plant.products:
        for step in product.routing:
            for unit_type in plant.types:
                capability = unit_type.can(step.capability)
                if capability is not None:
                    assert 60 <= (step.cycle_s or capability.cycle_s) * product.lot_size <= 1320, (
                        product.id,
                        step,
                    )


def test_every_capability_is_used_and_shared_by_machines(plant: Plant) -> None:
    used = {s.capability for p in plant.products for s in p.routing}
    machines = Counter(c.name for u in plant.units for c in plant.type_of[u.type].capabilities)
    assert used == set(machines) == set(plant.operation_of)
    assert min(machines.values()) >= 3


def test_twelve_lots_an_hour_are_within_reach(plant: Plant) -> None:
    of = balance(plant, 12)
    print(report(plant, 12))
    assert max(of.load, key=lambda name: of.load[name]) == "coat"
    assert max(of.load.values()) < 0.8
    assert min(of.load.values()) > 0.03
    assert of.vehicle_load < 0.75
    assert of.moves_per_h / len(plant.vehicles) < 3600 / 90
    assert all(15 <= minutes <= 170 for minutes in of.flow_min.values())


def test_the_comment_in_the_file_is_true(plant: Plant) -> None:
    head = FILE.read_text(encoding="utf-8")[:1400]
    of = balance(plant, 12)
    assert (
        f"{of.moves_per_h:.0f} moves/h of {of.move_s:.0f} s, vehicles {of.vehicle_load * 100:.0f} % busy"
        in head
    )
    assert f"{balance(plant, 18).vehicle_load * 100:.0f} % at 18 lots/h" in head
    assert f"{len(plant.points):,} points" in head
    busiest = sorted(of.load, key=lambda name: -of.load[name])[:6]
    for name in busiest:
        assert f"{name} {of.load[name] * 100:.0f}" in head
    assert f"{min(of.flow_min.values()):.0f} to {max(of.flow_min.values()):.0f} min" in head


def test_units_stand_inside_their_area_and_near_a_station(plant: Plant) -> None:
    node = {n.id: n for n in plant.roads.nodes}
    for area in plant.areas:
        for unit in (plant.unit_of[u] for line in area.lines for u in line.units):
            place = node[unit.station]
            if plant.type_of[unit.type].is_vehicle:
                assert (unit.x_m, unit.y_m) == (place.x_m, place.y_m)
                continue
            assert area.x_m <= unit.x_m <= area.x_m + area.width_m, unit.id
            assert area.y_m <= unit.y_m <= area.y_m + area.height_m, unit.id
            assert abs(place.x_m - unit.x_m) + abs(place.y_m - unit.y_m) < 25, unit.id
    assert len({u.station for u in plant.vehicles}) == 20


def test_it_works_round_the_clock(plant: Plant) -> None:
    assert sum(len(s.days) * (s.end_min - s.start_min) for s in plant.shifts) == 7 * 24 * 60
    assert sum(b.end_min - b.start_min for b in plant.tariff) == 24 * 60
