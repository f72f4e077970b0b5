"""What a new process must know of the fleet: of each vehicle the last order as it was sent, and whence it had come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from zhongshu.act.fleet.drives import Drive
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import autonomy_version
from zhongshu.kernel.store.drives import DRIVE
from zhongshu.kernel.store.meta import set_meta
from zhongshu.kernel.store.tables import Command, Meta
from zhongshu.kernel.store.within import Within
from zhongshu.model.commands import CommandStatus
from zhongshu.model.messages import Proposed, TransportProgressed
from zhongshu.model.orders import TransportOrder

#: With such a status the order never reached its vehicle, or came to nothing there.
_NOT_OUT = frozenset(
    {
        CommandStatus.PROPOSED.value,
        CommandStatus.APPROVED.value,
        CommandStatus.REFUSED.value,
        CommandStatus.EXPIRED.value,
        CommandStatus.FAILED.value,
    }
)


@dataclass(frozen=True, slots=True)
class Rest:
    """Where an idle vehicle stood, and the node before it; empty where that is not known."""

    node: str
    came: str


class Records:
    """Synchronous; every method is one transaction. Call them in a thread."""

    def __init__(self, plant: str, store: Store) -> None:
        self._plant, self._store = plant, store

    def keep(self, drive: Drive, version: int | None = None) -> bool:
        """Before it is sent: the order with what is released of it. False, and nothing is kept, where autonomy was changed
        since ``version``: so that after a stop is in the store nothing is extended any more."""
        order = drive.order
        raw = {"key": order.key, "came": drive.came, "order": order.to_args()}
        with self._store.write() as connection:
            if version is not None and autonomy_version(connection, self._plant) != version:
                return False
            self._set(connection, order.vehicle, raw)
            return True

    def over(self, vehicle: str, rest: Rest, ended: TransportProgressed | None) -> None:
        """Its order is over, and it stands there. How it ended is told in the same transaction: the vehicle forgets its order
        with the next one, which may come before anybody else has looked."""
        with self._store.write() as connection:
            self._set(connection, vehicle, {"node": rest.node, "came": rest.came})
            if ended is not None:
                put_event(connection, "act", ended, msg_id=f"drive.{ended.key}.{ended.state}")

    def load(self) -> dict[str, Drive | Rest]:
        """By vehicle; orders that never went out are left out, and so are their vehicles."""
        found: dict[str, Drive | Rest] = {}
        with self._store.read() as session:
            rows = session.scalars(select(Meta).where(Meta.plant == self._plant, Meta.key.startswith(DRIVE)))
            for row in rows:
                vehicle, raw = row.key.removeprefix(DRIVE), json.loads(row.value)
                if "key" not in raw:
                    found[vehicle] = Rest(raw["node"], raw["came"])
                    continue
                order = TransportOrder.from_args(raw["key"], vehicle, raw["order"])
                command = session.get(Command, order.key)
                if command is not None and command.status not in _NOT_OUT:
                    found[vehicle] = Drive(order, 0, raw["came"], by=command.by)
                else:
                    found[vehicle] = Rest(order.route[0], raw["came"])
        return found

    def propose(self, proposal: Proposed) -> None:
        """Ask for a command of one's own, as decide does."""
        with self._store.write() as connection:
            put_event(connection, "act", proposal, msg_id=f"proposal.{proposal.proposal}")

    def _set(self, within: Within, vehicle: str, raw: dict[str, Any]) -> None:
        set_meta(within, self._plant, DRIVE + vehicle, json.dumps(raw))
