"""The life of a command as a pure table: which step may follow which."""

from __future__ import annotations

from zhongshu.model.commands import ENDS, CommandStatus

S = CommandStatus
#: UNKNOWN may still be ended by a measurement (proven, failed) or a named person; nothing else leaves an end.
#: PROPOSED follows itself once, where it is found that a person has to approve.
NEXT: dict[CommandStatus, frozenset[CommandStatus]] = {
    S.PROPOSED: frozenset({S.PROPOSED, S.APPROVED, S.REFUSED, S.EXPIRED}),
    S.APPROVED: frozenset({S.SENT, S.EXPIRED, S.REFUSED}),
    S.SENT: frozenset({S.ACCEPTED, S.PROVEN, S.REFUSED, S.FAILED, S.UNKNOWN, S.APPROVED}),
    S.ACCEPTED: frozenset({S.PROVEN, S.FAILED, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.PROVEN, S.FAILED, S.REFUSED}),
    S.PROVEN: frozenset(),
    S.REFUSED: frozenset(),
    S.EXPIRED: frozenset(),
    S.FAILED: frozenset(),
}


class StepNotAllowed(Exception):
    """A command was about to take a step its life does not allow: a bug, never data."""


def check_step(old: CommandStatus, new: CommandStatus) -> None:
    """Raise StepNotAllowed unless ``new`` may follow ``old``."""
    if new not in NEXT[old]:
        raise StepNotAllowed(f"{old} → {new}")


def ended(status: CommandStatus) -> bool:
    """True where nobody works on the command any more."""
    return status in ENDS
