"""PackML modes and states by name (ISA-TR88.00.02-2022); numbers differ between companion specs, so connectors map them."""

from __future__ import annotations

from enum import IntEnum


def named(kind: type[IntEnum], value: float) -> str:
    """The member's name; what a device says beyond the enumeration is its zero: UNDEFINED or NONE."""
    return kind(int(value) if value in kind._value2member_map_ else 0).name


class UnitState(IntEnum):
    """The seventeen PackML states, numbered as in ISA-TR88.00.02."""

    UNDEFINED = 0
    CLEARING = 1
    STOPPED = 2
    STARTING = 3
    IDLE = 4
    SUSPENDED = 5
    EXECUTE = 6
    STOPPING = 7
    ABORTING = 8
    ABORTED = 9
    HOLDING = 10
    HELD = 11
    UNHOLDING = 12
    SUSPENDING = 13
    UNSUSPENDING = 14
    RESETTING = 15
    COMPLETING = 16
    COMPLETE = 17


class UnitMode(IntEnum):
    """PackML unit modes; LOCAL and LOCKED_OUT are ours, in the range the report leaves to users."""

    UNDEFINED = 0
    PRODUCTION = 1
    MAINTENANCE = 2
    MANUAL = 3
    LOCAL = 4
    LOCKED_OUT = 5


#: Only in this mode may the brain plan a unit or command it.
COMMANDABLE = frozenset({UnitMode.PRODUCTION})


class JobState(IntEnum):
    """How far a unit is with the job order it was given (after OPC 10031-4, shortened)."""

    NONE = 0
    WAITING = 1
    SETUP = 2
    RUNNING = 3
    DONE = 4
    ABORTED = 5


class TransportState(IntEnum):
    """How far a vehicle is with its transport order, read from VDA 5050 state messages."""

    NONE = 0
    RUNNING = 1
    DONE = 2
    FAILED = 3
