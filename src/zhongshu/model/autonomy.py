"""How far the brain may go by itself, area by area, and where a person has taken over or stopped it: pure values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: Under whose name the brain's own proposals and steps stand; whatever stands under another one a person asked for.
BRAIN = "brain"
#: The whole plant as a scope; others are ``area:<id>`` and ``unit:<id>``.
WHOLE = "plant"


class Level(StrEnum):
    """A rung of the ladder, the lowest first."""

    OBSERVE = "observe"  # the brain looks on and proposes nothing
    ADVISE = "advise"  # it says what it would do, and sends nothing
    APPROVE = "approve"  # it sends what a named person has approved
    ACT = "act"  # it sends by itself

    @property
    def below(self) -> Level:
        """The next rung down; the lowest is its own."""
        rungs = list(Level)
        return rungs[max(0, rungs.index(self) - 1)]


class Kind(StrEnum):
    """What a change of autonomy is about."""

    LEVEL = "level"  # of an area
    TAKEN = "taken"  # a person has taken over a unit or an area
    STOPPED = "stopped"  # a person has stopped the brain in an area or the whole plant


class Then(StrEnum):
    """What a stop does to units at work."""

    NOTHING = "finish"  # they go on with what they have; only nothing more is sent
    HOLD = "hold"
    STOP = "stop"


class Said(StrEnum):
    """Why a command of the brain's ended or waits on account of the ladder; keys of texts for people."""

    OBSERVES = "area_observes"
    ADVICE = "advice_only"
    WAITS = "waits_for_approval"
    FELL = "autonomy_was_lowered"
    TAKEN = "taken_over"
    STOPPED = "stopped_by_a_person"
    REJECTED = "rejected"
    NOBODY = "nobody_approved_in_time"


@dataclass(frozen=True, slots=True)
class Ladder:
    """What the plant file says: the level each area begins with, and when the brain steps down by itself.

    ``failures`` of its commands (0: never) without proof within ``within_s`` of plant time take an area one rung down; so does
    a share of Good points below ``fresh_share`` for ``stale_s`` of wall time. A proposal waits ``approval_s`` of wall time
    for a person. A unit gets a command at most every ``unit_gap_s``, an area at most ``area_per_s`` (both wall time).
    """

    default: Level = Level.ACT
    areas: Mapping[str, Level] = field(default_factory=dict)
    failures: int = 3
    within_s: float = 3600.0
    fresh_share: float = 0.5
    stale_s: float = 30.0
    approval_s: float = 600.0
    unit_gap_s: float = 0.2
    area_per_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Fact:
    """The newest word on one thing of one scope: ``value`` "" where it is over; plant time; ``number`` of the change."""

    value: str
    by: str
    t_ns: int
    note: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How one unit stands: its area's level, and the names of who took it over or stopped it, "" for nobody."""

    level: Level
    taken: str = ""
    stopped: str = ""

    @property
    def closed(self) -> bool:
        """The brain may not even propose for it."""
        return bool(self.taken or self.stopped) or self.level is Level.OBSERVE


@dataclass(frozen=True, slots=True)
class Autonomy:
    """All of it at one moment; ``version`` is the number of the newest change, ``units`` the standing of every unit."""

    version: int
    facts: Mapping[tuple[str, Kind], Fact]
    units: Mapping[str, Standing]

    def holding(self, scope: str, kind: Kind) -> Fact | None:
        """The fact where it is in force, None where it is not or never was."""
        fact = self.facts.get((scope, kind))
        return fact if fact is not None and fact.value else None

    def level(self, area: str, ladder: Ladder) -> Level:
        """The area's rung: as last changed, else as the plant file says."""
        fact = self.holding(area_scope(area), Kind.LEVEL)
        return Level(fact.value) if fact is not None else ladder.areas.get(area, ladder.default)


def area_scope(area: str) -> str:
    """The scope of an area."""
    return f"area:{area}"


def unit_scope(unit: str) -> str:
    """The scope of a unit."""
    return f"unit:{unit}"


def standings(
    areas: Mapping[str, str], ladder: Ladder, version: int, facts: Mapping[tuple[str, Kind], Fact]
) -> Autonomy:
    """Work out how every unit stands; ``areas`` maps units to their areas."""
    bare = Autonomy(version, facts, {})
    levels = {area: bare.level(area, ladder) for area in {*areas.values()}}
    units = {}
    for unit, area in areas.items():
        taken = _who(bare, Kind.TAKEN, (unit_scope(unit), area_scope(area)))
        stopped = _who(bare, Kind.STOPPED, (WHOLE, area_scope(area)))
        units[unit] = Standing(levels[area], taken, stopped)
    return Autonomy(version, facts, units)


def _who(autonomy: Autonomy, kind: Kind, scopes: tuple[str, ...]) -> str:
    found: Iterator[str] = (fact.by for scope in scopes if (fact := autonomy.holding(scope, kind)))
    return next(found, "")
