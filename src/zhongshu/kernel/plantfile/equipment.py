"""The plant file's grammar for equipment: types, their points and capabilities; read by validate and expand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

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


class CapabilitySpec(Spec):
    """What units of a type can do."""

    cycle_s: Positive = Field(description="Nominal plant time for one piece.")
    setup_s: NotNegative = Field(
        0.0, description="Nominal plant time to change from one product family to another."
    )


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
    setups: dict[Name, dict[Name, NotNegative]] = Field(
        default_factory=dict,
        description="Plant time in s to change from one family to another where it differs from `setup_s`.",
    )
    buffer_in: Annotated[int, Field(ge=0, le=1000)] = Field(
        2, description="Lots that can wait before the unit."
    )
    buffer_out: Annotated[int, Field(ge=0, le=1000)] = Field(
        2, description="Lots that can wait after the unit."
    )
    batch: int = Field(1, ge=1, le=1000, description="Lots that are worked at once (ovens).")
    parameters: list[Name] = Field(default_factory=list, description="Writable points that a job may set.")
