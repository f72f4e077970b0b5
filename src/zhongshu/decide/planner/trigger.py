"""A fact of the plant → what the planner answers with a re-plan: its kind, whom it concerns, what was measured and when."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from zhongshu.kernel.clock import NS, Clock
from zhongshu.model.messages import CommandChanged, JobProgressed, StateChanged
from zhongshu.model.plant import Plant
from zhongshu.model.states import JobState, UnitMode, UnitState

DOWN = (UnitState.ABORTED.name, UnitState.ABORTING.name, UnitState.STOPPED.name, UnitState.UNDEFINED.name)
#: The gravest first: of what is answered together, one gives the decision its name.
GRAVE = (
    "breakdown",
    "vehicle",
    "mode",
    "people",
    "orders",
    "reject",
    "late",
    "back",
    "early",
)
#: What cuts short the improving of a plan; orders come and go all day, it would never be done.
URGENT = ("breakdown", "vehicle", "mode", "people", "asked")
#: A job that ends by so much (plant time) off the plan in force is an answer worth; a share of scrap, and as many pieces.
OFF_PLAN_NS = 300 * NS
REJECTED_SHARE, REJECTED_LEAST = 0.1, 2
#: Jobs remembered by the key that their unit reports.
JOBS = 5000


@dataclass(frozen=True, slots=True)
class Trigger:
    """``fact`` holds what was measured, as JSON values; ``marks`` the wall ns of the hops it took so far (``model.decisions``)."""

    kind: str
    subject: str = ""
    fact: Mapping[str, Any] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)


def gravest(triggers: Sequence[Trigger]) -> Trigger | None:
    """Of what is answered together, the one that the answer is named after; None where there is none."""
    return min(triggers, key=lambda t: GRAVE.index(t.kind) if t.kind in GRAVE else len(GRAVE), default=None)


class UnitTriggers:
    """Only what changes where work can be done: a unit that went down or left production, or came back."""

    def __init__(self, plant: Plant, clock: Clock) -> None:
        self._vehicles = frozenset(unit.id for unit in plant.vehicles)
        self._clock = clock
        self._able: dict[str, bool] = {}

    def of(self, event: StateChanged) -> Trigger | None:
        """None where work can be done in as many places as before."""
        able = event.state not in DOWN and event.mode == UnitMode.PRODUCTION.name
        was = self._able.get(event.unit, event.previous_state not in DOWN)
        self._able[event.unit] = able
        if able == was:
            return None
        marks = {"said": event.said_ns} if event.said_ns else {}
        if event.state != UnitState.UNDEFINED.name:  # that nobody knows it any more was measured by nobody
            marks |= {"measured": self._clock.to_wall_ns(event.t_ns)}
            marks |= {"received": event.received_ns} if event.received_ns else {}
        marks |= {"heard": self._clock.wall_ns()}
        words = ("unit", "state", "mode", "previous_state", "previous_mode", "t_ns")
        said = asdict(event)
        return Trigger(self._kind(event, able), event.unit, {word: said[word] for word in words}, marks)

    def _kind(self, event: StateChanged, able: bool) -> str:
        if able:
            return "back"
        if event.unit in self._vehicles:
            return "vehicle"
        return "breakdown" if event.state in DOWN else "mode"


class JobTriggers:
    """Jobs that ended much earlier or later than the plan in force had it, or with much scrap."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._task: OrderedDict[int, str] = OrderedDict()
        self._plan: Mapping[str, Any] | None = None
        self._ends: dict[str, int] = {}

    def ordered(self, event: CommandChanged) -> None:
        """Remember which task a job order is about; its proposal's name says so (``decide.propose``)."""
        kind, _, rest = event.proposal.partition(".")
        if kind == "job" and event.command not in self._task:
            lot, _, more = rest.partition(".")
            self._task[event.command] = f"{lot}:{more.partition('.')[0]}"
            while len(self._task) > JOBS:
                self._task.popitem(last=False)

    def of(self, event: JobProgressed, plan: Mapping[str, Any] | None) -> Trigger | None:
        """``plan``: the document in force. None where the job goes on, or ended about as planned."""
        if event.state != JobState.DONE.name:
            return None
        task = self._task.pop(event.key, "")
        kind, off_ns = "", 0
        if event.scrap >= max(REJECTED_LEAST, REJECTED_SHARE * (event.good + event.scrap)):
            kind = "reject"
        elif (planned := self._planned(plan).get(task)) is not None:
            off_ns = event.t_ns - planned
            kind = "" if abs(off_ns) < OFF_PLAN_NS else "late" if off_ns > 0 else "early"
        if not kind:
            return None
        fact = {
            "unit": event.unit,
            "task": task,
            "good": event.good,
            "scrap": event.scrap,
            "t_ns": event.t_ns,
        }
        marks = {"measured": self._clock.to_wall_ns(event.t_ns), "heard": self._clock.wall_ns()}
        return Trigger(kind, event.unit, {**fact, "off_s": off_ns // NS}, marks)

    def _planned(self, plan: Mapping[str, Any] | None) -> Mapping[str, int]:
        """Planned end of each task, looked up once a plan."""
        if plan is not self._plan:
            self._plan = plan
            origin = int(plan["origin_ns"]) if plan is not None else 0
            tasks = plan["tasks"] if plan is not None else {"id": (), "end": ()}
            self._ends = {
                name: origin + end * NS for name, end in zip(tasks["id"], tasks["end"], strict=True)
            }
        return self._ends
