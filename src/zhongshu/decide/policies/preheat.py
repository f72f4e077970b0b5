"""Ovens: the next planned load → heat in time for it; a gap that is long enough → heat set back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from zhongshu.decide.policies.advice import Ask
from zhongshu.decide.policies.facts import Facts
from zhongshu.decide.policies.gaps import asked, may_rest, resting_units
from zhongshu.decide.policies.policy import Policy, Setting
from zhongshu.model.idling import Rest
from zhongshu.model.plant import Unit


class Preheat(Policy):
    """Holding an oven hot costs what it loses to the hall, all the time. A set-back saves, a cold oven lets a load wait.

    So: set back where the next load is further away than ``gap_min`` and than twice the nominal warm-up; heat so early that the
    oven is warm ``early_min`` before the load, by the temperature that it has now.
    """

    name: ClassVar[str] = "preheat"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "gap_min": Setting(45.0, 1.0, "the shortest gap in which an oven is set back"),
        "early_min": Setting(8.0, 0.0, "so long before its load an oven is to be warm"),
        "unknown_min": Setting(60.0, 0.0, "without work for so long, and nothing planned: set back"),
    }

    def advise(self, facts: Facts) -> Iterator[Ask]:
        """Heat, or set back."""
        early_s = 60 * self.set("early_min")
        for unit, rest, rests in resting_units(facts, heats=True):
            if rests and facts.spare_s(unit.id) <= self._warm_up_s(facts, unit, rest) + early_s:
                yield asked(unit, rest, "heat_for_planned_load", to_rest=False)
            elif not rests and self._pays(facts, unit, rest):
                yield asked(unit, rest, "set_back_in_gap", to_rest=True)

    def _pays(self, facts: Facts, unit: Unit, rest: Rest) -> bool:
        gap_s = max(60 * self.set("gap_min"), 2 * rest.wake_s + 60 * self.set("early_min"))
        return may_rest(facts, unit, gap_s, 60 * self.set("unknown_min"))

    @staticmethod
    def _warm_up_s(facts: Facts, unit: Unit, rest: Rest) -> float:
        """The nominal time, for the part of the way that is left by the thermometer."""
        now_c = facts.value(unit.id, rest.measured)
        if now_c is None:
            return rest.wake_s
        share = (rest.work - now_c) / (rest.work - rest.rest)
        return rest.wake_s * min(1.0, max(0.0, share))
