"""Set-up matrices of types and capabilities, short as people write them → a time for every change of family; read by expand."""

from __future__ import annotations

from collections.abc import Mapping

from zhongshu.kernel.plantfile.equipment import ANY
from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.spec import PlantSpec, ProductSpec, StepSpec

Rows = Mapping[str, Mapping[str, float]]


def step_family(spec: PlantSpec, product: ProductSpec, step: StepSpec) -> str:
    """The set-up family of a step where it is not the product's, else ""."""
    operation = spec.operations.get(step.capability)
    colour = product.colour if operation is not None and operation.by == "colour" else None
    family = step.family or colour or product.family
    return "" if family == product.family else family


def setups(spec: PlantSpec, type_id: str, findings: Findings) -> Rows:
    """Set-up times in s between all families that a type sees: 0 within one, else the longest ``setup_s`` of its
    capabilities, unless the file says; {} where nothing takes time."""
    type_ = spec.types[type_id]
    _check(spec, type_.setups, ("types", type_id, "setups"), findings)
    usual = max((c.setup_s for c in type_.capabilities.values()), default=0.0)
    if not usual and not type_.setups:
        return {}
    return _matrix(_families(spec, set(type_.capabilities)), type_.setups, usual, both=type_.symmetric)


def own_setups(spec: PlantSpec, type_id: str, name: str, findings: Findings) -> Rows:
    """The matrix of one capability where it differs from its type's: other rows, or another ``setup_s``."""
    type_ = spec.types[type_id]
    own = type_.capabilities[name]
    _check(spec, own.setups, ("types", type_id, "capabilities", name, "setups"), findings)
    usual = max((c.setup_s for c in type_.capabilities.values()), default=0.0)
    if not own.setups and own.setup_s == usual:
        return {}
    rows = {a: {**type_.setups.get(a, {}), **own.setups.get(a, {})} for a in {**type_.setups, **own.setups}}
    both = type_.symmetric or own.symmetric
    return _matrix(_families(spec, {name}), rows, own.setup_s, both=both)


def _matrix(families: list[str], rows: Rows, usual: float, *, both: bool) -> Rows:
    return {a: {b: _seconds(rows, a, b, usual, both=both) for b in families} for a in families}


def _seconds(rows: Rows, a: str, b: str, usual: float, *, both: bool) -> float:
    """The most special entry counts: the pair, the pair the other way round, the row, the column."""
    if b in rows.get(a, {}):
        return rows[a][b]
    if a == b:
        return 0.0
    ways = [(a, b), (b, a)] if both else [(a, b)]
    for x, y in ways:
        if y in rows.get(x, {}):
            return rows[x][y]
    for x, y in ways:
        found = rows.get(x, {}).get(ANY, rows.get(ANY, {}).get(y))
        if found is not None:
            return found
    return rows.get(ANY, {}).get(ANY, usual)


def _families(spec: PlantSpec, capabilities: set[str]) -> list[str]:
    """Families that products have at steps with one of these capabilities."""
    return sorted(
        {
            step_family(spec, product, step) or product.family
            for product in spec.products.values()
            for step in product.routing
            if step.capability in capabilities
        }
    )


def _check(spec: PlantSpec, rows: Rows, loc: Loc, findings: Findings) -> None:
    known = {product.family for product in spec.products.values()}
    known |= {product.colour for product in spec.products.values() if product.colour}
    known |= {s.family for product in spec.products.values() for s in product.routing if s.family}
    for a, row in rows.items():
        for place, name in [((*loc, a), a), *(((*loc, a, b), b) for b in row)]:
            if name != ANY and name not in known:
                findings.unknown(place, "product family", name, sorted(known), "in a product")
