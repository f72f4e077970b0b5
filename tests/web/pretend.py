"""A brain that is only pretended: values, states, vehicles, commands, orders and health of a plant, through the real bus.

Run as a script: ``python -m tests.web.pretend PLANT DATA [--still]``. It also does what a test tells it over the bus:
``{"state": [unit, number]}`` on the rpc subject ``pretend`` changes one unit's state at once.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from zhongshu.kernel.clock import load_clock
from zhongshu.kernel.config import DataDir, load_access
from zhongshu.kernel.health import Health
from zhongshu.kernel.ids import assign_ids
from zhongshu.kernel.nats_bus import NatsBus
from zhongshu.kernel.plantfile import load_plant
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command, CommandStep, Gap, Lot, WorkOrder
from zhongshu.kernel.wire import publish_batch, publish_event
from zhongshu.model import roles, subjects
from zhongshu.model.batch import BAD, Batch
from zhongshu.model.messages import CommandChanged, Proposed
from zhongshu.model.plant import Plant, Unit
from zhongshu.model.states import UnitMode, UnitState

STATES = (6,) * 17 + (4, 4, 5)
NS = 1_000_000_000


class Pretender:
    """Everything a control room sees of a plant, made up but steady: one seed, one plant."""

    def __init__(self, plant: Plant, bus: NatsBus, store: Store, clock: Any, *, still: bool) -> None:
        self.plant, self.bus, self.store, self.clock, self.still = plant, bus, store, clock, still
        self.chance = random.Random(7)
        self.value: dict[int, float] = {}
        self.bad: set[str] = set()
        self.seqs = itertools.count(1)
        self.proposals = itertools.count(1)
        self.sent = 0
        for unit in plant.machines:
            self._set(unit, roles.UNIT_STATE, self.chance.choice(STATES))
            self._set(unit, roles.UNIT_MODE, UnitMode.PRODUCTION)
            self._set(unit, roles.JOB_PROGRESS, self.chance.uniform(0, 100))
        self._trouble()
        for unit in plant.vehicles:
            self._vehicle(unit, self.chance.random() * 60)

    def _trouble(self) -> None:
        machines = self.plant.machines
        for index, state in ((20, UnitState.ABORTED), (30, UnitState.STOPPED), (0, UnitState.EXECUTE)):
            if index < len(machines):
                self._set(machines[index], roles.UNIT_STATE, state)
        if len(machines) > 60:
            self._set(machines[50], roles.UNIT_MODE, UnitMode.MANUAL)
            self.bad.add(machines[60].id)

    def _set(self, unit: Unit, role: str, value: float) -> None:
        point = self.plant.role(unit, role)
        if point is not None:
            self.value[point.id] = float(value)

    def _vehicle(self, unit: Unit, phase: float) -> None:
        nodes = self.plant.roads.nodes
        edge = self.plant.roads.edges[int(phase) * 7 % len(self.plant.roads.edges)]
        at = {node.id: node for node in nodes}
        a, b, part = at[edge.start], at[edge.end], phase % 1
        moved = {
            roles.POSITION_X: a.x_m + (b.x_m - a.x_m) * part,
            roles.POSITION_Y: a.y_m + (b.y_m - a.y_m) * part,
            roles.HEADING: math.atan2(b.y_m - a.y_m, b.x_m - a.x_m),
            roles.DRIVING: 1,
            roles.BATTERY: 40 + phase % 50,
            roles.LOAD: 17 if int(phase) % 2 else 0,
            roles.UNIT_STATE: 6,
            roles.UNIT_MODE: 1,
        }
        for role, value in moved.items():
            self._set(unit, role, value)

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self.fill)
        await self.bus.respond(subjects.rpc(self.plant.id, "pretend"), self.told)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Health(self.bus, self.plant.id, "brain", self.figures).run())
            tasks.create_task(self.speak())
            tasks.create_task(self.command())

    async def told(self, payload: bytes) -> bytes:
        """What a test wants to happen now."""
        wish = json.loads(payload)
        if "state" in wish:
            unit, state = self.plant.unit_of[wish["state"][0]], wish["state"][1]
            self._set(unit, roles.UNIT_STATE, state)
            await self._publish(unit.connection, [p for p in unit.points if p.role == roles.UNIT_STATE])
        return b"{}"

    async def speak(self) -> None:
        """Every point once, then what changes, four times a second."""
        for connection in self.plant.connections:
            units = [u for u in self.plant.units if u.connection == connection.id]
            await self._publish(connection.id, [p for u in units for p in u.points])
        for turn in itertools.count():
            await asyncio.sleep(0.25)
            if self.still:
                continue
            for k, unit in enumerate(self.plant.vehicles):
                self._vehicle(unit, turn / 8 + k * 3)
            for connection in self.plant.connections:
                units = [
                    u for u in self.plant.units if u.connection == connection.id and u.id not in self.bad
                ]
                moving = [p for u in units for p in u.points if p.kind == "float" or u in self.plant.vehicles]
                await self._publish(connection.id, self.chance.sample(moving, len(moving) // 5))

    async def _publish(self, connection: str, points: list[Any]) -> None:
        if not points:
            return
        now = self.clock.now_ns()
        for point in points:
            if point.kind == "float" and point.role not in (
                roles.POSITION_X,
                roles.POSITION_Y,
                roles.HEADING,
            ):
                wave = math.sin(now / NS / 40 + point.id)
                self.value[point.id] = 50 + 40 * wave + self.chance.gauss(0, 1.5)
        ids = np.array([p.id for p in points], np.int32)
        quality = np.array([BAD if p.unit in self.bad else 0 for p in points], np.uint8)
        values = np.array([self.value.get(p.id, 0.0) for p in points])
        batch = Batch(
            self.plant.id,
            connection,
            next(self.seqs),
            self.clock.wall_ns(),
            ids,
            np.full(len(ids), now),
            values,
            quality,
        )
        await publish_batch(self.bus, batch)
        self.sent += len(ids)

    async def command(self) -> None:
        """A command every second: mostly proven, some not."""
        for number in itertools.count():
            await asyncio.sleep(0.7)
            vehicle = number % 3 == 2
            unit = self.chance.choice(self.plant.vehicles if vehicle else self.plant.machines)
            await self._live(unit, vehicle, number)

    async def _live(self, unit: Unit, vehicle: bool, number: int) -> None:
        now, plant = self.clock.now_ns(), self.plant
        machines = plant.machines
        product = self.chance.choice(plant.products)
        args: dict[str, Any] = {
            "lot": 1200 + number,
            "product": product.code,
            "operation": 10,
            "quantity": 20,
        }
        if vehicle:
            ends = self.chance.sample(machines, 2)
            args = {"lot": 1200 + number, "route": [], "pick_unit": ends[0].id, "drop_unit": ends[1].id}
        verb, reason = (
            ("TRANSPORT", "nearest_idle_vehicle") if vehicle else ("START_JOB", "first_come_free_unit")
        )
        name = f"made-up.{self.clock.wall_ns()}"
        proposed = Proposed(
            plant.id,
            "decide",
            now,
            name,
            unit.id,
            verb,
            json.dumps(args),
            "first_come",
            reason,
            f"lot:{args['lot']}",
            now,
            "brain",
        )
        await publish_event(self.bus, proposed)
        key = await asyncio.to_thread(self._enter, proposed, args)
        ends_with = ("refused", "unknown", "failed")[number // 9 % 3] if number % 9 == 4 else "proven"
        steps = [("proposed", ""), ("approved", ""), ("sent", "")]
        steps += (
            [("refused", "output_full: buffer")]
            if ends_with == "refused"
            else [
                ("accepted", ""),
                (ends_with, "no_effect_seen_in_time" if ends_with != "proven" else "job_key seen"),
            ]
        )
        for status, detail in steps:
            changed = CommandChanged(
                plant.id,
                "act",
                self.clock.now_ns(),
                key,
                name,
                unit.id,
                verb,
                status,
                detail,
                proposed.subject,
            )
            await asyncio.to_thread(self._step, key, status, detail)
            await publish_event(self.bus, changed)
            await asyncio.sleep(0.08)

    def _enter(self, proposed: Proposed, args: dict[str, Any]) -> int:
        with self.store.begin() as session:
            row = Command(
                plant=self.plant.id, proposal=proposed.proposal, unit=proposed.unit, verb=proposed.verb, args=args,
                status="proposed", decision=proposed.decision, reason=proposed.reason, subject=proposed.subject,
                by="brain", created_ns=proposed.t_ns,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.key

    def _step(self, key: int, status: str, detail: str) -> None:
        with self.store.begin() as session:
            session.get_one(Command, key).status = status
            session.get_one(Command, key).detail = detail
            session.add(
                CommandStep(
                    plant=self.plant.id, command=key, status=status, t_ns=self.clock.now_ns(),
                    wall_ns=self.clock.wall_ns(), detail=detail, by="act",
                )
            )  # fmt: skip

    def fill(self) -> None:
        """Orders, lots and two gaps, once."""
        now, plant = self.clock.now_ns(), self.plant.id
        sellable = [p for p in self.plant.products if p.sellable]
        with self.store.begin() as session:
            if session.get(WorkOrder, (plant, "W-2201")):
                return
            for k in range(24):
                status = "done" if k < 3 else "released" if k < 18 else "received"
                session.add(
                    WorkOrder(
                        plant=plant, id=f"W-{2201 + k}", product=sellable[k % len(sellable)].id, quantity=40 + 10 * (k % 4),
                        due_ns=now + (k - 5) * 1200 * NS, status=status, done=40 if k < 3 else 5 * (k % 7), created_ns=now,
                    )
                )  # fmt: skip
            session.flush()
            for k in range(60):
                session.add(
                    Lot(
                        plant=plant, order_id=f"W-{2201 + k % 18}", product=sellable[0].id, quantity=20, updated_ns=now,
                        status=("stored", "running", "moving", "waiting")[0 if k % 18 < 3 else 1 + k % 3],
                    )
                )  # fmt: skip
            unit = self.plant.machines[0]
            for k, cause in enumerate(("connection_lost", "device_restarted")):
                session.add(
                    Gap(
                        plant=plant, id=f"g{k}", connection=unit.connection, unit=unit.id, start_ns=now - (k + 1) * 120 * NS,
                        end_ns=now - (k + 1) * 120 * NS + 30 * NS, missing=1000 if k == 0 else -1, cause=cause, points=[],
                    )
                )  # fmt: skip

    def figures(self) -> dict[str, Any]:
        """What the brain would say of itself."""
        units, points = self.plant.units, len(self.plant.points)
        links = {
            c.id: {
                "connected": True, "reason": "", "units": sum(u.connection == c.id for u in units),
                "units_up": sum(u.connection == c.id and u.id not in self.bad for u in units),
            }
            for c in self.plant.connections
        }  # fmt: skip
        return {
            "devices": {"total": len(units), "connected": len(units) - len(self.bad)},
            "points": {
                "total": points,
                "good": points - sum(len(self.plant.unit_of[b].points) for b in self.bad),
            },
            "sense": {
                "received": self.sent,
                "published": self.sent,
                "waiting": 0,
                "doubled": 0,
                "dropped": 0,
                "kept_back": 0,
                "connections": links,
            },
            "decide": {"orders_open": 21},
            "act": {"proven": 412, "refused": 3, "failed": 1, "expired": 0, "unknown": 1},
        }


async def main(plant_file: Path, data: Path, still: bool) -> None:
    """Pretend until killed."""
    directory = DataDir(data)
    store = Store(directory.store_url)
    store.migrate()
    plant = assign_ids(load_plant(plant_file), store)
    bus = await NatsBus.connect(load_access(directory.secrets), name="pretend")
    await Pretender(plant, bus, store, load_clock(directory.clock_file), still=still).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), "--still" in sys.argv))
