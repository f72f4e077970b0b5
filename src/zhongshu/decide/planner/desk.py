"""The planner's desk: the plan in force with the problem it solves; re-plans it, and is asked about it. Blocking, no bus."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from threading import Lock
from typing import Any

from zhongshu.decide.planner.mended import Plan, better, mended
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.polite import politely
from zhongshu.decide.planner.publish import Publisher
from zhongshu.decide.planner.situation import Situation, read_situation
from zhongshu.decide.planner.words import both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.scheduling.bounds import lower_bound
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import Clock, monotonic_s
from zhongshu.kernel.store import Store
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
#: A plan that is better by less than this share of the objective is not worth another version.
WORTH = 0.002
#: The first plan, which has nothing to go on from but rules, is improved so many times as long.
FIRST = 3


@dataclass(frozen=True, slots=True)
class InForce:
    """The plan in force, what it was made from, and its document."""

    situation: Situation
    plan: Plan
    document: Mapping[str, Any]

    @property
    def built(self) -> Built:
        """The problem that it solves."""
        return self.plan.built

    @property
    def solution(self) -> Solution:
        """Where and when everything happens."""
        return self.plan.solution


@contextmanager
def collecting_later() -> Iterator[None]:
    """A collection of garbage in the middle of a repair would take three times as long as the repair."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of wall time that the last re-plan took: reading, building, repair with its check, putting in force,
    improvement."""

    tasks: int
    read_s: float
    build_s: float
    repair_s: float
    save_s: float
    improve_s: float


def _times(built: Built, marks: Sequence[float]) -> Times:
    return Times(len(built.tasks), *(after - before for before, after in pairwise(marks)))


class Desk:
    """Re-plans take turns; asks do not wait for them: whoever reads ``now`` gets one whole plan."""

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

    def replan(
        self, kind: str, subject: str, pace: Pace | float, hurry: Callable[[], bool] = lambda: False
    ) -> bool:
        """Repair, put in force, improve, put in force again if that was worth it. False: nothing to plan, or no way.

        ``pace`` may be just the seconds for improving. ``hurry``: something has happened meanwhile, improving may end.
        """
        if isinstance(pace, float | int):
            pace = Pace(improve_s=pace)
        with self._lock, collecting_later():
            marks = [monotonic_s()]
            situation = self.situation()
            marks.append(monotonic_s())
            built = situation.problem()
            marks.append(monotonic_s())
            if not built.tasks:
                self.now = None
                return False
            plan = mended(built, situation.live, rules_s=pace.rules_s)
            if plan is None:
                log.error("no feasible plan for %s tasks", len(built.tasks))
                return False
            marks.append(monotonic_s())
            cause = self.cause(kind, subject)
            made = self._put_in_force(situation, plan, cause)
            marks.append(monotonic_s())
            gc.enable()
            self.times = _times(built, [*marks, marks[-1]])
            if made is not None and (pace.work or pace.improve_s > 0):
                self._improve(made, cause, pace, hurry)
            marks.append(monotonic_s())
            self.times = _times(built, marks)
            return made is not None

    def _improve(
        self, made: InForce, cause: Mapping[str, Any], pace: Pace, hurry: Callable[[], bool]
    ) -> None:
        """Under stability towards the plan just put in force: whoever moved since is moved once, not twice."""
        times = 1 if made.plan.course else FIRST
        found = politely(
            partial(
                better,
                made.plan,
                times * pace.improve_s,
                WORTH,
                work=pace.work and times * pace.work,
                seed=made.situation.now_ns % 1000,
                stop=hurry,
            )
        )
        if found is None or hurry():
            return  # what has happened meanwhile does not wait until this plan is written down
        bound = lower_bound(found.problem)
        figures = {**found.figures, "bound": bound}
        if found.objective > 0:
            figures["gap_pct"] = round(100 * (found.objective - bound) / found.objective, 1)
        plan = replace(found, figures=figures)
        self._put_in_force(made.situation, plan, cause, after=int(made.document["version"]))

    def _put_in_force(
        self, situation: Situation, plan: Plan, cause: Mapping[str, Any], after: int | None = None
    ) -> InForce | None:
        """None where another plan came into force since: one that people released is not swept away."""
        if after is None and situation.live is not None:
            after = int(situation.live["version"])
        saved = self.publisher.save(plan, status="live", now_ns=self.clock.now_ns(), cause=cause, after=after)
        if saved is None:
            return None
        self.now = InForce(situation, plan, saved)
        return self.now

    def cause(self, kind: str, subject: str) -> dict[str, Any]:
        """Why a plan was made, for its document."""
        return {"kind": kind, "text": both(f"cause.{kind}", subject=subject), "t_ns": self.clock.now_ns()}
