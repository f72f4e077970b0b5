"""What became of planned tasks: from the units' own words on the bus to rows that the Decide page lays over its plan."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import aclosing
from typing import Any

from zhongshu.kernel.bus import Bus, BusError, Message, Subscription
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.wire import WireError, decode_event
from zhongshu.model import subjects
from zhongshu.model.messages import JobProgressed
from zhongshu.model.states import JobState
from zhongshu.web.commands import CommandBoard

log = logging.getLogger(__name__)

#: Tasks remembered; those of before stand in the plan document itself.
KEPT = 20_000
#: Events read again at the start, of all kinds: enough to know of every task that a live plan calls running.
REPLAYED = 50_000
REPLAY_WALL_S = 10.0
#: Events of a command that the board does not know yet: they come a moment before it.
WAITING = 2000
MS = 1_000_000
ENDS = (JobState.DONE.name, JobState.ABORTED.name)

Row = list[Any]


class PlanProgress:
    """Rows ``[lot, operation, unit, start ms, end ms, state, good, scrap]`` by job order; times are plant time, 0 for none."""

    def __init__(self, plant: str, bus: Bus, clock: Clock, commands: CommandBoard) -> None:
        self._plant, self._bus, self._clock, self._commands = plant, bus, clock, commands
        self._rows: OrderedDict[int, tuple[int, Row]] = OrderedDict()
        self._waiting: OrderedDict[int, JobProgressed] = OrderedDict()
        self._cursor = 0
        self._subject = subjects.events(plant, JobProgressed.__name__)

    async def run(self) -> None:
        """Follow until cancelled; first what was said before this process began."""
        listening: Subscription = await self._bus.listen(self._subject, self._heard)
        try:
            async with asyncio.timeout(REPLAY_WALL_S):
                await self._catch_up()
        except (BusError, TimeoutError) as error:
            log.warning("what became of tasks before the start is missing: %s", error)
        try:
            await asyncio.Event().wait()
        finally:
            await listening.close()

    async def _catch_up(self) -> None:
        last = await self._bus.last(self._subject)
        if last is None:
            return
        after = max(0, last.seq - REPLAYED)
        messages = self._bus.replay(subjects.EVENTS, after=after, subject=self._subject)
        async with aclosing(messages) as stored:  # type: ignore[type-var]
            async for message in stored:
                await self._heard(message)
                if message.seq >= last.seq:
                    return

    async def _heard(self, message: Message) -> None:
        try:
            event = decode_event(message.subject, message.payload)
        except WireError as error:
            log.warning("an event could not be read: %s", error)
            return
        if isinstance(event, JobProgressed):
            self.take(event)

    def take(self, event: JobProgressed) -> None:
        """Follow one word of a unit; one that is older than what is known changes nothing."""
        lot, operation = self._commands.task(event.key)
        if not lot:
            self._waiting[event.key] = event
            while len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
            return
        before = (
            self._rows[event.key][1]
            if event.key in self._rows
            else [lot, operation, event.unit, 0, 0, "", 0, 0]
        )
        row = _moved_on(before, event)
        if row != before:
            self._cursor = max(self._cursor + 1, self._clock.wall_ns() // MS)
            self._rows[event.key] = (self._cursor, row)
            self._rows.move_to_end(event.key)
            while len(self._rows) > KEPT:
                self._rows.popitem(last=False)

    def since(self, cursor: int) -> tuple[int, list[Row]]:
        """Rows that changed after ``cursor`` and the cursor to ask with next; 0 asks for all."""
        for event in list(self._waiting.values()):
            if self._commands.task(event.key)[0]:
                del self._waiting[event.key]
                self.take(event)
        changed: list[Row] = []
        for at, row in reversed(self._rows.values()):
            if at <= cursor:
                break
            changed.append(row)
        return max(self._cursor, cursor), changed[::-1]


def _moved_on(before: Row, event: JobProgressed) -> Row:
    """An end stays an end: what is read again from the bus may come after what is newer."""
    lot, operation, unit, start, end, state, good, scrap = before
    at = event.t_ns // MS
    if event.state == JobState.RUNNING.name:
        start = min(start, at) if start and end != start else at
    if state in ENDS:
        return [lot, operation, unit, start, end, state, good, scrap]
    if event.state in ENDS:
        start, end = start or at, at
    return [lot, operation, unit, start, end, event.state, event.good, event.scrap]
