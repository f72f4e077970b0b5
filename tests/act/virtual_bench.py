"""Act alone in virtual time, against devices that obey, refuse or keep silent, and a person who speaks through the store."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import select

from tests.decide.small_plant import make_plant
from zhongshu.act.act import Act
from zhongshu.kernel.clock import NS
from zhongshu.kernel.latest import Latest
from zhongshu.kernel.memory_bus import MemoryBus
from zhongshu.kernel.outbox import Outbox
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.rulings import rule_on
from zhongshu.kernel.store.signed import Signed
from zhongshu.kernel.store.tables import Command, CommandStep
from zhongshu.kernel.virtual import LoopClock, VirtualLoop
from zhongshu.kernel.wire import publish_event
from zhongshu.model import roles
from zhongshu.model.autonomy import Ladder, Level
from zhongshu.model.batch import Batch
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.messages import Proposed
from zhongshu.model.plant import Plant
from zhongshu.model.states import JobState, TransportState, UnitMode, UnitState


def two_areas(**ladder: Any) -> Plant:
    """Two machines in the hall, one and a vehicle in the yard; ``ladder`` as in the plant file."""
    plant = make_plant({"cut-1": "a-cut", "cut-2": "a-cut", "cut-3": "a-cut"}, vehicles=1)
    hall = plant.areas[0]
    units = tuple(replace(u, area="yard") if u.id in ("cut-3", "agv-0") else u for u in plant.units)
    areas = (hall, replace(hall, id="yard"))
    return replace(plant, units=units, areas=areas, ladder=replace(Ladder(), **ladder))


class Devices:
    """All of them behind one Writer; ``refuse``, ``silent`` and ``idle_hands`` change how they behave."""

    def __init__(self, plant: Plant, latest: Latest, clock: LoopClock) -> None:
        self.plant, self.latest, self.clock = plant, latest, clock
        self.asked: list[tuple[str, Verb, int]] = []
        self.refuse = Result.OK
        self.silent = False  # no answer, no effect
        self.idle_hands = False  # says yes and does nothing
        for unit in plant.units:
            for point in unit.points:
                self.measure(unit.id, point.role, 0)
            self.measure(unit.id, roles.UNIT_MODE, UnitMode.PRODUCTION)
            self.measure(unit.id, roles.UNIT_STATE, UnitState.IDLE)

    async def call(self, call: Call) -> Answer:
        """As a device would."""
        self.asked.append((call.unit, call.verb, call.key))
        if self.silent:
            await self.clock.sleep_wall(2.0)
            return Answer(Outcome.UNKNOWN, reason="timeout")
        if self.refuse is not Result.OK:
            return Answer(Outcome.REFUSED, self.refuse, "not now")
        if not self.idle_hands:
            self._obey(call)
        return Answer(Outcome.ACCEPTED)

    def _obey(self, call: Call) -> None:
        match call.verb:
            case Verb.START_JOB:
                self.measure(call.unit, roles.JOB_KEY, call.key)
                self.measure(call.unit, roles.JOB_STATE, JobState.RUNNING)
                self.measure(call.unit, roles.UNIT_STATE, UnitState.EXECUTE)
            case Verb.TRANSPORT:
                self.measure(call.unit, roles.ORDER_KEY, call.key)
                self.measure(call.unit, roles.ORDER_STATE, TransportState.RUNNING)
            case Verb.HOLD:
                self.measure(call.unit, roles.UNIT_STATE, UnitState.HELD)
            case Verb.UNHOLD:
                self.measure(call.unit, roles.UNIT_STATE, UnitState.EXECUTE)
            case Verb.STOP:
                self.measure(call.unit, roles.UNIT_STATE, UnitState.STOPPED)
            case Verb.RESET:
                self.measure(call.unit, roles.UNIT_STATE, UnitState.IDLE)

    async def write(self, point: int, value: float) -> Answer:
        """Not used here."""
        return Answer(Outcome.REFUSED)

    def done(self, unit: str) -> None:
        """The machine has ended its job."""
        self.measure(unit, roles.JOB_STATE, JobState.DONE)
        self.measure(unit, roles.UNIT_STATE, UnitState.IDLE)

    def measure(self, unit: str, role: str, value: float, quality: int = 0) -> None:
        """The point of that role is measured now."""
        point = self.plant.role(self.plant.unit_of[unit], role)
        assert point is not None
        now = self.clock.now_ns()
        columns = np.array([point.id], np.int32), np.array([now]), np.array([float(value)])
        quality_column = np.array([quality], np.uint8)
        self.latest.update(Batch("small", "c", 1, self.clock.wall_ns(), *columns, quality_column))


class Bench:
    """A bus, a store, devices and a person who outlive every Act."""

    def __init__(self, plant: Plant, store: Store, speed: float = 10.0) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.plant, self.store = plant, store
        self.clock = LoopClock(loop, speed)
        self.bus = MemoryBus(now_s=loop.time)
        self.latest = Latest(plant)
        self.devices = Devices(plant, self.latest, self.clock)
        self._lots = itertools.count(1)

    @asynccontextmanager
    async def act(self) -> AsyncIterator[Act]:
        """A running Act, beside the web's outbox; leaving ends it wherever it is."""
        act = Act(self.plant, self.bus, self.store, self.clock, self.latest, {"c": self.devices})
        outbox = Outbox(self.plant.id, "web", self.store, self.bus, self.clock)
        tasks = [asyncio.create_task(act.run()), asyncio.create_task(outbox.run())]
        try:
            yield act
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def propose(
        self, unit: str, verb: Verb = Verb.START_JOB, *, by: str = "brain", valid_s: float = 60.0, **args: Any
    ) -> str:
        """What decide would say, or a person by hand; returns the proposal's name. ``valid_s`` is wall time."""
        lot = next(self._lots)
        if verb is Verb.START_JOB:
            args = {"lot": lot, "product": 1, "operation": 10, "quantity": 5} | args
        name, now = f"p.{lot}", self.clock.now_ns()
        expires = self.clock.to_plant_ns(self.clock.wall_ns() + round(valid_s * NS))
        event = Proposed(
            self.plant.id, "x", now, name, unit, verb.name, json.dumps(args), "d", "r", "s", expires, by, 7
        )
        await publish_event(self.bus, event, msg_id=f"proposal.{name}")
        return name

    def person(self, name: str = "Li", note: str = "") -> Signed:
        """The name under a change."""
        return Signed(name, self.clock.now_ns(), note)

    def say(self, deed: Any, *args: Any, **named: Any) -> Any:
        """A person changes something in the store, as the web does."""
        with self.store.begin() as session:
            return deed(session, self.plant, *args, **named)

    def rule(self, proposal: str, word: str, name: str = "Li", note: str = "") -> None:
        """A person's word on a command."""
        key = self.row(proposal).key
        with self.store.begin() as session:
            rule_on(session, self.plant.id, key, word, self.person(name, note))

    def row(self, proposal: str) -> Command:
        """The command of a proposal."""
        with self.store.read() as session:
            return session.scalars(select(Command).where(Command.proposal == proposal)).one()

    def steps(self, proposal: str) -> list[tuple[str, str, str]]:
        """(status, detail, by) of every step."""
        key = self.row(proposal).key
        with self.store.read() as session:
            mine = select(CommandStep).where(CommandStep.command == key).order_by(CommandStep.id)
            return [(s.status, s.detail, s.by) for s in session.scalars(mine)]

    async def forward(self, wall_s: float) -> None:
        """Let time pass."""
        await self.clock.sleep_wall(wall_s)

    def level(self, act: Act, unit: str) -> Level:
        """As act goes by it."""
        return act.autonomy.units[unit].level
