"""The plant's picture as frames for the browser: a snapshot for whoever comes, then numbered deltas, encoded once for all."""

from __future__ import annotations

import json
from typing import Any

from zhongshu.kernel.clock import Clock
from zhongshu.model.batch import QUALITY_MASK
from zhongshu.model.plant import Plant, Unit
from zhongshu.web.decisions import DecisionBoard
from zhongshu.web.orders import OrderBoard
from zhongshu.web.scene import Scene
from zhongshu.web.sensing import Sensing
from zhongshu.web.watch import Watch

#: So many ticks of a quarter second between two looks at slow things: health, connections, counts.
SLOW = 4
MS = 1_000_000
SENSE = "sense"


class Frames:
    """``tick`` moves the picture on; topics are "" (everything a page needs), "sense", and a unit's id.

    A frame is compact JSON: ``n`` its number (deltas only; a gap in it means: ask again), ``t`` plant ms, ``w`` wall ms,
    ``u``/``v`` rows of units and vehicles (``web.scene``), ``c`` rows of commands, ``o`` the orders, ``d`` the newest decisions, ``h`` counts,
    ``l`` connections (``web.sensing``); ``s`` rows of units as sensed; ``p`` a unit's points as [value, quality, plant ms].
    """

    def __init__(
        self,
        plant: Plant,
        watch: Watch,
        orders: OrderBoard,
        clock: Clock,
        decisions: DecisionBoard | None = None,
    ) -> None:
        self._plant, self._watch, self._orders, self._clock = plant, watch, orders, clock
        self._decisions = decisions
        self._scene = Scene(plant, watch, clock)
        self._sensing = Sensing(plant, watch, clock)
        self._ticks = 0
        self._number = 0
        self._counts: dict[str, Any] = {}
        self._links: list[list[Any]] = []
        self._sensed: list[list[int]] = []
        self._points: dict[str, list[Any]] = {}
        self._orders_said = self._decisions_said = -1

    def tick(self) -> str:
        """The next delta; it always carries the time, so that a browser knows the picture is alive."""
        self._number += 1
        frame: dict[str, Any] = {"k": "d", "n": self._number, **self._times()}
        units, vehicles = self._scene.look()
        frame |= {name: rows for name, rows in (("u", units), ("v", vehicles)) if rows}
        if commands := self._watch.commands.changed():
            frame["c"] = commands
        if self._orders_said != self._orders.version:
            self._orders_said, frame["o"] = self._orders.version, self._orders.board
        if self._decisions is not None and self._decisions_said != self._decisions.version:
            self._decisions_said, frame["d"] = self._decisions.version, self._decisions.board
        if self._ticks % SLOW == 0:
            frame |= self._slow()
        self._ticks += 1
        return _encoded(frame)

    def snapshot(self) -> str:
        """Everything, as of the last tick."""
        return _encoded(
            {
                "k": "s",
                "n": self._number,
                **self._times(),
                "u": dict(enumerate(self._scene.units)),
                "v": dict(enumerate(self._scene.vehicles)),
                "c": self._watch.commands.newest(),
                "o": self._orders.board,
                "d": self._decisions.board if self._decisions is not None else {},
                "h": self._counts,
                "l": self._links,
            }
        )

    def sensed(self, *, whole: bool) -> str:
        """Devices as sensed: all of them, or those whose row changed since the last call; empty where none did."""
        if whole:
            return _encoded({"k": "n", "s": dict(enumerate(self._sensing.units()))})
        rows = self._sensing.units()
        changed = {i: row for i, row in enumerate(rows) if i >= len(self._sensed) or row != self._sensed[i]}
        self._sensed = rows
        return _encoded({"k": "n", "s": changed}) if changed else ""

    def points(self, name: str, *, whole: bool) -> str:
        """A unit's points: all of them, or those that changed since the last call; empty where none did."""
        unit = self._plant.unit_of.get(name)
        if unit is None:
            return ""
        rows = self._point_rows(unit)
        before = [] if whole else self._points.get(name, [])
        changed = {i: row for i, row in enumerate(rows) if i >= len(before) or row != before[i]}
        if not whole:
            self._points[name] = rows
        return _encoded({"k": "p", "unit": name, "p": changed}) if changed else ""

    def forget(self, name: str) -> None:
        """Nobody watches this unit any more."""
        self._points.pop(name, None)

    def _point_rows(self, unit: Unit) -> list[list[Any]]:
        latest = self._watch.latest
        ids = [point.id for point in unit.points]
        values, qualities = latest.values[ids].tolist(), latest.qualities[ids].tolist()
        times = (latest.times_ns[ids] // MS).tolist()
        return [
            [
                None if v != v else float(f"{v:.6g}") if abs(v) < 1e6 else v,
                -1 if q == 0xFF else q & QUALITY_MASK,
                t,
            ]
            for v, q, t in zip(values, qualities, times, strict=True)
        ]

    def _slow(self) -> dict[str, Any]:
        """What a second does not change much; only what is another one now."""
        links = self._sensing.look()
        summary = self._watch.summary()
        del summary["reaction"]  # long, and asked for by the one page that shows it
        counts = {
            **summary,
            "power_kw": self._scene.power_kw(),
            "recent": dict(self._watch.commands.recent()),
            "points_here": self._sensing.counts(),
            "hops": self._sensing.hops(),
        }
        frame: dict[str, Any] = {}
        if counts != self._counts:
            self._counts, frame["h"] = counts, counts
        if links != self._links:
            self._links, frame["l"] = links, links
        return frame

    def _times(self) -> dict[str, int]:
        return {"t": self._clock.now_ns() // MS, "w": self._clock.wall_ns() // MS}


def _encoded(frame: dict[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
