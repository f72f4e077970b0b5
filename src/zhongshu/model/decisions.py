"""The words of decisions: what a command goes by, and the hops from a measured fact to the proof of what was done about it."""

from __future__ import annotations

PLAN, RULE = "plan", "rule"
#: In the order in which they happen; each is a moment in wall ns. measured: the device's own time of the state word; received:
#: at the plant's edge; said: as a fact; heard: by the planner; woke: the planner begins; ready: a repaired and checked plan;
#: in_force: stored; published: dispatch hears of it; taken: dispatch has read it; then the first command by it or a later one.
HOPS = (
    "measured",
    "received",
    "said",
    "heard",
    "woke",
    "ready",
    "in_force",
    "published",
    "taken",
    "proposed",
    "sent",
    "accepted",
    "proven",
)


def by_plan(version: int) -> str:
    """What a command goes by: this version of the plan."""
    return f"{PLAN} {version}"


def by_rule(rule: str) -> str:
    """What a command goes by: a rule, where the plan knows nothing of it."""
    return f"{RULE} {rule}"


def plan_of(decision: str) -> int:
    """The version of the plan a command goes by; 0 where it goes by a rule."""
    kind, _, version = decision.partition(" ")
    return int(version) if kind == PLAN and version.isdecimal() else 0
