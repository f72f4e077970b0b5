"""The planner's desk: the plan in force with the problem it solves; re-plans it, and is asked about it. Blocking, no bus."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from zhongshu.decide.planner.publish import Publisher
from zhongshu.decide.planner.situation import Situation, read_situation
from zhongshu.decide.planner.words import both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.engine import Limits, first_plans, solve
from zhongshu.decide.scheduling.incumbent import Incumbent
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.repair import repair
from zhongshu.decide.scheduling.search.decode import IMPOSSIBLE
from zhongshu.decide.scheduling.search.memory import Memory
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import Clock, monotonic_s
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
#: A plan that is better by less than this share of the objective is not worth another version.
WORTH = 0.002


@dataclass(frozen=True, slots=True)
class InForce:
    """The plan in force, what it was made from, and its document."""

    situation: Situation
    built: Built
    solution: Solution
    objective: float
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of wall time that the last re-plan took: reading and building, repair, improvement."""

    read_s: float
    repair_s: float
    improve_s: float
    tasks: int


class Desk:
    """One re-plan or ask at a time changes ``now``; whoever reads it gets one whole plan."""

    def __init__(self, plant: Plant, store: Store, clock: Clock) -> None:
        self.plant, self.store, self.clock = plant, store, clock
        self.publisher = Publisher(plant, store)
        self._lock = Lock()
        self.floor: Mapping[str, Any] = {"states": {}, "vehicles": {}}  # as decide told it last
        self.now: InForce | None = None
        self.times: Times | None = None

    def situation(self) -> Situation:
        """As measured now."""
        return read_situation(self.plant, self.store, self.floor, self.clock.now_ns())

    def replan(self, kind: str, subject: str, improve_s: float) -> bool:
        """Repair, put in force, improve, put in force again if that was worth it. False: nothing to plan, or no way."""
        with self._lock:
            began_s = monotonic_s()
            situation = self.situation()
            built = situation.problem()
            read_s = monotonic_s() - began_s
            if not built.tasks:
                self.now = None
                return False
            cause = self.cause(kind, subject)
            made = self._repaired(situation, built, cause)
            if made is None:
                log.error("no feasible plan for %s tasks", len(built.tasks))
                return False
            repair_s = monotonic_s() - began_s - read_s
            self.now = made
            self._improve(made, cause, improve_s)
            self.times = Times(
                read_s, repair_s, monotonic_s() - began_s - read_s - repair_s, len(built.tasks)
            )
            return True

    def _repaired(self, situation: Situation, built: Built, cause: Mapping[str, Any]) -> InForce | None:
        began_s = monotonic_s()
        found = Incumbent(built.problem, 0.0, None)
        memory = Memory(built.problem)
        mended = repair(built.problem, memory)
        if mended.solution is not None:
            found.offer(mended.solution, "repair")
        if found.solution is None:
            first_plans(memory, found, began_s, 1.0)
        if found.solution is None:
            return None
        waited = None
        if mended.waiting < IMPOSSIBLE and situation.live is not None:
            waited = {"objective": mended.waiting / 1000}
        figures = {"first_s": round(monotonic_s() - began_s, 3), "improve_s": 0.0, "without_replan": waited}
        return self._put_in_force(situation, built, found.solution, cause, figures)

    def _improve(self, made: InForce, cause: Mapping[str, Any], seconds: float) -> None:
        """Under stability towards the plan just put in force: whoever moved since is moved once, not twice."""
        if seconds <= 0:
            return
        began_s = monotonic_s()
        better = solve(
            made.built.problem,
            Limits(seconds, workers=1, seed=made.situation.now_ns % 1000),
            start=made.solution,
        )
        if better.solution is None or better.objective > made.objective * (1 - WORTH):
            return
        figures = {key: made.document["kpis"][key] for key in ("first_s", "without_replan")} | {
            "improve_s": round(monotonic_s() - began_s, 3),
            "bound": better.bound,
        }
        if better.objective > 0:
            figures["gap_pct"] = round(100 * (better.objective - better.bound) / better.objective, 1)
        self.now = self._put_in_force(made.situation, made.built, better.solution, cause, figures)

    def _put_in_force(
        self,
        situation: Situation,
        built: Built,
        solution: Solution,
        cause: Mapping[str, Any],
        figures: Mapping[str, Any],
    ) -> InForce:
        saved = self.publisher.save(
            built, solution, status="live", now_ns=self.clock.now_ns(), cause=cause, figures=figures
        )
        return InForce(situation, built, solution, kpis(built.problem, solution).objective, saved)

    def cause(self, kind: str, subject: str) -> dict[str, Any]:
        """Why a plan was made, for its document."""
        return {"kind": kind, "text": both(f"cause.{kind}", subject=subject), "t_ns": self.clock.now_ns()}
