"""A scenario comes into force with what it lays down, all in one transaction; and goes out of force again with all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.edits import edited
from zhongshu.decide.planner.publish import STAGE
from zhongshu.decide.planner.record import Decided, by_person
from zhongshu.decide.planner.refusal import Refusal
from zhongshu.decide.planner.scenario import document_of, edits_of
from zhongshu.kernel.clock import NS
from zhongshu.kernel.store.orders import change_order
from zhongshu.kernel.store.plan_tables import Plan as PlanRow
from zhongshu.kernel.store.plan_tables import PlanRule as RuleRow
from zhongshu.kernel.store.plans import PlanGone, PlanStatus, live_plan, plan, previous_live, unpack
from zhongshu.kernel.store.rules import end_rule, lay_down, rules_in_force
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import WorkOrder

#: Two starts that differ by less are the same to people.
SAME_NS = 60 * NS
#: An entry of a version's edits that says what its release did to rules and orders, for undo; and that undo came.
DONE, UNDONE = "released", "undone"


def release_version(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """{version} → it is in force; its edits become rules and order terms that later plans keep to."""
    version, by = int(ask["version"]), str(ask.get("by", ""))
    before, after = document_of(desk, "live"), document_of(desk, version)
    edits = [e for e in edits_of(desk, version) if e["kind"] not in (DONE, UNDONE)]
    if any(edit["kind"] == "split" for edit in edits):
        raise Refusal("ask.no_release_split")
    signed = Signed(by or "planner", desk.clock.now_ns(), stage=STAGE)
    changed = edited(desk.situation(), edits)
    with desk.store.begin() as session:
        row = plan(session, desk.plant.id, version)
        if row is None or row.status == PlanStatus.DISCARDED:
            raise Refusal("ask.not_scenario", version=version)
        done: dict[str, Any] = {"kind": DONE, "before": before["version"], "rules": [], "orders": []}
        done["ended"] = list(changed.ended)
        for rule in changed.ended:
            end_rule(session, desk.plant, rule, signed)
        for tried in changed.tried:
            times = {"start_ns": tried.start_ns or 0, "end_ns": tried.end_ns or 0}
            laid = lay_down(
                session,
                desk.plant,
                signed,
                kind=tried.kind,
                subject=tried.subject,
                args={**tried.args, "plan": version},
                **times,
            )
            done["rules"].append(laid.id)
        for edit in (e for e in edits if e["kind"] == "order"):
            done["orders"].append(_terms(session, desk, edit["order"]))
            terms = {key: int(edit[key]) for key in ("due_ns", "priority") if edit.get(key) is not None}
            change_order(session, desk.plant, edit["order"], signed, **terms)
        row.edits = [*edits, done]
        _put_in_force(desk, session, version, after, by)
        decided = _record(desk, session, "release", version, before, after, by)
    desk.announce(decided, version, desk.clock.wall_ns())
    difference = difference_of(before, after)
    return {"version": version, "moved": len(difference), "difference": difference, "replan": True, "by": by}


def undo(desk: Desk, ask: Mapping[str, Any]) -> dict[str, Any]:
    """The last release of a person is taken back: the plan before it is in force again, its rules and order terms end.

    Plans that the planner made since are skipped: they kept to what is taken back. Without such a release it is the plan
    before the one in force.
    """
    by = str(ask.get("by", ""))
    signed = Signed(by or "planner", desk.clock.now_ns(), stage=STAGE)
    with desk.store.begin() as session:
        live = live_plan(session, desk.plant.id)
        if live is None:
            raise Refusal("ask.no_plan")
        released = _last_release(session, desk.plant.id)
        if released is not None:
            earlier = plan(session, desk.plant.id, _done(released)["before"])
        else:
            earlier = previous_live(session, desk.plant.id, live.version)
        if earlier is None:
            raise Refusal("ask.no_undo")
        if released is not None:
            _take_back(session, desk, released, signed)
        version, again = earlier.version, unpack(earlier.content)
        _put_in_force(desk, session, version, again, by)
        decided = _record(desk, session, "undo", version, unpack(live.content), again, by)
    desk.announce(decided, version, desk.clock.wall_ns())
    return {"version": version, "replan": True, "by": by}


def difference_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tasks of both plans that lie elsewhere: other unit, or a start that differs by a minute and more."""
    old = {name: k for k, name in enumerate(before["tasks"]["id"])}
    found = []
    for k, name in enumerate(after["tasks"]["id"]):
        if name not in old or after["tasks"]["status"][k] != "planned":
            continue
        units = (_unit(before, old[name]), _unit(after, k))
        starts = (_start(before, old[name]), _start(after, k))
        if units[0] != units[1] or abs(starts[0] - starts[1]) >= SAME_NS:
            row = {"task": name, "unit_from": units[0], "unit_to": units[1]}
            found.append(row | {"start_from_ns": starts[0], "start_to_ns": starts[1]})
    return found


