"""One vehicle: drives a transport order node by node, picks and drops lots, and keeps its battery."""

from __future__ import annotations

import math

from zhongshu.kernel.clock import NS
from zhongshu.model.commands import Answer, Call, Result, Verb
from zhongshu.model.orders import TransportOrder
from zhongshu.model.plant import Edge, Unit
from zhongshu.model.states import TransportState, UnitMode, UnitState
from zhongshu.twin.acceptance import check_order, is_new_update
from zhongshu.twin.agenda import Ticket, ns
from zhongshu.twin.keys import Keys, answer
from zhongshu.twin.lots import Lot, Where
from zhongshu.twin.requests import KEY_LIMIT, Refusal
from zhongshu.twin.roads import Roads
from zhongshu.twin.shop import Shop
from zhongshu.twin.trouble import Trouble
from zhongshu.twin.words import say

#: A vehicle before a full buffer looks again after this many plant seconds.
LOOK_AGAIN_S = 2.0
DRIVING, PICKING, DROPPING, FULL, IDLE = "driving", "picking", "dropping", "full", "idle"
#: At the end of what is released of its order.
WAITING = "waiting"


class Vehicle:
    """Like a machine it waits for one thing at a time, here the end of a drive or of a hand-over."""

    def __init__(self, unit: Unit, shop: Shop, roads: Roads) -> None:
        self.unit, self.shop, self.roads = unit, shop, roads
        self.truth = shop.truth.vehicles
        self.keys = Keys()
        self.node = unit.station if unit.station in roads.nodes else next(iter(roads.nodes), "")
        self.heading = 0.0
        self.came = roads.behind(self.node, self.heading)  # the node before; empty where nobody knows
        self.order: TransportOrder | None = None
        self.order_state = TransportState.NONE
        self.at = 0  # index on the route
        self.phase = IDLE
        self.load = 0
        self.picked = False
        self.cancelled = False
        self.local = False
        self.trouble = Trouble(unit.id, shop, self)
        self.slow = 1.0
        self.error = ""
        self.energy_percent = 70.0 + 30.0 * shop.stream(unit.id, "battery").uniform()
        self.driven_m = {True: 0.0, False: 0.0}  # since this process began, with a lot on board and without
        self.metered_ns = shop.now_ns
        self.phase_ns = (shop.now_ns, 0)  # begin, length
        self.ticket: Ticket | None = None
        roads.vehicles.append(self)

    # --- what it looks like from outside

    @property
    def lost(self) -> bool:
        """Nobody hears of it, and it stands."""
        return self.trouble.lost

    @property
    def broken(self) -> bool:
        """It has broken down and is being repaired; it says so."""
        return self.trouble.broken

    @property
    def mode(self) -> UnitMode:
        """PackML unit mode."""
        return UnitMode.LOCAL if self.local else UnitMode.PRODUCTION

    @property
    def state(self) -> UnitState:
        """PackML state: Aborted when lost or broken, Execute with an order, else Idle."""
        if self.trouble.halted:
            return UnitState.ABORTED
        return UnitState.EXECUTE if self.running else UnitState.IDLE

    @property
    def running(self) -> bool:
        """Whether an order is under way."""
        return self.order_state is TransportState.RUNNING

    @property
    def driving(self) -> bool:
        """Whether it moves."""
        return self.phase == DRIVING and not self.trouble.halted

    @property
    def charging(self) -> bool:
        """It charges by itself where it is parked at a charger."""
        return (
            self.phase == IDLE
            and self.node in self.roads.chargers
            and not self.trouble.halted
            and self.energy_percent < 100
        )

    @property
    def low(self) -> bool:
        """Whether the battery is low."""
        return self.energy_percent < self.truth.low_percent

    @property
    def errors(self) -> int:
        """Count of active errors."""
        return int(bool(self.error)) + int(self.lost) + int(self.broken) + int(self.low)

    @property
    def next_node(self) -> str:
        """Where it drives to; empty when it stands."""
        return self.order.route[self.at + 1] if self.phase == DRIVING and self.order is not None else ""

    def edge(self) -> Edge | None:
        """The lane it is on, None at a node."""
        return self.roads.edges.get((self.node, self.next_node))

    def velocity(self) -> float:
        """m/s."""
        edge = self.edge()
        return self.speed(edge) if edge is not None and self.driving else 0.0

    def speed(self, edge: Edge) -> float:
        """How fast it drives on a lane."""
        return min(edge.speed_m_s, self.truth.speed_m_s) / self.slow * (0.5 if self.low else 1.0)

    def place(self) -> tuple[float, float]:
        """x, y in metres."""
        here, there = self.roads.nodes.get(self.node), self.roads.nodes.get(self.next_node)
        if here is None:
            return self.unit.x_m, self.unit.y_m
        if there is None:
            return here.x_m, here.y_m
        share = self.share()
        return here.x_m + share * (there.x_m - here.x_m), here.y_m + share * (there.y_m - here.y_m)

    def share(self) -> float:
        """How much of the present phase has passed, 0 to 1."""
        begin, length = self.phase_ns
        if self.trouble.halted and self.ticket is None:
            return min(1.0, -begin / length) if length and begin < 0 else 0.0
        return 1.0 if not length else min(1.0, max(0.0, (self.shop.now_ns - begin) / length))

    def meter(self) -> None:
        """Book the battery since the last call."""
        hours = (self.shop.now_ns - self.metered_ns) / (3600 * NS)
        self.metered_ns = self.shop.now_ns
        rate = self.truth.charge_percent_h if self.charging else -self.truth.idle_percent_h
        if self.driving:
            rate = -self.truth.drive_percent_h
        self.energy_percent = min(100.0, max(0.0, self.energy_percent + rate * hours))

    # --- requests

    def ask(self, call: Call) -> Answer:
        """Answer one request; a key answered before gets the same answer again and nothing is done."""
        now = self.shop.now_ns
        if not 0 < call.key < KEY_LIMIT:
            return answer(Result.BAD_ARGUMENT, say("refused.bad_argument", what="key"), now)
        told = self.keys.known(call.key) if call.verb is not Verb.EXTEND_TRANSPORT else None
        if told is not None:
            return told
        result, reason = Result.OK, ""
        try:
            self._do(call)
        except Refusal as refusal:
            result, reason = refusal.result, refusal.reason
        if call.verb is not Verb.EXTEND_TRANSPORT:
            self.keys.keep(call.key, result, reason)
        self.shop.note("answer", unit=self.unit.id, verb=call.verb.name, key=call.key, result=result.name)
        return answer(result, reason, now)

    def _do(self, call: Call) -> None:
        if call.verb not in (Verb.TRANSPORT, Verb.EXTEND_TRANSPORT, Verb.CANCEL_TRANSPORT):
            raise Refusal(Result.UNKNOWN_VERB, "refused.unknown_verb", verb=call.verb.name)
        if self.local:
            raise Refusal(Result.WRONG_MODE, "refused.wrong_mode", mode=self.mode.name)
        if call.verb is Verb.CANCEL_TRANSPORT:
            meant = call.args.get("order", 0)  # a late one must not end the next order
            if not self.running or (meant and self.order is not None and meant != self.order.key):
                raise Refusal(
                    Result.NOT_READY, "refused.not_ready", state=self.order_state.name, verb=call.verb.name
                )
            self._cancel()
            return
        try:
            order = TransportOrder.from_args(call.key, self.unit.id, dict(call.args))
        except (TypeError, KeyError, ValueError) as error:
            raise Refusal(Result.BAD_ARGUMENT, "refused.bad_argument", what=str(error)) from error
        if call.verb is Verb.EXTEND_TRANSPORT:
            self._extend(order)
        else:
            check_order(self, order)
            self._begin(order)

    def _extend(self, order: TransportOrder) -> None:
        """More of the order is released; an update that it has had already changes nothing."""
        if not is_new_update(self, order):
            return
        self.order = order
        if self.phase == WAITING and not self.trouble.halted:
            self.phase = IDLE
            self._next()

    def _begin(self, order: TransportOrder) -> None:
        self.meter()
        self.order, self.order_state, self.at = order, TransportState.RUNNING, 0
        self.picked = bool(order.lot) and self.load == order.lot
        self.cancelled, self.error = False, ""
        self.shop.note("transport", unit=self.unit.id, key=order.key, lot=order.lot, end="")
        self._next()

    def _cancel(self) -> None:
        """It rolls on to the next node; what it carries stays on board."""
        self.cancelled = True
        if self.phase in (FULL, WAITING):
            self._end(TransportState.FAILED, self._cancel_reason())

    def _cancel_reason(self) -> str:
        return say("vehicle.cancelled", number=self.order.key if self.order is not None else 0)

    # --- driving

    def _begin_phase(self, phase: str, seconds: float) -> None:
        self.meter()
        self.phase = phase
        self.phase_ns = (self.shop.now_ns, ns(seconds))
        self._run(ns(seconds))

    def _run(self, left_ns: int) -> None:
        """The present phase ends after so long; who drives wears."""
        self.ticket = self.shop.agenda.after(left_ns, self.elapsed)
        if self.phase == DRIVING:
            self.trouble.drives(left_ns)

    def elapsed(self) -> None:
        """The drive or hand-over is done."""
        self.meter()
        self.ticket = None
        self.trouble.stands()
        phase, self.phase = self.phase, IDLE
        if phase == DRIVING and self.order is not None:
            self.at += 1
            self.came = self.node
            self.driven_m[bool(self.load)] += self.roads.edges[self.node, self.order.route[self.at]].length_m
            self.node = self.order.route[self.at]
        elif phase == PICKING:
            if not self._pick():
                return
        elif phase in (DROPPING, FULL):
            if not self._drop():
                self._begin_phase(FULL, LOOK_AGAIN_S)
                return
        self._next()

    def _next(self) -> None:
        """What comes now: a hand-over here, the next lane, or the end."""
        order = self.order
        if order is None or not self.running:
            return
        if self.cancelled:
            self._end(TransportState.FAILED, self._cancel_reason())
        elif order.lot and not self.picked and self.at == order.pick_at:
            self._begin_phase(PICKING, self._handling())
        elif order.lot and self.load and self.at == order.drop_at:
            self._begin_phase(DROPPING, self._handling())
        elif self.at == len(order.route) - 1:
            self._end(TransportState.DONE, "")
        elif self.at >= order.base - 1:
            self.meter()
            self.phase = WAITING
        else:
            edge = self.roads.edges[self.node, order.route[self.at + 1]]
            here, there = self.roads.nodes[self.node], self.roads.nodes[edge.end]
            self.heading = math.atan2(there.y_m - here.y_m, there.x_m - here.x_m)
            for other, place in self.roads.met(self, edge):
                self.shop.note("collision", unit=self.unit.id, other=other.unit.id, place=place)
            self._begin_phase(DRIVING, edge.length_m / self.speed(edge))

    def _handling(self) -> float:
        return self.shop.stream(self.unit.id, "handling").lognormal(
            self.truth.handling_s, self.truth.handling_spread
        )

    def _pick(self) -> bool:
        order, stock = self.order, self.shop.stock
        if order is None:
            return False
        lot = stock.lots.get(order.lot)
        if not self._lies_at(lot, order.pick_unit) or lot is None:
            self._end(TransportState.FAILED, say("vehicle.lot_missing", unit=order.pick_unit, lot=order.lot))
            return False
        stock.move(lot, Where.VEHICLE, self.unit.id)
        self.load, self.picked = lot.number, True
        self.shop.note("picked", unit=self.unit.id, key=order.key, lot=lot.number, at=order.pick_unit)
        return True

    @staticmethod
    def _lies_at(lot: Lot | None, unit: str) -> bool:
        """Behind the machine as a rule; in front of it when the lot is taken to another machine."""
        return lot is not None and lot.unit == unit and lot.where in (Where.OUTPUT, Where.INPUT)

    def _drop(self) -> bool:
        order, stock = self.order, self.shop.stock
        if order is None:
            return True
        lot = stock.lots[self.load]
        if not self.shop.has_room(order.drop_unit, lot):
            return False
        stock.move(lot, Where.INPUT, order.drop_unit)
        self.shop.note("dropped", unit=self.unit.id, key=order.key, lot=self.load, at=order.drop_unit)
        self.load = 0
        return True

    def _end(self, state: TransportState, error: str) -> None:
        if self.ticket is not None:
            self.ticket.cancel()
            self.ticket = None
        self.meter()
        self.phase = IDLE
        self.order_state, self.error = state, error
        key = self.order.key if self.order is not None else 0
        self.shop.note(
            "transport", unit=self.unit.id, key=key, lot=self.load, end=state.name.lower(), error=error
        )

    # --- faults

    def set_lost(self, lost: bool) -> None:
        """Stand still where it is, or go on from there."""
        self.trouble.set_lost(lost)

    def halt(self) -> None:
        """Stand still where it is; for ``Trouble``."""
        if self.ticket is None:
            return
        left, length = self.ticket.at_ns - self.shop.now_ns, self.phase_ns[1]
        self.ticket.cancel()
        self.ticket = None
        self.phase_ns = (-(length - left), length)  # negative: how far it came, while it stands

    def go_on(self) -> None:
        """Go on from there; for ``Trouble``."""
        begin, length = self.phase_ns
        if self.phase != IDLE:
            self.resume(-begin, length)

    def resume(self, passed: int, length: int) -> None:
        """Go on with a phase of which so much has passed (ns)."""
        if self.phase == WAITING:
            self.phase = IDLE
            self._next()
            return
        self.phase_ns = (self.shop.now_ns - passed, length)
        self._run(length - passed)
