"""A solution of a problem: where and when each task and each move happens; engines write it, the checker judges it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Placed:
    """One task: on which mode, from when to when (ticks). ``left`` is when its lot left the unit (into the output
    buffer, a vehicle or the next unit); the unit is blocked until then. ``batch`` numbers the oven batch, -1 for none."""

    task: int
    mode: int
    start: int
    end: int
    left: int
    batch: int = -1


@dataclass(frozen=True, slots=True)
class Moved:
    """One arc along which a lot goes: picked up out of the one unit's output, dropped into the other's input.

    ``vehicle`` -1: no vehicle is needed (one station), then drop = pickup.
    """

    arc: int
    vehicle: int
    pickup: int
    drop: int


@dataclass(frozen=True)
class Solution:
    """All tasks placed, all lots moved. ``placed[i]`` belongs to task i; ``moved`` by arc index."""

    placed: tuple[Placed, ...]
    moved: Mapping[int, Moved] = field(default_factory=dict)
