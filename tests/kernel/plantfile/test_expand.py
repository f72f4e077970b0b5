"""What a short file becomes: names, addresses, registers, roads, calendars."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhongshu.kernel.plantfile import PlantFileError, check_file, load_plant
from zhongshu.kernel.plantfile.patterns import PatternError, fill, holes
from zhongshu.model.plant import Plant, Text

MINIMAL = Path(__file__).parents[3] / "plants" / "minimal" / "plant.yaml"
TEXT = MINIMAL.read_text(encoding="utf-8")


def made(tmp_path: Path, *edits: tuple[str, str]) -> Plant:
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "plant.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        return load_plant(path)
    except PlantFileError as error:
        pytest.fail(str(error))


def test_the_minimal_plant_is_short_and_without_warnings() -> None:
    assert check_file(MINIMAL) == []
    assert len(TEXT.splitlines()) <= 55


def test_opcua_addresses_are_made_from_names(tmp_path: Path) -> None:
    unit = made(tmp_path).unit_of["press-2"]
    assert unit.address == {"node": "nsu=urn:zhongshu:minimal;s=press-2"}
    force = next(p for p in unit.points if p.name == "force")
    assert force.address == {"node": "nsu=urn:zhongshu:minimal;s=press-2.force"}
    assert force.path == "site/shop/main/press-2/force"
    assert (force.id, force.unit, force.label) == (-1, "press-2", Text("压力", "Force"))


def test_address_patterns_serve_foreign_servers(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            "count: 2, connection: presses",
            'count: 2, connection: presses, address: {node: "ns=3;s=DB{n+10}"}',
        ),
        ("uom: kN,", 'uom: kN, address: {node: "{node}.\\"F\\""},'),
    )
    points = {p.name: p.address["node"] for p in plant.unit_of["press-2"].points}
    assert points["force"] == 'ns=3;s=DB12."F"'
    assert points["power"] == "ns=3;s=DB12.power"


def test_registers_follow_one_another(tmp_path: Path) -> None:
    unit = made(tmp_path).unit_of["packer"]
    assert unit.address == {"unit_id": 1}
    where = {p.name: (p.address["register"], p.address["dtype"], p.address["table"]) for p in unit.points}
    assert where["unit_state"] == (0, "uint16", "holding")
    assert where["unit_mode"] == (1, "uint16", "holding")
    assert where["sample_count"] == (2, "uint32", "holding")
    assert where["heartbeat"] == (4, "int32", "holding")
    assert where["speed"] == (6, "float32", "holding")
    assert where["scan_time"][1] == "uint64"
    first = where["request_verb"][0]
    assert [where[f"request_{w}"][0] - first for w in ("verb", "lot", "product", "operation", "quantity", "key")] == [
        0, 1, 3, 5, 7, 9,
    ]  # fmt: skip
    assert {p.rate_hz for p in unit.points} == {0.5}


def test_explicit_registers_tables_and_word_order(tmp_path: Path) -> None:
    points = """    points:
      heat: {address: {table: input, register: 100, dtype: int16}, scale: 0.1}
      next: {address: {table: input}}
      lamp: {kind: bool, writable: true, address: {table: coil, register: 7}}
    capabilities: {pack"""
    plant = made(
        tmp_path, ("    capabilities: {pack", points), ("{port: 15021}", "{port: 15021, word_order: little}")
    )
    of = {p.name: p for p in plant.unit_of["packer"].points}
    assert of["heat"].address == {"table": "input", "register": 100, "dtype": "int16", "word_order": "little"}
    assert (of["next"].address["register"], of["next"].address["dtype"]) == (101, "float32")
    assert (of["lamp"].address["register"], of["lamp"].address["dtype"]) == (7, "bit")
    assert of["heat"].scale == 0.1


def test_settings_get_their_defaults(tmp_path: Path) -> None:
    of = {c.id: c.settings for c in made(tmp_path).connections}
    assert of["presses"] == {
        "endpoint": "opc.tcp://127.0.0.1:48401",
        "security": "None",
        "mode": "SignAndEncrypt",
        "publishing_ms": 250,
        "timeout_s": 5.0,
    }
    assert of["packing"] == {"host": "127.0.0.1", "port": 15021, "timeout_s": 2.0, "word_order": "big"}
    assert of["vehicles"]["interface"] == "uagv"
    assert of["vehicles"]["broker"] == "internal"


def test_units_spread_over_connections(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        ("{id: presses, protocol", '{id: "presses-{n}", count: 3, protocol'),
        ("127.0.0.1:48401", "127.0.0.1:{n+48400}"),
        ("count: 2, connection: presses", 'count: 50, connection: "presses-{g}", per_connection: 20'),
    )
    ends = [c.settings["endpoint"] for c in plant.connections if c.protocol == "opcua"]
    assert ends == [f"opc.tcp://127.0.0.1:{port}" for port in (48401, 48402, 48403)]
    assert [u.connection for u in plant.machines][:41] == ["presses-1"] * 20 + ["presses-2"] * 20 + [
        "presses-3"
    ]


def test_names_and_numbers(tmp_path: Path) -> None:
    plant = made(
        tmp_path, ('{id: "press-{n}", type', '{id: "press-{n:03}", first: 7, name: "冲 {n} / P {n}", type')
    )
    assert [u.id for u in plant.machines] == ["press-007", "press-008", "packer"]
    assert plant.unit_of["press-008"].name == Text("冲 8", "P 8")
    assert plant.unit_of["packer"].name == Text("包装机", "Packer")


def test_types_refine_points_of_groups(tmp_path: Path) -> None:
    plant = made(tmp_path, ("    points:\n      force", "    points:\n      power: {high: 33}\n      force"))
    power = next(p for p in plant.unit_of["press-1"].points if p.name == "power")
    assert (power.high, power.uom, power.role) == (33, "kW", "power")


def test_setup_matrix_is_complete(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        ("products:\n", "products:\n  plate: {code: 2, family: flat, routing: [stamp]}\n"),
        (
            "    capabilities: {stamp",
            "    setups: {flat: {default: 15}, default: {default: 5}}\n    capabilities: {stamp",
        ),
    )
    assert plant.type_of["press"].setups == {
        "default": {"default": 5, "flat": 60},
        "flat": {"default": 15, "flat": 0},
    }
    assert plant.type_of["packer"].setups == {}


def test_components_enter_at_an_operation(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            "routing: [stamp, pack]}",
            "routing: [stamp, {capability: pack, cycle_s: 3}], components: [{product: plate, quantity: 2, at: pack}]}\n"
            "  plate: {code: 2, routing: [stamp]}",
        ),
    )
    bracket = plant.product_of["bracket"]
    assert [(s.operation, s.cycle_s) for s in bracket.routing] == [(10, None), (20, 3.0)]
    assert [(c.product, c.quantity, c.operation) for c in bracket.components] == [("plate", 2.0, 20)]


def test_shifts_past_midnight_keep_their_breaks(tmp_path: Path) -> None:
    shifts = """shifts:
  - {id: night, days: fri-mon, start: 22:00, end: 06:00, breaks: ["02:00-02:30", "23:50-00:10"]}
tariff: {bands: [{name: 夜 / Night, start: "22:00", end: "06:00", price: 0.3}, {name: 日, start: "06:00", end: "22:00", price: 1}]}
roads:"""
    plant = made(tmp_path, ("roads:", shifts))
    (night,) = plant.shifts
    assert (night.days, night.start_min, night.end_min) == ((0, 4, 5, 6), 1320, 1800)
    assert night.breaks == ((1430, 1450), (1560, 1590))
    assert [(b.start_min, b.end_min, b.price) for b in plant.tariff] == [
        (0, 360, 0.3),
        (360, 1320, 1),
        (1320, 1440, 0.3),
    ]


def test_lanes_become_nodes_and_edges_both_ways(tmp_path: Path) -> None:
    roads = made(tmp_path).roads
    assert [(n.id, n.number, n.x_m) for n in roads.nodes] == [
        ("lane-01", 1, 2), ("lane-02", 2, 14), ("lane-03", 3, 26), ("lane-04", 4, 38),
    ]  # fmt: skip
    assert {(e.start, e.end) for e in roads.edges} == {
        (f"lane-0{a}", f"lane-0{b}") for a, b in ((1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3))
    }
    assert {e.length_m for e in roads.edges} == {12.0}


def test_stations_are_the_nearest_nodes(tmp_path: Path) -> None:
    plant = made(tmp_path, ("count: 2, connection", "count: 2, x_m: 3, y_m: 5, pitch_m: 20, connection"))
    assert [(u.x_m, u.station) for u in plant.machines[:2]] == [(3, "lane-01"), (23, "lane-03")]


def test_other_protocols_pass_unchecked(tmp_path: Path) -> None:
    plant = made(
        tmp_path,
        (
            'protocol: opcua, settings: {endpoint: "opc.tcp://127.0.0.1:48401"}',
            "protocol: s7, settings: {rack: 0}",
        ),
        ("uom: kN,", "uom: kN, address: {db: 5, offset: 12},"),
    )
    assert plant.connections[0].settings == {"rack": 0}
    assert next(p for p in plant.units[0].points if p.name == "force").address == {"db": 5, "offset": 12}


@given(n=st.integers(0, 10**6), width=st.integers(1, 9), plus=st.integers(0, 10**5))
def test_patterns_fill_numbers(n: int, width: int, plus: int) -> None:
    assert fill(f"a-{{n:0{width}}}-b", {"n": n}) == f"a-{n:0{width}}-b"
    assert fill(f"{{n+{plus}}}", {"n": n}) == str(n + plus)


@given(st.text(alphabet="{}n:+0a-", max_size=12))
def test_patterns_never_leave_braces(pattern: str) -> None:
    try:
        text = fill(pattern, {"n": 7})
    except PatternError:
        return
    assert "{" not in text
    assert "}" not in text
    assert ("n" in holes(pattern)) == (text != pattern)
