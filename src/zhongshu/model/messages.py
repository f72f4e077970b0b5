"""The facts that travel on the EVENTS stream: frozen, past tense, each with plant, source and plant time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A unit's PackML state or mode is another one now (names of UnitState, UnitMode)."""

    plant: str
    source: str
    t_ns: int
    unit: str
    state: str
    mode: str
    previous_state: str
    previous_mode: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A connection (``unit`` empty) or one device behind it came or went."""

    plant: str
    source: str
    t_ns: int
    connection: str
    unit: str
    up: bool
    reason: str


@dataclass(frozen=True, slots=True)
class GapRecorded:
    """Samples between ``start_ns`` and ``end_ns`` (plant time, both included) are known to be missing.

    ``points`` empty means all points of ``unit``; ``unit`` empty all of ``connection``. ``missing`` is the count by the
    device's own numbering, -1 where nobody can know.
    """

    plant: str
    source: str
    t_ns: int
    gap: str
    connection: str
    unit: str
    points: tuple[int, ...]
    start_ns: int
    end_ns: int
    missing: int
    cause: str


@dataclass(frozen=True, slots=True)
class TextReported:
    """A device sent text on a point (an error message, a serial number)."""

    plant: str
    source: str
    t_ns: int
    point: int
    text: str


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """What a unit says of the job order ``key`` (names of JobState)."""

    plant: str
    source: str
    t_ns: int
    unit: str
    key: int
    state: str
    good: int
    scrap: int


@dataclass(frozen=True, slots=True)
class TransportProgressed:
    """What a vehicle says of the transport order ``key`` (names of TransportState)."""

    plant: str
    source: str
    t_ns: int
    vehicle: str
    key: int
    state: str
    load: int


@dataclass(frozen=True, slots=True)
class OrderReceived:
    """A work order was accepted through the order API and stands in the store."""

    plant: str
    source: str
    t_ns: int
    order: str
    product: str
    quantity: int
    due_ns: int
    release_ns: int
    priority: int


@dataclass(frozen=True, slots=True)
class OrderProgressed:
    """An order was released, started, finished, or cancelled: ``status`` says which."""

    plant: str
    source: str
    t_ns: int
    order: str
    status: str
    done: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Proposed:
    """Decide asks for a command. ``args`` is ``Call.args`` as JSON; after ``expires_ns`` (plant time) it must not be sent.

    ``decision`` names the decision this belongs to, ``reason`` says why in one key of decide/strings.toml,
    ``subject`` what it is about (a lot, an order). ``proposal`` makes a repeated publication harmless.
    """

    plant: str
    source: str
    t_ns: int
    proposal: str
    unit: str
    verb: str
    args: str
    decision: str
    reason: str
    subject: str
    expires_ns: int
    by: str


@dataclass(frozen=True, slots=True)
class CommandChanged:
    """A command took the next step of its life (names of CommandStatus); ``detail`` holds the proof or the reason."""

    plant: str
    source: str
    t_ns: int
    command: int
    proposal: str
    unit: str
    verb: str
    status: str
    detail: str
    subject: str


Event = (
    StateChanged
    | LinkChanged
    | GapRecorded
    | TextReported
    | JobProgressed
    | TransportProgressed
    | OrderReceived
    | OrderProgressed
    | Proposed
    | CommandChanged
)
KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        StateChanged,
        LinkChanged,
        GapRecorded,
        TextReported,
        JobProgressed,
        TransportProgressed,
        OrderReceived,
        OrderProgressed,
        Proposed,
        CommandChanged,
    )
}
