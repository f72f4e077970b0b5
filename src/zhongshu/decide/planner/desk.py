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

from sqlalchemy.orm import Session

from zhongshu.decide.planner.mended import Plan, better, mended
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.polite import politely
from zhongshu.decide.planner.publish import Publisher
from zhongshu.decide.planner.record import Decided, answered, improved, option
from zhongshu.decide.planner.situation import Situation, read_situation
from zhongshu.decide.planner.trigger import Trigger
from zhongshu.decide.planner.words import both
from zhongshu.decide.planning.build import Built
from zhongshu.decide.planning.build_lots import earlier_names
from zhongshu.decide.scheduling.bounds import lower_bound
from zhongshu.decide.scheduling.solution import Solution
from zhongshu.kernel.clock import NS, Clock, monotonic_s
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import change_decision
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
#: A plan that is better by less than this share of the objective is not worth another version.
WORTH = 0.002
#: A repaired plan that costs so many times what the last improved one did is improved at once.
HURT = 1.15
#: The first plan, which has nothing to go on from but rules, is improved so many times as long.
FIRST = 3


@dataclass(frozen=True, slots=True)
class InForce:
    """The plan in force, what it was made from, its document, and the decision that put it in force, if one was due."""

    situation: Situation
    plan: Plan
    document: Mapping[str, Any]
    decided: Decided | None = None

    @property
    def built(self) -> Built:
        """The problem that it solves."""
        return self.plan.built

    @property
    def version(self) -> int:
        """Its number."""
        return int(self.document["version"])

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
        self._improved_ns, self._improved_to = -(1 << 62), 0.0
        #: Called by whichever thread put a version in force: why, if that is on record, the version, the wall ns of that moment.
        self.announce: Callable[[Decided | None, int, int], None] = lambda decided, version, wall_ns: None

    def situation(self) -> Situation:
        """As measured now."""
        return read_situation(self.plant, self.store, self.floor, self.clock.now_ns())

    def replan(
        self,
        trigger: Trigger | str,
        subject: str,
        pace: Pace | float,
        hurry: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Repair, put in force, improve, put in force again if that was worth it. False: nothing to plan, or no way.

        ``pace`` may be just the seconds for improving. ``hurry``: something has happened meanwhile, improving may end.
        ``trigger`` may be just its kind.
        """
        if isinstance(pace, float | int):
            pace = Pace(improve_s=pace)
        if isinstance(trigger, str):
            trigger = Trigger(trigger, subject)
        with self._lock, collecting_later():
            marks, woke_ns = [monotonic_s()], self.clock.wall_ns()
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
            hops = {"woke": woke_ns, "ready": self.clock.wall_ns()}
            renamed = earlier_names(built.lots)
            made = self._put_in_force(
                situation,
                plan,
                self.cause(trigger.kind, subject),
                lambda document: answered(trigger, situation.live, document, hops, renamed),
            )
            marks.append(monotonic_s())
            gc.enable()
            self.times = _times(built, [*marks, marks[-1]])
            if made is not None and (pace.work or pace.improve_s > 0) and self._rested(plan, pace):
                self._improved_ns = self.clock.now_ns()
                self._improve(made, trigger, pace, hurry)
                self._improved_to = self.now.plan.objective if self.now is not None else 0.0
            marks.append(monotonic_s())
            self.times = _times(built, marks)
            return made is not None

    def _rested(self, plan: Plan, pace: Pace) -> bool:
        """One that is not carried on, but made by rules, is improved at any time, and so is one that has lost much."""
        hurt = not plan.course or plan.objective > HURT * self._improved_to
        return hurt or self.clock.now_ns() - self._improved_ns >= pace.rest_s * NS

    def _improve(self, made: InForce, trigger: Trigger, pace: Pace, hurry: Callable[[], bool]) -> None:
        """Under stability towards the plan just put in force: whoever moved since is moved once, not twice."""
        times, began_s, woke_ns = 1 if made.plan.course else FIRST, monotonic_s(), self.clock.wall_ns()
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
        tried = {"name": "improved", "chosen": False, "seconds": round(monotonic_s() - began_s, 2)}
        if found is None or hurry():
            self._tried(made, {**tried, "cut_short": hurry()})
            return  # what has happened meanwhile does not wait until this plan is written down
        bound = lower_bound(found.problem)
        figures = {**found.figures, "bound": bound}
        if found.objective > 0:
            figures["gap_pct"] = round(100 * (found.objective - bound) / found.objective, 1)
        plan = replace(found, figures=figures)
        hops = {"woke": woke_ns, "ready": self.clock.wall_ns()}
        cause = self.cause(trigger.kind, trigger.subject)
        after = self._put_in_force(
            made.situation,
            plan,
            cause,
            lambda document: improved(trigger, made.document, document, hops),
            after=int(made.document["version"]),
        )
        if after is not None:
            self._tried(
                made, {**tried, **option("improved", after.document["kpis"]), "became": after.version}
            )

    def _tried(self, made: InForce, what: Mapping[str, Any]) -> None:
        """What the search found belongs to the options of the decision that it began from."""
        if made.decided is None:
            return
        options = [*made.decided.facts["options"], dict(what)]
        with self.store.begin() as session:
            change_decision(session, self.plant.id, made.decided.id, {"options": options})

    def _put_in_force(
        self,
        situation: Situation,
        plan: Plan,
        cause: Mapping[str, Any],
        why: Callable[[Mapping[str, Any]], Decided | None] = lambda document: None,
        after: int | None = None,
    ) -> InForce | None:
        """None where another plan came into force since: one that people released is not swept away."""
        if after is None and situation.live is not None:
            after = int(situation.live["version"])
        now_ns, decided = self.clock.now_ns(), list[Decided]()

        def record(session: Session, made: Mapping[str, Any]) -> None:
            if (found := why(made)) is not None:
                decided.append(found)
                self.publisher.keep(session, found, int(made["version"]), now_ns)

        saved = self.publisher.save(
            plan, status="live", now_ns=now_ns, cause=cause, after=after, record=record
        )
        if saved is None:
            return None
        self.now = InForce(situation, plan, saved, decided[0] if decided else None)
        self.announce(self.now.decided, self.now.version, self.clock.wall_ns())
        return self.now

    def cause(self, kind: str, subject: str) -> dict[str, Any]:
        """Why a plan was made, for its document."""
        return {"kind": kind, "text": both(f"cause.{kind}", subject=subject), "t_ns": self.clock.now_ns()}
