"""The planner process: events of the plant and requests of people in, plans in force out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from zhongshu.decide.planner.asks import Refusal, answer
from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.follow_up import FollowUp
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.polite import politely
from zhongshu.decide.planner.record import Decided
from zhongshu.decide.planner.trigger import URGENT, JobTriggers, Trigger, UnitTriggers, gravest
from zhongshu.decide.planner.words import both
from zhongshu.decide.scheduling.warm import warm_search
from zhongshu.kernel.bus import Bus, BusError, Message
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.store import Store
from zhongshu.kernel.wire import WireError, decode_event
from zhongshu.model import subjects
from zhongshu.model.autonomy import Kind
from zhongshu.model.messages import (
    AutonomyChanged,
    CommandChanged,
    Event,
    JobProgressed,
    LotCorrected,
    OrderChanged,
    OrderHeld,
    OrderProgressed,
    OrderReceived,
    PlanRuleChanged,
    StateChanged,
    StockCorrected,
)
from zhongshu.model.plant import Plant

log = logging.getLogger(__name__)
#: Wall time in which the brain must say how the floor stands.
ASK_S = 5.0
#: What became of decisions is written down so often at most (wall).
WRITE_WALL_S = 0.3


class Planner:
    """Whole-plant planning beside the brain, never in its way."""

    def __init__(self, plant: Plant, bus: Bus, store: Store, clock: Clock, pace: Pace | None = None) -> None:
        """Without a ``pace`` it is the usual one, with settings.improve_s of the plant file for improving a repaired plan."""
        self._plant, self._bus, self._clock = plant, bus, clock
        self._outbox = Outbox(plant.id, "planner", store, bus, clock)
        usual = Pace()
        self._pace = pace or replace(usual, improve_s=float(plant.settings.get("improve_s", usual.improve_s)))
        self._triggers: list[Trigger] = []
        self._wanted, self._news = asyncio.Event(), asyncio.Event()
        self._units, self._jobs = UnitTriggers(plant, clock), JobTriggers(clock)
        self._follow_up = FollowUp(plant.id, store, clock)
        self.desk = Desk(plant, store, clock)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(politely, warm_search)
        await asyncio.to_thread(self._follow_up.load)
        loop = asyncio.get_running_loop()
        self.desk.announce = lambda *what: _call(loop, self._in_force, *what)
        asking = await self._bus.respond(subjects.plan_ask(self._plant.id), self._respond)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outbox.run())
                tasks.create_task(self._follow())
                tasks.create_task(self._replan())
                tasks.create_task(self._write_down())
        finally:
            await asking.close()

    async def _follow(self) -> None:
        async for message in self._bus.replay(subjects.EVENTS, after=-1):
            self._take(message)

    def _take(self, message: Message) -> None:
        try:
            event = decode_event(message.subject, message.payload)
        except WireError as error:
            log.warning("an event could not be read: %s", error)
            return
        if self._follow_up.take(event):
            self._news.set()
        self._answer(event)

    def _answer(self, event: Event) -> None:
        """Facts that a plan may have to answer."""
        match event:
            case OrderReceived():
                self.want("orders", event.order, {"what": "received", "t_ns": event.t_ns})
            case OrderChanged():
                what = "cancelled" if event.cancelled else "changed"
                self.want("orders", event.order, {"what": what, "by": event.by, "t_ns": event.t_ns})
            case OrderProgressed(status="released"):
                self.want("orders", event.order, {"what": "released", "t_ns": event.t_ns})
            case StateChanged():
                self._want(self._units.of(event))
            case CommandChanged():
                self._jobs.ordered(event)
            case JobProgressed():
                now = self.desk.now
                self._want(self._jobs.of(event, now.document if now is not None else None))
            case OrderHeld() | LotCorrected() | StockCorrected() | PlanRuleChanged():
                self.want("people", event.by, {"what": type(event).__name__, "t_ns": event.t_ns})
            case AutonomyChanged(kind=Kind.TAKEN):
                self.want("people", event.by, {"what": type(event).__name__, "t_ns": event.t_ns})
            case _:
                pass

    def want(self, kind: str, subject: str, fact: Mapping[str, Any] | None = None) -> None:
        """Re-plan soon, and say why."""
        self._want(self._now(kind, subject, fact))

    def _now(self, kind: str, subject: str = "", fact: Mapping[str, Any] | None = None) -> Trigger:
        """Noticed at this moment."""
        return Trigger(kind, subject, fact or {}, {"heard": self._clock.wall_ns()})

    def _want(self, trigger: Trigger | None) -> None:
        if trigger is not None and (self._pace.answers or trigger.kind == "asked"):
            self._triggers.append(trigger)
            self._wanted.set()

    def _in_force(self, decided: Decided | None, version: int, wall_ns: int) -> None:
        """It goes out at once, while the search goes on; what becomes of it is followed."""
        self._outbox.poke()
        if decided is not None:
            self._follow_up.took_effect(decided, version, wall_ns)
            self._news.set()

    async def _write_down(self) -> None:
        """What became of decisions, a few at a time."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await asyncio.to_thread(self._follow_up.write, self._follow_up.due())
            except Exception:
                log.exception("what became of decisions could not be written down")
            await self._clock.sleep_wall(WRITE_WALL_S)

    async def _replan(self) -> None:
        trigger = self._now("first")
        while True:
            try:
                await self._look()
                planned = await asyncio.to_thread(
                    self.desk.replan, trigger, trigger.subject, self._pace, self._hurried
                )
            except BusError as error:
                log.warning("the brain does not say how the floor stands, no plan is made: %s", error)
                planned = False
            except Exception:
                log.exception("re-planning failed")
                planned = False
            if planned:
                self._outbox.poke()
            trigger = await self._next_trigger()

    def _hurried(self) -> bool:
        """Something is wanted for which improving the last plan does not go on; read by the planning thread."""
        return any(trigger.kind in URGENT for trigger in tuple(self._triggers))

    async def _look(self) -> None:
        """Ask decide how units and vehicles stand; raises BusError when it does not answer."""
        answer = await self._bus.request(subjects.floor_ask(self._plant.id), b"", timeout_s=ASK_S)
        self.desk.floor = json.loads(answer)

    async def _next_trigger(self) -> Trigger:
        """The gravest of what happened meanwhile; after a quiet period, the passing of time."""
        try:
            async with asyncio.timeout(self._pace.period_s):
                await self._wanted.wait()
            await self._gather()
        except TimeoutError:
            return self._now("time")
        triggers, self._triggers = self._triggers, []
        self._wanted.clear()
        chosen = gravest(triggers) or self._now("time")
        others = sum(other is not chosen for other in triggers)
        return replace(chosen, fact={**chosen.fact, "with": others}) if others else chosen

    async def _gather(self) -> None:
        """What happens together is answered together; a breakdown does not wait for orders that come with it."""
        time = asyncio.get_running_loop().time
        until_s = time() + self._pace.gather_s
        while (left_s := until_s - time()) > 0:
            if self._hurried():
                await asyncio.sleep(min(left_s, self._pace.urgent_s))
                return
            await asyncio.sleep(min(left_s, self._pace.urgent_s))

    async def _respond(self, payload: bytes) -> bytes:
        try:
            await self._look()
            found: dict[str, Any] = await asyncio.to_thread(politely, partial(answer, self.desk, payload))
        except Refusal as refusal:
            return json.dumps({"ok": False, "error": refusal.words}, ensure_ascii=False).encode()
        except Exception:
            log.exception("a request could not be answered")
            return json.dumps({"ok": False, "error": both("ask.no_way")}, ensure_ascii=False).encode()
        self._outbox.poke()
        if found.pop("replan", False):
            self.want("asked", str(found.pop("by", "")))
        return json.dumps({"ok": True} | found, ensure_ascii=False).encode()

    def figures(self) -> dict[str, Any]:
        """For health; wall times of the last re-plan in ms."""
        now, times = self.desk.now, self.desk.times
        steps = ("read", "build", "repair", "save", "improve")
        return {
            "version": now.document["version"] if now else 0,
            "tasks": times.tasks if times else 0,
            "late": now.document["kpis"]["late"] if now else None,
            "moved": now.document["kpis"]["moved"] if now else None,
            **{f"{s}_ms": round(getattr(times, f"{s}_s") * 1000) if times else None for s in steps},
            "reaction": self._follow_up.figures(),
        }


def _call(loop: asyncio.AbstractEventLoop, done: Callable[..., None], *values: Any) -> None:
    """From the planning thread; a loop that is closed already needs no word of it."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(done, *values)
