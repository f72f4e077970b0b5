"""What a plant says beyond its machines so that all of it can be planned: calendars, people, tools, materials, aims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zhongshu.model.text import Text


@dataclass(frozen=True, slots=True)
class Pool:
    """Tools or people that several units share: ``count`` of them, in some shifts another number (``by_shift``, by id).

    ``kind`` is ``tool`` or ``crew``; ``area`` says where a crew belongs, "" for the whole plant.
    """

    id: str
    name: Text
    kind: str
    count: int
    by_shift: Mapping[str, int] = field(default_factory=dict)
    area: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """So much of a bought material comes in at a local time of day (minutes after midnight), on weekdays (0 Monday)."""

    days: tuple[int, ...]
    at_min: int
    quantity: float


@dataclass(frozen=True, slots=True)
class Material:
    """Something bought: ``stock`` when nobody has counted yet, and what comes in regularly, in ``uom``."""

    id: str
    name: Text
    uom: str
    stock: float
    arrivals: tuple[Arrival, ...] = ()


@dataclass(frozen=True, slots=True)
class Supply:
    """A line of a bill of bought materials: ``quantity`` of ``material`` for one piece, taken at ``operation``."""

    material: str
    quantity: float
    operation: int


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work on units: every week on ``days`` (0 Monday), or once on ``date`` (ISO, "" for weekly).

    Local times in minutes after midnight; one that ends past midnight has ``end_min`` above 1440.
    """

    id: str
    name: Text
    units: tuple[str, ...]
    days: tuple[int, ...]
    date: str
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Aims:
    """The price of each part of the objective, as in ``decide.scheduling.problem.Weights``.

    ``tardiness`` per weighted second late, ``makespan`` and ``flow`` per second, ``setup`` per second of set-up, ``energy``
    per unit of the tariff's currency, ``stability`` per operation that moved.
    """

    tardiness: int = 100
    makespan: int = 10
    flow: int = 0
    setup: int = 20
    energy: int = 1000
    stability: int = 20_000


@dataclass(frozen=True, slots=True)
class Planning:
    """How the plant wants to be planned. Times in s of plant time.

    ``frozen_s``: what begins so soon stays. ``horizon_s``: calendars are looked up so far ahead. ``churn``: at most so many
    operations may move in one re-plan, None without limit; ``moved_s``: a start that differs by less has not moved.
    ``pick_s``/``drop_s``: what a vehicle needs to take and to set down a lot. ``away_s``: a unit that is not to be
    commanded is expected back after so long, ``repair_s`` a broken one. ``cap_kw``: peak power of all units that say
    what they draw, None without cap. ``weights``: price of a second late by the order's priority.
    """

    frozen_s: int = 600
    horizon_s: int = 14 * 86_400
    churn: int | None = None
    moved_s: int = 60
    pick_s: float = 10.0
    drop_s: float = 10.0
    away_s: int = 7200
    repair_s: int = 1800
    cap_kw: float | None = None
    weights: Mapping[int, int] = field(default_factory=dict)
    aims: Aims = field(default_factory=Aims)

    def weight(self, priority: int) -> int:
        """What a second late costs for an order of this priority: as the file says, else less from 1 (10) to 10 (1)."""
        return self.weights.get(priority, max(1, 11 - max(1, priority)))
