"""Which point of each unit holds what a map or a table shows: ids by role, one array a role, -1 where a unit has none."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from zhongshu.kernel.latest import NEVER, Latest
from zhongshu.model.batch import QUALITY_MASK, UNCERTAIN
from zhongshu.model.plant import Plant, Unit

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Columns:
    """The newest values of one role for the given units, by position."""

    def __init__(self, plant: Plant, units: tuple[Unit, ...], latest: Latest) -> None:
        self._plant, self._units, self._latest = plant, units, latest
        self._ids: dict[str, Ids] = {}

    def ids(self, role: str) -> Ids:
        """Point id of that role in each unit, -1 for none."""
        if role not in self._ids:
            points = [self._plant.role(unit, role) for unit in self._units]
            self._ids[role] = np.array([p.id if p else -1 for p in points], np.int64)
        return self._ids[role]

    def values(self, role: str, absent: float = math.nan) -> Floats:
        """Newest values whatever their quality; ``absent`` where there is no point or nothing came yet."""
        ids = self.ids(role)
        found = np.where(ids >= 0, self._latest.values[ids], math.nan)
        return np.where(np.isnan(found), absent, found)

    def times_ns(self, role: str) -> npt.NDArray[np.int64]:
        """Source times of the newest values, 0 for none."""
        ids = self.ids(role)
        return np.where(ids >= 0, self._latest.times_ns[ids], 0)

    def known(self, role: str) -> Bools:
        """True where something was ever heard."""
        ids = self.ids(role)
        return (ids >= 0) & (self._latest.qualities[ids] != NEVER)

    def good(self, role: str) -> Bools:
        """True where the newest value is Good."""
        ids = self.ids(role)
        return (ids >= 0) & ((self._latest.qualities[ids] & QUALITY_MASK) < UNCERTAIN) & self.known(role)
