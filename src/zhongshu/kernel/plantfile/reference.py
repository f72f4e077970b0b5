"""The grammar of plant files → docs/reference/plant-file.md and plant.schema.json, so that neither can go stale.

`python -m zhongshu.kernel.plantfile.reference docs/reference` writes both.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zhongshu.kernel.plantfile import actspec, equipment, planspec, spec
from zhongshu.kernel.plantfile.groups import builtin
from zhongshu.kernel.plantfile.values import Spec
from zhongshu.kernel.plantfile.wire import WIRES
from zhongshu.model import roles
from zhongshu.model.plant import Text

PAGE, SCHEMA = "plant-file.md", "plant.schema.json"

#: What a suffix says of a number's unit; longer ones first.
_UNITS = {"_m_s": "m/s", "_ms": "ms", "_hz": "Hz", "_kw": "kW", "_min": "min", "_s": "s", "_m": "m"}

_PARTS: tuple[tuple[str, str, type[Spec]], ...] = (
    ("The file", "", spec.PlantSpec),
    ("Operation", "operations.<name>", spec.OperationSpec),
    ("Type", "types.<id>", equipment.TypeSpec),
    ("Point", "types.<id>.points.<name>, point_groups.<group>.<name>", equipment.PointSpec),
    ("Capability", "types.<id>.capabilities.<operation>", equipment.CapabilitySpec),
    ("Rest", "types.<id>.rest", equipment.RestSpec),
    ("Service", "types.<id>.service", equipment.ServiceSpec),
    ("Connection", "connections[]", spec.ConnectionSpec),
    ("Area", "areas[]", spec.AreaSpec),
    ("Line", "areas[].lines[]", spec.LineSpec),
    ("Units", "areas[].lines[].units[]", spec.UnitSpec),
    ("Product", "products.<id>", spec.ProductSpec),
    ("Step", "products.<id>.routing[]", spec.StepSpec),
    ("Component", "products.<id>.components[]", spec.ComponentSpec),
    ("Bought for a product", "products.<id>.materials.<material>", spec.SupplySpec),
    ("Shift", "shifts[]", spec.ShiftSpec),
    ("Pool", "pools.<id>", planspec.PoolSpec),
    ("Material", "materials.<id>", planspec.MaterialSpec),
    ("Arrival", "materials.<id>.arrivals[]", planspec.ArrivalSpec),
    ("Maintenance", "maintenance[]", planspec.MaintenanceSpec),
    ("Planning", "planning", planspec.PlanningSpec),
    ("Aims", "planning.aims", planspec.AimsSpec),
    ("Autonomy", "autonomy", actspec.AutonomySpec),
    ("Interlock", "interlocks[]", actspec.InterlockSpec),
    ("Condition", "interlocks[].when", actspec.WhenSpec),
    ("Tariff", "tariff", spec.TariffSpec),
    ("Tariff band", "tariff.bands[]", spec.BandSpec),
    ("Roads", "roads", spec.RoadsSpec),
    ("Lane", "roads.lanes[]", spec.LaneSpec),
    ("Node", "roads.nodes[]", spec.NodeSpec),
    ("Edge", "roads.edges[]", spec.EdgeSpec),
)

_INTRODUCTION = """\
# The plant file

<!-- Made by `python -m zhongshu.kernel.plantfile.reference docs/reference`; change the grammar, not this page. -->

One YAML file says everything about a plant: how devices are reached, what they are, what they can do, what is made, when,
and where vehicles drive. `zhongshu check plant.yaml` names every problem with its line, path and remedy. Put
`# yaml-language-server: $schema=…/plant.schema.json` into the first line to have an editor complete and check it.

- **Labels** are `中文 / English` (one text serves both languages), or `{zh: …, en: …}`.
- **Names** are letters, digits, `-` and `_`: they become parts of point paths (`site/area/line/unit/point`) and bus subjects.
- **Patterns** make many of one: `{n}` is the number of the unit or connection, `{n:02}` with leading zeros, `{n+48400}` a sum.
  In units `{g}` numbers groups of `per_connection`; `{i}` counts from 0; addresses may also use `{id}`, `{plant}`, `{site}`,
  `{area}`, `{line}`, `{type}`, `{connection}`, and those of points `{point}` and the unit's own address (`{node}` …).
- **Times** of processes, set-ups, shifts and tariff are plant time; sampling rates, staleness and timeouts are wall time.
- **Planning**: work that is not `interruptible` fits between breaks and nights; nothing spans `maintenance`. A batch unit
  (`batch`, `batch_pieces`) works lots of one family together, `load_s` a load. `setups` are times between families: the pair
  counts before the row's `any`, that before the column's (`any: {…}`), that before `setup_s`. `needs` take from `pools` while at work.
