"""Lots as the book has them, and those of orders not yet released → tasks, precedence and where material lies; read by build."""

from __future__ import annotations

import itertools
import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from zhongshu.decide.explode import explode
from zhongshu.decide.planning.build_floor import Floor
from zhongshu.decide.planning.build_modes import Modes
from zhongshu.decide.scheduling.problem import AT_HAND, Arc, Pin, Task
from zhongshu.decide.work import Hold, Lot, LotStatus, Order, Work, closed
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Product, Step

#: Lots of an order not yet released have numbers below 0, the same at every build: order by order, so many apart.
APART = 10_000
#: What is left of work that lasts longer than planned: a share of it, and seconds.
REST_SHARE, REST_S = 0.05, 10
#: No commands concern them: the lot is used up, stored, left over or gone.
GONE = frozenset({LotStatus.LEFT})


@dataclass(frozen=True, slots=True)
class TaskRef:
    """A task of the problem: the step (index in the routing) of a lot; ``id`` is "lot:step"."""

    lot: int
    step: int
    id: str


@dataclass(slots=True)
class Flow:
    """What lots become: tasks and arcs, pins of begun tasks, and what is known of each."""

    floor: Floor
    modes: Modes
    now_ns: int
    progress: Mapping[str, float]
    lots: dict[int, Lot] = field(default_factory=dict)
    refs: list[TaskRef] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    arcs: list[Arc] = field(default_factory=list)
    started: dict[int, Pin] = field(default_factory=dict)
    index: dict[str, int] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    bound: dict[str, tuple[int, int]] = field(default_factory=dict)
    carried: list[int] = field(default_factory=list)
    waits: list[tuple[int, int]] = field(default_factory=list)
    parts: dict[int, list[Lot]] = field(default_factory=dict)

    @property
    def work(self) -> Work:
        """The measured work."""
        return self.floor.work

    def link(self, arc: Arc, lot: Lot) -> None:
        """An arc, and the lot that goes along it."""
        self.arcs.append(arc)
        self.carried.append(lot.number)


def virtual_lots(work: Work) -> dict[int, Lot]:
    """The lots that orders not yet released will become."""
    made: dict[int, Lot] = {}
    for order in work.orders.values():
        if order.status == "received":
            for lot in explode(work.plant, order, numbers(order.id)):
                made[lot.number] = lot
    return made


def numbers(order: str) -> Callable[[], int]:
    """Numbers below 0 that belong to the order, whatever else is in the book."""
    base = zlib.crc32(order.encode()) * APART
    counter = itertools.count(1)
    return lambda: -(base + next(counter))


def earlier_names(lots: Mapping[int, Lot]) -> dict[int, int]:
    """Number of a lot before its order was released → its number now; as long as nothing was made again."""
    of_order: defaultdict[str, list[int]] = defaultdict(list)
    for number, lot in lots.items():
        if number > 0:
            of_order[lot.order].append(number)
    made: dict[int, int] = {}
    for order, mine in of_order.items():
        fresh = numbers(order)
        made |= {fresh(): lot for lot in sorted(mine)}
    return made


def add_lots(flow: Flow, jobs: Mapping[str, int], skipped: frozenset[str]) -> None:
    """All tasks of all open lots; ``jobs``: index of each order; of ``skipped`` orders only what is begun.

    Lots that a person stopped with their order, or that nobody wants any more, end with the operation they are in; what
    was stopped for another reason is expected to go on after a while.
    """
    mine = [x for x in flow.lots.values() if not closed(x) and x.status not in GONE and x.order in jobs]
    for lot in mine:
        if lot.parent:
            flow.parts.setdefault(lot.parent, []).append(lot)
    for lot in mine:
        stopped = lot.order in skipped or lot.hold in (Hold.ORDER, Hold.CANCELLED)
        _add_tasks(flow, lot, jobs[lot.order], begun_only=stopped)
    for lot in mine:
        _add_parts(flow, lot)


