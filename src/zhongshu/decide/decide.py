"""Follows the EVENTS stream, keeps the work book, and proposes starts and moves, first come first served."""

from __future__ import annotations

import asyncio
import logging

from zhongshu.decide.book import WorkBook
from zhongshu.decide.explode import explode, remake
from zhongshu.decide.first_come import FirstCome
from zhongshu.decide.floor import Floor
from zhongshu.decide.progress import Progress
from zhongshu.decide.propose import Proposer
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import LotStatus, Work, closed
from zhongshu.kernel.bus import Bus, Message
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.store import Store
from zhongshu.kernel.wire import WireError, decode_event
from zhongshu.model import subjects
from zhongshu.model.messages import Event, Proposed
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
PASS_WALL_S = 0.25
#: Product lots released into the plant at one time (CONWIP); plant.yaml: settings.wip_lots.
WIP_LOTS = 40


class Decide:
    """First-come dispatch of the whole plant."""

    def __init__(self, plant: Plant, bus: Bus, store: Store, clock: Clock, latest: Latest) -> None:
        self._plant, self._bus, self._clock, self._latest = plant, bus, clock, latest
        self._book = WorkBook(plant, store)
        self._roads = Roads(plant.roads)
        self._outbox = Outbox(plant.id, "decide", store, bus, clock)
        self._events: list[Event] = []
        self._position = 0
        self._lot_number = 0
        self._wip_lots = int(plant.settings.get("wip_lots", WIP_LOTS))
        self.work = Work(plant)

    async def run(self) -> None:
        """Until cancelled; the book says where it had stopped."""
        self.work, self._position, self._lot_number = await asyncio.to_thread(self._book.load)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._outbox.run())
            tasks.create_task(self._follow())
            tasks.create_task(self._passes())

    async def _follow(self) -> None:
        async for message in self._bus.replay(subjects.EVENTS, after=self._position):
            self._take(message)

    def _take(self, message: Message) -> None:
        self._position = message.seq
        try:
            self._events.append(decode_event(message.subject, message.payload))
        except WireError as error:
            log.warning("an event could not be read: %s", error)

    async def _passes(self) -> None:
        progress, floor = Progress(self.work), Floor(self.work, self._latest)
        speed = (self._clock.to_plant_ns(NS) - self._clock.to_plant_ns(0)) / NS
        proposer = Proposer(self.work, self._roads, speed)
        saved = self._position
        while True:
            await self._clock.sleep_wall(PASS_WALL_S)
            position, events, self._events = self._position, self._events, []
            for event in events:
                progress.apply(event)
            floor.refresh()
            proposals = self._choose(progress, proposer)
            if proposals or self.work.changed or (events and position - saved > 200):
                await asyncio.to_thread(self._book.save, self.work, position, proposals, self._clock.now_ns())
                saved = position
                self._outbox.poke()
            self.work.forget_closed_orders()

    def _choose(self, progress: Progress, proposer: Proposer) -> list[Proposed]:
        now_ns = self._clock.now_ns()
        while self.work.lost:
            remake(self.work, self.work.lost.pop(), self._number)
        self._release(now_ns)
        proposals = []
        for choice in FirstCome(self.work, self._roads, now_ns).choices():
            proposal = proposer.propose(choice, now_ns)
            if proposal is not None:
                proposals.append(proposal)
                if (lot := getattr(choice, "lot", None)) is not None:
                    progress.proposed(proposal.proposal, lot)
        return proposals

    def _release(self, now_ns: int) -> None:
        """Let the oldest orders in while the plant holds fewer lots than it should."""
        open_lots = sum(1 for lot in self.work.lots.values() if not lot.parent and not closed(lot))
        waiting = [o for o in self.work.orders.values() if o.status == "received" and o.release_ns <= now_ns]
        for order in sorted(waiting, key=lambda o: (o.priority, o.created_ns, o.id)):
            if open_lots >= self._wip_lots:
                return
            order.status = "released"
            self.work.dirty_orders.add(order.id)
            for lot in explode(self._plant, order, self._number):
                self.work.lots[lot.number] = lot
                self.work.touch(lot)
                open_lots += not lot.parent

    def _number(self) -> int:
        self._lot_number += 1
        return self._lot_number

    def figures(self) -> dict[str, int]:
        """Counts for health."""
        lots = self.work.lots.values()
        return {
            "orders_open": sum(o.status in ("received", "released") for o in self.work.orders.values()),
            "lots_open": sum(not closed(lot) for lot in lots),
            "lots_running": sum(lot.status is LotStatus.RUNNING for lot in lots),
            "lots_held": sum(lot.status is LotStatus.HELD for lot in lots),
        }
