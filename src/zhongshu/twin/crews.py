"""Who can begin work: the working time of each machine, and the people and tools that several machines share."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Plant, Unit
from zhongshu.model.worktime import Days, Span, levels, maintenance_of, off_work_of
from zhongshu.twin.agenda import Agenda

#: Working times are worked out for so many days, then anew.
AHEAD_S = 8 * 86_400
ANEW_S = 7 * 86_400


class Worker(Protocol):
    """What a machine must be able to do here."""

    unit: Unit

    def wake(self) -> None:
        """Begin the job that waits."""

    def pause(self) -> None:
        """Work that can be interrupted stops at its closing time."""


@dataclass(slots=True)
class _Week:
    """The days from ``origin_ns`` on, in ticks (s)."""

    origin_ns: int
    off: Mapping[str, list[Span]]
    maintained: Mapping[str, list[Span]]
    levels: Mapping[str, tuple[Span, ...]]
    changes: list[int]


class Crews:
    """Known from the plant file, as the plan knows them; who is given people first is whoever asked first."""

    def __init__(self, plant: Plant, agenda: Agenda) -> None:
        self._plant, self._agenda = plant, agenda
        self._workers: dict[str, Worker] = {}
        self._held: dict[str, Mapping[str, int]] = {}
        self._used: Counter[str] = Counter()
        self._waiting: dict[str, None] = {}
        self._week = self._worked_out()
        self._expect_change()

    def add(self, worker: Worker) -> None:
        """A machine that will ask."""
        self._workers[worker.unit.id] = worker

    def begins(self, unit: str, needs: Mapping[str, int]) -> bool:
        """Whether work may begin now; then the people and tools are its own until ``ends``. False: it is woken later."""
        if unit in self._held:
            return True
        if self.off_ns(unit) or not self._free(needs):
            self._waiting[unit] = None
            return False
        self.has(unit, needs)
        return True

    def has(self, unit: str, needs: Mapping[str, int]) -> None:
        """The unit works with these people and tools, however many there are."""
        self._waiting.pop(unit, None)
        self._held[unit] = needs
        self._used.update(needs)

    def ends(self, unit: str) -> None:
        """The work is over, or cannot go on: whoever waits is asked again."""
        self._waiting.pop(unit, None)
        needs = self._held.pop(unit, None)
        if needs is None:
            return
        self._used.subtract(needs)
        if needs and self._waiting:
            self._agenda.after(0, self._wake)

    def off_ns(self, unit: str) -> int:
        """How long until the unit's working time begins again; 0 in it."""
        now = self._tick()
        spans = self._week.off.get(self._plant.unit_of[unit].calendar, [])
        end = max(_end(spans, now), _end(self._week.maintained.get(unit, []), now))
        return max(0, self._week.origin_ns + end * NS - self._agenda.now_ns)

    def _free(self, needs: Mapping[str, int]) -> bool:
        return all(self._used[pool] + count <= self._level(pool) for pool, count in needs.items())

    def _level(self, pool: str) -> int:
        steps = self._week.levels[pool]
        return steps[max(0, bisect_right(steps, (self._tick(), 1 << 60)) - 1)][1]

    def _tick(self) -> int:
        return (self._agenda.now_ns - self._week.origin_ns) // NS

    def _wake(self) -> None:
        for unit in list(self._waiting):
            self._workers[unit].wake()

    def _changed(self) -> None:
        """A shift, a break or a maintenance begins or ends."""
        if self._tick() > ANEW_S:
            self._week = self._worked_out()
        self._expect_change()
        for unit in list(self._held):
            if self.off_ns(unit):
                self._workers[unit].pause()
        self._wake()

    def _expect_change(self) -> None:
        now = self._tick()
        following = next((t for t in self._week.changes if t > now), None)
        if following is not None:
            at_ns = self._week.origin_ns + following * NS
            self._agenda.after(at_ns - self._agenda.now_ns, self._changed)

    def _worked_out(self) -> _Week:
        plant, now_ns = self._plant, self._agenda.now_ns
        origin_ns = now_ns - now_ns % NS
        days = Days(plant.timezone, origin_ns, AHEAD_S)
        shifts = {s.id: s for s in (*plant.shifts, *(s for c in plant.calendars.values() for s in c))}
        off = off_work_of(plant, days)
        maintained = maintenance_of(plant.maintenance, days)
        steps = {pool.id: levels(pool, shifts, days) for pool in plant.pools}
        changes = {t for spans in (*off.values(), *maintained.values()) for span in spans for t in span}
        changes |= {t for level in steps.values() for t, _ in level}
        return _Week(origin_ns, off, maintained, steps, sorted(changes))


def _end(spans: list[Span], now: int) -> int:
    """The end of the span that holds ``now``, else 0."""
    k = bisect_right(spans, (now, 1 << 60)) - 1
    return spans[k][1] if k >= 0 and spans[k][1] > now else 0
