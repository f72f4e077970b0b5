"""A vehicle as plain values, and back: times as what has passed or is left, so that it can go on at any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhongshu.model.orders import TransportOrder
from zhongshu.model.states import TransportState
from zhongshu.twin.vehicle import IDLE, Vehicle

_PLAIN = ("node", "came", "heading", "at", "phase", "load", "picked", "cancelled", "local", "slow", "error")


def dump_vehicle(vehicle: Vehicle, *, answers: bool = True) -> dict[str, Any]:
    """What is there to know of it; ``answers``: with the keys it ever answered."""
    vehicle.meter()
    begin, length = vehicle.phase_ns
    passed = -begin if vehicle.trouble.halted and begin <= 0 else vehicle.shop.now_ns - begin
    order = vehicle.order
    return {
        **{name: getattr(vehicle, name) for name in _PLAIN},
        **vehicle.trouble.dump(),
        "energy_percent": vehicle.energy_percent,
        "order": None if order is None else {"key": order.key, "args": order.to_args()},
        "order_state": int(vehicle.order_state),
        "passed_ns": passed if vehicle.phase != IDLE else 0,
        "length_ns": length,
        "keys": vehicle.keys.dump(answers=answers),
    }


def restore_vehicle(vehicle: Vehicle, raw: Mapping[str, Any]) -> None:
    """Become what ``dump_vehicle`` saw, going on from now."""
    order, passed, length = raw["order"], int(raw["passed_ns"]), int(raw["length_ns"])
    for name in _PLAIN:
        setattr(vehicle, name, raw[name])
    vehicle.energy_percent = raw["energy_percent"]
    vehicle.order_state = TransportState(raw["order_state"])
    vehicle.order = None
    if order is not None:
        vehicle.order = TransportOrder.from_args(order["key"], vehicle.unit.id, order["args"])
    vehicle.keys.load(**raw["keys"])
    vehicle.metered_ns = vehicle.shop.now_ns
    if vehicle.ticket is not None:
        vehicle.ticket.cancel()
        vehicle.ticket = None
    vehicle.trouble.restore(raw)
    if vehicle.trouble.halted:
        vehicle.phase_ns = (-passed, length)
        return
    vehicle.phase_ns = (vehicle.shop.now_ns - passed, length)
    if vehicle.phase != IDLE:
        vehicle.resume(passed, length)
