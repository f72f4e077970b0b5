"""twin.yaml: the true distributions behind the plant file's nominal times, the signals' habits and the customer; read once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zhongshu.kernel.plantfile.problems import Findings, PlantFileError, did_you_mean
from zhongshu.kernel.plantfile.source import read_source
from zhongshu.model.plant import Plant


class Section(BaseModel):
    """Unknown keys are errors; nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MachineTruth(Section):
    """How the machines of a type really behave; ``machines:`` holds what is common, ``types:`` what differs."""

    cycle_factor: float = Field(
        1.02, gt=0, le=10, description="True mean cycle over the plant file's nominal one."
    )
    cycle_spread: float = Field(0.06, ge=0, le=2, description="Coefficient of variation of a cycle.")
    cycle_law: Literal["lognormal", "gamma"] = Field("lognormal", description="Law of the cycle times.")
    setup_factor: float = Field(1.08, gt=0, le=10, description="True mean set-up over the nominal one.")
    setup_spread: float = Field(0.15, ge=0, le=2, description="Coefficient of variation of a set-up.")
    scrap: float = Field(0.004, ge=0, le=1, description="Share of pieces that fail.")
    stale_scrap: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of pieces that fail where the lot waited longer than the step allows.",
    )
    mtbf_h: float = Field(60.0, ge=0, description="Mean operating hours between breakdowns; 0: never.")
    breakdown_law: Literal["weibull", "exponential"] = Field(
        "weibull", description="Law of the time between breakdowns."
    )
    breakdown_shape: float = Field(1.4, gt=0, le=10, description="Weibull shape; above 1 means wearing out.")
    repair_min: float = Field(22.0, gt=0, description="Mean repair in plant minutes.")
    repair_spread: float = Field(
        0.6, ge=0, le=3, description="Coefficient of variation of a repair (lognormal)."
    )
    micro_stop_min: float = Field(
        50.0, ge=0, description="Mean operating minutes between micro-stops; 0: never."
    )
    micro_stop_s: float = Field(18.0, gt=0, description="Mean length of a micro-stop in plant seconds.")
    wear_life_h: float = Field(160.0, gt=0, description="Operating hours from new to worn.")
    maintenance_min: float = Field(
        35.0, gt=0, description="Plant minutes of a maintenance, done when idle and worn."
    )
    power_kw: float | None = Field(
        None, ge=0, description="Power while working; left out: from the power point's limits."
    )
    power_idle: float = Field(0.22, ge=0, le=2, description="Share of it when idle.")
    power_setup: float = Field(0.6, ge=0, le=2, description="Share of it during set-up.")
    power_down: float = Field(0.06, ge=0, le=2, description="Share of it when stopped or broken.")
    power_rest: float = Field(0.05, ge=0, le=2, description="Share of it in stand-by (no ovens).")
    wake_factor: float = Field(1.1, gt=0, le=10, description="True time to wake from stand-by over nominal.")
    cool_h: float = Field(
        1.5, gt=0, le=100, description="Ovens: time constant of cooling down with the heater off, hours."
    )
    wear_begin: float = Field(
        0.6,
        ge=0,
        le=1,
        description="Highest wear of a machine when the plant begins; they lie between 0 and this.",
    )


class VehicleTruth(Section):
    """How the vehicles drive."""

    speed_m_s: float = Field(1.6, gt=0, le=10, description="Highest speed of the vehicle itself.")
    handling_s: float = Field(12.0, ge=0, description="Mean time to pick or to drop a lot, plant seconds.")
    handling_spread: float = Field(0.2, ge=0, le=2, description="Coefficient of variation of it.")
    drive_percent_h: float = Field(14.0, ge=0, description="Battery used while driving, percent an hour.")
    idle_percent_h: float = Field(2.0, ge=0, description="Battery used while standing.")
    charge_percent_h: float = Field(60.0, gt=0, description="Battery gained at a charger.")
    low_percent: float = Field(
        10.0, ge=0, le=100, description="Below this the vehicle drives at half speed and reports it."
    )
    mtbf_h: float = Field(0.0, ge=0, description="Mean hours of driving between breakdowns; 0: never.")
    repair_min: float = Field(
        8.0, gt=0, description="Mean repair in plant minutes, where the vehicle stands."
    )
    repair_spread: float = Field(
        0.4, ge=0, le=3, description="Coefficient of variation of a repair (lognormal)."
    )


