"""The plant file's grammar, top down: what a person may write, with a description of every field; read by validate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from zhongshu.kernel.plantfile.actspec import AutonomySpec, InterlockSpec
from zhongshu.kernel.plantfile.equipment import Count, PointSpec, TypeSpec
from zhongshu.kernel.plantfile.planspec import MaintenanceSpec, MaterialSpec, PlanningSpec, PoolSpec
from zhongshu.kernel.plantfile.values import (
    Choices,
    Days,
    Label,
    Minutes,
    Name,
    NotNegative,
    Positive,
    Span,
    Spec,
    Spot,
    Template,
)


class ConnectionSpec(Spec):
    """One server, gateway, edge node or broker; at most 25 devices each."""

    id: Template = Field(
        description="Name of the connection, also in subjects on the bus; `{n}` with `count`."
    )
    protocol: Name = Field(
        description="`opcua`, `modbus`, `sparkplug`, `vda5050`, or a connector of your own."
    )
    count: int = Field(1, ge=1, le=200, description="How many like connections, numbered `{n}` from 1.")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="What the protocol needs, see below; text may hold `{n}` and sums such as `{n+48400}`.",
    )


_CALENDAR = "One of `calendars`, or `always`; by default as the part around it, the type, the plant."


class UnitSpec(Spec):
    """Like units in three lines: a type, a name pattern, a count."""

    id: Template = Field(description="Unique in the plant; `{n}` or `{n:02}` is the number of the unit.")
    type: Name = Field(description="One of `types`.")
    count: int = Field(1, ge=1, le=1000, description="How many of them.")
    first: int = Field(1, ge=0, description="Number `{n}` of the first.")
    name: Label | None = Field(
        None, description="Label, may hold `{n}`; by default the type's name and the number."
    )
    connection: Template = Field(
        description="One of `connections`; `{g}` spreads the units over several of them."
    )
    per_connection: int = Field(
        25, ge=1, le=25, description="With `{g}`: how many of these units share a connection."
    )
    address: dict[str, Any] = Field(
        default_factory=dict,
        description="What the protocol needs to reach the unit, see below; text may hold `{n}`, `{id}`, `{plant}` …",
    )
    x_m: float | None = Field(
        None, description="Place on the floor of the first unit; by default in a grid in the area."
    )
    y_m: float | None = Field(None, description="Place on the floor of the first unit.")
    pitch_m: Positive = Field(4.0, description="With `x_m`: distance to the next unit, along x.")
    station: Template = Field(
        "auto",
        description="Node of the road map where vehicles serve the unit; `auto` takes the nearest, `{n}` works.",
    )
    speed: Positive = Field(
        1.0, le=10, description="Times of the type are divided by it (older, newer units)."
    )
    calendar: Name | None = Field(None, description=_CALENDAR)


class LineSpec(Spec):
    """A production line or work centre."""

    id: Name = Field(description="Unique in its area.")
    name: Label | None = Field(None, description="Label; by default the id.")
    calendar: Name | None = Field(None, description=_CALENDAR)
    units: list[UnitSpec] = Field(min_length=1, description="The units, in the order of the flow.")


class AreaSpec(Spec):
    """An ISA-95 area and its rectangle on the floor plan."""

    id: Name = Field(description="Unique in the plant.")
    name: Label | None = Field(None, description="Label; by default the id.")
    x_m: float = Field(0.0, description="Left edge on the floor plan.")
    y_m: float = Field(0.0, description="Upper edge on the floor plan (y grows downwards).")
    width_m: Positive = Field(40.0, description="Width on the floor plan.")
    height_m: Positive = Field(20.0, description="Depth on the floor plan.")
    columns: int | None = Field(None, ge=1, description="Units in a row; by default as suits the rectangle.")
    calendar: Name | None = Field(None, description=_CALENDAR)
    lines: list[LineSpec] = Field(min_length=1, description="The lines of this area.")


class OperationSpec(Spec):
    """One kind of work, with the number that goes over the wire."""

    number: int = Field(ge=1, le=32767, description="Operation number, unique in the plant.")
    name: Label | None = Field(None, description="Label; by default the key.")
    by: Literal["family", "colour"] = Field(
        "family", description="What of a product decides on set-ups here: its `family`, or its `colour`."
    )


def _step(value: Any) -> Any:
    """A step may be just the name of its capability."""
    return {"capability": value} if isinstance(value, str) else value


class StepSpec(Spec):
    """One step of a routing."""

    capability: Name = Field(description="One of `operations`, that some type can do.")
    cycle_s: Positive | None = Field(
        None, description="Plant time for a piece, where it differs from the type's."
    )
    parameters: dict[Name, float] = Field(
        default_factory=dict, description="Set-points for this step by point name, in the point's unit."
    )
    family: Name | None = Field(
        None, description="Set-up family at this step where it is another (a die, a temperature programme)."
    )
    max_wait_min: Positive | None = Field(
        None, description="Longest plant time between the end of the step before and the begin of this one."
    )
    transfer: int = Field(
        0,
        ge=0,
        le=10_000,
        description="Begins when so many pieces have come over a conveyor from the step before; 0: by vehicle, as a lot.",
    )
    needs: dict[Name, Count] = Field(
        default_factory=dict, description="Of which `pools` how many, beyond the capability's: `{die-7: 1}`."
    )


class ComponentSpec(Spec):
    """A line of the bill of materials."""

    product: Name = Field(description="One of `products`.")
    quantity: Positive = Field(1.0, description="Pieces that go into one piece.")
    at: Name | None = Field(
        None, description="Capability of the step where it enters; by default the first step."
    )


def _supply(value: Any) -> Any:
    """A bought material may be just its quantity a piece."""
    return {"quantity": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class SupplySpec(Spec):
    """A line of the bill of bought materials."""

    quantity: Positive = Field(description="How much goes into one piece, in the material's unit.")
    at: Name | None = Field(
        None, description="Capability of the step that takes it; by default the first step."
    )


class ProductSpec(Spec):
    """A finished product or a part."""

    code: int = Field(ge=1, le=2_000_000_000, description="Number on the wire, unique in the plant.")
    name: Label | None = Field(None, description="Label; by default the key.")
    family: Name = Field("default", description="Set-ups depend on the change of family.")
    colour: Name | None = Field(None, description="Family at operations `by: colour`; by default `family`.")
    lot_size: int = Field(10, ge=1, le=10_000, description="Pieces that travel together.")
    sellable: bool = Field(False, description="Whether customers order it (else it is only a part).")
    routing: list[Annotated[StepSpec, BeforeValidator(_step)]] = Field(
        min_length=1, description="The steps in order; a step without times may be just its capability."
    )
    components: list[ComponentSpec] = Field(
        default_factory=list, description="Parts made here that go into it."
    )
    materials: dict[Name, Annotated[SupplySpec, BeforeValidator(_supply)]] = Field(
        default_factory=dict, description="What is bought for it, for one piece: `{steel-304: 1.2}`."
    )


class ShiftSpec(Spec):
    """A working shift in local time; one that ends before it begins goes past midnight."""

    id: Name = Field(description="Unique in the plant.")
    name: Label | None = Field(None, description="Label; by default the id.")
    days: Days = Field(
        default_factory=lambda: list(range(7)),
        description="Weekdays on which it begins: `mon-fri`, `[sat, sun]`.",
    )
    start: Minutes = Field(description="Local time `HH:MM`.")
    end: Minutes = Field(description="Local time `HH:MM`, up to `24:00`.")
    breaks: list[Span] = Field(
        default_factory=list, description="Local times `HH:MM-HH:MM` inside the shift."
    )


class BandSpec(Spec):
    """A band of the energy tariff."""

    name: Label = Field(description="Label, such as 峰 / Peak.")
    start: Minutes = Field(description="Local time `HH:MM`.")
    end: Minutes = Field(
        description="Local time `HH:MM`; a band that ends before it begins goes past midnight."
    )
    price: NotNegative = Field(description="Price per kWh in the tariff's currency.")


class TariffSpec(Spec):
    """The energy tariff; its bands cover the day without overlap."""

    currency: Name = Field("CNY", description="ISO 4217 code.")
    bands: list[BandSpec] = Field(min_length=1, description="The bands of the day.")


class NodeSpec(Spec):
    """A place on the road map."""

    id: Name = Field(description="Unique on the road map.")
    x_m: float = Field(description="Place on the floor plan.")
    y_m: float = Field(description="Place on the floor plan.")


class LaneSpec(Spec):
    """A straight lane with stations at equal distances, named `<lane>-01`, `<lane>-02` …, joined both ways."""

    id: Name = Field(description="Unique on the road map; the stations' names begin with it.")
    start: Spot = Field(description="First station `[x, y]` in m.")
    end: Spot = Field(description="Last station `[x, y]` in m.")
    stations: int = Field(ge=2, le=500, description="How many stations.")
    one_way: bool = Field(False, description="Whether vehicles may only drive from start to end.")


class EdgeSpec(Spec):
    """A way between two nodes that no lane joins."""

    start: Name = Field(description="A node or station.")
    end: Name = Field(description="Another one.")
    one_way: bool = Field(False, description="Whether vehicles may only drive from start to end.")
    speed_m_s: Positive | None = Field(None, description="Speed limit; by default the road map's.")


def _pair(value: Any) -> Any:
    """An edge may be just [start, end]; a lane's ends are lists in YAML."""
    return (
        dict(zip(("start", "end"), value, strict=False))
        if isinstance(value, list) and len(value) == 2
        else value
    )


