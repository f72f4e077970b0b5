"""The planner process: events of the plant and requests of people in, plans in force out."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from functools import partial
from typing import Any

from zhongshu.decide.planner.asks import Refusal, answer
from zhongshu.decide.planner.desk import Desk
from zhongshu.decide.planner.pace import Pace
from zhongshu.decide.planner.polite import politely
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
from zhongshu.model.states import UnitMode, UnitState

log = logging.getLogger(__name__)
#: Wall time in which the brain must say how the floor stands.
ASK_S = 5.0
DOWN = (UnitState.ABORTED.name, UnitState.ABORTING.name, UnitState.STOPPED.name, UnitState.UNDEFINED.name)
#: What cuts short the improving of a plan; orders come and go all day, it would never be done.
URGENT = ("breakdown", "people", "asked")
PEOPLE = (OrderHeld, LotCorrected, StockCorrected, PlanRuleChanged)


class Planner:
    """Whole-plant planning beside the brain, never in its way."""

    def __init__(self, plant: Plant, bus: Bus, store: Store, clock: Clock, pace: Pace | None = None) -> None:
        """Without a ``pace`` it is the usual one, with settings.improve_s of the plant file for improving a repaired plan."""
        self._plant, self._bus, self._clock = plant, bus, clock
        self._outbox = Outbox(plant.id, "planner", store, bus, clock)
        usual = Pace()
        self._pace = pace or replace(usual, improve_s=float(plant.settings.get("improve_s", usual.improve_s)))
        self._causes: list[tuple[str, str]] = []
        self._wanted = asyncio.Event()
        self._states: dict[str, bool] = {}
        self.desk = Desk(plant, store, clock)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(politely, warm_search)
        asking = await self._bus.respond(subjects.plan_ask(self._plant.id), self._respond)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._outbox.run())
                tasks.create_task(self._follow())
                tasks.create_task(self._replan())
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
        match event:
            case OrderReceived() | OrderChanged():
                self.want("orders", event.order)
            case OrderProgressed(status="released"):
                self.want("orders", event.order)
            case StateChanged():
                self._state(event)
            case OrderHeld() | LotCorrected() | StockCorrected() | PlanRuleChanged():
                self.want("people", event.by)
            case AutonomyChanged(kind=Kind.TAKEN):
                self.want("people", event.by)
            case _:
                pass

    def _state(self, event: StateChanged) -> None:
        """Only what changes where work can be done: a unit that went down or left production, or came back."""
        able = event.state not in DOWN and event.mode == UnitMode.PRODUCTION.name
        was = self._states.get(event.unit, event.previous_state not in DOWN)
        self._states[event.unit] = able
        if able != was:
            self.want("back" if able else "breakdown", event.unit)

    def want(self, kind: str, subject: str) -> None:
        """Re-plan soon, and say why."""
        if not self._pace.answers and kind != "asked":
            return
        self._causes.append((kind, subject))
        self._wanted.set()

    async def _replan(self) -> None:
        kind, subject = "first", ""
        while True:
            try:
                await self._look()
                planned = await asyncio.to_thread(self.desk.replan, kind, subject, self._pace, self._hurried)
            except BusError as error:
                log.warning("the brain does not say how the floor stands, no plan is made: %s", error)
                planned = False
            except Exception:
                log.exception("re-planning failed")
                planned = False
            if planned:
                self._outbox.poke()
            kind, subject = await self._next_cause()

    def _hurried(self) -> bool:
        """Something is wanted for which improving the last plan does not go on; read by the planning thread."""
        return any(kind in URGENT for kind, _ in tuple(self._causes))

    async def _look(self) -> None:
        """Ask decide how units and vehicles stand; raises BusError when it does not answer."""
        answer = await self._bus.request(subjects.floor_ask(self._plant.id), b"", timeout_s=ASK_S)
        self.desk.floor = json.loads(answer)

    async def _next_cause(self) -> tuple[str, str]:
        """The gravest of what happened meanwhile; after a quiet period, the passing of time."""
        try:
            async with asyncio.timeout(self._pace.period_s):
                await self._wanted.wait()
            await self._gather()
        except TimeoutError:
            return "time", ""
        causes, self._causes = self._causes, []
        self._wanted.clear()
        grave = ("breakdown", "people", "orders", "back")
        return min(
            causes, key=lambda c: grave.index(c[0]) if c[0] in grave else len(grave), default=("time", "")
        )

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
        }
