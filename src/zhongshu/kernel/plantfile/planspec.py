"""The plant file's grammar for what planning must respect and aim at: tools, people, materials, maintenance; read by validate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from zhongshu.kernel.plantfile.equipment import Count
from zhongshu.kernel.plantfile.values import Days, Label, Minutes, Name, NotNegative, Positive, Spec

Price = Annotated[int, Field(ge=0, le=1_000_000_000)]


def _by_number(value: Any) -> Any:
    """Keys are numbers, which YAML may have read as text."""
    if not isinstance(value, dict):
        return value
    try:
        return {int(k): v for k, v in value.items()}
    except ValueError:
        raise PydanticCustomError(
            "choices", "Priorities are numbers with weights, like {1: 20, 5: 4}"
        ) from None


#: Order priority → weight.
ByPriority = Annotated[dict[int, Annotated[int, Field(ge=1, le=10_000)]], BeforeValidator(_by_number)]


class PoolSpec(Spec):
    """Tools (dies, fixtures) or people of one skill."""

    name: Label | None = Field(None, description="Label; by default the id.")
    kind: Literal["tool", "crew"] = Field("tool", description="`tool`, or `crew` for people.")
    count: Count = Field(description="How many there are.")
    shifts: dict[Name, Count] = Field(
        default_factory=dict, description="How many in single shifts instead: `{night: 2}`."
    )
    area: Name | None = Field(
        None, description="The area that a crew belongs to; by default the whole plant."
    )


class ArrivalSpec(Spec):
    """A regular delivery."""

    days: Days = Field(
        default_factory=lambda: list(range(7)), description="Weekdays: `mon-fri`, `[tue, thu]`."
    )
    at: Minutes = Field(description="Local time `HH:MM`.")
    quantity: Positive = Field(description="How much comes, in the material's unit.")


class MaterialSpec(Spec):
    """Something bought."""

    name: Label | None = Field(None, description="Label; by default the id.")
    uom: str = Field("", max_length=20, description="Unit of measure, such as `kg`; empty for pieces.")
    stock: NotNegative = Field(0.0, description="How much is there as long as nobody has counted.")
    arrivals: list[ArrivalSpec] = Field(default_factory=list, description="What comes in regularly.")


class MaintenanceSpec(Spec):
    """Planned maintenance of some units, every week or once; work never pauses over it."""

    id: Name = Field(description="Unique in the plant.")
    name: Label | None = Field(None, description="Label; by default the id.")
    units: list[Name] = Field(min_length=1, description="Units by id.")
    days: Days = Field(default_factory=list, description="Weekdays on which it begins, every week.")
    date: str = Field(
        "", pattern=r"^(\d{4}-\d\d-\d\d)?$", description="Instead of `days`: one day, `2026-11-23`."
    )
    start: Minutes = Field(description="Local time `HH:MM`.")
    end: Minutes = Field(description="Local time `HH:MM`; up to 24 h later.")


class AimsSpec(Spec):
    """What each part of the objective costs; the plan with the smallest sum is best."""

    tardiness: Price = Field(100, description="A second late, times the order's weight.")
    makespan: Price = Field(10, description="A second until everything is done.")
    flow: Price = Field(0, description="A second that an order takes from its release to its end.")
    setup: Price = Field(20, description="A second of set-up.")
    energy: Price = Field(1000, description="A unit of the tariff's currency.")
    stability: Price = Field(20_000, description="An operation that moved against the plan in force.")


class PlanningSpec(Spec):
    """How the plant wants to be planned."""

    frozen_s: Count = Field(600, description="What begins so soon in the plan in force stays as it is.")
    horizon_h: int = Field(336, ge=8, le=2400, description="Hours for which calendars are looked up ahead.")
    churn: Count | None = Field(
        None, description="At most so many operations move in one re-plan; by default any."
    )
    moved_s: Count = Field(60, description="A begin that differs by less has not moved.")
    pick_s: NotNegative = Field(10.0, description="What a vehicle needs to take a lot.")
    drop_s: NotNegative = Field(10.0, description="What a vehicle needs to set a lot down.")
    away_min: Positive = Field(
        120.0,
        description="A unit in local, manual or maintenance mode, or lost, is expected back after so long.",
    )
    repair_min: Positive = Field(30.0, description="A broken unit is expected back after so long.")
    cap_kw: Positive | None = Field(
        None, description="Peak power of all units that say `power_kw`; by default no cap."
    )
    weights: ByPriority = Field(
        default_factory=dict,
        description="Weight of a second late by the order's priority; by default 10 for priority 1 down to 1 for 10.",
    )
    aims: AimsSpec = Field(default_factory=AimsSpec, description="What each part of the objective costs.")
