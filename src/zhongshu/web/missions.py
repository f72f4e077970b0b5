"""What every vehicle drives for: the order key it reports itself → the command behind it, its lot, its order and its route."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.store import Store
from zhongshu.kernel.store.drives import sent_order
from zhongshu.kernel.store.tables import Command, Lot
from zhongshu.model import roles
from zhongshu.model.batch import GOOD, QUALITY_MASK
from zhongshu.model.plant import Plant
from zhongshu.model.states import TransportState
from zhongshu.web.watch import Watch


def missions(plant: Plant, watch: Watch, store: Store) -> list[dict[str, Any]]:
    """One row a vehicle, ``mission`` None where it has none; blocking. ``route`` are ids of road nodes."""
    keys = {unit.id: _running(plant, watch, unit.id) for unit in plant.vehicles}
    with store.read() as session:
        wanted = select(Command).where(
            Command.plant == plant.id, Command.key.in_([key for key in keys.values() if key])
        )
        commands = {row.key: row for row in session.scalars(wanted)}
        return [
            {"vehicle": unit, "mission": _mission(session, commands.get(key))} for unit, key in keys.items()
        ]


def _running(plant: Plant, watch: Watch, vehicle: str) -> int:
    """The key of the transport order that the vehicle says it is carrying out; 0 where it does not."""
    of = {p.role: p.id for p in plant.unit_of[vehicle].points}
    if roles.ORDER_KEY not in of or roles.ORDER_STATE not in of:
        return 0
    ids = [of[roles.ORDER_KEY], of[roles.ORDER_STATE]]
    if np.any((watch.latest.qualities[ids] & QUALITY_MASK) != GOOD):
        return 0
    key, state = watch.latest.values[ids].tolist()
    return int(key) if state == TransportState.RUNNING else 0


def _mission(session: Session, command: Command | None) -> dict[str, Any] | None:
    """With the way as it was last sent: a command has only the first leave, updates extend and change it."""
    if command is None:
        return None
    args = sent_order(session, command.plant, command.unit, command.key) or command.args
    lot = session.get(Lot, int(args.get("lot") or 0))
    return {
        "command": command.key,
        "status": command.status,
        "reason": command.reason,
        "decision": command.decision,
        "lot": int(args.get("lot") or 0),
        "order": lot.order_id if lot is not None else "",
        "product": lot.product if lot is not None else "",
        "from": args.get("pick_unit", ""),
        "to": args.get("drop_unit", ""),
        "route": [node for node in args.get("route", ()) if isinstance(node, str)],
    }
