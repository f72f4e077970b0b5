"""One plain summary of a plant from what its processes say of themselves; for the command line, the pages and the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Processes whose silence makes the summary incomplete.
EXPECTED = ("brain", "historian", "web")
#: Of the planner, which not every plant has: what is in force, and the wall times of the last re-plan.
PLAN = ("version", "tasks", "late", "moved", "read_ms", "build_ms", "repair_ms", "improve_ms")


def summary(health: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of ``zhongshu status --json`` from ``kernel.health.gather``; null where the process is silent.

    latency is wall ms from source time to queryable; ``values_lost`` counts samples that devices numbered, that are
    not queryable and stand in no gap; ``gaps`` counts ledger entries since the data directory was made. ``repair_ms`` is from
    the problem to a checked plan that is valid now; ``reaction`` from a measured breakdown to each hop of the answer to it.
    """
    brain, historian = health.get("brain", {}), health.get("historian", {})
    act, planner = brain.get("act", {}), health.get("planner", {})
    return {
        "devices": {k: _at(brain, "devices", k) for k in ("total", "connected")},
        "points": {k: _at(brain, "points", k) for k in ("total", "good")},
        "values_per_s": historian.get("values_per_s"),
        "latency_ms": {k: historian.get(f"latency_{k}_ms") for k in ("p50", "p99")},
        "gaps": historian.get("gaps"),
        "values_lost": historian.get("values_lost"),
        "values_doubled": historian.get("values_doubled"),
        "commands": {
            **{k: act.get(k, 0 if brain else None) for k in ("proven", "refused", "failed", "expired")},
            "unknown": act.get("unknown"),
        },
        "orders": brain.get("decide"),
        "plan": {k: planner.get(k) for k in PLAN},
        "reaction": planner.get("reaction"),
        "silent": [name for name in EXPECTED if name not in health],
    }


def _at(figures: Mapping[str, Any], *path: str) -> Any:
    value: Any = figures
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
