"""The plant's picture at one moment, row by row: from the newest values to what changed since the picture before."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhongshu.kernel.clock import Clock
from zhongshu.model import roles
from zhongshu.model.plant import Plant
from zhongshu.web.columns import Columns
from zhongshu.web.watch import Watch

STALE, ABSENT = 1, 2
DRIVING, CHARGING, ERRORS, E_STOP, SILENT = 1, 2, 4, 8, 16
MS = 1_000_000

UnitRow = list[Any]


class Scene:
    """Rows by position in ``plant.units`` (and ``plant.vehicles``).

    Unit: [state, mode, progress % or -1, lot, product code, flags, plant ms since when it is in this state or 0].
    Vehicle: [x m, y m, heading rad, lot on board, battery %, order key, flags].
    """

    def __init__(self, plant: Plant, watch: Watch, clock: Clock) -> None:
        self._plant, self._watch, self._clock = plant, watch, clock
        self._units = Columns(plant, plant.units, watch.latest)
        self._vehicles = Columns(plant, plant.vehicles, watch.latest)
        self._powers = np.array([p.id for p in plant.points if p.role == roles.POWER], np.int64)
        self._since: list[tuple[int, int]] = [(0, 0)] * len(plant.units)
        self.units: list[UnitRow] = [[] for _ in plant.units]
        self.vehicles: list[UnitRow] = [[] for _ in plant.vehicles]

    def look(self) -> tuple[dict[int, UnitRow], dict[int, UnitRow]]:
        """Take the picture anew; what changed, by position."""
        return _changes(self.units, self._unit_rows()), _changes(self.vehicles, self._vehicle_rows())

    def power_kw(self) -> float | None:
        """Sum over all Good points with the role power; None where the plant has none."""
        if not len(self._powers):
            return None
        fresh = self._powers[self._watch.latest.fresh_mask()[self._powers]]
        return round(float(self._watch.latest.values[fresh].sum()), 1)

    def _unit_rows(self) -> list[UnitRow]:
        columns = self._units
        state = columns.values(roles.UNIT_STATE, 0).astype(int).tolist()
        mode = columns.values(roles.UNIT_MODE, 0).astype(int).tolist()
        progress = columns.values(roles.JOB_PROGRESS, -1).round().astype(int).tolist()
        key = columns.values(roles.JOB_KEY, 0).astype(int).tolist()
        good, known = columns.good(roles.UNIT_STATE).tolist(), columns.known(roles.UNIT_STATE).tolist()
        at_ms = (columns.times_ns(roles.UNIT_STATE) // MS).tolist()
        rows = []
        for i in range(len(state)):
            flags = 0 if good[i] else STALE if known[i] else STALE | ABSENT
            since = self._in_state_since(i, state[i], at_ms[i], good[i])
            lot, product = self._watch.commands.job(key[i]) if key[i] else (0, 0)
            rows.append([state[i], mode[i], progress[i], lot, product, flags, since])
        return rows

    def _in_state_since(self, unit: int, state: int, at_ms: int, good: bool) -> int:
        """The source time of the first sample with this state; a value said again later does not move it."""
        before, since = self._since[unit]
        if good and state != before:
            since = at_ms
            self._since[unit] = (state, since)
        return since

    def _vehicle_rows(self) -> list[UnitRow]:
        columns = self._vehicles
        names = (
            roles.POSITION_X,
            roles.POSITION_Y,
            roles.HEADING,
            roles.LOAD,
            roles.BATTERY,
            roles.ORDER_KEY,
        )
        digits = (1, 1, 2, 0, 0, 0)
        parts = [columns.values(name, 0).round(n).tolist() for name, n in zip(names, digits, strict=True)]
        known = columns.known(roles.POSITION_X).tolist()
        flags = np.zeros(len(known), int)
        bits = (
            (roles.DRIVING, DRIVING),
            (roles.CHARGING, CHARGING),
            (roles.ERRORS, ERRORS),
            (roles.E_STOP, E_STOP),
        )
        for role, bit in bits:
            flags |= np.where(columns.values(role, 0) > 0, bit, 0)
        flags |= np.where(columns.good(roles.POSITION_X), 0, SILENT)  # where it was seen last
        rows = []
        for i, flag in enumerate(flags.tolist()):
            x, y, heading, load, battery, order = (part[i] for part in parts)
            rows.append([x, y, heading, int(load), int(battery), int(order), flag] if known[i] else [])
        return rows


def _changes(before: list[UnitRow], now: list[UnitRow]) -> dict[int, UnitRow]:
    """Rows that differ, which then replace the ones before."""
    changed = {i: row for i, row in enumerate(now) if row != before[i]}
    for i, row in changed.items():
        before[i] = row
    return changed
