"""A named person's word on one command: approval, rejection, or what became of one that was unknown; act carries it out."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from zhongshu.kernel.outbox import put_event
from zhongshu.kernel.store.act_tables import CommandRuling
from zhongshu.kernel.store.signed import Refused, Signed, Why
from zhongshu.kernel.store.tables import Command
from zhongshu.model.commands import CommandStatus, Word
from zhongshu.model.messages import CommandRuled

#: On what waits for approval; the others are on unknown commands.
ON_QUEUE = frozenset({Word.APPROVE, Word.REJECT})
KEY_MAX = 2**31 - 1


def rule_on(session: Session, plant: str, command: int, ruling: str, signed: Signed) -> CommandRuling:
    """Leave the person's word; raises Refused where the command does not wait for it, or has one already."""
    if ruling not in set(Word):
        raise Refused("ruling.kind", ruling=ruling[:32], rulings=", ".join(Word))
    row = session.get(Command, command) if 0 < command <= KEY_MAX else None
    if row is None or row.plant != plant:
        raise Refused("ruling.none", Why.MISSING, command=command)
    if ruling in ON_QUEUE and not (row.status == CommandStatus.PROPOSED and row.waits):
        raise Refused("ruling.not-waiting", Why.CONFLICT, command=command, status=row.status)
    if ruling not in ON_QUEUE and row.status != CommandStatus.UNKNOWN:
        raise Refused("ruling.not-unknown", Why.CONFLICT, command=command, status=row.status)
    for other in rulings(session, plant, [command]):
        if (other.ruling in ON_QUEUE) == (ruling in ON_QUEUE):
            raise Refused("ruling.twice", Why.CONFLICT, command=command, by=other.by, ruling=other.ruling)
    made = CommandRuling(
        plant=plant,
        command=command,
        ruling=str(ruling),
        by=signed.by,
        note=signed.note,
        t_ns=signed.now_ns,
    )
    session.add(made)
    session.flush()
    event = CommandRuled(
        plant, signed.stage, signed.now_ns, made.id, command, made.ruling, signed.by, signed.note
    )
    put_event(session, signed.stage, event, msg_id=f"ruling.{plant}.{made.id}")
    return made


def rulings(session: Session, plant: str, commands: Collection[int]) -> list[CommandRuling]:
    """What was said of these commands, in order."""
    mine = select(CommandRuling).where(CommandRuling.plant == plant, CommandRuling.command.in_(commands))
    return list(session.scalars(mine.order_by(CommandRuling.id)))


def rulings_after(session: Session, plant: str, after: int) -> list[CommandRuling]:
    """What was said since the ruling of that number, in order."""
    mine = select(CommandRuling).where(CommandRuling.plant == plant, CommandRuling.id > after)
    return list(session.scalars(mine.order_by(CommandRuling.id).limit(1000)))
