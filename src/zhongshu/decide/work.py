"""The work in the plant as decide knows it: orders, lots, moves, and what each unit and vehicle is doing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from zhongshu.model.autonomy import Autonomy
from zhongshu.model.messages import JobProgressed, TransportProgressed
from zhongshu.model.plant import Plant, Product, Step
from zhongshu.model.states import UnitMode, UnitState

#: Asked for every unit at every pass; an enum's names are looked up slowly.
_PRODUCTION, _UNDEFINED = UnitMode.PRODUCTION.name, UnitState.UNDEFINED.name


class LotStatus(StrEnum):
    """Where a lot stands between two operations."""

    PLANNED = "planned"  # nothing of it exists yet
    WAITING = "waiting"  # lies at ``place``, its next operation not begun
    MOVING = "moving"  # a transport order for it is out
    STARTING = "starting"  # a job order for it is out
    RUNNING = "running"  # the unit works on it
    FINISHED = "finished"  # a part with all operations done, on its way into its parent
    LEFT = "left"  # pieces that were too many for its parent; they lie at the unit and are built in next time
    CONSUMED = "consumed"  # built into its parent
    STORED = "stored"  # a product in the warehouse
    HELD = "held"  # needs a person: reality and book disagree
    CANCELLED = "cancelled"


class Hold(StrEnum):
    """Why a lot is not to go on; empty for none."""

    NO = ""
    QUALITY = "quality"  # a person stopped this lot
    ORDER = "order"  # a person stopped its order
    CANCELLED = "cancelled"  # its order was cancelled after it had begun
    REFUSED = "refused"  # what was asked for it was refused too often
    ABORTED = "aborted"  # the unit gave its job up


@dataclass(slots=True)
class Lot:
    """Pieces of one product that travel together. ``parent`` is the lot they are built into, 0 for none.

    ``next_step`` indexes the product's routing; ``place`` is a unit or vehicle id; ``at_output`` says on which side;
    ``target`` the unit chosen for the next operation (for a finished part: the unit where its parent is built);
    ``build_at`` the units chosen ahead for the operations at which parts enter.
    """

    number: int
    order: str
    product: str
    quantity: int
    parent: int = 0
    good: int = 0
    scrap: int = 0
    next_step: int = 0
    place: str = ""
    at_output: bool = False
    target: str = ""
    build_at: dict[int, str] = field(default_factory=dict)
    status: LotStatus = LotStatus.PLANNED
    attempt: int = 0
    proposal: str = ""
    command: int = 0
    not_before_ns: int = 0
    started_ns: int = 0
    hold: Hold = Hold.NO


@dataclass(slots=True)
class Order:
    """A work order and how far it is."""

    id: str
    product: str
    quantity: int
    due_ns: int
    release_ns: int
    priority: int
    created_ns: int
    status: str = "received"  # received, released, held, done, cancelling, cancelled
    done: int = 0
    scrapped: int = 0


@dataclass(slots=True)
class Vehicle:
    """A vehicle as its own messages tell."""

    node: str = ""
    battery: float = 0.0
    charging: bool = False
    load: int = 0
    lot: int = 0  # the lot of the transport order that is out, 0 for none
    proposal: str = ""
    command: int = 0
    to_unit: str = ""
    moving_to: str = ""
    not_before_ns: int = 0
    recalled: bool = False  # it was asked to give its order back
    took: bool = False  # the lot of its order has been on board


@dataclass(frozen=True, slots=True)
class Advice:
    """What the brain would do with a unit of an area where it only advises: it stands until things have changed there.

    ``lot`` is 0 for a drive without one, ``node`` where the vehicle stood.
    """

    lot: int
    node: str


@dataclass(slots=True)
class Work:
    """Everything open. Pure bookkeeping: no I/O, no clock."""

    plant: Plant
    orders: dict[str, Order] = field(default_factory=dict)
    lots: dict[int, Lot] = field(default_factory=dict)
    vehicles: dict[str, Vehicle] = field(default_factory=dict)
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    known_orders: set[str] = field(default_factory=set)  # every order ever taken in, also the closed ones
    early: dict[int, JobProgressed | TransportProgressed] = field(
        default_factory=dict
    )  # by a key not known yet
    lost: list[Lot] = field(default_factory=list)  # of which nothing good is left; to be made again
    grown: list[tuple[str, int]] = field(
        default_factory=list
    )  # orders and the pieces that were added to them
    autonomy: Autonomy = field(default_factory=lambda: Autonomy(0, {}, {}))
    advised: dict[str, Advice] = field(default_factory=dict)  # by unit
    idle_since: dict[str, int] = field(
        default_factory=dict
    )  # unit → plant ns since it waits for a lot's turn
    waits_since: dict[int, int] = field(default_factory=dict)  # lot → plant ns since it waits for a vehicle
    dirty_lots: set[int] = field(default_factory=set)
    dirty_orders: set[str] = field(default_factory=set)
    dirty_vehicles: set[str] = field(default_factory=set)
    _needed: dict[tuple[str, int], Mapping[str, float]] = field(default_factory=dict)  # see ``needed``

    def product(self, lot: Lot) -> Product:
        """The lot's product."""
        return self.plant.product_of[lot.product]

    def step(self, lot: Lot) -> Step | None:
        """The lot's next operation, None when all are done."""
        routing = self.product(lot).routing
        return routing[lot.next_step] if lot.next_step < len(routing) else None

    def needed(self, lot: Lot, operation: int) -> Mapping[str, float]:
        """Made parts that enter at an operation: pieces of each for one piece of the lot."""
        known = self._needed.get((lot.product, operation))
        if known is None:
            made = self.plant.product_of
            known = self._needed[lot.product, operation] = {
                c.product: c.quantity
                for c in self.product(lot).components
                if c.operation == operation and made[c.product].routing
            }
        return known

    def enters_at(self, part: Lot) -> int:
        """The operation of its parent at which a part enters, 0 for a lot without parent."""
        parent = self.lots.get(part.parent)
        if parent is None:
            return 0
        return next(c.operation for c in self.product(parent).components if c.product == part.product)

    def next_task(self, lot: Lot) -> tuple[int, int]:
        """(lot, step) of its next operation; for a finished part, of the operation in which it is built in."""
        parent = self.lots.get(lot.parent)
        if parent is None or self.step(lot) is not None:
            return lot.number, lot.next_step
        operation, routing = self.enters_at(lot), self.product(parent).routing
        return parent.number, next((k for k, s in enumerate(routing) if s.operation == operation), 0)

    def kit(self, lot: Lot, product: str, unit: str) -> list[Lot]:
        """Part lots in front of a unit that may be built into ``lot``: what was left there first, then its own."""
        there = [
            p for p in self.lots.values() if p.product == product and p.place == unit and not p.at_output
        ]
        left = [p for p in there if p.status is LotStatus.LEFT]
        return left + [p for p in there if p.status is LotStatus.FINISHED and p.parent == lot.number]

    def buildable(self, lot: Lot, unit: str) -> int:
        """How many of the lot's good pieces the next operation can work with the parts in front of the unit."""
        step = self.step(lot)
        pieces = lot.good
        for product, each in self.needed(lot, step.operation).items() if step else ():
            pieces = min(pieces, int(sum(p.good for p in self.kit(lot, product, unit)) // each))
        return pieces

    def commandable(self, unit: str) -> bool:
        """In production mode, by values that are Good now (those of a lost unit are not), and nobody keeps the brain off it."""
        standing = self.autonomy.units.get(unit)
        if standing is not None and standing.closed:
            return False
        state, mode = self.states.get(unit, ("UNDEFINED", "UNDEFINED"))
        return mode == _PRODUCTION and state != _UNDEFINED

    def stopped(self, unit: str) -> bool:
        """A person has stopped the brain where the unit is: nothing is brought there or fetched from there."""
        standing = self.autonomy.units.get(unit)
        return standing is not None and bool(standing.stopped)

    def advised_on(self, lot: int) -> bool:
        """It was said what the brain would do with the lot, and that still stands."""
        return any(advice.lot == lot for advice in self.advised.values())

    def judge_anew(self, autonomy: Autonomy) -> None:
        """People or the brain changed how far it may go: advice for units that stand otherwise now is of the past."""
        for unit in list(self.advised):
            if autonomy.units.get(unit) != self.autonomy.units.get(unit):
                del self.advised[unit]
        self.autonomy = autonomy

    def awaits_key(self) -> bool:
        """Some proposal is out of which act has not yet told under which key it goes to the unit."""
        lots = any(lot.proposal and not lot.command for lot in self.lots.values())
        return lots or any(v.proposal and not v.command for v in self.vehicles.values())

    def finish(self, lot: Lot) -> None:
        """All operations of a lot are done: a part goes to its parent, a product into the store, into its order's count."""
        if lot.parent:
            lot.status = LotStatus.FINISHED
            return
        lot.status, lot.place, lot.at_output = LotStatus.STORED, "", False
        order = self.orders[lot.order]
        order.done += lot.good
        order.scrapped += lot.quantity - lot.good
        self.dirty_orders.add(order.id)

    def touch(self, lot: Lot) -> None:
        """Mark a lot as changed, to be saved."""
        self.dirty_lots.add(lot.number)

    @property
    def changed(self) -> bool:
        """Something waits to be saved."""
        return bool(self.dirty_lots or self.dirty_orders or self.dirty_vehicles)

    def forget_closed_orders(self) -> None:
        """Drop finished orders and their lots; call only when everything is saved."""
        gone = {o.id for o in self.orders.values() if o.status in ("done", "cancelled")}
        if gone:
            keep = {lot.order for lot in self.lots.values() if lot.status is LotStatus.LEFT}
            self.lots = {n: lot for n, lot in self.lots.items() if lot.order not in gone or lot.order in keep}
            self.orders = {n: o for n, o in self.orders.items() if n not in gone or n in keep}

    def open_lots(self) -> Iterator[Lot]:
        """Those that are not over, in no order."""
        return (lot for lot in self.lots.values() if not closed(lot))

    def in_order(self) -> Iterator[Lot]:
        """Open lots, first come first."""
        yield from sorted(self.open_lots(), key=self._rank)

    def _rank(self, lot: Lot) -> tuple[int, int, int]:
        order = self.orders[lot.order]
        return order.priority, order.created_ns, lot.number


def closed(lot: Lot) -> bool:
    """True for lots nobody has to care for any more."""
    return lot.status in (LotStatus.CONSUMED, LotStatus.STORED, LotStatus.CANCELLED)
