"""How well the plant is heard: connections and devices once a second, for the top bar and the Sense page."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhongshu.kernel.clock import Clock
from zhongshu.model.batch import good
from zhongshu.model.plant import Plant
from zhongshu.web.watch import Watch, unit_index

MS = 1_000_000


class Sensing:
    """Rows by position in ``plant.connections`` and ``plant.units``.

    Connection: [up (1, 0, -1 unknown), devices up, devices, values/s, wall ms of the newest arrival, times it broke, why].
    Unit: [good points, wall ms of the newest arrival].
    """

    def __init__(self, plant: Plant, watch: Watch, clock: Clock) -> None:
        self._plant, self._watch, self._clock = plant, watch, clock
        index = unit_index(plant, len(watch.latest))
        self._ids = np.flatnonzero(index >= 0)
        self._owner = index[self._ids]
        self._before: dict[str, int] = {}
        self._before_ns = 0
        self.connections: list[list[Any]] = []

    def look(self) -> list[list[Any]]:
        """Every connection's row; call it once a second, since rates are taken between two calls."""
        now_ns = self._clock.wall_ns()
        seconds = max(0.1, (now_ns - self._before_ns) / 1e9) if self._before_ns else 0.0
        said = self._watch.alive().get("brain", {}).get("sense", {}).get("connections", {})
        rows = []
        for connection in self._plant.connections:
            traffic = self._watch.traffic[connection.id]
            figures = said.get(connection.id, {})
            rate = (traffic.samples - self._before.get(connection.id, 0)) / seconds if seconds else 0.0
            up = int(bool(figures["connected"])) if "connected" in figures else -1
            newest_ms = traffic.newest_ns // MS
            devices = [figures.get("units_up"), figures.get("units")]
            rows.append([up, *devices, round(rate), newest_ms, traffic.downs, figures.get("reason", "")])
            self._before[connection.id] = traffic.samples
        self._before_ns, self.connections = now_ns, rows
        return rows

    def units(self) -> list[list[int]]:
        """Every unit's row."""
        fine = good(self._watch.latest.qualities[self._ids])
        counts = np.bincount(self._owner[fine], minlength=len(self._plant.units))
        newest = self._watch.unit_heard_ns // MS
        return [[c, t] for c, t in zip(counts.tolist(), newest.tolist(), strict=True)]

    def hops(self) -> dict[str, int | None]:
        """What the brain counted on the way from its connectors to the bus; None where it does not say."""
        said = self._watch.alive().get("brain", {}).get("sense", {})
        names = ("received", "published", "waiting", "doubled", "dropped")
        return {**{name: said.get(name) for name in names}, "kept": said.get("kept_back")}

    def counts(self) -> dict[str, int]:
        """Points known and Good, and devices of which anything was heard, as seen from here."""
        fine = good(self._watch.latest.qualities[self._ids])
        return {"total": len(self._ids), "good": int(fine.sum())}
