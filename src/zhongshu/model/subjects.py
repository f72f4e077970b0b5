"""Names on the bus: every subject begins with the plant, so that many plants can share one bus later."""

from __future__ import annotations

POINTS = "POINTS"
EVENTS = "EVENTS"


def points(plant: str, connection: str) -> str:
    """Batches of one connection; stream POINTS."""
    return f"zs.{plant}.points.{connection}"


def events(plant: str, kind: str) -> str:
    """Facts of one kind; stream EVENTS."""
    return f"zs.{plant}.events.{kind}"


def health(plant: str, process: str) -> str:
    """Once a second, not kept: a process's own figures as JSON."""
    return f"zs.{plant}.health.{process}"


def rpc(plant: str, service: str) -> str:
    """Request and reply, not kept."""
    return f"zs.{plant}.rpc.{service}"


def plan_ask(plant: str) -> str:
    """Request and reply: what people ask the planner (quote, why, try, release …) as JSON."""
    return f"zs.{plant}.plan.ask"


def floor_ask(plant: str) -> str:
    """Request and reply: what decide measures of units and vehicles right now, as JSON."""
    return f"zs.{plant}.floor.ask"
