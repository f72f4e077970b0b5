"""The reference page and the JSON Schema say what the loader does, and are current."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from zhongshu.kernel.plantfile.reference import _PARTS, PAGE, SCHEMA, page, schema, unit_of, write
from zhongshu.kernel.plantfile.source import read_source
from zhongshu.kernel.plantfile.wire import WIRES

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "reference"


def test_both_files_are_current() -> None:
    remedy = "run: python -m zhongshu.kernel.plantfile.reference docs/reference"
    assert (DOCS / PAGE).read_text(encoding="utf-8") == page(), remedy
    assert (DOCS / SCHEMA).read_text(encoding="utf-8") == schema(), remedy


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    assert [p.name for p in write(tmp_path)] == [PAGE, SCHEMA]
    assert list(write(tmp_path)) == []


def test_every_field_is_described_and_every_part_is_on_the_page() -> None:
    parts = [part for _, _, part in _PARTS]
    parts += [part for wire in WIRES.values() for part in (wire.settings, wire.unit, wire.point)]
    for part in parts:
        for name, field in part.model_fields.items():
            assert field.description, f"{part.__name__}.{name}"
            assert f"`{field.alias or name}`" in page()
            inner = [a for a in [field.annotation] if isinstance(a, type) and issubclass(a, BaseModel)]
            assert all(a in parts for a in inner)


def test_units_come_from_names() -> None:
    assert [unit_of(n) for n in ("cycle_s", "speed_m_s", "x_m", "rate_hz", "publishing_ms", "count")] == [
        "s", "m/s", "m", "Hz", "ms", "–",
    ]  # fmt: skip


def test_the_schema_knows_every_key_of_the_example_plants() -> None:
    """A small check of our own, since a JSON Schema library is no dependency: every key is a known property."""
    made = json.loads(schema())
    for name in ("kitchen", "minimal"):
        values = read_source(ROOT / "plants" / name / "plant.yaml").values
        assert list(_strangers(values, made, made, "")) == []
    assert list(_strangers({"plnat": 1}, made, made, "")) == ["/plnat"]


def _strangers(value: object, part: dict, top: dict, path: str):  # type: ignore[no-untyped-def]
    if "$ref" in part:
        part = top["$defs"][part["$ref"].rpartition("/")[2]]
    options = part.get("anyOf", [])
    if options:
        found = [
            list(_strangers(value, option, top, path)) for option in options if _fits(value, option, top)
        ]
        yield from min(found, key=len) if found else [path]
    elif isinstance(value, dict):
        known, others = part.get("properties", {}), part.get("additionalProperties", True)
        for key, inner in value.items():
            if key in known:
                yield from _strangers(inner, known[key], top, f"{path}/{key}")
            elif isinstance(others, dict):
                yield from _strangers(inner, others, top, f"{path}/{key}")
            elif others is False:
                yield f"{path}/{key}"
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _strangers(inner, part.get("items", {}), top, f"{path}/{i}")


def _fits(value: object, part: dict, top: dict) -> bool:
    if "$ref" in part:
        part = top["$defs"][part["$ref"].rpartition("/")[2]]
    kinds = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}
    kind = part.get("type")
    if kind in ("number", "integer"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return kind is None or isinstance(value, kinds[kind])
