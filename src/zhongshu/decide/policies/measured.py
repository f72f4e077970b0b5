"""The newest values by unit and name, and the plant's load by its own meters; from the Batches into the facts of policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zhongshu.decide.policies.facts import Load
from zhongshu.kernel.clock import NS
from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.plant import Plant

QUARTER_NS = 900 * NS


class Measured(Mapping[tuple[str, str], float]):
    """(unit, point) → value, of all that is Good at the moment of asking."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest = latest
        self._ids = {(p.unit, p.name): p.id for p in plant.points}

    def __getitem__(self, key: tuple[str, str]) -> float:
        point = self._ids[key]
        if not self._latest.fresh(point):
            raise KeyError(key)
        return self._latest.value(point)

    def time_ns(self, unit: str, point: str) -> int:
        """The device's own time of the newest sample, 0 where nothing came yet."""
        known = self._ids.get((unit, point), -1)
        return int(self._latest.times_ns[known]) if 0 <= known < len(self._latest) else 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return (key for key, point in self._ids.items() if self._latest.fresh(point))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Meter:
    """Sums up what the machines' own meters show, quarter of an hour by quarter of an hour."""

    def __init__(self, plant: Plant, latest: Latest) -> None:
        self._latest = latest
        found = (plant.role(unit, roles.POWER) for unit in plant.machines)
        self._points = [p.id for p in found if p is not None]
        self._kw, self._kwh, self._at_ns = 0.0, 0.0, 0

    def read(self, now_ns: int) -> Load:
        """The load at this moment; what is not Good counts as nothing."""
        since_ns = now_ns - now_ns % QUARTER_NS
        self._kwh = 0.0 if self._at_ns < since_ns else self._kwh
        passed_ns = now_ns - max(self._at_ns, since_ns) if self._at_ns else 0
        self._kwh += self._kw * passed_ns / (3600 * NS)
        self._kw = sum(self._latest.value(p) for p in self._points if self._latest.fresh(p))
        self._at_ns = now_ns
        return Load(self._kw, self._kwh, (since_ns + QUARTER_NS - now_ns) / NS)
