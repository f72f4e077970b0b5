"""What a policy may say: write a set-point, let a unit wait, make pieces again; each with its reason, none with any effect by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ask:
    """Write ``value`` to the set-point ``point`` (its name) of a unit: a command like any other, judged by act's arbiter.

    ``reason`` is a key of the strings (``[reason.…]``), or plain words.
    """

    unit: str
    point: str
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """No job is begun on the unit, and nothing is asked of it that draws power, as long as a policy says so."""

    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Remake:
    """So many more pieces are made for an order."""

    order: str
    pieces: int
    reason: str


Advice = Ask | Wait | Remake
