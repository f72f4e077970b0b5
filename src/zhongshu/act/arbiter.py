"""The one judge between a proposal and the wire: permits, modes, conflicts and rate; it says yes, wait, or no with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from zhongshu.kernel.latest import Latest
from zhongshu.model import roles
from zhongshu.model.batch import GOOD, QUALITY_MASK
from zhongshu.model.commands import Call, Verb
from zhongshu.model.plant import Plant
from zhongshu.model.states import COMMANDABLE


class Ruling(StrEnum):
    """The arbiter's word."""

    YES = "yes"
    WAIT = "wait"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A ruling with its reason, a key of act/strings.toml."""

    ruling: Ruling
    reason: str = ""


YES = Judgement(Ruling.YES)
#: A unit gets at most one command in this many wall seconds, so that a loop gone wild can't hammer a machine.
RATE_WALL_S = 0.2


class Arbiter:
    """Judges calls by measured values; ``live`` tells the keys of commands under way on a unit."""

    def __init__(self, plant: Plant, latest: Latest, live: Callable[[str], set[int]]) -> None:
        self._plant, self._latest, self._live = plant, latest, live
        self._sent_wall_ns: dict[str, int] = {}

    def judge(self, call: Call, now_wall_ns: int) -> Judgement:
        """Whether ``call`` may go out now."""
        unit = self._plant.unit_of.get(call.unit)
        if unit is None:
            return Judgement(Ruling.NO, "no_such_unit")
        if call.verb is Verb.SET_PARAMETER:
            refusal = self._parameter(call)
            if refusal:
                return refusal
        mode = self._plant.role(unit, roles.UNIT_MODE)
        if mode is not None:
            if self._latest.times_ns[mode.id] == 0 or self._latest.qualities[mode.id] & QUALITY_MASK != GOOD:
                return Judgement(Ruling.WAIT, "mode_not_known")
            if self._latest.values[mode.id] not in COMMANDABLE:
                return Judgement(Ruling.NO, "not_in_production_mode")
        if self._live(call.unit) - {call.key}:
            return Judgement(Ruling.WAIT, "another_command_under_way")
        if now_wall_ns - self._sent_wall_ns.get(call.unit, 0) < RATE_WALL_S * 1e9:
            return Judgement(Ruling.WAIT, "rate")
        return YES

    def sent(self, unit: str, now_wall_ns: int) -> None:
        """Remember when the unit was last asked."""
        self._sent_wall_ns[unit] = now_wall_ns

    def _parameter(self, call: Call) -> Judgement | None:
        point = next(
            (p for p in self._plant.unit_of[call.unit].points if p.id == call.args.get("point")), None
        )
        if point is None or not point.writable:
            return Judgement(Ruling.NO, "not_writable")
        value = call.args.get("value")
        if not isinstance(value, int | float):
            return Judgement(Ruling.NO, "not_a_number")
        if (point.low is not None and value < point.low) or (point.high is not None and value > point.high):
            return Judgement(Ruling.NO, "outside_limits")
        return None
