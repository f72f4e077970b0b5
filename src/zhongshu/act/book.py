"""The command book: every step of every command is in the store before anything else happens, and leaves through the outbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zhongshu.act.life import check_step
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import autonomy_version
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.store.tables import Command as CommandRow
from zhongshu.kernel.store.tables import CommandStep as CommandStepRow
from zhongshu.model.commands import ENDS, Call, CommandStatus, Verb
from zhongshu.model.messages import CommandChanged, Proposed

STAGE = "act"
POSITION = "act.events"
Samples = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the book has it; times are plant time in ns.

    ``by`` asked for it; ``approved_by`` is the ladder or a person's name, "" before; ``waits``: for a person's approval.
    """

    call: Call
    proposal: str
    status: CommandStatus
    subject: str
    expires_ns: int
    sent_ns: int
    by: str = ""
    approved_by: str = ""
    waits: bool = False


class CommandBook:
    """All methods are synchronous and commit before they return; call them in a thread."""

    def __init__(self, plant: str, store: Store, clock: Clock) -> None:
        self._plant, self._store, self._clock = plant, store, clock

    def position(self) -> int:
        """The last EVENTS sequence whose proposals are in the book."""
        with self._store.begin() as session:
            return int(get_meta(session, self._plant, POSITION) or 0)

    def enter(self, proposed: Proposed, seq: int) -> Command | None:
        """Enter a proposal as a new command; None where the book already has it."""
        with self._store.begin() as session:
            set_meta(session, self._plant, POSITION, str(seq))
            return self.add(session, proposed)

    def add(self, session: Session, proposed: Proposed) -> Command | None:
        """The same within a transaction of the caller's."""
        if session.scalar(select(CommandRow.key).where(CommandRow.proposal == proposed.proposal)):
            return None
        row = CommandRow(
            plant=self._plant,
            proposal=proposed.proposal,
            unit=proposed.unit,
            verb=proposed.verb,
            args=json.loads(proposed.args),
            status=CommandStatus.PROPOSED.value,
            decision=proposed.decision,
            reason=proposed.reason,
            subject=proposed.subject,
            by=proposed.by,
            created_ns=self._clock.now_ns(),
            expires_ns=proposed.expires_ns,
            detail="",
            plan=proposed.plan,
            approved_by="",
            waits=False,
        )
        session.add(row)
        session.flush()
        self._record(session, row, CommandStatus.PROPOSED, proposed.reason, proposed.by, [])
        return _command(row)

    def step(
        self,
        command: Command,
        status: CommandStatus,
        detail: str,
        *,
        by: str = STAGE,
        samples: Samples | None = None,
    ) -> Command:
        """Take one step; raises StepNotAllowed for one that a command's life does not know."""
        with self._store.begin() as session:
            return self.take(session, command, status, detail, by=by, samples=samples)

    def take(
        self,
        session: Session,
        command: Command,
        status: CommandStatus,
        detail: str,
        *,
        by: str = STAGE,
        samples: Samples | None = None,
    ) -> Command:
        """The same within a transaction of the caller's."""
        row = session.get_one(CommandRow, command.call.key)
        check_step(CommandStatus(row.status), status)
        row.status, row.detail = status.value, detail
        row.waits = row.waits and status is CommandStatus.PROPOSED
        if status is CommandStatus.SENT:
            row.sent_ns = self._clock.now_ns()
            row.args = dict(command.call.args)  # with the way that a transport order was given
        self._record(session, row, status, detail, by, samples or [])
        return replace(command, status=status, sent_ns=row.sent_ns or 0, waits=row.waits)

    def wait(self, command: Command, reason: str, expires_ns: int) -> Command:
        """From now on it waits for a person, until then."""
        with self._store.begin() as session:
            row = session.get_one(CommandRow, command.call.key)
            row.waits, row.expires_ns = True, expires_ns
            waiting = self.take(session, command, CommandStatus.PROPOSED, reason)
            return replace(waiting, expires_ns=expires_ns)

    def approve(self, command: Command, approved_by: str, *, note: str = "", expires_ns: int = 0) -> Command:
        """By the ladder, or by a person, who gives it new validity as well."""
        with self._store.begin() as session:
            row = session.get_one(CommandRow, command.call.key)
            row.approved_by = approved_by
            row.expires_ns = expires_ns or row.expires_ns
            by = STAGE if not expires_ns else approved_by
            approved = self.take(session, command, CommandStatus.APPROVED, note, by=by)
            return replace(approved, approved_by=approved_by, expires_ns=row.expires_ns)

    def send(self, command: Command, samples: Samples, version: int) -> Command | None:
        """The step *sent*; None where autonomy was changed since ``version``: nothing may leave before that is looked at.

        Read in the same transaction, so that after a stop is in the store nothing is sent any more.
        """
        with self._store.begin() as session:
            if autonomy_version(session, self._plant) != version:
                return None
            return self.take(session, command, CommandStatus.SENT, "", samples=samples)

    def ended(self) -> dict[str, int]:
        """How many commands ever came to each end."""
        with self._store.read() as session:
            counts = session.execute(
                select(CommandRow.status, func.count())
                .where(CommandRow.plant == self._plant, CommandRow.status.in_([s.value for s in ENDS]))
                .group_by(CommandRow.status)
            )
            return {status: int(count) for status, count in counts}

    def at_work(self) -> list[Call]:
        """The newest job and transport order of every unit that took effect: it may be at work on it still."""
        mine = (
            select(func.max(CommandRow.key))
            .where(
                CommandRow.plant == self._plant,
                CommandRow.status == CommandStatus.PROVEN.value,
                CommandRow.verb.in_((Verb.START_JOB.name, Verb.TRANSPORT.name)),
            )
            .group_by(CommandRow.unit)
        )
        with self._store.read() as session:
            rows = session.scalars(select(CommandRow).where(CommandRow.key.in_(mine)))
            return [_command(row).call for row in rows]

    def open(self) -> Sequence[Command]:
        """Commands that someone still has to work on: live ones, and unknown ones that a measurement may still end."""
        wanted = [
            CommandStatus.PROPOSED,
            CommandStatus.APPROVED,
            CommandStatus.SENT,
            CommandStatus.ACCEPTED,
            CommandStatus.UNKNOWN,
        ]
        with self._store.begin() as session:
            rows = session.scalars(
                select(CommandRow)
                .where(CommandRow.plant == self._plant, CommandRow.status.in_([s.value for s in wanted]))
                .order_by(CommandRow.key)
            )
            return [_command(row) for row in rows]

    def _record(
        self,
        session: Session,
        row: CommandRow,
        status: CommandStatus,
        detail: str,
        by: str,
        samples: Samples,
    ) -> None:
        now_ns = self._clock.now_ns()
        if status in ENDS:
            row.ended_ns = now_ns
        step = CommandStepRow(
            plant=self._plant,
            command=row.key,
            status=status.value,
            t_ns=now_ns,
            wall_ns=self._clock.wall_ns(),
            detail=detail,
            by=by,
            samples=samples,
        )
        session.add(step)
        session.flush()
        event = CommandChanged(
            self._plant,
            STAGE,
            now_ns,
            row.key,
            row.proposal,
            row.unit,
            row.verb,
            status.value,
            detail,
            row.subject,
        )
        put_event(session, STAGE, event, msg_id=f"command.{row.key}.{step.id}")


def _command(row: CommandRow) -> Command:
    return Command(
        Call(row.unit, Verb[row.verb], row.key, row.args),
        row.proposal,
        CommandStatus(row.status),
        row.subject,
        row.expires_ns,
        row.sent_ns or 0,
        row.by,
        row.approved_by,
        row.waits,
    )
