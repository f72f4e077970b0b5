"""The twin without a wire: Connectors that hand its samples and requests over in memory, for rehearsals in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np

from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.ports import Check, Reads, Sink
from zhongshu.model.commands import Answer, Call, Outcome, Result
from zhongshu.model.plant import Plant
from zhongshu.twin.scan import Made
from zhongshu.twin.timing import TICK_NS
from zhongshu.twin.twin import Twin


class DirectLink:
    """A Connector of one connection; what its ``sink`` gets are the twin's own samples, none of them ever missing."""

    def __init__(self, twin: Twin, plant: Plant, connection: str, clock: Clock) -> None:
        self._side, self._clock = twin.side, clock
        own = {u.id for u in plant.units if u.connection == connection}
        # The brain's ids; in a plant that has none yet, the place in the plant's order stands for them.
        self._point = {p.id if p.id >= 0 else i: p for i, p in enumerate(plant.points) if p.unit in own}
        ids = {p.path: n for n, p in self._point.items()}
        self._ids = np.array([ids.get(p.path, -1) for p in twin.plant.points], dtype=np.int32)
        self._sinks: list[Sink] = []
        self._samples = 0

    async def run(self, sink: Sink) -> None:
        """Hand every sample from now on to ``sink``, until cancelled."""
        self._sinks.append(sink)
        sink.connected()
        try:
            await asyncio.Event().wait()
        finally:
            self._sinks.remove(sink)

    def put(self, made: Made) -> None:
        """The samples of one tick; those of other connections are left out."""
        ids = self._ids[made.index]
        rows = np.flatnonzero(ids >= 0)
        count = len(rows)
        if not count:
            return
        self._samples += count
        for sink in self._sinks:
            sink.reads(
                Reads(
                    point=ids[rows],
                    t_ns=np.full(count, made.t_ns, dtype=np.int64),
                    value=made.value[rows],
                    quality=np.zeros(count, dtype=np.uint8),
                    received_ns=self._clock.wall_ns(),
                )
            )

    async def write(self, point: int, value: float) -> Answer:
        """Write a raw value; the machine's own answer is its read-back."""
        known = self._point.get(point)
        if known is None:
            return Answer(Outcome.REFUSED, Result.BAD_ARGUMENT)
        return await self._side.written(known.unit, known.name, value)

    async def call(self, call: Call) -> Answer:
        """Put a request to a unit."""
        return await self._side.called(call)

    async def check(self) -> Check:
        """Always there."""
        return Check(True, "")

    def diagnostics(self) -> Mapping[str, Any]:
        """Samples handed over."""
        return {"samples": self._samples}


class DirectPlant:
    """A twin and one DirectLink a connection. ``run`` ticks by the twin's clock, which may be a virtual one."""

    def __init__(self, twin: Twin, plant: Plant | None = None) -> None:
        """``plant`` is the brain's view of the same plant, with its point ids, and perhaps not all of the points; without it the
        twin's own is taken."""
        self.twin = twin
        seen = twin.plant if plant is None else plant
        self.links = {c.id: DirectLink(twin, seen, c.id, twin.clock) for c in seen.connections}
        self._each = list(self.links.values())
        number = {connection: k for k, connection in enumerate(self.links)}
        at = {u.id: number[u.connection] for u in seen.units}
        self._link_of = np.array([at[p.unit] for p in twin.plant.points], dtype=np.int64)

    async def run(self) -> None:
        """Tick by tick until cancelled; every value is told once at the first."""
        clock = self.twin.clock
        tick = clock.wall_ns() // TICK_NS + 1
        everything = True
        while True:
            ahead = tick * TICK_NS - clock.wall_ns()
            if ahead > 0:
                await clock.sleep_wall(ahead / NS)
            made = self.twin.tick(tick, everything=everything)
            for k in np.unique(self._link_of[made.index]).tolist():
                self._each[k].put(made)
            everything = False
            tick += 1
            await asyncio.sleep(0)
