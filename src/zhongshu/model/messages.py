"""The facts that travel on the EVENTS stream: frozen, past tense, each with plant, source and plant time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A unit's PackML state or mode is another one now (names of UnitState, UnitMode).

    Wall ns: ``received_ns`` when the value came to the plant's edge, ``said_ns`` when this was said; 0 where nobody knows.
    """

    plant: str
    source: str
    t_ns: int
    unit: str
    state: str
    mode: str
    previous_state: str
    previous_mode: str
    received_ns: int = 0
    said_ns: int = 0


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

    ``decision`` names what this goes by, the plan in force or a rule (``model.decisions``); ``reason`` says why in one key of
    decide/strings.toml, ``subject`` what it is about (a lot, an order). ``proposal`` makes a repeated publication harmless.
    ``plan`` is the version of the schedule in force, 0 for none.
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
    plan: int = 0


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


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """A named person changed an order: due, priority and quantity as they are now; ``cancelled`` ends it.

    Decide cancels lots of which nothing exists yet; those begun run to the end of their operation and are held.
    """

    plant: str
    source: str
    t_ns: int
    order: str
    quantity: int
    due_ns: int
    priority: int
    cancelled: bool
    by: str


@dataclass(frozen=True, slots=True)
class LotCorrected:
    """A named person put right what the book says of a lot; ``correction`` is its number in the store.

    ``kind`` count sets ``good`` and ``scrap``; move says that it lies at ``place``, behind it where ``at_output``; hold keeps
    it where it is once its operation ends; release lets it go on. Fields of another kind are 0, "" and False.
    """

    plant: str
    source: str
    t_ns: int
    correction: int
    lot: int
    kind: str
    good: int
    scrap: int
    place: str
    at_output: bool
    by: str


@dataclass(frozen=True, slots=True)
class OrderHeld:
    """A named person stopped an order for its quality (``held``), or let it go on; all its open lots follow."""

    plant: str
    source: str
    t_ns: int
    correction: int
    order: str
    held: bool
    by: str


@dataclass(frozen=True, slots=True)
class StockCorrected:
    """A named person counted a material in the store: so much of it is there."""

    plant: str
    source: str
    t_ns: int
    correction: int
    material: str
    quantity: float
    by: str


@dataclass(frozen=True, slots=True)
class PlanRuleChanged:
    """A named person laid down a rule for the planner, or ended it: it stands in ``plan_rules`` under ``rule``."""

    plant: str
    source: str
    t_ns: int
    rule: int
    kind: str
    subject: str
    ended: bool
    by: str


@dataclass(frozen=True, slots=True)
class SchedulePublished:
    """The planner made a plan, or put one in force: ``status`` is live or scenario, ``cause`` one word.

    ``moved`` tasks of ``tasks`` lie elsewhere than before; ``late`` orders, ``weighted_tardiness_s`` their delay by weight.
    """

    plant: str
    source: str
    t_ns: int
    version: int
    status: str
    cause: str
    moved: int
    tasks: int
    late: int
    weighted_tardiness_s: int


@dataclass(frozen=True, slots=True)
class AutonomyChanged:
    """How far the brain may go changed (``autonomy_changes`` row ``change``): a person did it, or the brain stepped down.

    ``scope`` is plant, area:<id> or unit:<id>; ``kind`` level, taken or stopped; ``value`` "" where it is over.
    """

    plant: str
    source: str
    t_ns: int
    change: int
    scope: str
    kind: str
    before: str
    value: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class CommandRuled:
    """A named person's word on a command (``command_rulings`` row ``number``): approve, reject; proven or failed ends an unknown."""

    plant: str
    source: str
    t_ns: int
    number: int
    command: int
    ruling: str
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class PlanTaken:
    """Dispatch goes by this version of the plan from now on. Wall ns: it heard of it, it had read it."""

    plant: str
    source: str
    t_ns: int
    version: int
    heard_ns: int
    taken_ns: int


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """Why a plan is in force stands in the store under ``decision``; ``rule`` names the trigger, ``subject`` whom it concerns."""

    plant: str
    source: str
    t_ns: int
    decision: str
    rule: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class DemoStaged:
    """The demo, no part of the brain, has asked the twin for a fault, so that visitors see one; nobody decides by this."""

    plant: str
    source: str
    t_ns: int
    kind: str
    unit: str


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
    | OrderChanged
    | LotCorrected
    | OrderHeld
    | StockCorrected
    | PlanRuleChanged
    | SchedulePublished
    | AutonomyChanged
    | CommandRuled
    | PlanTaken
    | DecisionMade
    | DemoStaged
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
        OrderChanged,
        LotCorrected,
        OrderHeld,
        StockCorrected,
        PlanRuleChanged,
        SchedulePublished,
        AutonomyChanged,
        CommandRuled,
        PlanTaken,
        DecisionMade,
        DemoStaged,
    )
}
