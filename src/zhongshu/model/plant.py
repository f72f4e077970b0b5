"""The expanded plant: every unit and point spelled out, made from plant.yaml and read by every stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from zhongshu.model.autonomy import Ladder
from zhongshu.model.idling import Rest, Service
from zhongshu.model.interlocks import Interlock
from zhongshu.model.planning import Maintenance, Material, Planning, Pool, Supply
from zhongshu.model.text import Text as Text  # noqa: PLC0414 - whoever reads a plant finds its labels here as well

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """One measured or settable value of one unit.

    ``path`` is ``site/area/line/unit/point``; ``id`` the dense int32 of that path (-1 until assigned).
    ``kind`` is float, int, bool or enum; ``uom`` the unit of measure; ``rate_hz`` the sampling rate in wall time;
    ``role`` says what the point means to the brain ("" for plain measurements), see ``model.roles``.
    ``address`` is what the connection's protocol needs to reach it.
    """

    id: int
    path: str
    unit: str
    name: str
    label: Text
    kind: str
    uom: str
    role: str
    rate_hz: float
    deadband: float
    low: float | None
    high: float | None
    writable: bool
    choices: Mapping[int, Text]
    scale: float
    offset: float
    address: Settings


@dataclass(frozen=True, slots=True)
class Capability:
    """What a unit type can do, with the planner's nominal times in plant seconds.

    ``load_s``: one load of a batch unit, whatever is in it; None: ``cycle_s`` a piece. ``interruptible``: the work may
    pause over breaks and nights. ``setups[a][b]`` is the time from family a to b where this capability says its own,
    empty where the type's holds. ``needs``: pools while at work. ``power_kw``: what the unit draws meanwhile.
    """

    name: str
    operation: int
    cycle_s: float
    setup_s: float
    load_s: float | None = None
    interruptible: bool = False
    power_kw: float = 0.0
    needs: Mapping[str, int] = field(default_factory=dict)
    setups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of work: ``number`` goes over the wire, ``capability`` names it in types and routings.

    ``by``: what of a product makes its set-up family here, ``family`` or ``colour``."""

    number: int
    capability: str
    name: Text
    by: str = "family"


@dataclass(frozen=True, slots=True)
class UnitType:
    """Equipment class (ISA-95): what its units have in common. ``setups[a][b]`` is the time in s from family a to b.

    ``batch`` lots of one family are worked at once; where ``batch_pieces`` is above 0, so many pieces instead.
    ``rest``: how its units save energy; ``service``: how they are asked for maintenance; None where they can't.
    """

    id: str
    name: Text
    icon: str
    capabilities: tuple[Capability, ...]
    setups: Mapping[str, Mapping[str, float]]
    is_vehicle: bool
    buffer_in: int
    buffer_out: int
    parameters: tuple[str, ...]
    batch: int = 1
    batch_pieces: int = 0
    rest: Rest | None = None
    service: Service | None = None

    def can(self, capability: str) -> Capability | None:
        """The named capability, or None."""
        return next((c for c in self.capabilities if c.name == capability), None)

    def setup_s(self, capability: str, old: str, new: str) -> float:
        """Nominal set-up in plant seconds for a capability from family ``old`` ("" where nobody knows) to ``new``."""
        able = self.can(capability)
        written = ((able.setups if able else None) or self.setups).get(old, {}).get(new)
        if written is not None:
            return written
        return 0.0 if able is None or old == new else able.setup_s

    @property
    def batches(self) -> bool:
        """Whether its units work several lots at once."""
        return self.batch > 1 or self.batch_pieces > 0


@dataclass(frozen=True, slots=True)
class Unit:
    """One automated device. ``id`` is unique in the plant; ``x_m``/``y_m`` its place on the floor; ``station`` its road-map node.

    ``speed``: times of its type are divided by it. ``calendar``: one of the plant's, "" for the plant's own shifts.
    """

    id: str
    path: str
    name: Text
    type: str
    area: str
    line: str
    connection: str
    x_m: float
    y_m: float
    station: str
    points: tuple[Point, ...]
    address: Settings
    speed: float = 1.0
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line or work centre inside an area."""

    id: str
    name: Text
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """An ISA-95 area with its rectangle on the floor plan, in metres."""

    id: str
    name: Text
    x_m: float
    y_m: float
    width_m: float
    height_m: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """One server, gateway, edge node or broker and how to reach it."""

    id: str
    protocol: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a routing: which capability, and for how long in s a piece where the product differs from the type.

    ``family``: for set-ups and batches, "" for the product's. ``max_wait_s``: begins at most so long after the operation
    before it has ended. ``transfer``: begins when so many pieces have come over from the operation before, on a conveyor;
    0: the whole lot is carried over. ``needs``: pools, beyond the capability's.
    """

    operation: int
    capability: str
    cycle_s: float | None
    parameters: Mapping[str, float]
    family: str = ""
    max_wait_s: float | None = None
    transfer: int = 0
    needs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Component:
    """A line of a bill of materials: ``quantity`` of ``product`` enters at ``operation``."""

    product: str
    quantity: float
    operation: int


