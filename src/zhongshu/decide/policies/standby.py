"""Machines: next planned start far enough away → stand-by; ahead of it → awake again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from zhongshu.decide.policies.advice import Ask
from zhongshu.decide.policies.facts import Facts
from zhongshu.decide.policies.gaps import asked, may_rest, resting_units
from zhongshu.decide.policies.policy import Policy, Setting


class Standby(Policy):
    """An idle machine burns power. One that sleeps needs its time to wake, and a job that comes by surprise waits for it."""

    name: ClassVar[str] = "standby"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "gap_min": Setting(15.0, 0.5, "the shortest gap in which a machine sleeps"),
        "early_min": Setting(4.0, 0.0, "so long before its work a machine is to be awake"),
        "unknown_min": Setting(20.0, 0.0, "without work for so long, and nothing planned: asleep"),
    }

    def advise(self, facts: Facts) -> Iterator[Ask]:
        """Sleep, or wake up."""
        early_s, gap_s = 60 * self.set("early_min"), 60 * self.set("gap_min")
        for unit, rest, rests in resting_units(facts, heats=False):
            ahead_s = rest.wake_s + early_s
            if rests and facts.spare_s(unit.id) <= ahead_s:
                yield asked(unit, rest, "wake_for_planned_work", to_rest=False)
            elif not rests and may_rest(facts, unit, max(gap_s, 2 * ahead_s), 60 * self.set("unknown_min")):
                yield asked(unit, rest, "sleep_in_gap", to_rest=True)
