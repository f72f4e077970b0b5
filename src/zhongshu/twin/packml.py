"""Which PackML state may follow which, and how long the transient ones take; every machine asks before it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zhongshu.model.states import UnitState as S

#: Where a Stop command is legal: anywhere but where the machine is stopped, stopping or aborted already.
STOPPABLE: Final = frozenset(
    {
        S.RESETTING,
        S.IDLE,
        S.STARTING,
        S.EXECUTE,
        S.HOLDING,
        S.HELD,
        S.UNHOLDING,
        S.SUSPENDING,
        S.SUSPENDED,
        S.UNSUSPENDING,
        S.COMPLETING,
        S.COMPLETE,
    }
)
#: Where an Abort is legal: a fault may strike everywhere but where it has struck already.
ABORTABLE: Final = STOPPABLE | {S.CLEARING, S.STOPPED, S.STOPPING}
#: States in which operating time passes: work goes on, wear grows, a breakdown may strike.
WORKING: Final = frozenset({S.STARTING, S.EXECUTE})
#: States in which the people and tools of a job are with the machine.
MANNED: Final = WORKING | {S.SUSPENDING, S.SUSPENDED, S.UNSUSPENDING, S.HOLDING, S.HELD, S.UNHOLDING}

_ONWARD: Final[Mapping[S, frozenset[S]]] = {
    S.CLEARING: frozenset({S.STOPPED}),
    S.STOPPED: frozenset({S.RESETTING}),
    S.RESETTING: frozenset({S.IDLE}),
    S.IDLE: frozenset({S.STARTING}),
    S.STARTING: frozenset({S.EXECUTE}),
    S.EXECUTE: frozenset({S.COMPLETING, S.HOLDING, S.SUSPENDING}),
    S.HOLDING: frozenset({S.HELD}),
    S.HELD: frozenset({S.UNHOLDING}),
    S.UNHOLDING: frozenset({S.EXECUTE}),
    S.SUSPENDING: frozenset({S.SUSPENDED}),
    S.SUSPENDED: frozenset({S.UNSUSPENDING}),
    S.UNSUSPENDING: frozenset({S.EXECUTE}),
    S.COMPLETING: frozenset({S.COMPLETE}),
    S.COMPLETE: frozenset({S.RESETTING}),
    S.STOPPING: frozenset({S.STOPPED}),
    S.ABORTING: frozenset({S.ABORTED}),
    S.ABORTED: frozenset({S.CLEARING}),
}

#: Plant seconds in the transient states whose length is not the work itself.
TRANSIENT_S: Final[Mapping[S, float]] = {
    S.CLEARING: 2.0,
    S.RESETTING: 2.0,
    S.STARTING: 1.0,
    S.HOLDING: 1.0,
    S.UNHOLDING: 1.0,
    S.SUSPENDING: 0.5,
    S.UNSUSPENDING: 0.5,
    S.COMPLETING: 1.0,
    S.COMPLETE: 1.0,
    S.STOPPING: 1.0,
    S.ABORTING: 0.5,
}


class IllegalTransition(Exception):
    """A machine tried to go where PackML does not lead; always an error in the twin itself."""


def allowed(old: S, new: S) -> bool:
    """Whether ISA-TR88.00.02 knows this transition."""
    if new is S.STOPPING:
        return old in STOPPABLE
    if new is S.ABORTING:
        return old in ABORTABLE
    return new in _ONWARD.get(old, frozenset())


def require(old: S, new: S) -> None:
    """Raise IllegalTransition unless ``allowed``."""
    if not allowed(old, new):
        raise IllegalTransition(f"{old.name} → {new.name}")
