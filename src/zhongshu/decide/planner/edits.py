"""What a person changes in a what-if, as rules for the builder and changes of the order book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.situation import Situation
from zhongshu.decide.planning.build import PlanRule
from zhongshu.decide.work import Work

#: Rules that are only tried out have no number in the store.
TRIED = -1


@dataclass(frozen=True, slots=True)
class Changed:
    """Rules to add, and the book with its orders changed."""

    rules: tuple[PlanRule, ...]
    work: Work
    name: str = ""


def edited(situation: Situation, edits: Sequence[Mapping[str, Any]]) -> Changed:
    """Raises Refusal for an edit that is none."""
    rules: list[PlanRule] = []
    work, name = replace(situation.work, orders=dict(situation.work.orders)), ""
    for edit in edits:
        kind = edit["kind"]
        if kind in ("place", "pin"):
            rules.append(_pin(situation, edit))
        elif kind == "unpin":
            rules = [r for r in rules if r.subject != edit["task"]]
        elif kind in ("exclude", "overtime", "maintenance"):
            _known_unit(situation, edit["unit"])
            start, end = int(edit["start_ns"]), int(edit["end_ns"])
            if end <= start:
                raise Refusal("ask.malformed", why="end_ns must be after start_ns")
            rules.append(PlanRule(TRIED, kind, edit["unit"], start, end))
        elif kind == "order":
            _order(work, edit)
        elif kind == "name":
            name = str(edit["name"])[:80]
        elif kind == "split":
            raise Refusal("ask.split")
        else:
            raise Refusal("ask.unknown", what=kind)
    return Changed(tuple(rules), work, name)


def _pin(situation: Situation, edit: Mapping[str, Any]) -> PlanRule:
    """Where it was dropped, or where it lies in the plan in force."""
    task, live = str(edit["task"]), situation.live
    if edit["kind"] == "place":
        _known_unit(situation, edit["unit"])
        return PlanRule(TRIED, "pin", task, args={"unit": edit["unit"], "start_ns": int(edit["start_ns"])})
    if live is None or task not in live["tasks"]["id"]:
        raise Refusal("ask.malformed", why=f"task {task}")
    row = live["tasks"]["id"].index(task)
    start_ns = live["origin_ns"] + live["tasks"]["start"][row] * 1_000_000_000
    unit = live["units"][live["tasks"]["unit"][row]]["id"]
    return PlanRule(TRIED, "pin", task, args={"unit": unit, "start_ns": start_ns})


def _known_unit(situation: Situation, unit: str) -> None:
    if unit not in situation.plant.unit_of:
        raise Refusal("ask.malformed", why=f"unit {unit}")


def _order(work: Work, edit: Mapping[str, Any]) -> None:
    order = work.orders.get(edit["order"])
    if order is None:
        raise Refusal("ask.no_order", order=edit["order"])
    changes = {key: int(edit[key]) for key in ("due_ns", "priority") if edit.get(key) is not None}
    work.orders[order.id] = replace(order, **changes)  # type: ignore[arg-type]
