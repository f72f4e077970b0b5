"""What a person is told before a running plant takes over a changed file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zhongshu.kernel.plantfile import difference, load_plant
from zhongshu.model.plant import Plant

PLANTS = Path(__file__).parents[3] / "plants"
TEXT = (PLANTS / "minimal" / "plant.yaml").read_text(encoding="utf-8")


@pytest.fixture
def old() -> Plant:
    return load_plant(PLANTS / "minimal" / "plant.yaml")


def changed(tmp_path: Path, *edits: tuple[str, str]) -> Plant:
    text = TEXT
    for a, b in edits:
        assert a in text
        text = text.replace(a, b, 1)
    path = tmp_path / "plant.yaml"
    path.write_text(text, encoding="utf-8")
    return load_plant(path)


def test_nothing_changed(old: Plant, tmp_path: Path) -> None:
    assert difference(old, changed(tmp_path)) == []
    kitchen = PLANTS / "kitchen" / "plant.yaml"
    assert difference(load_plant(kitchen), load_plant(kitchen)) == []


def test_assigned_ids_are_no_change(old: Plant) -> None:
    units = tuple(replace(u, points=tuple(replace(p, id=7) for p in u.points)) for u in old.units)
    assert difference(old, replace(old, units=units)) == []


CASES = [
    ("uom: kN, low: 0, high: 2000", "uom: kN, low: 0, high: 2500", "type press: point force: high 2000 → 2500 (2 units)"),
    ("rate_hz: 2, deadband", "rate_hz: 4, deadband", "type press: point force: rate_hz 2 → 4 (2 units)"),
    ("      force: {label: 压力 / Force", "      thrust: {label: 压力 / Force", "type press: point thrust added (2 units)"),
    ("cycle_s: 12", "cycle_s: 13", "cycle_s: 13"),
    ("count: 2", "count: 3", "unit added: press-3"),
    ("timezone: Asia/Shanghai", "timezone: UTC", "plant: timezone Asia/Shanghai → UTC"),
    ("port: 15021", "port: 15022", "connection packing: settings"),
    ("lot_size: 10", "lot_size: 12", "product bracket: lot_size 10 → 12"),
    ("routing: [stamp, pack]", "routing: [stamp]", "product bracket: routing"),
    ("{number: 20", "{number: 30", "operation pack: number 20 → 30"),
    ("stations: 4", "stations: 5", "node added: lane-05"),
    ("chargers: [lane-01]", "chargers: [lane-02]", "chargers: [lane-01] → [lane-02]"),
    ("  - id: shop", "  - id: hall", "moved from site/shop/main to site/hall/main"),
    ("name: 冲床 / Press", "name: 压机 / Press", "type press: name “冲床 / Press” → “压机 / Press”"),
    ("roads:", "shifts: [{id: day, start: \"08:00\", end: \"16:00\"}]\nroads:", "shift added: day"),
    ("roads:", "pools: {die: {count: 2}}\nroads:", "pool added: die"),
    ("roads:", "materials: {steel: {stock: 2}}\nroads:", "material added: steel"),
    ("roads:", "maintenance: [{id: oil, units: [packer], days: mon, start: \"10:00\", end: \"11:00\"}]\nroads:", "maintenance added: oil"),
    ("roads:", "autonomy: {default: advise}\nroads:", "autonomy: default act → advise"),
    ("roads:", "interlocks: [{id: hot, types: [press], may_not: stop, when: {point: force, above: 9}, reason: hot}]\nroads:", "interlock added: hot"),
    ("roads:", "planning: {frozen_s: 900}\nroads:", "planning: frozen_s 600 → 900"),
    ("roads:", "shifts: [{id: day, start: \"08:00\", end: \"16:00\"}]\ncalendars: {one: [day]}\nroads:", "calendar added: one"),
    ("count: 2, connection", "count: 2, speed: 0.8, connection", "unit press-1, press-2: speed 1 → 0.8"),
    ("      - id: main", "      - id: main\n        name: 主线 / Main", "line shop/main: name"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "told"), CASES, ids=[c[2][:24] for c in CASES])
def test_a_change_is_told(old: Plant, tmp_path: Path, before: str, after: str, told: str) -> None:
    lines = difference(old, changed(tmp_path, (before, after)))
    assert any(told in line for line in lines), "\n".join(lines)


def test_many_like_units_are_one_line() -> None:
    new = load_plant(PLANTS / "kitchen" / "plant.yaml")
    fewer = replace(new, units=new.units[:200])
    (line,) = [x for x in difference(fewer, new) if x.startswith("unit")]
    assert line.startswith("unit added: ")
    assert line.endswith("and 78 more")
