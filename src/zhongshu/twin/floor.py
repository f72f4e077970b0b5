"""The whole physical plant: requests come in, plant time is advanced, machines and vehicles do the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.model.commands import Answer, Call, Result
from zhongshu.model.plant import Plant, Point
from zhongshu.model.states import UnitMode
from zhongshu.twin import requests
from zhongshu.twin.keys import Keys, answer
from zhongshu.twin.machine import Machine
from zhongshu.twin.machine_state import dump_machine, restore_machine
from zhongshu.twin.roads import Roads
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.shop import Book, Shop
from zhongshu.twin.vehicle import Vehicle
from zhongshu.twin.vehicle_state import dump_vehicle, restore_vehicle
from zhongshu.twin.words import say

#: A snapshot of another layout is not read.
LAYOUT = 1


class Floor:
    """Machines, vehicles and material of one plant. The same seed and the same requests at the same times give the
    same plant day, whatever the steps in which ``advance`` is called."""

    def __init__(
        self, plant: Plant, truth: TwinTruth, seed: int, now_ns: int, book: Book | None = None
    ) -> None:
        self.plant, self.truth, self.seed = plant, truth, seed
        self.shop = Shop(plant, truth, seed, now_ns, book)
        roads = self.roads = Roads(self.shop)
        self.machines = {u.id: Machine(u, plant.type_of[u.type], self.shop) for u in plant.machines}
        for machine in self.machines.values():
            self.shop.crews.add(machine)
        self.vehicles = {u.id: Vehicle(u, self.shop, roads) for u in plant.vehicles}
        self._points = {(p.unit, p.name): p for p in plant.points}

    @property
    def now_ns(self) -> int:
        """Plant time of the physical world; it may lag behind the clock by up to a tick."""
        return self.shop.now_ns

    def advance(self, until_ns: int) -> None:
        """Let plant time pass; a time in the past does nothing."""
        self.shop.agenda.advance(until_ns)

    def called(self, call: Call) -> Answer:
        """One request to one unit, now; refusals carry a result and words."""
        machine, vehicle = self.machines.get(call.unit), self.vehicles.get(call.unit)
        if machine is not None:
            return requests.ask(machine, call)
        if vehicle is not None:
            return vehicle.ask(call)
        return answer(Result.BAD_ARGUMENT, say("refused.unknown_unit", unit=call.unit), self.now_ns)

    def written(self, unit: str, point: str, value: float) -> Answer:
        """A raw value is written to a point; it is kept in engineering units if the point may be written."""
        found, machine = self._points.get((unit, point)), self.machines.get(unit)
        reason = self._why_not(found, machine, value)
        if reason is not None:
            return answer(reason[0], reason[1], self.now_ns)
        if found is not None and machine is not None:
            machine.write(point, value * found.scale + found.offset)
            self.shop.note("written", unit=unit, point=point, value=machine.setpoints[point])
        return answer(Result.OK, "", self.now_ns)

    @staticmethod
    def _why_not(point: Point | None, machine: Machine | None, value: float) -> tuple[Result, str] | None:
        if point is None or machine is None or not point.writable:
            return Result.BAD_ARGUMENT, say("refused.bad_argument", what="" if point is None else point.name)
        if machine.mode is not UnitMode.PRODUCTION:
            return Result.WRONG_MODE, say("refused.wrong_mode", mode=machine.mode.name)
        real = value * point.scale + point.offset
        low, high = point.low, point.high
        if (
            real != real or (low is not None and real < low) or (high is not None and real > high)
        ):  # NaN is no value
            return Result.BAD_ARGUMENT, say("refused.bad_argument", what=f"{point.name} {real:g}")
        rest = machine.kind.rest
        if rest is not None and point.name == rest.point and rest.resting(real) and machine.open_job:
            return Result.BUSY, say("refused.busy", number=machine.open_job.key)  # an interlock of its own
        return None

    def occupancy(self) -> dict[str, list[str]]:
        """Which vehicles are on which edge, or at which node: name → vehicle ids."""
        taken: dict[str, list[str]] = {}
        for vehicle in self.vehicles.values():
            edge = vehicle.edge()
            taken.setdefault(vehicle.node if edge is None else edge.id, []).append(vehicle.unit.id)
        return taken

    def stored(self) -> dict[int, int]:
        """Product code → pieces that reached the warehouse since the plant was built."""
        return {code: tally.stored for code, tally in self.shop.stock.tallies.items() if tally.stored}

    def unaccounted(self) -> dict[int, int]:
        """Product code → pieces created but neither on the floor, scrapped, stored nor consumed; all 0 or the twin errs."""
        stock = self.shop.stock
        there: dict[int, int] = {}
        for lot in stock.lots.values():
            there[lot.product] = there.get(lot.product, 0) + lot.good
        for machine in self.machines.values():
            for product, pieces in machine.job.kit.items() if machine.job is not None else ():
                there[product] = there.get(product, 0) + pieces
        for own in stock.bins.values():
            for product, pieces in own.items():
                there[product] = there.get(product, 0) + pieces
        return {
            code: tally.created - tally.scrapped - tally.stored - tally.consumed - there.get(code, 0)
            for code, tally in stock.tallies.items()
        }

    def keys(self, unit: str) -> Keys | None:
        """What a unit has answered; None where there is no such unit."""
        found = self.machines.get(unit) or self.vehicles.get(unit)
        return None if found is None else found.keys

    def dump(self, *, answers: bool = True) -> dict[str, Any]:
        """The physical plant as plain values (JSON); every time in it is relative, so that it can go on at any time.

        ``answers``: with the keys each unit ever answered, which soon are the most of it.
        """
        return {
            "layout": LAYOUT,
            "plant": self.plant.id,
            "seed": self.seed,
            "stock": self.shop.stock.dump(self.shop.now_ns),
            "machines": {name: dump_machine(m, answers=answers) for name, m in self.machines.items()},
            "vehicles": {name: dump_vehicle(v, answers=answers) for name, v in self.vehicles.items()},
            "chance": self.shop.dump_chance(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what ``dump`` saw, at this floor's present time. Raises ValueError where it is another plant's.

        Units that the plant file no longer names are dropped, new ones start fresh; lots at dropped units are dropped.
        """
        if (
            state.get("layout") != LAYOUT
            or state.get("plant") != self.plant.id
            or state.get("seed") != self.seed
        ):
            raise ValueError(
                f"layout {state.get('layout')}, plant {state.get('plant')}, seed {state.get('seed')}"
            )
        self.shop.stock.load(state["stock"], self.shop.now_ns)
        self.shop.load_chance(state["chance"])
        for name, machine in self.machines.items():
            if name in state["machines"]:
                restore_machine(machine, state["machines"][name])
        for machine in self.machines.values():
            if machine.open_job is not None:
                machine.wake()  # what it waited for may be there by now
        for name, vehicle in self.vehicles.items():
            if name in state["vehicles"]:
                restore_vehicle(vehicle, state["vehicles"][name])
        self._drop_orphans()

    def _drop_orphans(self) -> None:
        """Lots at units that are no longer in the plant file cannot be reached by anybody: they count as scrapped."""
        stock = self.shop.stock
        for lot in list(stock.lots.values()):
            unknown = self.shop.recipes.product(lot.product) is None
            if unknown or (lot.unit not in self.machines and lot.unit not in self.vehicles):
                stock.scrap(lot, lot.good)
                stock.remove(lot, stored=False)
        for machine in self.machines.values():
            if machine.open_job is not None and machine.open_job.lot not in stock.lots:
                machine.give_up()