class RoadsSpec(Spec):
    """Where vehicles drive."""

    speed_m_s: Positive = Field(1.5, description="Speed limit where an edge names none.")
    lanes: list[LaneSpec] = Field(default_factory=list, description="Straight lanes with stations.")
    nodes: list[NodeSpec] = Field(default_factory=list, description="Single places.")
    edges: list[Annotated[EdgeSpec, BeforeValidator(_pair)]] = Field(
        default_factory=list, description="Ways between nodes of different lanes; `[a, b]` is enough."
    )
    chargers: list[Name] = Field(default_factory=list, description="Nodes where vehicles charge.")


class PlantSpec(Spec):
    """The whole file."""

    plant: Name = Field(description="Short name of the plant, also in subjects on the bus.")
    name: Label | None = Field(None, description="Label; by default the short name.")
    site: Name = Field("site", description="ISA-95 site: the first part of every point's path.")
    timezone: str = Field(
        "UTC", description="IANA name, such as `Asia/Shanghai`; shifts and tariff are local times."
    )
    stale_after_s: Positive = Field(
        3.0, description="Wall time without a sign of life after which points turn Bad."
    )
    settings: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Anything else that stages look up by name, such as an energy cap in kW.",
    )
    enumerations: dict[Name, Choices] = Field(
        default_factory=dict, description="Named choices that several points share: number → label."
    )
    point_groups: dict[Name, dict[Name, PointSpec]] = Field(
        default_factory=dict,
        description="Points that several types include; built-in groups are listed below.",
    )
    operations: dict[Name, OperationSpec] = Field(
        default_factory=dict, description="Every kind of work and its number."
    )
    types: dict[Name, TypeSpec] = Field(min_length=1, description="Equipment classes by id.")
    connections: list[ConnectionSpec] = Field(min_length=1, description="How devices are reached.")
    areas: list[AreaSpec] = Field(min_length=1, description="Areas, lines and units.")
    products: dict[Name, ProductSpec] = Field(default_factory=dict, description="Products and parts by id.")
    shifts: list[ShiftSpec] = Field(default_factory=list, description="Working time; none means always.")
    calendars: dict[Name, list[Name]] = Field(
        default_factory=dict,
        description="Shifts by calendar, for units that work other hours: `{two: [early, late]}`. `plant` is that of all "
        "others; without it they work in the shifts that no calendar names.",
    )
    pools: dict[Name, PoolSpec] = Field(
        default_factory=dict, description="Tools and skilled people that several units share."
    )
    materials: dict[Name, MaterialSpec] = Field(default_factory=dict, description="What is bought.")
    maintenance: list[MaintenanceSpec] = Field(default_factory=list, description="Planned maintenance.")
    planning: PlanningSpec = Field(default_factory=PlanningSpec, description="How it wants to be planned.")
    policies: dict[Name, dict[str, str | int | float | bool]] = Field(
        default_factory=dict,
        description="Coordination policies that are switched on, each with what it is to know: "
        "`{standby: {gap_min: 20}}`; one of your own names its `file` beside the plant file.",
    )
    autonomy: AutonomySpec = Field(
        default_factory=AutonomySpec, description="How far the brain may go by itself."
    )
    interlocks: list[InterlockSpec] = Field(
        default_factory=list, description="What the brain may not ask for while a point reads so."
    )
    tariff: TariffSpec | None = Field(None, description="Price of energy over the day.")
    roads: RoadsSpec = Field(default_factory=RoadsSpec, description="Road map for vehicles.")
