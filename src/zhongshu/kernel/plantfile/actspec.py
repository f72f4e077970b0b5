"""The plant file's grammar for what the brain may send: the autonomy ladder, interlocks and permits; read by validate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from zhongshu.kernel.plantfile.values import Label, Name, Positive, Spec

Level = Literal["observe", "advise", "approve", "act"]
VerbName = Literal[
    "start_job",
    "stop",
    "reset",
    "hold",
    "unhold",
    "abort_job",
    "set_parameter",
    "transport",
    "cancel_transport",
]


def _listed(value: Any) -> Any:
    """One may be written without a list."""
    return [value] if isinstance(value, str) else value


Verbs = Annotated[list[VerbName], BeforeValidator(_listed)]
Names = Annotated[list[Name], BeforeValidator(_listed)]


class AutonomySpec(Spec):
    """How far the brain may go by itself; people change the levels while the plant runs, this is where they begin."""

    default: Level = Field(
        "act",
        description="Level of areas that `areas` does not name: `observe` proposes nothing, `advise` only says what it would "
        "do, `approve` waits for a named person, `act` sends by itself.",
    )
    areas: dict[Name, Level] = Field(default_factory=dict, description="Level by area: `{coating: approve}`.")
    failures: int = Field(
        3,
        ge=0,
        le=1000,
        description="So many commands of the brain without proof, of devices that are well, and the area steps down; 0: never.",
    )
    within_min: Positive = Field(60.0, description="They count for so long (plant time).")
    fresh_share: float = Field(
        0.5, ge=0, le=1, description="With a smaller share of Good points the area steps down."
    )
    stale_s: Positive = Field(30.0, description="… once that has lasted so long (wall time).")
    approval_s: Positive = Field(
        600.0, description="A proposal waits so long for a person (wall time), then it is chosen anew."
    )
    unit_gap_s: float = Field(
        0.2, ge=0, le=60, description="Wall time between two commands to one unit, at least."
    )
    area_per_s: Positive = Field(
        20.0, le=10_000, description="Commands a second (wall time) to one area, at most."
    )


class WhenSpec(Spec):
    """A measured value compared with one of yours; exactly one of the comparisons."""

    unit: Name | None = Field(None, description="Whose point; by default the unit's that is to be asked.")
    point: Name = Field(description="Name of a point.")
    above: float | None = Field(None, description="The value is greater, in the point's unit of measure.")
    below: float | None = Field(None, description="The value is smaller.")
    equals: float | None = Field(None, description="The value is this one; states by their number.")
    differs: float | None = Field(None, description="The value is another one.")


class InterlockSpec(Spec):
    """What units may not be asked for while a point reads so (`may_not`), or only then (`may_only`).

    The machines' own safety stays in the machines: this is what the brain does not even ask.
    """

    id: Name = Field(description="Unique in the plant.")
    units: Names = Field(default_factory=list, description="Units by id.")
    types: Names = Field(default_factory=list, description="All units of these types.")
    may_not: Verbs = Field(default_factory=list, description="Requests that wait while `when` holds.")
    may_only: Verbs = Field(
        default_factory=list, description="Instead of `may_not`: requests that wait unless `when` holds."
    )
    when: WhenSpec = Field(description="The condition: `{unit: oven-1, point: temperature, above: 230}`.")
    reason: Label = Field(description="What people read when a request waits for it.")
