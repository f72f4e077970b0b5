"""The plant file's grammar for equipment: types, their points and capabilities; read by validate and expand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from zhongshu.kernel.plantfile.values import Choices, Label, Name, NotNegative, Positive, Spec

Kind = Literal["float", "int", "bool", "enum"]


class PointSpec(Spec):
    """One point. In a type it may also refine a point that an included group brought, naming only what differs."""

    label: Label | None = Field(None, description="Label; by default the key in words.")
    kind: Kind = Field("float", description="`float`, `int`, `bool` or `enum` (a number with `choices`).")
    uom: str = Field(
        "", max_length=20, description="Unit of measure, such as `kW`; empty for counts and states."
    )
    role: str = Field(
        "", description="What the point means to the brain, see below; empty for plain measurements."
    )
    rate_hz: Positive = Field(1.0, le=100, description="Sampling rate in wall time.")
    deadband: NotNegative = Field(0.0, description="Changes up to this are not kept; in the point's unit.")
    low: float | None = Field(None, description="Lowest believable value, in the point's unit.")
    high: float | None = Field(None, description="Highest believable value, in the point's unit.")
    writable: bool = Field(False, description="Whether the brain may write it.")
    choices: Choices | None = Field(None, description="For `enum`: number → label.")
    enumeration: Name | None = Field(
        None, description="For `enum`: one of `enumerations` instead of own `choices`."
    )
    scale: float = Field(1.0, description="Engineering value = raw value × scale + offset.")
    offset: float = Field(0.0, description="See `scale`; in the point's unit.")
    address: dict[str, Any] = Field(
        default_factory=dict,
        description="What the protocol needs to reach the point, see below; made by default.",
    )


def _row(value: Any) -> Any:
    """A row of a set-up matrix may be just a number: to any other family."""
    return {ANY: value} if isinstance(value, int | float) and not isinstance(value, bool) else value


#: In a set-up matrix: every other family.
ANY = "any"
SetupRow = Annotated[dict[Name, NotNegative], BeforeValidator(_row)]
Count = Annotated[int, Field(ge=0, le=100_000)]


class CapabilitySpec(Spec):
    """What units of a type can do."""

    cycle_s: Positive = Field(description="Nominal plant time for one piece.")
    load_s: Positive | None = Field(
        None, description="Nominal plant time for a whole load of a batch unit, whatever is in it."
    )
    setup_s: NotNegative = Field(
        0.0, description="Nominal plant time to change from one product family to another."
    )
    setups: dict[Name, SetupRow] = Field(
        default_factory=dict, description="Where this capability's set-ups differ from the type's `setups`."
    )
    symmetric: bool = Field(False, description="With `setups`: what is written for a → b holds for b → a.")
    interruptible: bool = Field(
        False, description="Whether the work may pause over breaks and nights; else it fits in between."
    )
    power_kw: NotNegative = Field(0.0, description="What a unit draws at work, for energy price and cap.")
    needs: dict[Name, Count] = Field(
        default_factory=dict, description="Of which `pools` how many while at work: `{crew-press: 1}`."
    )


class RestSpec(Spec):
    """How its units save energy while they have nothing to do."""

    point: Name = Field(description="The set-point that is written, one of the type's points.")
    work: float = Field(description="What is written there for work, in the point's unit.")
    rest: float = Field(description="What is written there for rest.")
    wake_min: Positive = Field(description="Nominal plant time from resting to ready.")
    measured: Name | None = Field(
        None, description="The temperature that shows how far an oven is; units that only sleep have none."
    )
    wake_kw: NotNegative = Field(0.0, description="What a unit draws while it comes back, for the peak load.")


class ServiceSpec(Spec):
    """How its units are asked for maintenance before they are fully worn."""

    point: Name = Field(description="The set-point to which a 1 is written, one of the type's points.")
    takes_min: Positive = Field(description="Nominal plant time that a unit is away.")


class TypeSpec(Spec):
    """An equipment class: everything that its units have in common."""

    name: Label | None = Field(None, description="Label; by default the id.")
    icon: str = Field("machine", max_length=40, description="Picture in the control room.")
    vehicle: bool = Field(False, description="Whether its units drive.")
    include: list[Name] = Field(
        default_factory=list, description="Point groups, built-in or from `point_groups`."
    )
    points: dict[Name, PointSpec] = Field(
        default_factory=dict, description="Own points, and refinements of included ones."
    )
    scan_hz: Positive | None = Field(
        None,
        le=10,
        description="Wall-time rate at which the whole register image is scanned; overrides `rate_hz` (Modbus).",
    )
    capabilities: dict[Name, CapabilitySpec] = Field(
        default_factory=dict, description="Which `operations` it can do."
    )
    setups: dict[Name, SetupRow] = Field(
        default_factory=dict,
        description="Plant time in s to change from one family to another where it differs from `setup_s`: "
        "`{white: {black: 600}, black: 900, any: {clear: 60}}`; `any` is every other family.",
    )
    symmetric: bool = Field(False, description="With `setups`: what is written for a → b holds for b → a.")
    buffer_in: Annotated[int, Field(ge=0, le=1000)] = Field(
        2, description="Lots that can wait before the unit."
    )
    buffer_out: Annotated[int, Field(ge=0, le=1000)] = Field(
        2, description="Lots that can wait after the unit."
    )
    batch: int = Field(1, ge=1, le=1000, description="Lots of one family that are worked at once (ovens).")
    batch_pieces: int = Field(
        0, ge=0, le=100_000, description="Instead of `batch`: pieces that are worked at once."
    )
    calendar: Name | None = Field(
        None, description="One of `calendars`, or `always`; a line, area or unit may say another."
    )
    parameters: list[Name] = Field(default_factory=list, description="Writable points that a job may set.")
    rest: RestSpec | None = Field(None, description="How its units save energy; by default they can't.")
    service: ServiceSpec | None = Field(
        None, description="How its units are asked for maintenance; by default they can't be asked."
    )
