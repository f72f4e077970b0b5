"""What a policy sees: the work, the plan in force, the newest measured values and the time, as they stand at one moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from zhongshu.decide.follow import UNPLANNED, PlanInForce
from zhongshu.decide.work import Lot, LotStatus, Work, closed
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Plant, Unit
from zhongshu.model.states import UnitState

#: Everything measured that is Good: (unit, name of the point) → value.
Values = Mapping[tuple[str, str], float]
AT_WORK = (LotStatus.STARTING, LotStatus.RUNNING)


@dataclass(frozen=True)
class Load:
    """The electrical load of the plant by its own meters: ``kw`` now, ``kwh`` since the quarter of an hour began, ``left_s``
    until it ends."""

    kw: float = 0.0
    kwh: float = 0.0
    left_s: float = 900.0

    def mean_kw(self, more_kw: float = 0.0) -> float:
        """Of this quarter of an hour, if the load stays as it is, with so much more."""
        return (self.kwh + (self.kw + more_kw) * self.left_s / 3600) * 4


@dataclass(frozen=True)
class Facts:
    """One moment. Read it, never change what it shows. Times are plant time.

    ``idle_since_ns``: by unit, since when it has had nothing to do; a unit that works is not in it. ``waiting_since_ns``:
    by unit, since when policies have let it wait. ``time_ns``: the device's own time of a point's newest value.
    """

    now_ns: int
    work: Work
    plan: PlanInForce | None
    values: Values
    load: Load = field(default_factory=Load)
    idle_since_ns: Mapping[str, int] = field(default_factory=dict)
    waiting_since_ns: Mapping[str, int] = field(default_factory=dict)
    time_ns: Callable[[str, str], int] = lambda unit, point: 0

    @property
    def plant(self) -> Plant:
        """Everything the plant file says."""
        return self.work.plant

    def value(self, unit: str, point: str) -> float | None:
        """The newest measured value of a unit's point by its name; None where it is not Good."""
        return self.values.get((unit, point))

    def role(self, unit: Unit, role: str) -> float | None:
        """The same by the point's role."""
        point = self.plant.role(unit, role)
        return None if point is None else self.value(unit.id, point.name)

    def idle(self, unit: str) -> bool:
        """In production mode, idle, no job given to it, no lot lying in front of it."""
        state, _ = self.work.states.get(unit, ("", ""))
        return state == UnitState.IDLE.name and self.work.commandable(unit) and unit not in self._busy

    def idle_s(self, unit: str) -> float:
        """For how long it has had nothing to do, 0 where it has."""
        since_ns = self.idle_since_ns.get(unit)
        return 0.0 if since_ns is None else (self.now_ns - since_ns) / NS

    def waiting_s(self, unit: str) -> float:
        """For how long policies have let it wait."""
        since_ns = self.waiting_since_ns.get(unit)
        return 0.0 if since_ns is None else (self.now_ns - since_ns) / NS

    def spare_s(self, unit: str) -> float:
        """Until it is needed next, as far as plan and floor tell; 0 where it is needed now, infinite where nobody knows."""
        need_ns = min(self._wanted_ns.get(unit, UNPLANNED), self._planned_ns(unit))
        return math.inf if need_ns >= UNPLANNED else max(0.0, (need_ns - self.now_ns) / NS)

    def coming(self, unit: str) -> Iterator[Lot]:
        """Open lots that lie in front of the unit or are on their way to it."""
        yield from self._coming.get(unit, ())

    def _planned_ns(self, unit: str) -> int:
        return self.plan.next_start_ns(self.work, unit, self.now_ns) if self.plan is not None else UNPLANNED

    @cached_property
    def _coming(self) -> Mapping[str, list[Lot]]:
        found: dict[str, list[Lot]] = {}
        for lot in self.work.lots.values():
            if lot.target and not closed(lot) and lot.status is not LotStatus.HELD:
                found.setdefault(lot.target, []).append(lot)
        return found

    @cached_property
    def _busy(self) -> frozenset[str]:
        """Units with a job, or with a lot right in front of them that they could begin."""
        return frozenset(
            unit
            for unit, lots in self._coming.items()
            if any(lot.status in AT_WORK or (lot.place == unit and not lot.at_output) for lot in lots)
        )

    @cached_property
    def _wanted_ns(self) -> Mapping[str, int]:
        """By unit, when a lot that was given to it will be begun: as planned there, else as soon as it comes."""
        found: dict[str, int] = {}
        for unit, lots in self._coming.items():
            for lot in lots:
                at_ns = self.now_ns
                if self.plan is not None and self.plan.unit(lot.number, lot.next_step) == unit:
                    at_ns = max(at_ns, self.plan.start_ns(lot.number, lot.next_step))
                found[unit] = min(found.get(unit, UNPLANNED), at_ns)
        return found
