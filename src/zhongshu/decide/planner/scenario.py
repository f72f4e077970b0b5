"""What-if plans: tried beside the one in force, compared, released with their difference, undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.edits import edited
from zhongshu.decide.planner.publish import STAGE
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.words import both
from zhongshu.decide.scheduling.engine import Limits, solve
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.kernel.clock import NS, monotonic_s
from zhongshu.kernel.store.orders import change_order
from zhongshu.kernel.store.plans import PlanGone, live_plan, plan, previous_live, unpack
from zhongshu.kernel.store.plans import discard as discard_row
from zhongshu.kernel.store.rules import lay_down
from zhongshu.kernel.store.signed import Signed

SEARCH_S, SEARCH_MAX_S = 1.5, 30.0
COMPARED = ("late", "weighted_tardiness_s")


def try_out(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{base, scenario, edits, seconds?} → a scenario with these edits, solved, and its effect against the base."""
    base = _document(desk, ask.get("base", "live"))
    edits = list(ask["edits"])
    if ask.get("scenario") is not None:
        edits = _edits_of(desk, int(ask["scenario"])) + edits
    situation = replace(desk.situation(), live=base)
    changed = edited(situation, edits)
    built = situation.problem(changed.rules, base, changed.work)
    problem = replace(built.problem, churn=None)
    seconds = min(SEARCH_MAX_S, max(0.2, float(ask.get("seconds", SEARCH_S))))
    began_s = monotonic_s()
    mended = repair(problem, Memory(problem))
    result = solve(problem, Limits(seconds, workers=1), start=mended.solution)
    if result.solution is None:
        words = [{"zh": f.text_zh, "en": f.text} for f in result.faults] or [both("ask.no_way")]
        return {"version": None, "feasible": False, "kpis": {}, "effect": {}, "problems": words}
    figures = {
        "bound": result.bound,
        "first_s": result.time_first_s,
        "improve_s": round(monotonic_s() - began_s, 3),
    }
    saved = desk.publisher.save(
        replace(built, problem=problem),
        result.solution,
        status="scenario",
        now_ns=desk.clock.now_ns(),
        cause=desk.cause("what_if", ""),
        figures=figures,
        name=changed.name,
        base=base.get("version"),
        edits=edits,
        by=str(ask.get("by", "")),
    )
    broken = [both("ask.no_way")] if built.broken_rules else []
    effect = {key: saved["kpis"][key] - base["kpis"][key] for key in COMPARED}
    effect["moved"] = saved["kpis"]["moved"]
    return {
        "version": saved["version"],
        "feasible": not broken,
        "kpis": saved["kpis"],
        "effect": effect,
        "problems": broken,
    }


def release_version(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{version} → it is in force; its edits become rules that later plans keep to."""
    version, by = int(ask["version"]), str(ask.get("by", ""))
    before, after = _document(desk, "live"), _document(desk, version)
    _keep_edits(desk, _edits_of(desk, version), by)
    _release(desk, version, after, by)
    difference = difference_of(before, after)
    return {"version": version, "moved": len(difference), "difference": difference, "replan": True, "by": by}


def undo(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """The plan that was in force before this one is again."""
    with desk.store.read() as session:
        row = live_plan(session, desk.plant.id)
        earlier = previous_live(session, desk.plant.id, row.version) if row is not None else None
        if earlier is None:
            raise Refusal("ask.no_undo")
        version, made = earlier.version, unpack(earlier.content)
    _release(desk, version, made, str(ask.get("by", "")))
    return {"version": version}


def discard(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{version} → the scenario is given up."""
    try:
        with desk.store.begin() as session:
            discard_row(session, desk.plant.id, int(ask["version"]))
    except PlanGone as gone:
        raise Refusal("ask.no_version", version=ask["version"]) from gone
    return {"version": int(ask["version"])}


def difference_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tasks of both plans that lie elsewhere: other unit, or a start that differs by a minute and more."""
    old = {name: k for k, name in enumerate(before["tasks"]["id"])}
    found = []
    for k, name in enumerate(after["tasks"]["id"]):
        if name not in old or after["tasks"]["status"][k] != "planned":
            continue
        units = (_unit(before, old[name]), _unit(after, k))
        starts = (_start(before, old[name]), _start(after, k))
        if units[0] != units[1] or abs(starts[0] - starts[1]) >= 60 * NS:
            row = {"task": name, "unit_from": units[0], "unit_to": units[1]}
            found.append(row | {"start_from_ns": starts[0], "start_to_ns": starts[1]})
    return found


def _unit(made: Mapping[str, Any], row: int) -> str:
    return str(made["units"][made["tasks"]["unit"][row]]["id"])


def _start(made: Mapping[str, Any], row: int) -> int:
    return int(made["origin_ns"] + made["tasks"]["start"][row] * NS)


def _release(desk: Desk, version: int, made: Mapping[str, Any], by: str) -> None:
    try:
        desk.publisher.release(version, made, by, desk.clock.now_ns())
    except PlanGone as gone:
        raise Refusal("ask.no_version", version=version) from gone


def _keep_edits(desk: Desk, edits: list[dict[str, Any]], by: str) -> None:
    """Pins, excluded and overtime hours and order terms go where people see and end them."""
    signed = Signed(by or "planner", desk.clock.now_ns(), stage=STAGE)
    changed = edited(desk.situation(), edits)
    with desk.store.begin() as session:
        for rule in changed.rules:
            lay_down(
                session,
                desk.plant,
                signed,
                kind=rule.kind,
                subject=rule.subject,
                start_ns=rule.start_ns or 0,
                end_ns=rule.end_ns or 0,
                args=dict(rule.args),
            )
        for edit in (e for e in edits if e["kind"] == "order"):
            terms = {key: int(edit[key]) for key in ("due_ns", "priority") if edit.get(key) is not None}
            change_order(session, desk.plant, edit["order"], signed, **terms)


def _document(desk: Desk, which: Any) -> dict[str, Any]:
    with desk.store.read() as session:
        live = which in ("live", None)
        row = live_plan(session, desk.plant.id) if live else plan(session, desk.plant.id, int(which))
        if row is None:
            raise Refusal("ask.no_plan") if live else Refusal("ask.no_version", version=which)
        return unpack(row.content) | {"version": row.version}


def _edits_of(desk: Desk, version: int) -> list[dict[str, Any]]:
    with desk.store.read() as session:
        row = plan(session, desk.plant.id, version)
        if row is None:
            raise Refusal("ask.no_version", version=version)
        return [dict(edit) for edit in row.edits]
