"""What a vehicle says no to: orders and updates of orders that cannot be driven are refused before anything is begun."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from zhongshu.model.commands import Result, Verb
from zhongshu.model.orders import TransportOrder
from zhongshu.twin.requests import Refusal

if TYPE_CHECKING:
    from zhongshu.twin.vehicle import Vehicle


def check_order(vehicle: Vehicle, order: TransportOrder) -> None:
    """Raises Refusal for an order that the vehicle cannot begin here and now, or cannot drive."""
    if vehicle.trouble.halted:
        raise Refusal(Result.NOT_READY, "vehicle.halted")
    if vehicle.running:
        number = vehicle.order.key if vehicle.order is not None else 0
        raise Refusal(Result.BUSY, "refused.busy", number=number)
    start = order.route[0] if order.route else ""
    if start != vehicle.node:
        raise Refusal(Result.NOT_READY, "vehicle.not_here", node=vehicle.node, start=start)
    if order.lot and vehicle.load and vehicle.load != order.lot:
        raise Refusal(Result.NOT_READY, "vehicle.loaded", lot=vehicle.load)
    _check_way(vehicle, order)


def is_new_update(vehicle: Vehicle, order: TransportOrder) -> bool:
    """False for an update that the vehicle has had. Raises Refusal for one of another order, or that takes leave back."""
    mine = vehicle.order
    if not vehicle.running or mine is None or mine.key != order.key:
        state, verb = vehicle.order_state.name, Verb.EXTEND_TRANSPORT.name
        raise Refusal(Result.NOT_READY, "refused.not_ready", state=state, verb=verb)
    if order.update <= mine.update:
        return False
    if order.base < mine.base or order.route[: mine.base] != mine.route[: mine.base]:
        _refuse(f"{mine.base} > {order.base}")
    _check_way(vehicle, order)
    return True


def _check_way(vehicle: Vehicle, order: TransportOrder) -> None:
    route = order.route
    for start, end in itertools.pairwise(route):
        if (start, end) not in vehicle.roads.edges:
            _refuse(f"{start} → {end}")
    if order.base > len(route):
        _refuse(f"{order.base} > {len(route)}")
    if not order.lot:
        return
    # What is on board already is not picked, whatever the order says of picking.
    pick_at = 0 if vehicle.load else order.pick_at
    if not 0 <= pick_at <= order.drop_at < len(route):
        _refuse(f"{order.pick_at}, {order.drop_at}")
    if not vehicle.load:
        _check_station(vehicle, order.pick_unit, route[pick_at])
    _check_station(vehicle, order.drop_unit, route[order.drop_at])


def _check_station(vehicle: Vehicle, unit: str, node: str) -> None:
    known = vehicle.shop.plant.unit_of.get(unit)
    if known is None or (known.station and known.station != node):
        _refuse(f"{unit} @ {node}")


def _refuse(what: str) -> None:
    raise Refusal(Result.BAD_ARGUMENT, "refused.bad_argument", what=what)
