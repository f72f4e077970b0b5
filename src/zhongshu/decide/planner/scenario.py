"""What-if plans: tried beside the one in force, and compared with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.edits import Changed, edited, said, unable
from zhongshu.decide.planner.mended import Plan, better, mended, placed_best
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.situation import Situation
from zhongshu.decide.planner.words import both, hour, unit_name
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.validate import problems_of
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store.plans import PlanGone, live_plan, plan, unpack
from zhongshu.kernel.store.plans import discard as discard_row

#: Wall time for improving a scenario, unless asked otherwise.
SEARCH_S, SEARCH_MAX_S = 1.5, 30.0
COMPARED = ("late", "weighted_tardiness_s")


def try_out(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{base, scenario, edits, seconds?} → a scenario with these edits, solved, and its effect against the base."""
    base = document_of(desk, ask.get("base", "live"))
    edits = [dict(edit) for edit in ask["edits"]]
    if ask.get("scenario") is not None:
        edits = edits_of(desk, int(ask["scenario"])) + edits
    situation = replace(desk.situation(), live=base)
    changed = edited(situation, edits)
    built = _unhurried(changed.problem(base))
    made = None if (words := unable(situation, built, changed.tried)) else mended(built, base, strict=True)
    if made is None:
        words = words or _clash(situation, changed, base, built, edits)
        return {"version": None, "feasible": False, "kpis": {}, "effect": {}, "problems": words}
    seconds = min(SEARCH_MAX_S, max(0.2, float(ask.get("seconds", SEARCH_S))))
    for order in {edit["order"] for edit in edits if edit["kind"] == "order"} & set(built.orders):
        made = placed_best(made, order, seconds / 2)
    made = better(made, seconds) or made
    saved = desk.publisher.save(
        made,
        status="scenario",
        now_ns=desk.clock.now_ns(),
        cause=desk.cause("what_if", ""),
        name=changed.name,
        base=base.get("version"),
        edits=edits,
        by=str(ask.get("by", "")),
    )
    assert saved is not None  # only a plan that is to come after a certain other may not be kept
    effect = {key: saved["kpis"][key] - base["kpis"][key] for key in COMPARED}
    effect["moved"] = saved["kpis"]["moved"]
    return {
        "version": saved["version"],
        "feasible": True,
        "kpis": saved["kpis"],
        "effect": effect,
        "problems": [],
    }


def discard(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{version} → the scenario is given up."""
    try:
        with desk.store.begin() as session:
            discard_row(session, desk.plant.id, int(ask["version"]))
    except PlanGone as gone:
        raise Refusal("ask.no_version", version=ask["version"]) from gone
    return {"version": int(ask["version"])}


def document_of(desk: Desk, which: Any) -> dict[str, Any]:
    """The document of a version, or of the one in force; raises Refusal."""
    with desk.store.read() as session:
        live = which in ("live", None)
        row = live_plan(session, desk.plant.id) if live else plan(session, desk.plant.id, int(which))
        if row is None:
            raise Refusal("ask.no_plan") if live else Refusal("ask.no_version", version=which)
        return unpack(row.content) | {"version": row.version}


def edits_of(desk: Desk, version: int) -> list[dict[str, Any]]:
    """What a scenario changes; raises Refusal."""
    with desk.store.read() as session:
        row = plan(session, desk.plant.id, version)
        if row is None:
            raise Refusal("ask.no_version", version=version)
        return [dict(edit) for edit in row.edits]


def _unhurried(built: Built) -> Built:
    """A person who tries something may move as much as they like."""
    return replace(built, problem=replace(built.problem, churn=None))


def _clash(
    situation: Situation,
    changed: Changed,
    base: Mapping[str, Any],
    built: Built,
    edits: Sequence[Mapping[str, Any]],
) -> list[dict[str, str]]:
    """Which edits can't hold, and what would: each in turn is let go, and only its absence lets a plan be made."""
    told = [{"zh": fault.text_zh, "en": fault.text} for fault in problems_of(built.problem)]
    found = []
    for rule in changed.tried:
        if rule.kind != "pin":
            continue
        others = tuple(r for r in changed.tried if r is not rule)
        free = replace(rule, args={"unit": rule.args.get("unit")})
        loose = mended(_unhurried(replace(changed, tried=(*others, free)).problem(base)), base, strict=True)
        words = {
            "task": said(situation, {"task": rule.subject}),
            "unit": unit_name(situation.plant, str(rule.args.get("unit", ""))),
            "at": hour(situation.plant, int(rule.args.get("start_ns", situation.now_ns))),
        }
        if loose is None:
            continue
        soonest = _start_ns(loose, rule.subject)
        found.append(both("edit.place_soonest", soonest=hour(situation.plant, soonest), **words))
    if not found and len(edits) > 1:
        for number, edit in enumerate(edits):
            rest = edited(situation, [*edits[:number], *edits[number + 1 :]])
            if mended(_unhurried(rest.problem(base)), base, strict=True) is not None:
                found.append(both("edit.alone", edit=said(situation, edit)))
    return found or told or [both("ask.no_way")]


def _start_ns(made: Plan, task: str) -> int:
    index = made.built.index[task]
    return made.built.origin_ns + made.solution.placed[index].start * NS
