"""A plant of a few units, made in code, so that dispatching can be tried without a file."""

from __future__ import annotations

import itertools

from zhongshu.model import roles
from zhongshu.model.plant import (
    Area,
    Capability,
    Component,
    Connection,
    Edge,
    Line,
    Node,
    Plant,
    Point,
    Product,
    RoadMap,
    Step,
    Text,
    Unit,
    UnitType,
)

MACHINE_ROLES = (
    roles.UNIT_STATE,
    roles.UNIT_MODE,
    roles.JOB_KEY,
    roles.JOB_STATE,
    roles.JOB_GOOD,
    roles.JOB_SCRAP,
)
VEHICLE_ROLES = (
    roles.UNIT_STATE,
    roles.UNIT_MODE,
    roles.LAST_NODE,
    roles.BATTERY,
    roles.CHARGING,
    roles.LOAD,
) + (
    roles.ORDER_KEY,
    roles.ORDER_STATE,
)


def label(text: str) -> Text:
    """The same in both languages."""
    return Text(text, text)


#: Units for a product that is built of parts, and what each can do.
TREE = {
    "cut-1": "a-cut",
    "bend-1": "b-bend",
    "wind-1": "c-wind",
    "build-1": "d-build",
    "build-2": "d-build",
    "mount-1": "e-mount",
}


def make_plant(
    units: dict[str, str], vehicles: int = 2, products: tuple[Product, ...] | None = None
) -> Plant:
    """``units`` maps unit id to the one capability it has; stations stand in a row, 10 m apart."""
    ids = iter(range(10_000))
    capabilities = sorted(set(units.values()))
    types = tuple(
        UnitType(c, label(c), c, (Capability(c, 10 * (i + 1), 5.0, 10.0),), {}, False, 4, 2, ())
        for i, c in enumerate(capabilities)
    )
    agv = UnitType("agv", label("agv"), "agv", (), {}, True, 1, 1, ())
    nodes = tuple(Node(f"n{i}", i + 1, 10.0 * i, 0.0) for i in range(len(units) + 1))
    edges = tuple(
        Edge(f"{a.id}-{b.id}", a.id, b.id, 10.0, 1.0)
        for x, y in itertools.pairwise(nodes)
        for a, b in ((x, y), (y, x))
    )
    machines = [_unit(u, c, f"n{i}", MACHINE_ROLES, ids) for i, (u, c) in enumerate(units.items())]
    fleet = [_unit(f"agv-{i}", "agv", "", VEHICLE_ROLES, ids) for i in range(vehicles)]
    return Plant(
        id="small",
        name=label("small"),
        site="site",
        timezone="Asia/Shanghai",
        areas=(Area("hall", label("hall"), 0, 0, 100, 50, (Line("line", label("line"), tuple(units)),)),),
        types=(*types, agv),
        units=(*machines, *fleet),
        connections=(Connection("c", "memory", {}),),
        products=products or (chain_product(capabilities),),
        shifts=(),
        tariff=(),
        currency="CNY",
        roads=RoadMap(nodes, edges, (nodes[-1].id,)),
    )


def chain_product(capabilities: list[str]) -> Product:
    """A product that passes the capabilities in order."""
    steps = tuple(Step(10 * (i + 1), c, None, {}) for i, c in enumerate(capabilities))
    return Product("hood", 1, label("hood"), "steel", 5, steps, (), True)


def assembled(
    capabilities: list[str], parts: dict[str, list[str]], late_parts: tuple[str, ...] = ()
) -> tuple[Product, ...]:
    """A product built from parts at its first operation, or its last; ``parts`` maps part id to its capabilities."""
    first = 10
    late = first + 10 * (len(capabilities) - 1)
    components = tuple(Component(part, 1, late if part in late_parts else first) for part in parts)
    steps = tuple(Step(first + 10 * i, c, None, {}) for i, c in enumerate(capabilities))
    top = Product("hood", 1, label("hood"), "steel", 5, steps, components, True)
    made = [
        Product(
            part,
            2 + i,
            label(part),
            "steel",
            5,
            tuple(Step(10 * (k + 1), c, None, {}) for k, c in enumerate(cs)),
            (),
            False,
        )
        for i, (part, cs) in enumerate(parts.items())
    ]
    return (top, *made)


def _unit(name: str, kind: str, station: str, point_roles: tuple[str, ...], ids: object) -> Unit:
    points = tuple(
        Point(
            next(ids),  # type: ignore[call-overload]
            f"site/hall/line/{name}/{role}",
            name,
            role,
            label(role),
            "int",
            "",
            role,
            1.0,
            0.0,
            None,
            None,
            False,
            {},
            1.0,
            0.0,
            {},
        )
        for role in point_roles
    )
    return Unit(
        name, f"site/hall/line/{name}", label(name), kind, "hall", "line", "c", 0.0, 0.0, station, points, {}
    )
