"""What a person changes in a what-if, as rules for the builder, changes of the order book and split tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.situation import Situation
from zhongshu.decide.planner.words import both, order_name, unit_name
from zhongshu.decide.planning.build import Built, PlanRule, TaskRef
from zhongshu.decide.scheduling.split import split
from zhongshu.decide.work import Work
from zhongshu.kernel.clock import NS

#: Rules that are only tried out have numbers below 0: -1 for the first edit, -2 for the second …
TIMED = ("exclude", "overtime", "maintenance")
PARTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Changed:
    """The situation as edited; ``tried`` are the rules that were added, ``ended`` the numbers of those taken away."""

    situation: Situation
    tried: tuple[PlanRule, ...] = ()
    ended: tuple[int, ...] = ()
    splits: tuple[tuple[str, int], ...] = ()
    name: str = ""

    def problem(self, previous: Mapping[str, Any]) -> Built:
        """With the edits in it; raises Refusal where a split can't be."""
        built = self.situation.problem(self.tried, previous)
        for task, parts in self.splits:
            built = _split(built, task, parts)
        return built


def edited(situation: Situation, edits: Sequence[Mapping[str, Any]]) -> Changed:
    """Raises Refusal for an edit that is none."""
    tried: list[PlanRule] = []
    ended: list[int] = []
    splits: list[tuple[str, int]] = []
    work, name = replace(situation.work, orders=dict(situation.work.orders)), ""
    for number, edit in enumerate(edits, 1):
        kind = edit["kind"]
        if kind in ("place", "pin", "unpin"):
            task = str(edit["task"])
            tried = [r for r in tried if r.subject != task]
            ended += [r.id for r in situation.rules if r.kind == "pin" and r.subject == task]
            if kind != "unpin":
                tried.append(_pin(situation, edit, -number))
        elif kind in TIMED:
            tried.append(_timed(situation, edit, -number))
        elif kind == "order":
            _order(work, edit)
        elif kind == "name":
            name = str(edit["name"])[:80]
        elif kind == "split":
            splits.append((str(edit["task"]), _parts(edit)))
        else:
            raise Refusal("ask.unknown", what=kind)
    rules = tuple(r for r in situation.rules if r.id not in ended)
    return Changed(
        replace(situation, rules=rules, work=work), tuple(tried), tuple(ended), tuple(splits), name
    )


def said(situation: Situation, edit: Mapping[str, Any]) -> dict[str, str]:
    """A task or unit of an edit in words for people."""
    plant, task = situation.plant, str(edit.get("task", ""))
    if not task:
        return unit_name(plant, str(edit.get("unit", "")))
    live = situation.live
    if live is None or task not in live["tasks"]["id"]:
        return {"zh": task, "en": task}
    row = live["tasks"]["id"].index(task)
    order = live["orders"][live["tasks"]["order"][row]]["id"]
    step = int(task.partition(":")[2].partition("/")[0])
    return order_name(plant, order, live["tasks"]["product"][row], step)


def _pin(situation: Situation, edit: Mapping[str, Any], number: int) -> PlanRule:
    """Where it was dropped, or where it lies in the plan in force."""
    task, live = str(edit["task"]), situation.live
    if live is None or task not in live["tasks"]["id"]:
        raise Refusal("ask.no_task", task=task)
    if edit["kind"] == "place":
        _known_unit(situation, edit["unit"])
        args = {"unit": edit["unit"], "start_ns": int(edit["start_ns"])}
        return PlanRule(number, "pin", task, args=args)
    row = live["tasks"]["id"].index(task)
    start_ns = live["origin_ns"] + live["tasks"]["start"][row] * NS
    unit = live["units"][live["tasks"]["unit"][row]]["id"]
    return PlanRule(number, "pin", task, args={"unit": unit, "start_ns": start_ns})


def _timed(situation: Situation, edit: Mapping[str, Any], number: int) -> PlanRule:
    _known_unit(situation, edit["unit"])
    start, end = int(edit["start_ns"]), int(edit["end_ns"])
    if end <= start:
        raise Refusal("ask.malformed", why="end_ns must be after start_ns")
    return PlanRule(number, edit["kind"], edit["unit"], start, end)


def _known_unit(situation: Situation, unit: str) -> None:
    if unit not in situation.plant.unit_of:
        raise Refusal("ask.no_unit", unit=unit)


def _order(work: Work, edit: Mapping[str, Any]) -> None:
    order = work.orders.get(edit["order"])
    if order is None:
        raise Refusal("ask.no_order", order=edit["order"])
    changes = {key: int(edit[key]) for key in ("due_ns", "priority") if edit.get(key) is not None}
    work.orders[order.id] = replace(order, **changes)  # type: ignore[arg-type]


def _parts(edit: Mapping[str, Any]) -> int:
    parts = int(edit["parts"])
    if not 2 <= parts <= PARTS_MAX:
        raise Refusal("ask.malformed", why=f"parts: 2 … {PARTS_MAX}")
    return parts


def _split(built: Built, task: str, parts: int) -> Built:
    """The task as several, called "lot:step/1", "lot:step/2" …; each is carried by itself."""
    index = built.index.get(task)
    if index is None:
        raise Refusal("ask.no_task", task=task)
    try:
        problem = split(built.problem, index, parts)
    except ValueError as error:
        raise Refusal("edit.split", task=task, parts=parts) from error
    like = built.tasks[index]
    refs = [*built.tasks, *(TaskRef(like.lot, like.step, f"{task}/{k}") for k in range(2, parts + 1))]
    refs[index] = TaskRef(like.lot, like.step, f"{task}/1")
    old = built.problem
    arcs = [*old.arcs_into[index], *old.arcs_out[index]]
    carried = (*built.carried, *(built.carried[k] for _ in range(parts - 1) for k in arcs))
    return replace(built, problem=problem, tasks=tuple(refs), carried=carried)


def unable(situation: Situation, built: Built, tried: Sequence[PlanRule]) -> list[dict[str, str]]:
    """Words for tried pins that no plan can keep, whatever else gives way: unit can't do it, task begun or gone."""
    return [
        both(
            "edit.unable",
            unit=unit_name(situation.plant, str(rule.args.get("unit", ""))),
            task=said(situation, {"task": rule.subject}),
        )
        for rule in tried
        if rule.id in built.broken_rules
    ]
