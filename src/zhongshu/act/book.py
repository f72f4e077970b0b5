"""The command book: every step of every command is in the store before anything else happens, and leaves through the outbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, Update, bindparam, func, insert, select

from zhongshu.act.life import StepNotAllowed, check_step
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.autonomy import autonomy_version
from zhongshu.kernel.store.meta import get_meta, set_meta
from zhongshu.kernel.store.tables import Command as CommandRow
from zhongshu.kernel.store.tables import CommandStep as CommandStepRow
from zhongshu.kernel.store.within import Within, plain
from zhongshu.model.commands import ENDS, Call, CommandStatus, Verb
from zhongshu.model.messages import CommandChanged, Proposed

STAGE = "act"
POSITION = "act.events"
Samples = list[dict[str, Any]]
_KNOWN = select(CommandRow.key).where(
    CommandRow.plant == bindparam("of"), CommandRow.proposal == bindparam("as")
)
_ADD = insert(CommandRow.__table__)  # type: ignore[arg-type]  # a whole table, as every class of ours maps
_RECORD = insert(CommandStepRow.__table__)  # type: ignore[arg-type]


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
        with self._store.look() as connection:
            return int(get_meta(connection, self._plant, POSITION) or 0)

    def enter(self, proposed: Proposed, seq: int) -> Command | None:
        """Enter a proposal as a new command; None where the book already has it."""
        with self._store.write() as connection:
            set_meta(connection, self._plant, POSITION, str(seq))
            return self.add(connection, proposed)

    def add(self, within: Within, proposed: Proposed) -> Command | None:
        """The same within a transaction of the caller's."""
        connection = plain(within)
        if connection.scalar(_KNOWN, {"of": self._plant, "as": proposed.proposal}):
            return None
        args = json.loads(proposed.args)
        row = {
            "plant": self._plant,
            "proposal": proposed.proposal,
            "unit": proposed.unit,
            "verb": proposed.verb,
            "args": args,
            "status": CommandStatus.PROPOSED.value,
            "decision": proposed.decision,
            "reason": proposed.reason,
            "subject": proposed.subject,
            "by": proposed.by,
            "created_ns": self._clock.now_ns(),
            "expires_ns": proposed.expires_ns,
            "detail": "",
            "plan": proposed.plan,
            "approved_by": "",
            "waits": False,
        }
        (key,) = connection.execute(_ADD, row).inserted_primary_key or (0,)
        call = Call(proposed.unit, Verb[proposed.verb], key, args)
        added = Command(
            call,
            proposed.proposal,
            CommandStatus.PROPOSED,
            proposed.subject,
            proposed.expires_ns,
            0,
            proposed.by,
        )
        self._record(connection, added, proposed.reason, proposed.by, [])
        return added

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
        with self._store.write() as connection:
            return self.take(connection, command, status, detail, by=by, samples=samples)

    def take(
        self,
        within: Within,
        command: Command,
        status: CommandStatus,
        detail: str,
        *,
        by: str = STAGE,
        samples: Samples | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> Command:
        """The same within a transaction of the caller's; ``new``: further columns of the command's row."""
        connection = plain(within)
        check_step(command.status, status)
        taken = replace(command, status=status, waits=command.waits and status is CommandStatus.PROPOSED)
        row: dict[str, Any] = {"status": status.value, "detail": detail, "waits": taken.waits} | dict(
            new or {}
        )
        if status is CommandStatus.SENT:
            taken = replace(taken, sent_ns=self._clock.now_ns())
            # with the way that a transport order was given
            row |= {"sent_ns": taken.sent_ns, "args": dict(command.call.args)}
        if status in ENDS:
            row["ended_ns"] = self._clock.now_ns()
        self._change(connection, command, row)
        self._record(connection, taken, detail, by, samples or [])
        return taken

    def wait(self, command: Command, reason: str, expires_ns: int) -> Command:
        """From now on it waits for a person, until then."""
        with self._store.write() as connection:
            waiting = replace(command, waits=True, expires_ns=expires_ns)
            new = {"expires_ns": expires_ns}
            return self.take(connection, waiting, CommandStatus.PROPOSED, reason, new=new)

    def approve(self, command: Command, approved_by: str, *, note: str = "", expires_ns: int = 0) -> Command:
        """By the ladder, or by a person, who gives it new validity as well."""
        by = STAGE if not expires_ns else approved_by
        approved = replace(command, approved_by=approved_by, expires_ns=expires_ns or command.expires_ns)
        with self._store.write() as connection:
            new = {"approved_by": approved_by, "expires_ns": approved.expires_ns}
            return self.take(connection, approved, CommandStatus.APPROVED, note, by=by, new=new)

    def send(self, command: Command, samples: Samples, version: int) -> Command | None:
        """The step *sent*; None where autonomy was changed since ``version``: nothing may leave before that is looked at.

        Read in the same transaction, so that after a stop is in the store nothing is sent any more.
        """
        with self._store.write() as connection:
            if autonomy_version(connection, self._plant) != version:
                return None
            return self.take(connection, command, CommandStatus.SENT, "", samples=samples)

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

    @staticmethod
    def _change(connection: Connection, command: Command, new: dict[str, Any]) -> None:
        """Write columns of the command's row; raises StepNotAllowed where it stands otherwise in the store than here."""
        where = {"that": command.call.key, "still": command.status.value}
        if connection.execute(_changing(*new), where | new).rowcount != 1:
            raise StepNotAllowed(f"command {command.call.key} is {command.status} no more")

    def _record(
        self, connection: Connection, command: Command, detail: str, by: str, samples: Samples
    ) -> None:
        now_ns, key, status = self._clock.now_ns(), command.call.key, command.status.value
        step = {
            "plant": self._plant,
            "command": key,
            "status": status,
            "t_ns": now_ns,
            "wall_ns": self._clock.wall_ns(),
            "detail": detail,
            "by": by,
            "samples": samples,
        }
        (number,) = connection.execute(_RECORD, step).inserted_primary_key or (0,)
        event = CommandChanged(
            self._plant,
            STAGE,
            now_ns,
            key,
            command.proposal,
            command.call.unit,
            command.call.verb.name,
            status,
            detail,
            command.subject,
        )
        put_event(connection, STAGE, event, msg_id=f"command.{key}.{number}")


@cache
def _changing(*columns: str) -> Update:
    """By key, where the status still is what it was."""
    table = CommandRow.__table__
    assert isinstance(table, Table)  # each of our classes maps a whole table
    here = table.update().where(table.c.key == bindparam("that"), table.c.status == bindparam("still"))
    return here.values({name: bindparam(name) for name in columns})


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
