"""A plan goes into the store and, in the same transaction, out as an event; whoever reads the one finds the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zhongshu.decide.planning.build import Built
from zhongshu.decide.planning.document import document
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.plans import forget_plans, next_version, pack, release, save_plan
from zhongshu.model.messages import SchedulePublished
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
        built: Built,
        solution: Solution,
        *,
        status: str,
        now_ns: int,
        cause: Mapping[str, Any],
        figures: Mapping[str, Any],
        name: str = "",
        base: int | None = None,
        edits: Sequence[Mapping[str, Any]] = (),
        by: str = "",
    ) -> dict[str, Any]:
        """Keep a plan as a new version and tell of it; returns its document."""
        with self._store.begin() as session:
            version = next_version(session, self._plant.id)
            made = document(
                self._plant,
                built,
                solution,
                version=version,
                status=status,
                name=name,
                made_ns=now_ns,
                cause=cause,
                figures=figures,
            )
            save_plan(
                session,
                self._plant.id,
                status=status,
                name=name,
                base=base,
                made_ns=now_ns,
                origin_ns=built.origin_ns,
                cause=cause,
                kpis=made["kpis"],
                edits=edits,
                content=pack(made),
                by=by,
            )
            self._tell(session, made, now_ns)
            forget_plans(session, self._plant.id, keep=KEPT)
        return made

    def release(self, version: int, made: Mapping[str, Any], by: str, now_ns: int) -> None:
        """Put a version in force; raises PlanGone."""
        with self._store.begin() as session:
            release(session, self._plant.id, version, by, now_ns)
            self._tell(session, {**made, "version": version, "status": "live"}, now_ns)

    def _tell(self, session: Any, made: Mapping[str, Any], now_ns: int) -> None:
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
