"""The wire between one connection's devices and whichever brain is alive: it can be cut, hang, or lose a request or its answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.loop.mortal import Life
from zhongshu.kernel.clock import NS
from zhongshu.kernel.ports import Check, Reads, Sink
from zhongshu.kernel.virtual import LoopClock
from zhongshu.model.commands import Answer, Call, Outcome, Verb
from zhongshu.model.plant import Plant
from zhongshu.twin.direct import DirectLink
from zhongshu.twin.twin import Twin

#: How long a connector waits for an answer, wall seconds.
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Told:
    """One value that the living brain was handed, with the wall time at which it was."""

    wall_ns: int
    value: float


class Wire:
    """Outlives the brains; each of them gets a ``Session`` on it. ``called`` hears of every call before it is done."""

    def __init__(
        self,
        link: DirectLink,
        plant: Plant,
        connection: str,
        twin: Twin,
        clock: LoopClock,
        seed: int,
        called: Callable[[Wire, Call], None],
    ) -> None:
        self.connection = connection
        self.units = {u.id for u in plant.units if u.connection == connection}
        self._link, self._twin, self._clock, self._called = link, twin, clock, called
        self._unit_of = {p.id: p.unit for u in plant.units if u.id in self.units for p in u.points}
        self._numbers = [i for i, u in enumerate(plant.units) if u.id in self.units]
        self._random = random.Random(f"wire {connection} {seed}")
        self._sink: Sink | None = None
        self._last: dict[int, tuple[int, float]] = {}
        self.told: dict[int, list[Told]] = {}  # by point, of the living brain
        self.heard_ns: dict[str, int] = {}  # by unit, when the living brain last heard of it
        self.up, self.hanging, self.losing = True, False, 0.0
        self._one_way, self._down_until_ns = False, 0
        self.down_since_ns = self.stands_ns = clock.wall_ns()

    # --- the devices' side

    def reads(self, reads: Reads) -> None:
        """The twin made samples available."""
        for point, t_ns, value in zip(
            reads.point.tolist(), reads.t_ns.tolist(), reads.value.tolist(), strict=True
        ):
            self._last[point] = (t_ns, value)
        if self.up and not self.hanging and self._sink is not None:
            self._hand(reads)

    def connected(self) -> None:
        """The twin's end is always there."""

    def cut(self, seconds: float) -> None:
        """The connection is lost, and known to be, for so long (wall)."""
        self._lose("cut", seconds)

    def restart(self, seconds: float) -> None:
        """The devices restart: as ``cut``, and they number their samples from 0 again."""
        self.cut(seconds)
        self._twin.scan.counts[self._numbers] = 0

    def hang(self, seconds: float, *, one_way: bool = False) -> None:
        """Nothing passes and nobody is told; afterwards the session is broken and made anew.

        ``one_way``: requests still arrive, only nothing comes back.
        """
        self.hanging, self._one_way = True, one_way
        asyncio.get_running_loop().call_later(seconds, self._unhang)

    def lose(self, share: float, seconds: float) -> None:
        """For so long, that share of the requests gets no answer; half of them never arrive."""
        self.losing = share
        asyncio.get_running_loop().call_later(seconds, lambda: setattr(self, "losing", 0.0))

    def _unhang(self) -> None:
        self.hanging = False
        self._lose("session closed by the server", 0.5)

    def _lose(self, reason: str, seconds: float) -> None:
        if self.up and self._sink is not None:
            self._sink.lost(reason)
        if self.up:
            self.down_since_ns = self._clock.wall_ns()
        self.up = False
        self._down_until_ns = max(self._down_until_ns, self._clock.wall_ns() + round(seconds * NS))
        asyncio.get_running_loop().call_later(seconds + 0.001, self._restored)

    def _restored(self) -> None:
        if not self.up and self._clock.wall_ns() >= self._down_until_ns:
            self.up = True
            self._greet()

    # --- the brain's side

    def attach(self, sink: Sink) -> None:
        """A connector of a new brain reads here."""
        self._sink = sink
        self.told, self.heard_ns, self.stands_ns = {}, {}, self._clock.wall_ns()
        if self.up:
            self._greet()
        else:
            sink.lost("no route to host")

    def detach(self, sink: Sink) -> None:
        """That brain is gone."""
        if self._sink is sink:
            self._sink = None

    def _greet(self) -> None:
        """As every connector does once it stands: all values as they are now, with the times they got them."""
        if self._sink is None or self.hanging:
            return
        self.stands_ns = self._clock.wall_ns()
        self._sink.connected()
        silent = {u for n, u in enumerate(self._twin.plant.unit_of) if self._twin.scan.silent[n]}
        known = {p: v for p, v in self._last.items() if self._unit_of[p] not in silent}
        if known:
            self._hand(
                Reads(
                    np.array(list(known), np.int32),
                    np.array([t for t, _ in known.values()], np.int64),
                    np.array([v for _, v in known.values()]),
                    np.zeros(len(known), np.uint8),
                    self._clock.wall_ns(),
                )
            )

    def _hand(self, reads: Reads) -> None:
        assert self._sink is not None
        now = self._clock.wall_ns()
        for point, value in zip(reads.point.tolist(), reads.value.tolist(), strict=True):
            self.told.setdefault(point, []).append(Told(now, value))
            del self.told[point][:-8]
            self.heard_ns[self._unit_of[point]] = now
        self._sink.reads(reads)

    async def ask(self, call: Call) -> Answer:
        """One request on its way there and back."""
        return await self._there_and_back(call, lambda: self._link.call(call))

    async def write(self, point: int, value: float) -> Answer:
        """One value to a set-point."""
        call = Call(self._unit_of[point], Verb.SET_PARAMETER, 0, {"point": point, "value": value})
        return await self._there_and_back(call, lambda: self._link.write(point, value))

    async def _there_and_back(self, call: Call, do: Callable[[], Awaitable[Answer]]) -> Answer:
        if not self.up:
            return Answer(Outcome.NOT_SENT, reason="no connection")
        self._called(self, call)
        lost = self.hanging or self._random.random() < self.losing
        if lost and not (self._one_way if self.hanging else self._random.random() < 0.5):
            await self._clock.sleep_wall(TIMEOUT_S)
            return Answer(Outcome.UNKNOWN, reason="timeout")
        answer = await do()
        if lost:
            await self._clock.sleep_wall(TIMEOUT_S)
            return Answer(Outcome.UNKNOWN, reason="timeout")
        return answer


class Session:
    """The Connector that one brain has on a wire."""

    def __init__(self, wire: Wire, life: Life) -> None:
        self._wire, self._life = wire, life

    async def run(self, sink: Sink) -> None:
        """Until cancelled, or dead."""
        self._life.alive()
        self._wire.attach(sink)
        try:
            await asyncio.Event().wait()
        finally:
            self._wire.detach(sink)

    async def call(self, call: Call) -> Answer:
        """Death may come before the request leaves, or before its answer is read."""
        self._life.step()
        answer = await self._wire.ask(call)
        self._life.step()
        return answer

    async def write(self, point: int, value: float) -> Answer:
        """As with requests."""
        self._life.step()
        answer = await self._wire.write(point, value)
        self._life.step()
        return answer

    async def check(self) -> Check:
        """Not asked here."""
        return Check(True, "")

    def diagnostics(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}
