"""Follows the EVENTS stream, keeps the work book, and proposes starts and moves by the plan in force."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from zhongshu.decide.book import WorkBook
from zhongshu.decide.dispatching import Dispatch
from zhongshu.decide.explode import explode, grow, remake
from zhongshu.decide.first_come import FirstCome, Start
from zhongshu.decide.floor import Floor
from zhongshu.decide.follow import UNPLANNED, Follow, PlanInForce
from zhongshu.decide.policies.coordination import Coordination
from zhongshu.decide.policies.policy import Policy
from zhongshu.decide.progress import Progress
from zhongshu.decide.propose import SOURCE, Proposer
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import LotStatus, Order, Work, closed
from zhongshu.kernel.bus import Bus, BusError, Message
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import load_autonomy
from zhongshu.kernel.store.plans import live_plan, unpack
from zhongshu.kernel.waiting import happens
from zhongshu.kernel.wire import WireError, decode_event, publish_event
from zhongshu.model import subjects
from zhongshu.model.autonomy import Autonomy
from zhongshu.model.messages import AutonomyChanged, Event, PlanTaken, Proposed, SchedulePublished
from zhongshu.model.plant import Plant
from zhongshu.model.states import UnitMode

log = logging.getLogger(__name__)
PASS_WALL_S = 0.25
#: Product lots released into the plant at one time (CONWIP); plant.yaml: settings.wip_lots.
WIP_LOTS = 40
#: An order goes onto the floor so long (plant time) before its first planned operation.
RELEASE_AHEAD_NS = 900 * NS


class Decide:
    """Carries the plan out; without a plan, first come, first served."""

    def __init__(
        self,
        plant: Plant,
        bus: Bus,
        store: Store,
        clock: Clock,
        latest: Latest,
        dispatch: Dispatch = Follow,
        policies: Sequence[Policy] = (),
    ) -> None:
        self._dispatch = dispatch
        self.coordination = Coordination(plant, latest, policies)
        self._plant, self._bus, self._clock, self._latest = plant, bus, clock, latest
        self._book = WorkBook(plant, store)
        self._roads = Roads(plant.roads)
        self._outbox = Outbox(plant.id, "decide", store, bus, clock)
        self._events: list[Event] = []
        self._position = 0
        self._lot_number = 0
        self._wip_lots = int(plant.settings.get("wip_lots", WIP_LOTS))
        self._store, self._plan_stale, self._plan_heard_ns = store, True, 0
        self._autonomy_stale, self._hurry = True, asyncio.Event()
        self.work = Work(plant)
        self.plan: PlanInForce | None = None

    async def run(self) -> None:
        """Until cancelled; the book says where it had stopped."""
        self.work, self._position, self._lot_number = await asyncio.to_thread(self._book.load)
        self.work.judge_anew(await asyncio.to_thread(self._read_autonomy))
        asking = await self._bus.respond(subjects.floor_ask(self._plant.id), self._tell_floor)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outbox.run())
                tasks.create_task(self._follow())
                tasks.create_task(self._passes())
        finally:
            await asking.close()

    async def _tell_floor(self, _: bytes) -> bytes:
        """Units and vehicles as measured: the planner plans from what dispatch goes by."""
        vehicles = {name: asdict(vehicle) for name, vehicle in self.work.vehicles.items()}
        states = {unit: self._as_planned_with(unit, *state) for unit, state in self.work.states.items()}
        return json.dumps({"states": states, "vehicles": vehicles}).encode()

    def _as_planned_with(self, unit: str, state: str, mode: str) -> tuple[str, str]:
        """A unit that a person has taken over counts as one in manual mode: the plan goes round it."""
        standing = self.work.autonomy.units.get(unit)
        return state, UnitMode.MANUAL.name if standing is not None and standing.taken else mode

    async def _follow(self) -> None:
        async for message in self._bus.replay(subjects.EVENTS, after=self._position):
            self._take(message)

    def _take(self, message: Message) -> None:
        self._position = message.seq
        try:
            event = decode_event(message.subject, message.payload)
        except WireError as error:
            log.warning("an event could not be read: %s", error)
            return
        self._events.append(event)
        if isinstance(event, SchedulePublished) and event.status == "live":
            self._plan_stale, self._plan_heard_ns = True, self._clock.wall_ns()
            self._hurry.set()
        elif isinstance(event, AutonomyChanged):
            self._autonomy_stale = True

    async def _passes(self) -> None:
        progress, floor = Progress(self.work), Floor(self.work, self._latest)
        speed = (self._clock.to_plant_ns(NS) - self._clock.to_plant_ns(0)) / NS
        proposer = Proposer(self.work, self._roads, speed)
        self.coordination.speed = speed
        saved = self._position
        while True:
            await self._pause()
            position, events, self._events = self._position, self._events, []
            for event in events:
                progress.apply(event)
                self.coordination.hear(event)
            floor.refresh()
            if self._plan_stale:
                await self._take_plan()
            if self._autonomy_stale:
                self._autonomy_stale = False
                self.work.judge_anew(await asyncio.to_thread(self._read_autonomy))
            proposals = self._choose(progress, proposer)
            if proposals or self.work.changed or (events and position - saved > 200):
                await asyncio.to_thread(self._book.save, self.work, position, proposals, self._clock.now_ns())
                saved = position
                self._outbox.poke()
            self.work.forget_closed_orders()

    async def _pause(self) -> None:
        """Until it is time for the next pass; a plan that came into force is gone by at once."""
        await happens(self._hurry, PASS_WALL_S)
        self._hurry.clear()

    async def _take_plan(self) -> None:
        """Go by the plan in force, and say so: nobody else knows when that was."""
        self._plan_stale, heard_ns = False, self._plan_heard_ns
        self.plan = await asyncio.to_thread(self._read_plan)
        if self.plan is None:
            return
        taken_ns = self._clock.wall_ns()
        now_ns, version = self._clock.now_ns(), self.plan.version
        said = PlanTaken(self._plant.id, SOURCE, now_ns, version, heard_ns or taken_ns, taken_ns)
        try:
            await publish_event(self._bus, said, msg_id=f"taken.{version}.{taken_ns}")
        except BusError as error:
            log.warning("that plan %s was taken could not be said: %s", version, error)

    def _choose(self, progress: Progress, proposer: Proposer) -> list[Proposed]:
        now_ns = self._clock.now_ns()
        while self.work.lost:
            remake(self.work, self.work.lost.pop(), self._number)
        grow(self.work, self._number)
        pass_ = self._released(now_ns)
        proposals = self.coordination.look(self.work, self.plan, now_ns)
        for choice in pass_.choices():
            if isinstance(choice, Start) and choice.unit in self.coordination.waiting:
                continue
            proposal = proposer.propose(choice, now_ns, self.plan)
            if proposal is not None:
                proposals.append(proposal)
                if (lot := getattr(choice, "lot", None)) is not None:
                    progress.proposed(proposal.proposal, lot)
        return proposals

    def _read_plan(self) -> PlanInForce | None:
        with self._store.read() as session:
            row = live_plan(session, self._plant.id)
            return PlanInForce(unpack(row.content) | {"version": row.version}) if row is not None else None

    def _read_autonomy(self) -> Autonomy:
        with self._store.read() as session:
            return load_autonomy(session, self._plant)

    def _released(self, now_ns: int) -> FirstCome:
        """A pass over the open lots, those included whose order goes onto the floor now.

        Orders go there when the plan begins them; those it does not know, while few lots are there (CONWIP).
        """
        pass_ = self._dispatch(self.work, self._roads, now_ns, self.plan)
        waiting = sorted(self._to_release(now_ns), key=lambda o: (*pass_.release_rank(o), o.id))
        if not waiting:
            return pass_
        open_lots = sum(1 for lot in self.work.lots.values() if not lot.parent and not closed(lot))
        before = open_lots
        for order in waiting:
            planned = self.plan is not None and self.plan.order_start_ns(order.id) < UNPLANNED
            if open_lots >= self._wip_lots and not planned:
                break
            order.status = "released"
            self.work.dirty_orders.add(order.id)
            for lot in explode(self._plant, order, self._number):
                self.work.lots[lot.number] = lot
                self.work.touch(lot)
                open_lots += not lot.parent
        return pass_ if open_lots == before else self._dispatch(self.work, self._roads, now_ns, self.plan)

    def _to_release(self, now_ns: int) -> Iterator[Order]:
        for order in self.work.orders.values():
            if order.status == "received" and order.release_ns <= now_ns:
                planned_ns = self.plan.order_start_ns(order.id) if self.plan is not None else UNPLANNED
                if planned_ns == UNPLANNED or planned_ns <= now_ns + RELEASE_AHEAD_NS:
                    yield order

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
            "plan": self.plan.version if self.plan is not None else 0,
            "lots_held": sum(lot.status is LotStatus.HELD for lot in lots),
        }
