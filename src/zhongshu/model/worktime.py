"""Shifts, breaks, maintenance and crews in local time → spans of ticks (s) from now; pure, for who plans and who works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from zhongshu.model.planning import Maintenance, Pool
from zhongshu.model.plant import Plant, Shift

NS = 1_000_000_000
Span = tuple[int, int]
#: Calendar of units that work round the clock.
ALWAYS = "always"


class Days:
    """The local days around now, as ticks (s) from now; daylight saving time included."""

    def __init__(self, timezone: str, now_ns: int, horizon_s: int) -> None:
        self._zone = ZoneInfo(timezone)
        self._now_s = now_ns // NS
        self.horizon = horizon_s
        today = datetime.fromtimestamp(self._now_s, self._zone).date()
        # Yesterday's night shift may still go on.
        self.days = [today + timedelta(days=i) for i in range(-1, horizon_s // 86_400 + 2)]

    def tick(self, day: date, minute: int) -> int:
        """The tick of a local time; minutes from 1440 on are the next day's."""
        day += timedelta(days=minute // 1440)
        at = datetime(
            day.year, day.month, day.day, minute % 1440 // 60, minute % 60, tzinfo=self._zone
        ).astimezone(UTC)
        return int(at.timestamp()) - self._now_s

    def spans(self, days: Sequence[int], start_min: int, end_min: int) -> Iterator[Span]:
        """From start to end on every such weekday that touches the horizon."""
        for day in self.days:
            if day.weekday() in days:
                a, b = self.tick(day, start_min), self.tick(day, end_min)
                if b > 0 and a < self.horizon:
                    yield max(a, 0), min(b, self.horizon)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Sorted, disjoint, none empty."""
    made: list[Span] = []
    for a, b in sorted(spans):
        if a >= b:
            continue
        if made and a <= made[-1][1]:
            made[-1] = made[-1][0], max(made[-1][1], b)
        else:
            made.append((a, b))
    return made


def without(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """What is left of joined spans when the holes (joined) are cut out."""
    made: list[Span] = []
    for a, b in spans:
        for x, y in holes:
            if y <= a or x >= b:
                continue
            if x > a:
                made.append((a, x))
            a = max(a, y)
            if a >= b:
                break
        if a < b:
            made.append((a, b))
    return made


def off_work(shifts: Sequence[Shift], days: Days) -> list[Span]:
    """Nights, week-ends and breaks; nothing where there are no shifts: then it is always working time."""
    if not shifts:
        return []
    work = joined(s for shift in shifts for s in days.spans(shift.days, shift.start_min, shift.end_min))
    breaks = joined(s for shift in shifts for a, b in shift.breaks for s in days.spans(shift.days, a, b))
    return without([(0, days.horizon)], without(work, breaks))


def off_work_of(plant: Plant, days: Days) -> Mapping[str, list[Span]]:
    """Closed working time by calendar; "" is the plant's own."""
    made = {name: off_work(shifts, days) for name, shifts in plant.calendars.items()}
    return {**made, "": off_work(plant.shifts, days), ALWAYS: []}


def maintenance_of(planned: Iterable[Maintenance], days: Days) -> dict[str, list[Span]]:
    """Planned maintenance by unit."""
    made: dict[str, list[Span]] = {}
    for work in planned:
        if work.date:
            day = date.fromisoformat(work.date)
            a, b = days.tick(day, work.start_min), days.tick(day, work.end_min)
            spans = [(max(a, 0), b)] if b > 0 else []
        else:
            spans = list(days.spans(work.days, work.start_min, work.end_min))
        for unit in work.units:
            made.setdefault(unit, []).extend(spans)
    return {unit: joined(spans) for unit, spans in made.items()}


def levels(pool: Pool, shifts: Mapping[str, Shift], days: Days) -> tuple[Span, ...]:
    """(from tick, how many) of tools or people; shifts that the pool does not name have its usual count."""
    changes: dict[int, int] = {0: 0}
    for name, count in pool.by_shift.items():
        shift = shifts[name]
        for a, b in days.spans(shift.days, shift.start_min, shift.end_min):
            changes[a] = changes.get(a, 0) + count - pool.count
            changes[b] = changes.get(b, 0) - count + pool.count
    level = pool.count
    made: list[Span] = []
    for tick in sorted(changes):
        level += changes[tick]
        if not made or made[-1][1] != level:
            made.append((tick, level))
    return tuple(made)
