"""How each measurement behaves by default: from its unit of measure and limits, refined by twin.yaml's signal rules."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from zhongshu.model import roles
from zhongshu.model.plant import Point, Unit
from zhongshu.twin.chance import number_of
from zhongshu.twin.machine import Machine
from zhongshu.twin.settings import SignalRule

#: Classes of what a unit does; the order of ``Profile.targets``.
IDLE, WORK, SETUP, DOWN = range(4)
AMBIENT_C = 24.0


@dataclass(frozen=True, slots=True)
class Profile:
    """One signal: where it goes in each class (engineering units), how fast (s), and what disturbs it."""

    targets: tuple[float, float, float, float]
    tau_s: float
    noise: float
    wave: float
    drift: float
    wear: float
    resolution: float
    low: float
    high: float


#: Shares of the range: idle, work, set-up, down, then noise, wave, drift, wear; and the time constant in s.
_SHAPES: dict[str, tuple[float, float, float, float, float, float, float, float, float]] = {
    "°C": (0.34, 0.58, 0.46, 0.10, 0.0010, 0.006, 0.010, 0.05, 240.0),
    "mm/s": (0.04, 0.26, 0.12, 0.01, 0.0090, 0.030, 0.010, 0.30, 2.0),
    "kW": (0.15, 0.65, 0.40, 0.04, 0.0060, 0.050, 0.005, 0.04, 2.0),
    "A": (0.14, 0.60, 0.38, 0.03, 0.0060, 0.050, 0.005, 0.05, 1.5),
    "V": (0.56, 0.54, 0.55, 0.57, 0.0030, 0.000, 0.010, 0.00, 1.0),
    "bar": (0.55, 0.62, 0.58, 0.30, 0.0020, 0.015, 0.010, -0.03, 8.0),
    "rpm": (0.00, 0.62, 0.18, 0.00, 0.0015, 0.010, 0.000, 0.00, 3.0),
    "L/min": (0.05, 0.55, 0.25, 0.00, 0.0050, 0.015, 0.005, -0.04, 3.0),
    "m/s": (0.00, 0.55, 0.15, 0.00, 0.0030, 0.010, 0.000, 0.00, 2.0),
    "dB": (0.35, 0.60, 0.45, 0.20, 0.0060, 0.010, 0.005, 0.08, 1.0),
}
#: What a name says more clearly than a unit of measure: endings first, then beginnings.
_NAMED: dict[tuple[str, ...], tuple[float, float, float, float, float, float, float, float, float]] = {
    ("_wear", "_dirt"): (0.02, 0.02, 0.02, 0.02, 0.0002, 0.0, 0.0, 0.85, 60.0),
    ("_left", "_level"): (0.60, 0.60, 0.60, 0.60, 0.0003, 0.0, 0.25, 0.00, 60.0),
    ("_position", "_angle", "_depth"): (0.10, 0.50, 0.30, 0.10, 0.0, 0.30, 0.0, 0.00, 2.0),
    ("_thickness", "_diameter", "_width", "_height"): (0.50, 0.50, 0.50, 0.50, 0.0008, 0.0, 0.01, 0.03, 5.0),
}
_AXES = (0.10, 0.50, 0.30, 0.10, 0.0, 0.35, 0.0, 0.00, 2.0)
_PLAIN = (0.10, 0.60, 0.35, 0.04, 0.0030, 0.020, 0.008, 0.04, 5.0)


def profile(point: Point, unit: Unit, machine: Machine | None, rules: Iterable[SignalRule]) -> Profile:
    """The signal's habits; like machines differ a little, always in the same way (by the point's path)."""
    low = point.low if point.low is not None else 0.0
    high = point.high if point.high is not None else low + 100.0
    span = high - low if high > low else 1.0
    shares = _shares(point)
    bias = (number_of(point.path) % 2001 / 1000 - 1) * 0.035 * span
    idle, work, setup, down = (low + share * span + (bias if share else 0.0) for share in shares[:4])
    if point.uom == "°C":
        down = min(idle, max(low, AMBIENT_C))
    noise, wave, drift, wear = (share * span for share in shares[4:8])
    made = Profile(
        (idle, work, setup, down), shares[8], noise, wave, drift, wear, resolution(point, span), low, high
    )
    made = _by_role(made, point, machine)
    for rule in rules:
        if fnmatchcase(unit.type, rule.type) and fnmatchcase(point.name, rule.point):
            made = _refined(made, rule)
    return made


def _shares(point: Point) -> tuple[float, ...]:
    if point.name.startswith(("axis_", "manipulator_", "beam_")) and point.uom != "°C":
        return _AXES
    named = next((shape for endings, shape in _NAMED.items() if point.name.endswith(endings)), None)
    return named or _SHAPES.get(point.uom, _PLAIN)


def resolution(point: Point, span: float) -> float:
    """The sensor's smallest step: 1 for whole numbers, else 1, 2 or 5 × a power of ten near a 4,000th of the range."""
    if point.kind != "float":
        return 1.0
    wanted = max(span / 4000, point.deadband / 2, 1e-9)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (5, 2, 1) if step * power <= wanted * (1 + 1e-9))


def _by_role(made: Profile, point: Point, machine: Machine | None) -> Profile:
    if point.role == roles.POWER and machine is not None:
        truth, kw = machine.truth, machine.base_kw
        targets = (kw * truth.power_idle, kw, kw * truth.power_setup, kw * truth.power_down)
        return replace(made, targets=targets, noise=0.008 * kw, wave=0.06 * kw, drift=0.0, wear=0.05 * kw)
    if point.role == roles.SPEED:
        full = 100.0 if point.uom == "%" else made.targets[WORK]
        return replace(
            made, targets=(0.0, full, 0.2 * full, 0.0), noise=0.004 * full, wave=0.0, drift=0.0, wear=0.0
        )
    return made


def _refined(made: Profile, rule: SignalRule) -> Profile:
    written = (rule.idle, rule.work, rule.setup, rule.down)
    idle, work, setup, down = (
        new if new is not None else old for new, old in zip(written, made.targets, strict=True)
    )
    names = ("tau_s", "noise", "wave", "drift", "wear", "resolution")
    changes = {name: getattr(rule, name) for name in names if getattr(rule, name) is not None}
    return replace(made, targets=(idle, work, setup, down), **changes)
