"""Operations, types' capabilities and products of the file → what the planner reads, checked against one another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from zhongshu.kernel.plantfile.problems import Findings, Loc
from zhongshu.kernel.plantfile.resources import needs, supplies
from zhongshu.kernel.plantfile.setups import own_setups, step_family
from zhongshu.kernel.plantfile.spec import PlantSpec, ProductSpec
from zhongshu.model.plant import Capability, Component, Operation, Product, Step, Text


def operations(spec: PlantSpec, findings: Findings) -> tuple[Operation, ...]:
    """Every kind of work; numbers are unique."""
    first: dict[int, str] = {}
    made: list[Operation] = []
    for name, operation in spec.operations.items():
        if operation.number in first:
            findings.error(
                ("operations", name, "number"),
                f"“{first[operation.number]}” has the number {operation.number} already.",
                "Give every operation its own number.",
            )
        first.setdefault(operation.number, name)
        made.append(Operation(operation.number, name, operation.name or Text(name, name), operation.by))
    return tuple(made)


def capabilities(spec: PlantSpec, type_id: str, findings: Findings) -> tuple[Capability, ...]:
    """What a type can do, with the numbers of ``operations``."""
    made: list[Capability] = []
    for name, capability in spec.types[type_id].capabilities.items():
        operation = spec.operations.get(name)
        if operation is None:
            loc: Loc = ("types", type_id, "capabilities", name)
            findings.unknown(loc, "operation", name, spec.operations, "under operations")
        else:
            where: Loc = ("types", type_id, "capabilities", name)
            made.append(
                Capability(
                    name,
                    operation.number,
                    capability.cycle_s,
                    capability.setup_s,
                    capability.load_s,
                    capability.interruptible,
                    capability.power_kw,
                    needs(spec, capability.needs, (*where, "needs"), findings),
                    own_setups(spec, type_id, name, findings),
                )
            )
    return tuple(made)


def products(spec: PlantSpec, findings: Findings) -> tuple[Product, ...]:
    """Products and parts with their routings and bills of materials."""
    can = {name for type_ in spec.types.values() for name in type_.capabilities}
    used = {u.type for area in spec.areas for line in area.lines for u in line.units}
    there = {name for id_, type_ in spec.types.items() if id_ in used for name in type_.capabilities}
    codes: dict[int, str] = {}
    made: list[Product] = []
    for product_id, product in spec.products.items():
        loc: Loc = ("products", product_id)
        if product.code in codes:
            findings.error(
                (*loc, "code"),
                f"“{codes[product.code]}” has the code {product.code} already.",
                "Give each its own code.",
            )
        codes.setdefault(product.code, product_id)
        steps = tuple(_steps(spec, product, loc, can, there, findings))
        parts = tuple(_components(spec, product, loc, findings))
        name = product.name or Text(product_id, product_id)
        made.append(
            Product(
                product_id,
                product.code,
                name,
                product.family,
                product.lot_size,
                steps,
                parts,
                product.sellable,
                tuple(supplies(spec, product, loc, findings)),
            )
        )
    _check_cycles(spec, findings)
    return tuple(made)


def _steps(
    spec: PlantSpec, product: ProductSpec, loc: Loc, can: set[str], there: set[str], findings: Findings
) -> Iterator[Step]:
    seen: set[str] = set()
    for i, step in enumerate(product.routing):
        where: Loc = (*loc, "routing", i, "capability")
        name = step.capability
        if name in seen:
            findings.error(
                where,
                f"“{name}” stands twice in this routing.",
                "Make the second one an operation of its own.",
            )
        seen.add(name)
        if name not in spec.operations:
            findings.unknown(where, "operation", name, spec.operations, "under operations")
            continue
        if name not in can and name not in findings.forgiven:
            findings.absent(
                where, f"No type can do “{name}”.", f"Add “{name}” to the capabilities of a type."
            )
        elif name not in there and name not in findings.forgiven:
            findings.absent(
                where, f"No unit can do “{name}”: its types have no units.", "Add a unit of such a type."
            )
        for parameter in step.parameters:
            _check_parameter(spec, name, parameter, (*loc, "routing", i, "parameters", parameter), findings)
        _check_begin(product, i, where[:-1], findings)
        yield Step(
            spec.operations[name].number,
            name,
            step.cycle_s,
            dict(step.parameters),
            step_family(spec, product, step),
            None if step.max_wait_min is None else 60 * step.max_wait_min,
            step.transfer,
            needs(spec, step.needs, (*where[:-1], "needs"), findings),
        )


def _check_begin(product: ProductSpec, i: int, loc: Loc, findings: Findings) -> None:
    """How a step follows the one before it."""
    step = product.routing[i]
    for key, value in (("max_wait_min", step.max_wait_min), ("transfer", step.transfer)):
        if value and not i:
            findings.error((*loc, key), "There is no step before the first one.", f"Delete “{key}”.")
    if step.transfer and step.max_wait_min:
        findings.error(
            (*loc, "max_wait_min"),
            "Pieces that come over a conveyor do not wait.",
            "Keep either “transfer” or “max_wait_min”.",
        )
    if step.transfer > product.lot_size:
        findings.warning(
            (*loc, "transfer"),
            f"{step.transfer} pieces are more than the whole lot ({product.lot_size}).",
            "Let fewer pieces go ahead.",
        )


def _check_parameter(spec: PlantSpec, capability: str, parameter: str, loc: Loc, findings: Findings) -> None:
    known = {p for t in spec.types.values() if capability in t.capabilities for p in t.parameters}
    if parameter not in known:
        findings.unknown(loc, "parameter", parameter, known, "in “parameters” of the types that do this")


def _components(spec: PlantSpec, product: ProductSpec, loc: Loc, findings: Findings) -> Iterator[Component]:
    for i, component in enumerate(product.components):
        where: Loc = (*loc, "components", i)
        if component.product not in spec.products:
            findings.unknown(
                (*where, "product"), "product", component.product, spec.products, "under products"
            )
        steps = [step.capability for step in product.routing]
        at = component.at or steps[0]
        if at not in steps:
            findings.unknown((*where, "at"), "step in this routing", at, steps)
        elif at in spec.operations:
            yield Component(component.product, component.quantity, spec.operations[at].number)


def _check_cycles(spec: PlantSpec, findings: Findings) -> None:
    """No product may go into itself, by whatever way."""
    done: set[str] = set()

    def visit(product: str, way: list[str]) -> None:
        for i, component in enumerate(spec.products[product].components):
            name = component.product
            if name in [*way, product]:
                circle = [*[*way, product][[*way, product].index(name) :], name]
                loc: Loc = ("products", product, "components", i, "product")
                findings.error(
                    loc, f"A product goes into itself: {' ← '.join(circle)}.", "Take one component out."
                )
            elif name in spec.products and name not in done:
                visit(name, [*way, product])
        done.add(product)

    for product in spec.products:
        if product not in done:
            visit(product, [])


def check_flow(spec: PlantSpec, findings: Findings) -> None:
    """Warn when lots go round between types of units: with limited buffers they can wait for one another for ever."""
    can: dict[str, set[str]] = {}
    for type_id, type_ in spec.types.items():
        for name in type_.capabilities:
            can.setdefault(name, set()).add(type_id)
    after: dict[str, dict[str, Loc]] = {}
    for product_id, product in spec.products.items():
        names = [step.capability for step in product.routing]
        pairs = [
            (a, b, ("products", product_id, "routing", i + 1))
            for i, (a, b) in enumerate(itertools.pairwise(names))
        ]
        for i, component in enumerate(product.components):
            part = spec.products.get(component.product)
            if part is not None:
                pairs.append(
                    (
                        part.routing[-1].capability,
                        component.at or names[0],
                        ("products", product_id, "components", i),
                    )
                )
        for a, b, loc in pairs:
            for x in can.get(a, ()):
                for y in can.get(b, ()):
                    if x != y:
                        after.setdefault(x, {}).setdefault(y, loc)
    _warn_circle(after, findings)


def _warn_circle(after: dict[str, dict[str, Loc]], findings: Findings) -> None:
    """Take away types that nothing flows into, again and again; what is left goes round."""
    types = set(after) | {y for row in after.values() for y in row}
    while True:
        entered = {y for x in types for y in after.get(x, {}) if y in types}
        left = {x for x in types if x in entered and any(y in types for y in after.get(x, {}))}
        if left == types:
            break
        types = left
    if types:
        x, y = next((x, y) for x in sorted(types) for y in after[x] if y in types)
        findings.warning(
            after[x][y],
            f"Lots go round between the types {', '.join(sorted(types))}.",
            "With limited buffers they can wait for one another for ever; let the flow go one way.",
        )
