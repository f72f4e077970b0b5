"""A plan goes into the store and, in the same transaction, out as an event; whoever reads the one finds the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from zhongshu.decide.planner.mended import Plan
from zhongshu.decide.planner.record import Decided
from zhongshu.decide.planning.document import document
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import add_decision
from zhongshu.kernel.store.plans import forget_plans, live_plan, next_version, pack, release, save_plan
from zhongshu.model.messages import DecisionMade, SchedulePublished
from zhongshu.model.plant import Plant

STAGE = "planner"
#: Superseded and discarded versions kept for undo and comparison.
KEPT = 40


class Publisher:
    """Synchronous; call it in a thread."""

    def __init__(self, plant: Plant, store: Store) -> None:
        self._plant, self._store = plant, store

    def save(
        self,
        plan: Plan,
        *,
        status: str,
        now_ns: int,
        cause: Mapping[str, Any],
        after: int | None = None,
        name: str = "",
        base: int | None = None,
        edits: Sequence[Mapping[str, Any]] = (),
        by: str = "",
        record: Callable[[Session, Mapping[str, Any]], None] = lambda session, made: None,
    ) -> dict[str, Any] | None:
        """Keep a plan as a new version and tell of it; returns its document.

        ``after``: only while that version is still in force, else None comes back and nothing is kept. ``record`` writes in
        the same transaction why.
        """
        with self._store.begin() as session:
            version = next_version(session, self._plant.id)
            if after is not None:
                live = live_plan(session, self._plant.id)
                if live is None or live.version != after:
                    return None
            made = document(
                self._plant,
                plan.built,
                plan.solution,
                version=version,
                status=status,
                name=name,
                made_ns=now_ns,
                cause=cause,
                figures=plan.figures,
            ) | {"course": plan.course, "gave_way": list(plan.gave_way)}
            save_plan(
                session,
                self._plant.id,
                status=status,
                name=name,
                base=base,
                made_ns=now_ns,
                origin_ns=plan.built.origin_ns,
                cause=cause,
                kpis=made["kpis"],
                edits=edits,
                content=pack(made),
                by=by,
            )
            self._tell(session, made, now_ns)
            record(session, made)
            forget_plans(session, self._plant.id, keep=KEPT)
        return made

    def release(self, session: Session, version: int, made: Mapping[str, Any], by: str, now_ns: int) -> None:
        """Put a version in force; raises PlanGone."""
        release(session, self._plant.id, version, by, now_ns)
        self._tell(session, {**made, "version": version, "status": "live"}, now_ns)

    def keep(self, session: Session, decided: Decided, version: int, now_ns: int) -> None:
        """Put a decision on record and tell of it."""
        rule, subject = decided.rule, decided.subject
        add_decision(
            session, self._plant.id, decided.id, t_ns=now_ns, rule=rule, subject=subject, facts=decided.facts
        )
        event = DecisionMade(self._plant.id, STAGE, now_ns, decided.id, rule, subject, version)
        put_event(session, STAGE, event, msg_id=f"decision.{self._plant.id}.{decided.id}")

    def _tell(self, session: Session, made: Mapping[str, Any], now_ns: int) -> None:
        figures = made["kpis"]
        event = SchedulePublished(
            self._plant.id,
            STAGE,
            now_ns,
            made["version"],
            made["status"],
            made["cause"]["kind"],
            figures["moved"],
            figures["tasks"],
            figures["late"],
            figures["weighted_tardiness_s"],
        )
        put_event(
            session, STAGE, event, msg_id=f"plan.{self._plant.id}.{made['version']}.{made['status']}.{now_ns}"
        )
