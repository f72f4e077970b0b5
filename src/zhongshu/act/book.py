"""The command book: every step of every command is in the store before anything else happens, and leaves through the outbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from zhongshu.act.life import check_step
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.store.tables import Command as CommandRow
from zhongshu.kernel.store.tables import CommandStep as CommandStepRow
from zhongshu.model.commands import ENDS, Call, CommandStatus, Verb
from zhongshu.model.messages import CommandChanged, Proposed

STAGE = "act"
POSITION = "act.events"


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the book has it; times are plant time in ns."""

    call: Call
    proposal: str
    status: CommandStatus
    subject: str
    expires_ns: int
    sent_ns: int


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
            )
            session.add(row)
            session.flush()
            self._record(session, row, CommandStatus.PROPOSED, proposed.reason, proposed.by)
            return _command(row)

    def step(self, command: Command, status: CommandStatus, detail: str, by: str = STAGE) -> Command:
        """Take one step; raises StepNotAllowed for one that a command's life does not know."""
        with self._store.begin() as session:
            row = session.get_one(CommandRow, command.call.key)
            check_step(CommandStatus(row.status), status)
            row.status, row.detail = status.value, detail
            if status is CommandStatus.SENT:
                row.sent_ns = self._clock.now_ns()
                row.args = dict(command.call.args)  # with the way that a transport order was given
            self._record(session, row, status, detail, by)
            return replace(command, status=status, sent_ns=row.sent_ns or 0)

    def ended(self) -> dict[str, int]:
        """How many commands ever came to each end."""
        with self._store.read() as session:
            counts = session.execute(
                select(CommandRow.status, func.count())
                .where(CommandRow.plant == self._plant, CommandRow.status.in_([s.value for s in ENDS]))
                .group_by(CommandRow.status)
            )
            return {status: int(count) for status, count in counts}

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

    def _record(self, session: Session, row: CommandRow, status: CommandStatus, detail: str, by: str) -> None:
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
    call = Call(row.unit, Verb[row.verb], row.key, row.args)
    return Command(
        call, row.proposal, CommandStatus(row.status), row.subject, row.expires_ns, row.sent_ns or 0
    )
