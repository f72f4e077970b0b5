"""A seeded day of the kitchen plant, as its brain would measure it: order book, lots mid-way, vehicles; for the planner's benchmark.

Nothing of the twin's truth is in it: durations are the plan's nominal ones.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zhongshu.decide.explode import explode
from zhongshu.decide.planning.build import Built, PlanRule
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import Lot, LotStatus, Order, Vehicle, Work
from zhongshu.kernel.clock import NS
from zhongshu.kernel.plantfile import load_plant
from zhongshu.model.plant import Plant, Product, Step, Unit

KITCHEN = Path(__file__).parents[1] / "plants" / "kitchen" / "plant.yaml"
#: Monday 2026-11-23, 14:30 in Shanghai: the tariff's peak, breaks, maintenance and deliveries lie ahead.
NOW_NS = round(datetime(2026, 11, 23, 6, 30, tzinfo=UTC).timestamp()) * NS
#: Product lots in the book, and how many of them are mid-way.
LOTS, MIDWAY = 136, 48
#: The order book's mix: as the twin's customer orders.
MIX = {
    "hood-8235": 1.2,
    "hood-8330": 1.0,
    "hood-27x6": 1.1,
    "hood-6718": 0.8,
    "hob-57b0": 1.2,
    "hob-9b30": 0.8,
    "hob-7g21": 0.7,
    "spare-volute": 0.8,
    "spare-support": 0.8,
    "spare-panel": 0.5,
}
LOCAL_UNIT = "weld-07"


def day(seed: int) -> tuple[Plant, Work, int]:
    """The plant, its work and plant time in ns, ready for ``decide.planning.build``."""
    plant = load_plant(KITCHEN)
    return plant, work_of(plant, seed), NOW_NS


def rules(work: Work, seed: int) -> list[PlanRule]:
    """What planners decided that morning: three pins, an excluded hour, a repair that was entered, some overtime."""
    draw = random.Random(seed * 7 + 1)
    waiting = [
        lot
        for lot in work.lots.values()
        if lot.status is LotStatus.PLANNED and not lot.parent and not lot.build_at and lot.next_step == 0
    ]
    made = []
    for i, lot in enumerate(draw.sample(waiting, min(3, len(waiting)))):
        unit = draw.choice(able(work, work.product(lot).routing[0]))
        made.append(PlanRule(i + 1, "pin", f"{lot.number}:0", args={"unit": unit.id}))
    hour = 3600 * NS
    made.append(PlanRule(11, "exclude", "stamp-03", NOW_NS + hour, NOW_NS + 2 * hour))
    made.append(PlanRule(12, "maintenance", "screw-05", NOW_NS + 2 * hour, NOW_NS + 4 * hour))
    made.append(PlanRule(13, "overtime", "polish-01", NOW_NS + 2 * hour, NOW_NS + 14 * hour))
    return made


def in_force(plant: Plant, work: Work) -> dict[str, Any]:
    """The plan in force, made five minutes ago, as far as the planner reads it: what begins next, unit by unit.

    Lots in front of a machine come first, in the order they came; lots behind one follow on the least loaded of those
    that can go on with them.
    """
    units = [u.id for u in plant.machines]
    free = {u: 300 + 600 * (work.states[u][0] == "EXECUTE") for u in units}
    rows: dict[str, list[Any]] = {"id": [], "unit": [], "start": []}
    waiting = [x for x in work.lots.values() if x.status is LotStatus.WAITING]
    for lot in sorted(waiting, key=lambda x: (x.at_output, x.number)):
        step = work.step(lot)
        if step is None or step.max_wait_s is not None:
            continue
        where = [lot.place] if not lot.at_output else [u.id for u in able(work, step)]
        unit = min(where, key=lambda u: free[u])
        rows["id"].append(f"{lot.number}:{lot.next_step}")
        rows["unit"].append(units.index(unit))
        rows["start"].append(free[unit] + 240 * lot.at_output)
        free[unit] = rows["start"][-1] + 900
    return {"origin_ns": NOW_NS - 300 * NS, "units": [{"id": u} for u in units], "tasks": rows}


def work_of(plant: Plant, seed: int) -> Work:
    """The measured work: about a fifth of the lots mid-way, the rest waiting to be let in."""
    draw = random.Random(seed)
    work = Work(plant)
    for unit in plant.units:
        work.states[unit.id] = ("IDLE", "LOCAL" if unit.id == LOCAL_UNIT else "PRODUCTION")
    _vehicles(plant, work, draw)
    _order_book(plant, work, draw)
    floor = _Places(plant, work, draw)
    number = itertools.count(1)
    begun = 0
    for order in sorted(work.orders.values(), key=lambda o: o.created_ns):
        if begun >= MIDWAY:
            break
        order.status = "released"
        lots = list(explode(plant, order, lambda: next(number)))
        work.lots.update({lot.number: lot for lot in lots})
        begun += sum(not lot.parent for lot in lots)
        for lot in lots:
            if not lot.parent:
                floor.begin(lot, draw.random() ** 1.3)
    _quote(plant, work, draw)
    received = [o for o in work.orders.values() if o.status == "received"]
    for order in draw.sample(received, 5):
        order.release_ns = NOW_NS + draw.randint(1, 8) * 900 * NS
    return work


def loads(plant: Plant, built: Built, day_s: int) -> dict[str, float]:
    """Busy share of each capability's machines in the first ``day_s``: all the work there is, with a set-up of mean length
    before every third lot, full ovens, over the hours that are open."""
    problem = built.problem
    started = {p.task: p.end or 0 for p in problem.pins if p.started}
    work_s: Counter[str] = Counter()
    for i, (task, ref) in enumerate(zip(problem.tasks, built.tasks, strict=True)):
        step = plant.product_of[built.lots[ref.lot].product].routing[ref.step]
        mean_s = sum(m.duration for m in task.modes) / len(task.modes)
        oven = problem.units[task.modes[0].unit].capacity
        seconds = mean_s * task.size / oven if oven else mean_s + _mean_setup_s(plant, step) / 3
        work_s[step.capability] += round(started.get(i, seconds))
    open_s: Counter[str] = Counter()
    for i, unit in enumerate(plant.machines):
        closed = sum(min(c.end, day_s) - c.start for c in problem.units[i].closed if c.start < day_s)
        for able in plant.type_of[unit.type].capabilities:
            open_s[able.name] += day_s - closed
    return {name: work_s[name] / open_s[name] for name in work_s}


def _mean_setup_s(plant: Plant, step: Step) -> float:
    kind = next(t for t in plant.types if t.can(step.capability))
    times = [s for row in kind.setups.values() for s in row.values() if s]
    return sum(times) / len(times) if times else 0.0


def _order_book(plant: Plant, work: Work, draw: random.Random) -> None:
    total = sum(MIX.values())
    made = dict.fromkeys(MIX, 0)
    i = 0
    while sum(made.values()) < LOTS:
        i += 1
        # The mix is the same all along the book, in another order every day: days differ in detail, not in difficulty.
        lots = draw.randint(1, 3)
        so_far = sum(made.values()) + lots
        lack = {
            name: weight / total * so_far - made[name] + 2 * draw.random() for name, weight in MIX.items()
        }
        product = plant.product_of[max(lack, key=lambda name: lack[name])]
        made[product.id] += lots
        urgent = draw.random() < 0.06
        age_s = max(0, 9 * 3600 - 240 * i) + draw.randint(0, 1200)
        release_ns = NOW_NS - age_s * NS
        priority = 1 if urgent else draw.randint(4, 7)
        order = Order(f"W-{i:05d}", product.id, lots * product.lot_size, 0, release_ns, priority, 0)
        order.created_ns = NOW_NS - age_s * NS
        work.orders[order.id] = order


def _quote(plant: Plant, work: Work, draw: random.Random) -> None:
    """Due dates as sales promise them: what stands before an order at its bottleneck, the way through the plant, a margin."""
    coated_s = {p.id: _coating_s(plant, p) for p in plant.products}
    rest = dict.fromkeys(work.orders, 0.0)
    for lot in work.lots.values():
        steps = [s.capability for s in work.product(lot).routing[lot.next_step :]]
        if lot.status is not LotStatus.CONSUMED and "coat" in steps:
            rest[lot.order] += coated_s[lot.product]
    book = sorted(work.orders.values(), key=lambda o: (o.created_ns, o.id))
    ahead_s = 0.0
    for place, order in enumerate(book):
        product = plant.product_of[order.product]
        lots = order.quantity / product.lot_size
        own = rest[order.id] if order.status == "released" else lots * _tree_s(plant, product, coated_s)
        ahead_s += own
        through_h = 3.3 + 6.6 * place / len(book)
        if own:
            through_h = max(through_h, 3.5 + 1.32 * ahead_s / 3.85 / 3600)
        margin = draw.uniform(0.85, 1.2) * (0.7 if order.priority == 1 else 1.0)
        order.due_ns = NOW_NS + round(3600 * through_h * margin) * NS


def _coating_s(plant: Plant, product: Product) -> float:
    """Work of a lot of its own in the powder booths."""
    able = plant.type_of["powder-booth"].can("coat")
    cycle_s = able.cycle_s if able is not None else 0.0
    return sum(cycle_s * product.lot_size for s in product.routing if s.capability == "coat")


def _tree_s(plant: Plant, product: Product, coated_s: dict[str, float]) -> float:
    """The same, with that of its parts."""
    parts = (plant.product_of[c.product] for c in product.components)
    return coated_s[product.id] + sum(_tree_s(plant, part, coated_s) for part in parts)


def _vehicles(plant: Plant, work: Work, draw: random.Random) -> None:
    nodes = [n.id for n in plant.roads.nodes if not n.id.startswith("charge")]
    for i, unit in enumerate(plant.vehicles):
        charging = i < 2
        node = plant.roads.chargers[i] if charging else draw.choice(nodes)
        work.vehicles[unit.id] = Vehicle(node, 30.0 if charging else draw.uniform(45, 98), charging)


def able(work: Work, step: Step) -> list[Unit]:
    """Machines that can do a step and may be commanded."""
    kinds = work.plant.type_of
    return [u for u in work.plant.machines if kinds[u.type].can(step.capability) and work.commandable(u.id)]


@dataclass
class _Places:
    """Puts lots on machines, into buffers and on vehicles, as far as there is room."""

    plant: Plant
    work: Work
    draw: random.Random
    running: set[str] = field(default_factory=set)
    inputs: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)

    def begin(self, lot: Lot, progress: float) -> None:
        """Bring a product lot, and before it its parts, to about this share of its way."""
        product = self.work.product(lot)
        parts = [p for p in self.work.lots.values() if p.parent == lot.number]
        first_parts = [p for p in parts if self.work.enters_at(p) == product.routing[0].operation]
        if parts and progress < 0.75:
            self._build(lot, parts, progress / 0.75)
            return
        for part in parts:
            self._consumed(part)
        done = (
            int((progress - 0.75) * 4 * len(product.routing))
            if parts
            else int(progress * len(product.routing))
        )
        self._stand(lot, product, max(done, 1 if first_parts else 0))

    def _build(self, lot: Lot, parts: list[Lot], progress: float) -> None:
        """Parts are on their way; those that are finished lie before the machine that will build them in."""
        for part in parts:
            mine = [p for p in self.work.lots.values() if p.parent == part.number]
            own = progress * self.draw.uniform(0.6, 1.5)
            if mine and own < 0.5:
                self._build(part, mine, own * 2)
                continue
            for p in mine:
                self._consumed(p)
            product = self.work.product(part)
            done = int(own * (len(product.routing) + 1))
            if done >= len(product.routing):
                self._finished(lot, part)
            elif done or own > 0.3:
                self._stand(part, product, done)

    def _consumed(self, lot: Lot) -> None:
        for part in self.work.lots.values():
            if part.parent == lot.number:
                self._consumed(part)
        lot.status, lot.next_step = LotStatus.CONSUMED, len(self.work.product(lot).routing)

    def _stand(self, lot: Lot, product: Product, done: int) -> None:
        """The next operation is ``done``: at work, before or behind a machine, or on a vehicle."""
        step = product.routing[done]
        lot.next_step = done
        lot.started_ns = NOW_NS - self.draw.randint(300, 900) * NS
        way = self.draw.random()
        if way < 0.45 and self._run(lot, step):
            return
        if not done:
            lot.started_ns = 0
            return
        if way < 0.60 and self._wait_before(lot, step):
            return
        if not self._wait_behind(lot, product.routing[done - 1]):
            self._lie(lot, self.draw.choice(able(self.work, product.routing[done - 1])), at_output=True)
        if way > 0.85:
            self._carry(lot, self.draw.choice(able(self.work, step)))

    def _run(self, lot: Lot, step: Step) -> bool:
        free = [u for u in able(self.work, step) if u.id not in self.running]
        if not free:
            return False
        unit = self.draw.choice(free)
        self.running.add(unit.id)
        self.work.states[unit.id] = ("EXECUTE", "PRODUCTION")
        lot.status, lot.place, lot.target = LotStatus.RUNNING, unit.id, unit.id
        lot.started_ns = NOW_NS - self.draw.randint(5, 240) * NS
        return True

    def _wait_before(self, lot: Lot, step: Step) -> bool:
        room = [u for u in able(self.work, step) if self.inputs[u.id] < self.plant.type_of[u.type].buffer_in]
        return bool(room) and self._lie(lot, self.draw.choice(room), at_output=False)

    def _wait_behind(self, lot: Lot, step: Step) -> bool:
        kinds = self.plant.type_of
        room = [u for u in able(self.work, step) if self.outputs[u.id] < kinds[u.type].buffer_out - 1]
        return bool(room) and self._lie(lot, self.draw.choice(room), at_output=True)

    def _lie(self, lot: Lot, unit: Unit, *, at_output: bool) -> bool:
        (self.outputs if at_output else self.inputs)[unit.id] += 1
        lot.status, lot.place, lot.at_output = LotStatus.WAITING, unit.id, at_output
        return True

    def _finished(self, lot: Lot, part: Lot) -> None:
        """A finished part lies behind its last machine, before its parent's, or is on the way there."""
        routing = self.work.product(part).routing
        part.next_step = len(routing)
        enters = self.work.enters_at(part)
        step = next(s for s in self.work.product(lot).routing if s.operation == enters)
        target = lot.build_at.get(enters)
        if target is None:
            room = [
                u
                for u in able(self.work, step)
                if self.plant.type_of[u.type].buffer_in - self.inputs[u.id] > 5
            ]
            target = lot.build_at[enters] = self.draw.choice(room or able(self.work, step)).id
        if self.draw.random() < 0.5:
            self._lie(part, self.plant.unit_of[target], at_output=False)
            part.target = target
        elif not self._wait_behind(part, routing[-1]):
            self._lie(part, self.draw.choice(able(self.work, routing[-1])), at_output=True)
        part.status = LotStatus.FINISHED
        if part.at_output and self.draw.random() < 0.4:
            self._carry(part, self.plant.unit_of[target])

    def _carry(self, lot: Lot, unit: Unit) -> None:
        """A vehicle has an order for the lot: some have it on board already."""
        free = [n for n, v in self.work.vehicles.items() if not v.lot and not v.charging]
        kind = self.plant.type_of[unit.type]
        if len(free) < 9 or (self.inputs[unit.id] >= kind.buffer_in and not lot.parent):
            return
        name = self.draw.choice(free)
        vehicle = self.work.vehicles[name]
        vehicle.lot, vehicle.to_unit, vehicle.moving_to = lot.number, unit.id, unit.station
        vehicle.proposal, vehicle.command = f"move.{lot.number}", lot.number
        self.inputs[unit.id] += 1
        if self.draw.random() < 0.6:
            route = Roads(self.plant.roads).route(self.plant.unit_of[lot.place].station, unit.station)
            vehicle.node = route[len(route) // 2]
            vehicle.load = lot.number
        lot.status, lot.target, lot.proposal = LotStatus.MOVING, unit.id, vehicle.proposal
