"""Versions of the plan: the planner saves and releases them here, pages and restarts read them back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from zhongshu.kernel.store.plan_tables import Plan


class PlanStatus(StrEnum):
    """What became of a version; there is at most one live one in a plant."""

    LIVE = "live"
    SCENARIO = "scenario"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class PlanGone(LookupError):
    """There is no such version, or it can't be released any more; the message says which."""


def pack(document: Mapping[str, Any]) -> bytes:
    """A plan document as ``Plan.content``."""
    return zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def unpack(content: bytes) -> dict[str, Any]:
    """The plan document again."""
    document: dict[str, Any] = json.loads(zlib.decompress(content))
    return document


def next_version(session: Session, plant: str) -> int:
    """The number the next plan gets; nobody else takes it before this writing transaction ends."""
    return int(session.scalar(select(func.max(Plan.version)).where(Plan.plant == plant)) or 0) + 1


def save_plan(
    session: Session,
    plant: str,
    *,
    status: str,
    made_ns: int,
    origin_ns: int,
    content: bytes,
    name: str = "",
    base: int | None = None,
    cause: Mapping[str, Any] | None = None,
    kpis: Mapping[str, Any] | None = None,
    edits: Sequence[Mapping[str, Any]] = (),
    by: str = "",
) -> int:
    """Keep a new version and return its number; one saved as live takes the place of the old live one.

    ``content`` is the packed plan document; use ``next_version`` before, in the same transaction, where it names itself.
    """
    version = next_version(session, plant)
    live = status == PlanStatus.LIVE
    if live:
        _supersede(session, plant)
    session.add(
        Plan(
            plant=plant,
            version=version,
            status=str(status),
            name=name,
            base=base,
            made_ns=made_ns,
            origin_ns=origin_ns,
            cause=dict(cause or {}),
            kpis=dict(kpis or {}),
            edits=[dict(edit) for edit in edits],
            content=content,
            by=by,
            released_ns=made_ns if live else None,
        )
    )
    session.flush()
    return version


def live_plan(session: Session, plant: str) -> Plan | None:
    """The plan in force, None before the first."""
    return session.scalars(
        select(Plan)
        .where(Plan.plant == plant, Plan.status == PlanStatus.LIVE.value)
        .order_by(Plan.version.desc())
        .limit(1)
    ).first()


def plan(session: Session, plant: str, version: int) -> Plan | None:
    """One version, whatever became of it."""
    return session.get(Plan, (plant, version))


def scenarios(session: Session, plant: str) -> list[Plan]:
    """Versions that are tried out, newest first; their content is read only when asked for in the same session."""
    mine = select(Plan).where(Plan.plant == plant, Plan.status == PlanStatus.SCENARIO.value)
    return list(session.scalars(mine.options(defer(Plan.content)).order_by(Plan.version.desc())))


def release(session: Session, plant: str, version: int, by: str, now_ns: int) -> Plan:
    """Put a version in force; the old live one is superseded. Raises PlanGone."""
    found = plan(session, plant, version)
    if found is None:
        raise PlanGone(f"there is no plan {version}")
    if found.status == PlanStatus.DISCARDED:
        raise PlanGone(f"plan {version} was discarded; try it anew")
    if found.status != PlanStatus.LIVE:
        _supersede(session, plant)
        found.status, found.released_ns, found.by = PlanStatus.LIVE.value, now_ns, by or found.by
        session.flush()
    return found


def discard(session: Session, plant: str, version: int) -> Plan:
    """Give a scenario up; raises PlanGone where it is none."""
    found = plan(session, plant, version)
    if found is None or found.status != PlanStatus.SCENARIO:
        raise PlanGone(f"plan {version} is no scenario that could be discarded")
    found.status = PlanStatus.DISCARDED.value
    session.flush()
    return found


def previous_live(session: Session, plant: str, version: int) -> Plan | None:
    """The plan that was in force before ``version`` was released, for undo; None where there was none."""
    at = plan(session, plant, version)
    if at is None or at.released_ns is None:
        return None
    before = select(Plan).where(
        Plan.plant == plant,
        Plan.status == PlanStatus.SUPERSEDED.value,
        Plan.version != version,
        Plan.released_ns.is_not(None),
        Plan.released_ns <= at.released_ns,
    )
    return session.scalars(before.order_by(Plan.released_ns.desc(), Plan.version.desc()).limit(1)).first()


def forget_plans(session: Session, plant: str, *, keep: int) -> int:
    """Drop superseded and discarded versions but the newest ``keep`` of them; returns how many went."""
    old = select(Plan).where(
        Plan.plant == plant,
        Plan.status.in_([PlanStatus.SUPERSEDED.value, PlanStatus.DISCARDED.value]),
    )
    gone = session.scalars(old.options(defer(Plan.content)).order_by(Plan.version.desc()).offset(keep)).all()
    for row in gone:
        session.delete(row)
    return len(gone)


def _supersede(session: Session, plant: str) -> None:
    for row in session.scalars(select(Plan).where(Plan.plant == plant, Plan.status == PlanStatus.LIVE.value)):
        row.status = PlanStatus.SUPERSEDED.value
    session.flush()