@dataclass(frozen=True, slots=True)
class Product:
    """A finished product or a part; ``code`` is its number on the wire; ``lot_size`` pieces travel together."""

    id: str
    code: int
    name: Text
    family: str
    lot_size: int
    routing: tuple[Step, ...]
    components: tuple[Component, ...]
    sellable: bool
    materials: tuple[Supply, ...] = ()

    def family_at(self, step: Step) -> str:
        """Its set-up family at one of its steps."""
        return step.family or self.family


@dataclass(frozen=True, slots=True)
class Shift:
    """A working shift: weekdays (0 Monday) and local times in minutes after midnight; breaks as (start, end) minutes."""

    id: str
    name: Text
    days: tuple[int, ...]
    start_min: int
    end_min: int
    breaks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TariffBand:
    """Energy price per kWh between two minutes of the local day."""

    name: Text
    start_min: int
    end_min: int
    price: float


@dataclass(frozen=True, slots=True)
class Node:
    """A place on the road map, in metres; ``number`` is its value on numeric points."""

    id: str
    number: int
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class Edge:
    """A lane from one node to another; ``speed_m_s`` its limit."""

    id: str
    start: str
    end: str
    length_m: float
    speed_m_s: float


@dataclass(frozen=True, slots=True)
class RoadMap:
    """Where vehicles may drive."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    chargers: tuple[str, ...]


@dataclass(frozen=True)
class Plant:
    """A whole plant. ``points`` holds every point of every unit, in a stable order."""

    id: str
    name: Text
    site: str
    timezone: str
    areas: tuple[Area, ...]
    types: tuple[UnitType, ...]
    units: tuple[Unit, ...]
    connections: tuple[Connection, ...]
    products: tuple[Product, ...]
    shifts: tuple[Shift, ...]
    tariff: tuple[TariffBand, ...]
    currency: str
    roads: RoadMap
    stale_after_s: float = 3.0
    settings: Settings = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    calendars: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    materials: tuple[Material, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    planning: Planning = field(default_factory=Planning)
    #: Coordination policies that are switched on, by name, with what was set of each; see decide.policies.
    policies: Mapping[str, Settings] = field(default_factory=dict)
    ladder: Ladder = field(default_factory=Ladder)
    interlocks: tuple[Interlock, ...] = ()

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Every point, unit by unit."""
        return tuple(p for u in self.units for p in u.points)

    @cached_property
    def unit_of(self) -> Mapping[str, Unit]:
        """Units by id."""
        return {u.id: u for u in self.units}

    @cached_property
    def type_of(self) -> Mapping[str, UnitType]:
        """Unit types by id."""
        return {t.id: t for t in self.types}

    @cached_property
    def product_of(self) -> Mapping[str, Product]:
        """Products by id."""
        return {p.id: p for p in self.products}

    @cached_property
    def operation_of(self) -> Mapping[str, Operation]:
        """Operations by capability."""
        return {o.capability: o for o in self.operations}

    @cached_property
    def point_of_path(self) -> Mapping[str, Point]:
        """Points by path."""
        return {p.path: p for p in self.points}

    @cached_property
    def vehicles(self) -> tuple[Unit, ...]:
        """The units that drive."""
        return tuple(u for u in self.units if self.type_of[u.type].is_vehicle)

    @cached_property
    def machines(self) -> tuple[Unit, ...]:
        """The units that stand still."""
        return tuple(u for u in self.units if not self.type_of[u.type].is_vehicle)

    @cached_property
    def able(self) -> Mapping[str, tuple[Unit, ...]]:
        """The machines that can do something, by capability; without entry where none can."""
        found: dict[str, list[Unit]] = {}
        for unit in self.machines:
            for name in dict.fromkeys(c.name for c in self.type_of[unit.type].capabilities):
                found.setdefault(name, []).append(unit)
        return {name: tuple(units) for name, units in found.items()}

    @cached_property
    def assembled(self) -> frozenset[str]:
        """Products that are built of parts which are made here as well."""
        made = {p.id for p in self.products if p.routing}
        return frozenset(p.id for p in self.products if any(c.product in made for c in p.components))

    @cached_property
    def rest_s(self) -> Mapping[str, tuple[float, ...]]:
        """By product: nominal seconds a piece from each step of its routing to the end; 0 after the last."""
        cycle_s = {c.name: c.cycle_s for kind in reversed(self.types) for c in reversed(kind.capabilities)}
        return {
            product.id: tuple(
                sum(cycle_s[step.capability] for step in product.routing[k:])
                for k in range(len(product.routing) + 1)
            )
            for product in self.products
        }

    def role(self, unit: Unit, role: str) -> Point | None:
        """The unit's point with that role, or None."""
        return next((p for p in unit.points if p.role == role), None)