- **Anchors** (`&name`, `*name`, `<<: *name`) work as in any YAML.
- At most 25 devices share a connection. A Modbus unit's registers fit into one read of 120.
- Shortest sensible example: `plants/minimal/plant.yaml`. A whole plant: `plants/kitchen/plant.yaml`.
"""


def page() -> str:
    """The reference page, in Markdown."""
    parts = [_INTRODUCTION]
    parts += [_section("##", title, path, part) for title, path, part in _PARTS]
    parts.append(
        "## Settings and addresses by protocol\n\nOther protocols belong to connectors of your own and are not checked here.\n"
    )
    for protocol, wire in WIRES.items():
        parts.append(_section("###", f"{protocol}: connection", "connections[].settings", wire.settings))
        parts.append(_section("###", f"{protocol}: unit", "areas[].lines[].units[].address", wire.unit))
        if wire.point.model_fields:
            parts.append(
                _section("###", f"{protocol}: point", "types.<id>.points.<name>.address", wire.point)
            )
    parts += [_groups(), _enumerations(), _roles()]
    return "\n".join(parts)


def schema() -> str:
    """The JSON Schema for editors."""
    made = spec.PlantSpec.model_json_schema()
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "zhongshu plant file"}
    # What the loader accepts beside the mapping form: a step that is only a name, an edge that is a pair, a row of
    # set-ups that is one time, a material that is only its quantity.
    _short(made, "ProductSpec", "routing", {"type": "string"})
    _short(
        made,
        "RoadsSpec",
        "edges",
        {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
    )
    for part in ("TypeSpec", "CapabilitySpec"):
        _short(made, part, "setups", {"type": "number"})
    _short(made, "ProductSpec", "materials", {"type": "number"})
    return json.dumps(made, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _short(made: dict[str, Any], part: str, field: str, form: dict[str, Any]) -> None:
    """Let the entries of a list, or the values of a mapping, have a short form as well."""
    entry = made["$defs"][part]["properties"][field]
    for holder in (entry, entry.get("patternProperties", {})):
        for key, inner in holder.items():
            if key == "items" or holder is not entry:
                holder[key] = {"anyOf": [form, inner]}


def _section(level: str, title: str, path: str, part: type[Spec]) -> str:
    head = f"{level} {title}\n\n" + (f"`{path}` — " if path else "") + f"{_sentence(part)}\n"
    rows = ["| key | value | unit | default | meaning |", "|---|---|---|---|---|"]
    for name, field in part.model_fields.items():
        key = field.alias or name
        rows.append(
            f"| `{key}` | {_kind(field.annotation)} | {unit_of(key)} | {_default(field)} | {field.description} |"
        )
    return head + "\n" + "\n".join(rows) + "\n"


def _sentence(part: type[BaseModel]) -> str:
    return (part.__doc__ or "").strip().splitlines()[0]


def unit_of(name: str) -> str:
    """The unit that a key's suffix names, a dash where it has none."""
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "–")


def _kind(annotation: Any) -> str:
    """A field's type in words."""
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0])
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is None:
        words = {str: "text", int: "whole number", float: "number", bool: "true or false", Text: "label"}
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return "mapping"
        return words.get(annotation, "any")
    if origin is list:
        return f"list of {_kind(args[0])}"
    if origin is dict:
        return f"mapping of {_kind(args[1])}"
    if origin is tuple:
        return f"[{', '.join(_kind(a) for a in args)}]"
    if all(not isinstance(a, type) and isinstance(a, str) for a in args):
        return ", ".join(f"`{a}`" for a in args)
    return " or ".join(dict.fromkeys(_kind(a) for a in args if a is not type(None)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ("", [], {}) or isinstance(value, Spec):
        return "–"
    if value == list(range(7)):
        return "every day"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _groups() -> str:
    lines = ["## Built-in point groups\n", "`include` them in a type; its `points` may refine any of them.\n"]
    for group, points in builtin().point_groups.items():
        lines += [
            f"### {group}\n",
            "| point | label | kind | unit | role | rate |",
            "|---|---|---|---|---|---|",
        ]
        for name, point in points.items():
            label = f"{point.label.zh} / {point.label.en}" if point.label else ""
            lines.append(
                f"| `{name}` | {label} | {point.kind} | {point.uom} | {point.role} | {point.rate_hz:g} Hz |"
            )
        lines.append("")
    return "\n".join(lines)


def _enumerations() -> str:
    lines = ["## Built-in enumerations\n"]
    for name, choices in builtin().enumerations.items():
        lines.append(
            f"- `{name}`: " + ", ".join(f"{n} {label.zh} / {label.en}" for n, label in choices.items())
        )
    return "\n".join(lines) + "\n"


def _roles() -> str:
    return (
        "## Roles\n\nWhat a point may mean to the brain: "
        + ", ".join(f"`{r}`" for r in sorted(roles.ALL))
        + ".\n"
    )


def write(folder: Path) -> Iterator[Path]:
    """Write page and schema; yields the files that changed."""
    for name, text in ((PAGE, page()), (SCHEMA, schema())):
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            yield path


if __name__ == "__main__":
    for written in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")):
        sys.stdout.write(f"wrote {written}\n")
