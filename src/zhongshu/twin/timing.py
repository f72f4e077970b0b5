"""When each point is sampled: a grid of 100 ms of wall time, each point at its own rate, units spread over the ticks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zhongshu.kernel.clock import NS
from zhongshu.model.batch import Int64s
from zhongshu.model.plant import Plant, Unit
from zhongshu.twin.face import JOB_IMAGE

TICK_NS = NS // 10
TICKS_PER_S = NS // TICK_NS
#: How a protocol's devices make samples available.
IMAGE, CHANGE = "image", "change"


class Timing:
    """Which points are due at which tick. Ticks are numbered by wall time, ``wall_ns // TICK_NS``.

    A unit with register images (``image``) is scanned as a whole, at the rate of its fastest point; elsewhere each point
    has its own rate. A period is a whole number of ticks, at least one.
    """

    def __init__(self, plant: Plant, samples: Mapping[str, str]) -> None:
        """``samples`` says ``image`` or ``change`` by connection id."""
        groups: dict[tuple[int, int], list[int]] = {}
        start = 0
        for number, unit in enumerate(plant.units):
            image = samples.get(unit.connection, CHANGE) == IMAGE
            for offset, period in enumerate(_periods(unit, image=image)):
                # 37 shares no factor with the usual periods, so neighbours fall on different ticks.
                groups.setdefault((period, number * 37 % period), []).append(start + offset)
            start += len(unit.points)
        self._groups = [(p, phase, np.array(points, dtype=np.int64)) for (p, phase), points in groups.items()]
        self._all = np.arange(start, dtype=np.int64)

    @property
    def all(self) -> Int64s:
        """Every point: what the first tick after a start makes available."""
        return self._all

    def due(self, tick: int) -> Int64s:
        """Indexes of the points that are sampled at this tick, in plant order."""
        found = [points for period, phase, points in self._groups if tick % period == phase]
        if not found:
            return self._all[:0]
        return np.sort(np.concatenate(found))


def _periods(unit: Unit, *, image: bool) -> list[int]:
    periods = [max(1, round(TICKS_PER_S / p.rate_hz)) for p in unit.points]
    if image:
        return [min(periods, default=1)] * len(periods)
    together = min((n for n, p in zip(periods, unit.points, strict=True) if p.role in JOB_IMAGE), default=0)
    return [together if p.role in JOB_IMAGE else n for n, p in zip(periods, unit.points, strict=True)]
