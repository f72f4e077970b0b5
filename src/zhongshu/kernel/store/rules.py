"""What people lay down for the planner: rules with a name under them, in force until somebody ends them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store.plan_tables import PlanRule
from zhongshu.kernel.store.signed import Refused, Signed, Why
from zhongshu.model.messages import PlanRuleChanged
from zhongshu.model.plant import Plant

DAY_NS = 86_400_000_000_000
DAYS_MAX = 400
_TASK = re.compile(r"-?[1-9]\d{0,14}:\d{1,3}")  # lots of orders not released yet have numbers below 0


class RuleKind(StrEnum):
    """What a rule does to the plan."""

    PIN = "pin"  # a task stays on its unit at its time (args: unit, start_ns)
    EXCLUDE = "exclude"  # nothing is planned on a unit
    MAINTENANCE = "maintenance"  # a unit is worked on
    OVERTIME = "overtime"  # a unit works where its calendar is closed
    HOLD = "hold"  # a task is not begun


#: Rules about a task; the others are about a unit between two times.
OF_TASKS = (RuleKind.PIN, RuleKind.HOLD)


def lay_down(
    session: Session,
    plant: Plant,
    signed: Signed,
    *,
    kind: str,
    subject: str,
    start_ns: int = 0,
    end_ns: int = 0,
    args: Mapping[str, Any] | None = None,
) -> PlanRule:
    """A new rule, in force at once; raises Refused."""
    if kind not in set(RuleKind):
        raise Refused("rule.kind", kind=kind[:32], kinds=", ".join(RuleKind))
    if kind in OF_TASKS:
        if not _TASK.fullmatch(subject):
            raise Refused("rule.task", subject=subject[:64])
    elif subject not in plant.unit_of:
        raise Refused("rule.unit", Why.MISSING, subject=subject[:64])
    elif not 0 <= start_ns < end_ns <= start_ns + DAYS_MAX * DAY_NS:
        raise Refused("rule.times", days=DAYS_MAX)
    row = PlanRule(
        plant=plant.id,
        kind=str(kind),
        subject=subject,
        start_ns=start_ns,
        end_ns=end_ns,
        args=dict(args or {}),
        by=signed.by,
        note=signed.note,
        created_ns=signed.now_ns,
    )
    session.add(row)
    session.flush()
    _announce(session, row, signed)
    return row


def end_rule(session: Session, plant: Plant, rule: int, signed: Signed) -> PlanRule:
    """It is in force no longer; raises Refused where it was not."""
    row = session.get(PlanRule, rule) if 0 < rule < 2**31 else None
    if row is None or row.plant != plant.id or row.ended_ns is not None:
        raise Refused("rule.none", Why.MISSING, rule=rule)
    row.ended_ns = signed.now_ns
    _announce(session, row, signed)
    return row


def rules_in_force(session: Session, plant: str, now_ns: int | None = None) -> list[PlanRule]:
    """Rules nobody has ended; with ``now_ns`` without those whose time is over. In the order they were laid down."""
    mine = select(PlanRule).where(PlanRule.plant == plant, PlanRule.ended_ns.is_(None))
    if now_ns is not None:
        mine = mine.where((PlanRule.end_ns == 0) | (PlanRule.end_ns > now_ns))
    return list(session.scalars(mine.order_by(PlanRule.id)))


def rules_ever(session: Session, plant: str, limit: int) -> list[PlanRule]:
    """The newest rules first, ended or not."""
    return list(
        session.scalars(
            select(PlanRule).where(PlanRule.plant == plant).order_by(PlanRule.id.desc()).limit(limit)
        )
    )


def _announce(session: Session, row: PlanRule, signed: Signed) -> None:
    ended = row.ended_ns is not None
    event = PlanRuleChanged(
        row.plant, signed.stage, signed.now_ns, row.id, row.kind, row.subject, ended, signed.by
    )
    put_event(session, signed.stage, event, msg_id=f"rule.{row.plant}.{row.id}.{'ended' if ended else 'new'}")
