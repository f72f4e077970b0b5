"""The newest commands with every step of their life: begun from the store, kept current by the events on the bus."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command as CommandRow
from zhongshu.kernel.store.tables import CommandStep, Lot
from zhongshu.model.commands import ENDS
from zhongshu.model.messages import CommandChanged, Event, Proposed

#: Commands remembered; a unit's running job is found among them.
KEPT = 2000
#: Commands that a page gets at once.
SHOWN = 60
#: Lots of an order whose commands are looked for.
LOTS = 400
#: Proposals that wait for their command.
WAITING = 1000
#: What the strip counts: ends of the last so many wall seconds.
RECENT_WALL_S = 900.0

Row = dict[str, Any]


class CommandBoard:
    """Rows for the pages, newest last: ``key unit verb status subject decision reason detail by args t_ms steps``.

    ``t_ms`` is plant time of the proposal; ``steps`` are [status, wall ms, detail] in the order in which they came.
    """

    def __init__(self, plant: str, clock: Clock) -> None:
        self._plant, self._clock = plant, clock
        self._rows: OrderedDict[int, Row] = OrderedDict()
        self._proposed: OrderedDict[str, Proposed] = OrderedDict()
        self._changed: set[int] = set()
        self._ended: deque[tuple[int, str]] = deque(maxlen=100_000)

    def load(self, store: Store) -> None:
        """Begin with what the store holds; blocking."""
        with store.read() as session:
            for row in reversed(newest(session, self._plant, limit=KEPT)):
                self._rows[row["key"]] = row
        ends = [
            (step[1] * 1_000_000, step[0])
            for row in self._rows.values()
            for step in row["steps"]
            if step[0] in ENDS
        ]
        self._ended.extend(sorted(ends))

    def take(self, event: Event) -> None:
        """Follow a proposal or a step; other events are passed over."""
        if isinstance(event, Proposed):
            self._proposed[event.proposal] = event
            while len(self._proposed) > WAITING:
                self._proposed.popitem(last=False)
        elif isinstance(event, CommandChanged):
            self._step(event)

    def _step(self, event: CommandChanged) -> None:
        row = self._rows.get(event.command)
        if row is None:
            row = self._rows[event.command] = self._new(event)
            while len(self._rows) > KEPT:
                self._rows.popitem(last=False)
        wall_ms = self._clock.to_wall_ns(event.t_ns) // 1_000_000
        if [event.status, wall_ms] in [step[:2] for step in row["steps"]]:
            return  # the store had it already
        row["steps"].append([event.status, wall_ms, event.detail])
        row["status"], row["detail"] = event.status, event.detail
        self._changed.add(event.command)
        if event.status in ENDS:
            self._ended.append((self._clock.wall_ns(), event.status))

    def _new(self, event: CommandChanged) -> Row:
        proposed = self._proposed.pop(event.proposal, None)
        return {
            "key": event.command,
            "unit": event.unit,
            "verb": event.verb,
            "status": event.status,
            "subject": event.subject,
            "decision": proposed.decision if proposed else "",
            "reason": proposed.reason if proposed else "",
            "detail": event.detail,
            "by": proposed.by if proposed else "",
            "args": brief(json.loads(proposed.args)) if proposed else {},
            "t_ms": event.t_ns // 1_000_000,
            "steps": [],
        }

    def newest(self, limit: int = SHOWN) -> list[Row]:
        """The newest rows, oldest first."""
        return list(self._rows.values())[-limit:]

    def changed(self) -> list[Row]:
        """Rows that took a step since the last call, at most ``SHOWN``."""
        keys, self._changed = sorted(self._changed)[-SHOWN:], set()
        return [self._rows[key] for key in keys if key in self._rows]

    def job(self, key: int) -> tuple[int, int]:
        """Lot and product code of the job order ``key``; zeros where it is not known."""
        args = self._rows.get(key, {}).get("args", {})
        return int(args.get("lot", 0)), int(args.get("product", 0))

    def task(self, key: int) -> tuple[int, int]:
        """Lot and operation of the job order ``key``; zeros where it is not known."""
        args = self._rows.get(key, {}).get("args", {})
        return int(args.get("lot", 0)), int(args.get("operation", 0))

    def recent(self) -> Mapping[str, int]:
        """How commands ended lately, by status."""
        oldest = self._clock.wall_ns() - round(RECENT_WALL_S * 1e9)
        while self._ended and self._ended[0][0] < oldest:
            self._ended.popleft()
        return Counter(status for _, status in self._ended)


def newest(
    session: Session, plant: str, *, unit: str = "", status: str = "", order: str = "", limit: int = 100
) -> list[Row]:
    """The newest commands of the store with their steps, newest first; ``order``: only those about its lots."""
    query = select(CommandRow).where(CommandRow.plant == plant)
    if order:
        lots = session.scalars(select(Lot.id).where(Lot.plant == plant, Lot.order_id == order).limit(LOTS))
        query = query.where(CommandRow.subject.in_([f"lot:{lot}" for lot in lots]))
    if unit:
        query = query.where(CommandRow.unit == unit)
    if status:
        query = query.where(CommandRow.status == status)
    found = session.scalars(query.order_by(CommandRow.key.desc()).limit(limit)).all()
    return rows_of(session, found)


def rows_of(session: Session, found: Sequence[CommandRow]) -> list[Row]:
    """Commands of the store as rows for the pages."""
    steps: dict[int, list[list[Any]]] = {command.key: [] for command in found}
    for step in _steps(session, list(steps)):
        steps[step.command].append([step.status, step.wall_ns // 1_000_000, step.detail])
    return [
        {
            "key": command.key,
            "unit": command.unit,
            "verb": command.verb,
            "status": command.status,
            "subject": command.subject,
            "decision": command.decision,
            "reason": command.reason,
            "detail": command.detail,
            "by": command.by,
            "args": brief(command.args),
            "t_ms": command.created_ns // 1_000_000,
            "steps": steps[command.key],
        }
        for command in found
    ]


def _steps(session: Session, keys: list[int]) -> Iterable[CommandStep]:
    # SQLite takes a limited number of values in one statement.
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        yield from session.scalars(
            select(CommandStep).where(CommandStep.command.in_(some)).order_by(CommandStep.id)
        )


def brief(args: Mapping[str, Any]) -> dict[str, Any]:
    """What a page says of a command; a vehicle's whole route would only make the frame long."""
    return {name: value for name, value in args.items() if name != "route"}
