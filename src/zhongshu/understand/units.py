"""One unit's watched values, turned into StateChanged, JobProgressed and TransportProgressed facts; a pure state machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from zhongshu.model import roles
from zhongshu.model.batch import GOOD, QUALITY_MASK, RESTATED
from zhongshu.model.messages import JobProgressed, StateChanged, TransportProgressed
from zhongshu.model.states import JobState, TransportState, UnitMode, UnitState, named
from zhongshu.understand.watched import Seen

Fact = StateChanged | JobProgressed | TransportProgressed
SOURCE = "understand"


@dataclass(slots=True)
class UnitWatch:
    """What was last seen of one unit and last said about it."""

    plant: str
    unit: str
    values: dict[str, tuple[int, float]] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    said_state: tuple[str, str] = ("UNDEFINED", "UNDEFINED")
    said_job: tuple[int, str, int, int] = (0, "NONE", 0, 0)
    said_order: tuple[int, str, int] = (0, "NONE", 0)
    received_ns: int = 0  # of the newest word on state or mode

    def take(self, seen: Seen) -> None:
        """Remember one sample; an older one than the last of its role is ignored.

        What the brain says again itself keeps the device's own time: else a key said again would be newer than its state.
        """
        before_ns = self.values.get(seen.role, (0, 0.0))[0]
        if seen.t_ns < before_ns:
            return
        if seen.role in (roles.UNIT_STATE, roles.UNIT_MODE):
            self.received_ns = seen.received_ns
        if seen.quality & QUALITY_MASK == GOOD:
            own_ns = before_ns if before_ns and seen.quality & RESTATED else seen.t_ns
            self.values[seen.role] = (own_ns, seen.value)
            self.bad.discard(seen.role)
        else:
            self.bad.add(seen.role)

    def facts(self, now_ns: int) -> list[Fact]:
        """What is new since the last call; ``now_ns`` stamps facts that rest on missing values."""
        facts: list[Fact] = []
        for fact in (self._state(now_ns), self._job(), self._order()):
            if fact is not None:
                facts.append(fact)
        return facts

    def _state(self, now_ns: int) -> StateChanged | None:
        state = self._name(UnitState, roles.UNIT_STATE)
        mode = self._name(UnitMode, roles.UNIT_MODE)
        if (state, mode) == self.said_state:
            return None
        known = [
            self.values[r][0]
            for r in (roles.UNIT_STATE, roles.UNIT_MODE)
            if r in self.values and r not in self.bad
        ]
        before, self.said_state = self.said_state, (state, mode)
        t_ns = max(known, default=now_ns)
        return StateChanged(self.plant, SOURCE, t_ns, self.unit, state, mode, *before, self.received_ns)

    def _name(self, kind: type[IntEnum], role: str) -> str:
        if role in self.bad or role not in self.values:
            return kind(0).name
        return named(kind, self.values[role][1])

    def _job(self) -> JobProgressed | None:
        if not self._together(roles.JOB_KEY, roles.JOB_STATE):
            return None
        key = int(self.values[roles.JOB_KEY][1])
        t_ns, state = self.values[roles.JOB_STATE]
        name = named(JobState, state)
        ended = name in (JobState.DONE.name, JobState.ABORTED.name)
        good, scrap = (self._count(roles.JOB_GOOD), self._count(roles.JOB_SCRAP)) if ended else (0, 0)
        if key == 0 or (key, name, good, scrap) == self.said_job:
            return None
        self.said_job = (key, name, good, scrap)
        return JobProgressed(self.plant, SOURCE, t_ns, self.unit, key, name, good, scrap)

    def _order(self) -> TransportProgressed | None:
        if not self._together(roles.ORDER_KEY, roles.ORDER_STATE):
            return None
        key = int(self.values[roles.ORDER_KEY][1])
        t_ns, state = self.values[roles.ORDER_STATE]
        said = (key, named(TransportState, state), self._count(roles.LOAD))
        if key == 0 or said == self.said_order:
            return None
        self.said_order = said
        return TransportProgressed(self.plant, SOURCE, t_ns, self.unit, *said)

    def _together(self, key: str, state: str) -> bool:
        """Both Good, and the state not older than the key: a new key with the old job's state is not a pair yet."""
        if key in self.bad or state in self.bad or key not in self.values or state not in self.values:
            return False
        return self.values[state][0] >= self.values[key][0]

    def _count(self, role: str) -> int:
        return int(self.values.get(role, (0, 0.0))[1])
