"""Decisions on record: the planner writes and completes them here, pages read them; what a row holds is told in docs/reference/decisions.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from zhongshu.kernel.store.tables import Decision

#: Decisions kept of each plant; a busy day makes some hundreds.
KEPT = 2000
#: Rows beyond ``KEPT`` that are borne until they are deleted together.
SLACK = 100


def add_decision(
    session: Session,
    plant: str,
    decision: str,
    *,
    t_ns: int,
    rule: str,
    subject: str,
    facts: Mapping[str, Any],
) -> None:
    """One more decision on record; the oldest beyond ``KEPT`` go. ``facts`` are JSON values."""
    session.add(
        Decision(
            plant=plant,
            id=decision,
            t_ns=t_ns,
            rule=rule,
            subject=subject,
            text_key=f"decision.{rule}",
            facts=dict(facts),
        )
    )
    _forget_oldest(session, plant)


def change_decision(session: Session, plant: str, decision: str, changes: Mapping[str, Any]) -> bool:
    """Complete the facts with what was learnt since: a mapping is merged into one of that name, the rest replaces; False
    where there is no such decision any more."""
    row = session.get(Decision, (plant, decision))
    if row is None:
        return False
    facts = dict(row.facts)
    for name, value in changes.items():
        before = facts.get(name)
        facts[name] = (
            {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
        )
    row.facts = facts  # a new value: SQLAlchemy does not see what changes inside of one
    return True


def decisions(
    session: Session,
    plant: str,
    *,
    rules: Sequence[str] = (),
    without: str = "",
    subject: str = "",
    before_ns: int = 0,
    limit: int = 100,
) -> list[Decision]:
    """The newest decisions first; ``rules``: only by these, ``without`` one, ``before_ns``: only those before this plant time."""
    query = select(Decision).where(Decision.plant == plant)
    if rules:
        query = query.where(Decision.rule.in_(rules))
    if without:
        query = query.where(Decision.rule != without)
    if subject:
        query = query.where(Decision.subject == subject)
    if before_ns:
        query = query.where(Decision.t_ns < before_ns)
    return list(session.scalars(query.order_by(Decision.t_ns.desc(), Decision.id.desc()).limit(limit)))


def _forget_oldest(session: Session, plant: str) -> None:
    session.flush()
    mine = select(Decision.t_ns).where(Decision.plant == plant).order_by(Decision.t_ns.desc())
    if session.scalar(mine.offset(KEPT + SLACK).limit(1)) is None:
        return
    oldest = session.scalar(mine.offset(KEPT).limit(1))
    session.execute(delete(Decision).where(Decision.plant == plant, Decision.t_ns <= oldest))