def _add_tasks(flow: Flow, lot: Lot, job: int, *, begun_only: bool) -> None:
    product = flow.work.product(lot)
    running = lot.status in (LotStatus.RUNNING, LotStatus.STARTING)
    stop = (
        lot.next_step + 1 if begun_only and running else lot.next_step if begun_only else len(product.routing)
    )
    before: int | None = None
    for position in range(lot.next_step, stop):
        step = product.routing[position]
        begun = running and position == lot.next_step
        task = _task(flow, lot, product, position, job, _fixed_unit(flow, lot, position, begun=begun))
        if begun:
            flow.started[task] = _begun(flow, lot, task)
        elif before is None:
            _at_hand(flow, lot, step, task)
        else:
            flow.link(_between(flow, lot, product, position, before, task), lot)
        before = task
        flow.first.setdefault(lot.number, task)
        flow.last[lot.number] = task


def _task(flow: Flow, lot: Lot, product: Product, position: int, job: int, unit: int | None) -> int:
    pieces = max(1, lot.good)
    number, name = len(flow.tasks), f"{lot.number}:{position}"
    flow.tasks.append(flow.modes.task(product, position, pieces, job, unit, name))
    flow.refs.append(TaskRef(lot.number, position, name))
    flow.index[name] = number
    return number


def _fixed_unit(flow: Flow, lot: Lot, position: int, *, begun: bool) -> int | None:
    """The machine that the next operation is bound to: at work there, lying or going there, or its parts do."""
    if position != lot.next_step:
        return _built_at(flow, lot, position)
    units = flow.floor.index
    if begun:
        return units[lot.target or lot.place]
    if lot.status is LotStatus.MOVING:
        return _way(flow, lot)[0]
    if lot.place in units and not lot.at_output and lot.status is not LotStatus.PLANNED:
        return units[lot.place]
    if lot.place in flow.work.vehicles:
        return _aboard(flow, lot)
    return _built_at(flow, lot, position)


def _built_at(flow: Flow, lot: Lot, position: int) -> int | None:
    """Where parts of this operation lie already, or are being brought."""
    operation = flow.work.product(lot).routing[position].operation
    needed = flow.work.needed(lot, operation)
    for part in flow.parts.get(lot.number, ()) if needed else ():
        if part.product not in needed or flow.work.step(part) is not None:
            continue
        if part.status is LotStatus.MOVING:
            return _way(flow, part)[0]
        if part.place in flow.floor.index and not part.at_output:
            return flow.floor.index[part.place]
        if part.place in flow.work.vehicles and part.target in flow.floor.index:
            return flow.floor.index[part.target]
    return None


def _way(flow: Flow, lot: Lot) -> tuple[int | None, int]:
    """Machine and tick at which a lot with a transport order arrives; the vehicle is bound until then."""
    plan = flow.floor.plant.planning
    for name, vehicle in flow.work.vehicles.items():
        if vehicle.lot != lot.number or vehicle.to_unit not in flow.floor.index:
            continue
        end = flow.floor.index[vehicle.to_unit]
        goal = flow.floor.machines[end].station
        if vehicle.load == lot.number or lot.place not in flow.floor.index:
            ticks = flow.floor.drive_s(vehicle.node, goal) + round(plan.drop_s)
        else:
            start = flow.floor.machines[flow.floor.index[lot.place]].station
            there = flow.floor.drive_s(vehicle.node, start)
            ticks = there + flow.floor.drive_s(start, goal) + round(plan.pick_s + plan.drop_s)
        flow.bound[name] = end, ticks
        return end, ticks
    return flow.floor.index.get(lot.target), 0


def _aboard(flow: Flow, lot: Lot) -> int:
    """A lot on a vehicle without an order goes where it was meant to, else to the nearest machine that can go on with it."""
    end = flow.floor.index.get(lot.target)
    step = flow.work.step(lot)
    node = flow.work.vehicles[lot.place].node
    if end is None:
        able = flow.modes.able(step.capability) if step is not None else []
        end = min(able, key=lambda u: flow.floor.drive_s(node, flow.floor.machines[u].station), default=0)
    ticks = flow.floor.drive_s(node, flow.floor.machines[end].station)
    flow.bound[lot.place] = end, ticks + round(flow.floor.plant.planning.drop_s)
    return end


