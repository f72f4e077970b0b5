"""How a rehearsed plant is run: by a rule that knows no plan, by one plan a day, or by the whole brain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zhongshu.decide.dispatching import DISPATCHES, Dispatch
from zhongshu.kernel.clock import NS

DAY_NS = 24 * 3600 * NS


@dataclass(frozen=True, slots=True)
class Policy:
    """``plans``: a planner runs; ``replans``: it answers what happens, otherwise it plans once a day and that stands.
    ``coordinates``: the plant's coordination policies are asked."""

    name: str
    dispatch: Dispatch
    plans: bool = False
    replans: bool = False
    coordinates: bool = False


POLICIES: Mapping[str, Policy] = {
    p.name: p
    for p in (
        Policy("first-come", DISPATCHES["first-come"]),
        Policy("earliest-due", DISPATCHES["earliest-due"]),
        Policy("best-rule", DISPATCHES["best-rule"]),
        Policy("daily-plan", DISPATCHES["follow"], plans=True),
        Policy("brain", DISPATCHES["follow"], plans=True, replans=True, coordinates=True),
    )
}
