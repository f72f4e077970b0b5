"""The arbiter's word on one call, with its reason and the measured values it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ruling(StrEnum):
    """The arbiter's word."""

    YES = "yes"
    WAIT = "wait"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A ruling with its reason, a key of the texts for people; ``points`` are the ids of what it was judged by."""

    ruling: Ruling
    reason: str = ""
    points: tuple[int, ...] = ()


YES = Judgement(Ruling.YES)


def no(reason: str) -> Judgement:
    """Never."""
    return Judgement(Ruling.NO, reason)


def wait(reason: str) -> Judgement:
    """Not yet."""
    return Judgement(Ruling.WAIT, reason)
