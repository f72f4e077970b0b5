"""Facts change the work: what jobs, transports and commands report is entered in the book; pure, no I/O."""

from __future__ import annotations

import math

from zhongshu.decide.corrections import change_order, correct_lot, hold_order, settle_order, stop
from zhongshu.decide.work import Advice, Hold, Lot, LotStatus, Order, Vehicle, Work
from zhongshu.model.autonomy import Said
from zhongshu.model.commands import CommandStatus
from zhongshu.model.messages import (
    CommandChanged,
    Event,
    JobProgressed,
    LotCorrected,
    OrderChanged,
    OrderHeld,
    OrderReceived,
    TransportProgressed,
)
from zhongshu.model.states import JobState, TransportState

#: After a refusal the same thing is not tried again for so long (plant time).
PAUSE_NS = 10_000_000_000
#: So many refusals in a row, and a person has to look.
ATTEMPTS_MAX = 12
#: What a person rejected is not asked for again for so long (plant time).
REJECTED_NS = 1_800_000_000_000
GAVE_UP = frozenset({CommandStatus.REFUSED.value, CommandStatus.EXPIRED.value, CommandStatus.FAILED.value})


class Progress:
    """Applies events to the work; the same event twice changes nothing the second time."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lot_of_proposal = {lot.proposal: lot.number for lot in work.lots.values() if lot.proposal}
        self._lot_of_command = {lot.command: lot.number for lot in work.lots.values() if lot.command}

    def proposed(self, proposal: str, lot: Lot) -> None:
        """A proposal for the lot is going out."""
        self._lot_of_proposal[proposal] = lot.number

    def apply(self, event: Event) -> None:
        """Enter one event."""
        match event:
            case JobProgressed():
                self._job(event)
            case TransportProgressed():
                self._transport(event)
            case CommandChanged():
                self._command(event)
            case OrderReceived():
                self._order(event)
            case OrderChanged():
                change_order(self._work, event)
            case OrderHeld():
                hold_order(self._work, event)
            case LotCorrected():
                correct_lot(self._work, event)
            case _:
                pass

    def _order(self, event: OrderReceived) -> None:
        if event.order not in self._work.known_orders:
            self._work.known_orders.add(event.order)
            order = Order(
                event.order,
                event.product,
                event.quantity,
                event.due_ns,
                event.release_ns,
                event.priority,
                created_ns=event.t_ns,
            )
            self._work.orders[event.order] = order
            self._work.dirty_orders.add(order.id)

    def _command(self, event: CommandChanged) -> None:
        lot = self._work.lots.get(self._lot_of_proposal.get(event.proposal, 0))
        if lot is not None and lot.proposal == event.proposal:
            self._lot_command(lot, event)
        for name, vehicle in self._work.vehicles.items():
            if vehicle.proposal == event.proposal:
                vehicle.command = event.command
                self._work.dirty_vehicles.add(name)
                if event.status in GAVE_UP:
                    self._advised(event, vehicle.lot)
                    self._release_vehicle(name, event.t_ns + _pause_ns(event))
        early = self._work.early.pop(event.command, None)
        if early is not None:
            self.apply(early)

    def _keep(self, event: JobProgressed | TransportProgressed) -> None:
        """News of a key of which act has not told us yet: it comes again when act has."""
        if self._work.awaits_key():
            self._work.early[event.key] = event
        else:
            self._work.early.clear()

    def _lot_command(self, lot: Lot, event: CommandChanged) -> None:
        lot.command = event.command
        self._lot_of_command[event.command] = lot.number
        if event.status in GAVE_UP and lot.status in (LotStatus.STARTING, LotStatus.MOVING):
            self._retry(lot, event.t_ns, event)
        self._work.touch(lot)

    def _retry(
        self, lot: Lot, t_ns: int, event: CommandChanged | None = None, *, counts: bool = True
    ) -> None:
        """Back to where it was; elsewhere next time if it can choose; to a person when nothing helps.

        That the ladder or a person let nothing pass is no refusal of the lot. It does not count either where we ourselves
        took it back for something better.
        """
        advised = event is not None and self._advised(event, lot.number)
        pause_ns = _pause_ns(event) if event is not None else PAUSE_NS
        lot.attempt += counts
        lot.proposal, lot.command = "", 0
        lot.not_before_ns = t_ns + pause_ns if counts else 0
        moving = lot.status is LotStatus.MOVING
        step = self._work.step(lot)
        if counts and lot.attempt % ATTEMPTS_MAX == 0 and not (event is not None and _by_ladder(event)):
            lot.hold = lot.hold or Hold.REFUSED
        if moving:
            lot.status = LotStatus.FINISHED if step is None else LotStatus.WAITING
        elif lot.next_step > 0:
            lot.status = LotStatus.WAITING
        else:
            lot.status = LotStatus.PLANNED
            if not lot.build_at and not advised:
                lot.place, lot.target = "", ""
        self._rest(lot)

    def _advised(self, event: CommandChanged, lot: int) -> bool:
        """Remember what was only advice, so that it is not said again at every pass."""
        if event.detail != Said.ADVICE:
            return False
        vehicle = self._work.vehicles.get(event.unit)
        self._work.advised[event.unit] = Advice(lot, vehicle.node if vehicle is not None else "")
        return True

    def _job(self, event: JobProgressed) -> None:
        number = self._lot_of_command.get(event.key)
        if number is None:
            self._keep(event)
            return
        lot = self._work.lots.get(number)
        if lot is None or lot.command != event.key:
            return
        if event.state == JobState.DONE.name:
            self._done(lot, event)
        elif event.state == JobState.ABORTED.name:
            lot.status, lot.hold = LotStatus.HELD, lot.hold or Hold.ABORTED
        elif lot.status is LotStatus.STARTING:
            lot.status, lot.started_ns = LotStatus.RUNNING, event.t_ns
            self._consume(lot)
        self._work.touch(lot)

    def _consume(self, lot: Lot) -> None:
        """The parts are built in, what was left over before first; what is too many stays in front of the unit."""
        step = self._work.step(lot)
        pieces = self._work.buildable(lot, lot.target)
        for product, each in self._work.needed(lot, step.operation).items() if step else ():
            wanted = math.ceil(each * pieces - 1e-9)
            for part in self._work.kit(lot, product, lot.target):
                taken = min(wanted, part.good)
                wanted -= taken
                part.good -= taken
                part.status = LotStatus.LEFT if part.good else LotStatus.CONSUMED
                part.target = ""
                self._work.touch(part)

    def _done(self, lot: Lot, event: JobProgressed) -> None:
        if lot.status is LotStatus.STARTING:
            self._consume(lot)
        if lot.status not in (LotStatus.STARTING, LotStatus.RUNNING):
            self._corrected(lot, event)
            return
        lot.good, lot.scrap = event.good, lot.scrap + event.scrap
        lot.place, lot.at_output, lot.target = event.unit, True, ""
        lot.next_step += 1
        lot.attempt, lot.proposal = 0, ""
        lot.status = LotStatus.WAITING
        if lot.good == 0:
            lot.status, lot.place, lot.at_output = LotStatus.CANCELLED, "", False
            self._lost(lot)
        elif lot.hold:
            stop(self._work, lot)
        elif self._work.step(lot) is None:
            self._work.finish(lot)
            settle_order(self._work, self._work.orders[lot.order])

    def _lost(self, lot: Lot) -> None:
        """Nothing good is left: it is made again, unless nobody wants it any more."""
        order = self._work.orders[lot.order]
        if order.status == "cancelling":
            settle_order(self._work, order)
        else:
            self._work.lost.append(lot)

    def _rest(self, lot: Lot) -> None:
        """The lot stands between two operations: a hold takes effect now."""
        if lot.hold:
            stop(self._work, lot)
            settle_order(self._work, self._work.orders[lot.order])

    def _corrected(self, lot: Lot, event: JobProgressed) -> None:
        """The counts came a moment after the end."""
        if lot.status is LotStatus.WAITING and lot.place == event.unit and not lot.proposal:
            lot.good = event.good

    def _transport(self, event: TransportProgressed) -> None:
        vehicle = self._work.vehicles.get(event.vehicle)
        if vehicle is None:
            return
        vehicle.load = event.load
        vehicle.took |= bool(vehicle.lot) and event.load == vehicle.lot
        self._work.dirty_vehicles.add(event.vehicle)
        if vehicle.proposal and not vehicle.command:
            self._keep(event)
        if vehicle.command != event.key or not vehicle.proposal:
            return
        lot = self._work.lots.get(vehicle.lot)
        failed = event.state == TransportState.FAILED.name
        if event.state == TransportState.DONE.name or (failed and self._put_down(vehicle)):
            if lot is not None and lot.status is LotStatus.MOVING:
                lot.place, lot.at_output = vehicle.to_unit, False
                lot.attempt, lot.proposal = 0, ""
                lot.status = LotStatus.FINISHED if self._work.step(lot) is None else LotStatus.WAITING
                self._rest(lot)
                self._work.touch(lot)
            self._release_vehicle(event.vehicle, 0)
        elif failed:
            if lot is not None and lot.status is LotStatus.MOVING:
                self._retry(lot, event.t_ns, counts=not vehicle.recalled)
                self._work.touch(lot)
            self._release_vehicle(event.vehicle, 0 if vehicle.recalled else event.t_ns + PAUSE_NS)

    def _put_down(self, vehicle: Vehicle) -> bool:
        """An order that was cancelled in its last moment: the lot is where it should be all the same."""
        unit = self._work.plant.unit_of.get(vehicle.to_unit)
        return vehicle.took and not vehicle.load and unit is not None and vehicle.node == unit.station

    def _release_vehicle(self, name: str, not_before_ns: int) -> None:
        vehicle = self._work.vehicles[name]
        vehicle.lot, vehicle.proposal, vehicle.command = 0, "", 0
        vehicle.to_unit, vehicle.moving_to, vehicle.not_before_ns = "", "", not_before_ns
        vehicle.recalled = vehicle.took = False


def _by_ladder(event: CommandChanged) -> bool:
    """The autonomy ladder or a person ended it, not the unit."""
    return event.detail.partition(":")[0] in set(Said)


def _pause_ns(event: CommandChanged) -> int:
    return REJECTED_NS if event.detail.partition(":")[0] == Said.REJECTED else PAUSE_NS