class SignalRule(Section):
    """Overrides for measurement points. A point follows every rule that fits, the later one wins."""

    type: str = Field("*", description="Unit type, may hold * and ?.")
    point: str = Field("*", description="Point name, may hold * and ?.")
    idle: float | None = Field(None, description="Target when idle, in the point's unit.")
    work: float | None = Field(None, description="Target when executing.")
    setup: float | None = Field(None, description="Target during set-up.")
    down: float | None = Field(None, description="Target when stopped or broken.")
    tau_s: float | None = Field(None, gt=0, description="Time constant of the way there, plant seconds.")
    noise: float | None = Field(None, ge=0, description="Standard deviation of the sensor's noise.")
    wave: float | None = Field(
        None, ge=0, description="Amplitude of the swing within a cycle while executing."
    )
    drift: float | None = Field(None, ge=0, description="Amplitude of the slow swing over hours.")
    wear: float | None = Field(None, description="Added when fully worn.")
    resolution: float | None = Field(None, gt=0, description="Smallest step the sensor reports.")


class CustomerTruth(Section):
    """Who orders, how much and how often; times are plant time."""

    burst: int = Field(40, ge=0, description="Orders at once at the very beginning.")
    open_orders: int = Field(0, ge=0, description="Keep this many undelivered orders; 0: only by rate.")
    orders_per_h: float = Field(6.0, ge=0, description="Mean arrivals an hour, exponential gaps.")
    hours: float = Field(0.0, ge=0, description="Orders come for so many hours only; 0: without end.")
    lots_min: int = Field(1, ge=1, description="Smallest order in lots.")
    lots_max: int = Field(4, ge=1, description="Largest order in lots.")
    due_min_h: float = Field(4.0, gt=0, description="Shortest time to the due date.")
    due_max_h: float = Field(16.0, gt=0, description="Longest time to the due date.")
    urgent: float = Field(0.08, ge=0, le=1, description="Share of urgent orders (priority 1, half the time).")
    mix: Mapping[str, float] = Field(
        default_factory=dict, description="Product → weight; empty: all sellable alike."
    )

    @model_validator(mode="after")
    def _ordered(self) -> CustomerTruth:
        if self.lots_min > self.lots_max:
            raise ValueError("lots_min is above lots_max")
        if self.due_min_h > self.due_max_h:
            raise ValueError("due_min_h is above due_max_h")
        return self


class TwinTruth(Section):
    """The whole file. ``types`` holds complete sections once read: what a type leaves out is taken from ``machines``."""

    seed: int = Field(1, ge=0, description="Default seed of the plant day.")
    machines: MachineTruth = Field(
        default_factory=MachineTruth, description="What all machines have in common."
    )
    types: Mapping[str, MachineTruth] = Field(default_factory=dict, description="Differences by unit type.")
    vehicles: VehicleTruth = Field(default_factory=VehicleTruth, description="The vehicles.")
    signals: tuple[SignalRule, ...] = Field((), description="Overrides for measurement points.")
    customer: CustomerTruth = Field(default_factory=CustomerTruth, description="The customer.")

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("types"), dict):
            return raw
        common = raw.get("machines")
        common = common if isinstance(common, dict) else {}
        types = {
            name: {**common, **own} if isinstance(own, dict) else own for name, own in raw["types"].items()
        }
        return {**raw, "types": types}

    def of(self, kind: str) -> MachineTruth:
        """The truth about the machines of a unit type."""
        return self.types.get(kind, self.machines)


def load_truth(path: Path, plant: Plant | None = None) -> TwinTruth:
    """Read and check twin.yaml; with ``plant``, names are checked against it, too. Raises PlantFileError with every problem."""
    source = read_source(path)
    findings = source.findings
    truth: TwinTruth | None = None
    if source.values is not None and not findings.errors:
        try:
            truth = TwinTruth.model_validate(source.values)
        except ValidationError as error:
            _told(error, findings)
    if truth is not None and plant is not None:
        _names(truth, plant, findings)
    if findings.errors or truth is None:
        raise PlantFileError(findings.errors)
    return truth


def _told(error: ValidationError, findings: Findings) -> None:
    for each in error.errors():
        known = each["type"] == "extra_forbidden"
        findings.error(
            tuple(each["loc"]), f"{each['msg']}.", "Delete it, or correct its name." if known else ""
        )


def _names(truth: TwinTruth, plant: Plant, findings: Findings) -> None:
    types = list(plant.type_of)
    for name in truth.types:
        if name not in plant.type_of:
            findings.error(
                ("types", name), f"The plant has no unit type “{name}”.", did_you_mean(name, types)
            )
    sellable = [p.id for p in plant.products if p.sellable]
    for name in truth.customer.mix:
        if name not in sellable:
            where = ("customer", "mix", name)
            findings.error(where, f"Nobody can order “{name}”.", did_you_mean(name, sellable))