def _begun(flow: Flow, lot: Lot, task: int) -> Pin:
    """Measured start, and the end to expect from progress, else from the time passed."""
    mode = flow.tasks[task].modes[0]
    passed = max(0, (flow.now_ns - lot.started_ns) // NS) if lot.status is LotStatus.RUNNING else 0
    done = flow.progress.get(lot.target, 0.0) / 100
    left = mode.duration * (1 - done) if done > 0 else mode.duration - passed
    left = max(left, REST_SHARE * mode.duration, REST_S)
    return Pin(task, mode.unit, -passed, math.ceil(left), started=True)


def _at_hand(flow: Flow, lot: Lot, step: Step, task: int) -> None:
    """What the next operation of a lot waits for: the lot, where it lies or arrives."""
    ready = flow.floor.plant.planning.away_s if lot.status is LotStatus.HELD else 0
    if lot.status is LotStatus.PLANNED or (lot.next_step == 0 and lot.status is not LotStatus.HELD):
        return
    if lot.next_step and step.transfer and lot.place in flow.floor.index and lot.at_output:
        flow.link(Arc(AT_HAND, task, ready=ready), lot)  # the conveyor behind the unit brings it
        return
    if step.max_wait_s is not None:
        flow.waits.append((len(flow.arcs), round(step.max_wait_s)))
    flow.link(_lies(flow, lot, task, ready), lot)


def _lies(flow: Flow, lot: Lot, task: int, ready: int) -> Arc:
    """The arc of a lot, or finished part, that is there already."""
    if lot.status is LotStatus.MOVING:
        end, ticks = _way(flow, lot)
        return Arc(AT_HAND, task, origin=-1 if end is None else end, ready=max(ready, ticks))
    if lot.place in flow.work.vehicles:
        end = _aboard(flow, lot)
        return Arc(AT_HAND, task, origin=end, ready=max(ready, flow.bound[lot.place][1]))
    origin = flow.floor.index.get(lot.place, -1)
    return Arc(AT_HAND, task, moves=lot.at_output and origin >= 0, origin=origin, ready=ready)


def _between(flow: Flow, lot: Lot, product: Product, position: int, before: int, after: int) -> Arc:
    """From one operation of a lot to its next: carried, or on a conveyor piece by piece."""
    step = product.routing[position]
    most = None if step.max_wait_s is None else round(step.max_wait_s)
    if not step.transfer:
        return Arc(before, after, lag_max=most, moves=True)
    pieces = max(1, lot.good)
    share = min(step.transfer, pieces) / pieces
    lead = math.ceil(share * min(m.duration for m in flow.tasks[before].modes))
    tail = math.ceil(share * min(m.duration for m in flow.tasks[after].modes))
    return Arc(before, after, lag_min=lead, overlap=tail)


def _add_parts(flow: Flow, lot: Lot) -> None:
    """Parts come from their last operation, or from where they lie, to the operation of the parent at which they enter."""
    for part in flow.parts.get(lot.number, ()):
        product = flow.work.product(lot)
        operation = next((c.operation for c in product.components if c.product == part.product), 0)
        position = next((i for i, s in enumerate(product.routing) if s.operation == operation), -1)
        task = flow.index.get(f"{lot.number}:{position}")
        if task is None or task in flow.started:
            continue
        if part.number in flow.last:
            flow.link(Arc(flow.last[part.number], task, moves=True), part)
        elif flow.work.step(part) is None:
            flow.link(_lies(flow, part, task, 0), part)


def order_rank(order: Order) -> tuple[int, int, str]:
    """Orders stand in the problem by priority, then first come first."""
    return order.priority, order.created_ns, order.id
