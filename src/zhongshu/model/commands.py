"""The words of a command: what may be asked of a unit, how it answers, and the steps of a command's life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Verb(IntEnum):
    """What the brain may ask of a unit; the number goes over the wire where a protocol has no methods."""

    START_JOB = 1
    STOP = 2  # finish the cycle, then PackML Stopped
    RESET = 3  # from Stopped or Aborted back to Idle
    HOLD = 4
    UNHOLD = 5
    ABORT_JOB = 6
    SET_PARAMETER = 7  # a plain write with read-back, never a request
    TRANSPORT = 8
    CANCEL_TRANSPORT = 9
    EXTEND_TRANSPORT = 10  # under the order's own key; the device compares the number of the update


class Result(IntEnum):
    """How a unit answers a request; a key it has answered before gets the same answer again and does nothing."""

    OK = 0
    BUSY = 1
    NO_MATERIAL = 2
    WRONG_MODE = 3
    NOT_CAPABLE = 4
    NOT_READY = 5
    OUTPUT_FULL = 6
    BAD_ARGUMENT = 7
    UNKNOWN_VERB = 8
    READ_BACK_DIFFERS = 9
    PROTOCOL_ERROR = 10


class Outcome(StrEnum):
    """What a Writer knows after it asked."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # sent, or perhaps sent, and no answer in time
    NOT_SENT = "not_sent"  # certainly never left us: no connection


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one unit. ``key`` is unique in the plant, positive, below 2**31; the device compares it.

    START_JOB args: lot, product (code), operation, quantity — all int.
    SET_PARAMETER args: point (id), value. TRANSPORT and EXTEND_TRANSPORT args: see ``orders.TransportOrder.to_args``; an
    extension has the key of the order that it extends. Others: none.
    """

    unit: str
    verb: Verb
    key: int
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``result`` is the device's own code, ``reason`` words for people, ``t_ns`` plant time."""

    outcome: Outcome
    result: Result = Result.OK
    reason: str = ""
    t_ns: int = 0


class CommandStatus(StrEnum):
    """The life of a command; the last six are ends, though UNKNOWN may still be ended by a measurement or a named person."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SENT = "sent"
    ACCEPTED = "accepted"
    PROVEN = "proven"  # effect seen
    REFUSED = "refused"
    EXPIRED = "expired"
    FAILED = "failed"
    UNKNOWN = "unknown"


ENDS = frozenset(
    {
        CommandStatus.PROVEN,
        CommandStatus.REFUSED,
        CommandStatus.EXPIRED,
        CommandStatus.FAILED,
        CommandStatus.UNKNOWN,
    }
)


class Word(StrEnum):
    """A named person's word on one command."""

    APPROVE = "approve"  # what waits for approval may go out
    REJECT = "reject"
    PROVEN = "proven"  # somebody looked: the unknown command took effect …
    FAILED = "failed"  # … or it did not