def _last_release(session: Session, plant: str) -> PlanRow | None:
    """The newest version that a person put in force and nobody has taken back."""
    mine = select(PlanRow).where(PlanRow.plant == plant, PlanRow.released_ns.is_not(None))
    for row in session.scalars(mine.order_by(PlanRow.released_ns.desc(), PlanRow.version.desc())):
        kinds = {edit["kind"] for edit in row.edits}
        if DONE in kinds and UNDONE not in kinds:
            return row
    return None


def _take_back(session: Session, desk: Desk, row: PlanRow, signed: Signed) -> None:
    done = _done(row)
    standing = {rule.id for rule in rules_in_force(session, desk.plant.id)}
    for rule in done["rules"]:
        if rule in standing:
            end_rule(session, desk.plant, rule, signed)
    for number in done["ended"]:
        old = session.get_one(RuleRow, number)
        times = {"start_ns": old.start_ns, "end_ns": old.end_ns}
        again = lay_down(
            session, desk.plant, signed, kind=old.kind, subject=old.subject, args=old.args, **times
        )
        _renumber(session, old, again)
    for terms in done["orders"]:
        order = session.get(WorkOrder, (desk.plant.id, terms["order"]))
        if order is not None and order.status not in ("done", "cancelled"):
            kept = {"due_ns": terms["due_ns"], "priority": terms["priority"]}
            change_order(session, desk.plant, terms["order"], signed, **kept)
    row.edits = [*row.edits, {"kind": UNDONE, "by": signed.by}]


def _done(row: PlanRow) -> dict[str, Any]:
    found: dict[str, Any] = next(edit for edit in row.edits if edit["kind"] == DONE)
    return found


def _renumber(session: Session, old: RuleRow, again: RuleRow) -> None:
    """The release that laid the old rule down is taken back by ending the one that stands for it now."""
    laid_by = plan(session, old.plant, int(old.args.get("plan", 0)))
    if laid_by is not None and any(edit["kind"] == DONE for edit in laid_by.edits):
        rules = [again.id if rule == old.id else rule for rule in _done(laid_by)["rules"]]
        laid_by.edits = [e | {"rules": rules} if e["kind"] == DONE else e for e in laid_by.edits]


def _terms(session: Session, desk: Desk, order: str) -> dict[str, Any]:
    row = session.get_one(WorkOrder, (desk.plant.id, order))
    return {"order": order, "due_ns": row.due_ns, "priority": row.priority}


def _put_in_force(desk: Desk, session: Session, version: int, made: Mapping[str, Any], by: str) -> None:
    try:
        desk.publisher.release(session, version, made, by, desk.clock.now_ns())
    except PlanGone as gone:
        raise Refusal("ask.no_version", version=version) from gone


def _record(
    desk: Desk,
    session: Session,
    rule: str,
    version: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    by: str,
) -> Decided:
    """That a person decided this stands beside what the brain decided."""
    now_ns = desk.clock.now_ns()
    decided = by_person(rule, by or "planner", version, before, after, now_ns, desk.clock.wall_ns())
    desk.publisher.keep(session, decided, version, now_ns)
    return decided


def _unit(made: Mapping[str, Any], row: int) -> str:
    return str(made["units"][made["tasks"]["unit"][row]]["id"])


def _start(made: Mapping[str, Any], row: int) -> int:
    return int(made["origin_ns"] + made["tasks"]["start"][row] * NS)
