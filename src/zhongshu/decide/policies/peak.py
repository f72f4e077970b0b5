"""The load of this quarter of an hour against the cap → what draws much and is in no hurry waits for the next one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

from zhongshu.decide.policies.advice import Wait
from zhongshu.decide.policies.facts import AT_WORK, Facts
from zhongshu.decide.policies.policy import Policy, Setting
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Unit


class Peak(Policy):
    """Power is paid by the highest mean of a quarter of an hour. Where this one would go above ``cap_kw`` with one more start
    or heat-up, units that draw at least ``least_kw`` more wait; those with a lot that is urgent or due within ``slack_min``
    don't, and nobody waits longer than ``longest_min``.

    Without ``cap_kw`` the plant's ``planning.cap_kw`` holds; without that the policy says nothing.
    """

    name: ClassVar[str] = "peak"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "cap_kw": Setting(0.0, 0.0, "mean of a quarter of an hour; 0: the plant's planning.cap_kw"),
        "least_kw": Setting(40.0, 0.0, "what a unit must draw more to be worth waiting"),
        "slack_min": Setting(120.0, 0.0, "a lot whose order is due sooner does not wait"),
        "urgent": Setting(2.0, 0.0, "orders up to this priority do not wait"),
        "longest_min": Setting(20.0, 0.0, "nobody waits longer"),
    }

    def advise(self, facts: Facts) -> Iterator[Wait]:
        """The largest first, until what is left would stay under the cap."""
        cap_kw = self.set("cap_kw") or facts.plant.planning.cap_kw or math.inf
        room_kw = (cap_kw - facts.load.mean_kw()) / max(facts.load.left_s / 900, 0.05)
        for more_kw, unit in sorted(self._could_begin(facts), key=lambda found: (found[0], found[1].id)):
            room_kw -= more_kw
            if room_kw < 0 and self._can_wait(facts, unit):
                yield Wait(unit.id, "load_above_cap")

    def _could_begin(self, facts: Facts) -> Iterator[tuple[float, Unit]]:
        """What units that do nothing would draw more if they began, or heated up."""
        for unit in facts.plant.machines:
            kind = facts.plant.type_of[unit.type]
            more_kw = max((able.power_kw for able in kind.capabilities), default=0.0)
            if more_kw < self.set("least_kw") or not facts.work.commandable(unit.id):
                continue
            if any(lot.status in AT_WORK for lot in facts.coming(unit.id)):
                continue
            ready = any(lot.place == unit.id for lot in facts.coming(unit.id))
            rest = kind.rest
            rests = rest is not None and rest.resting(facts.value(unit.id, rest.point) or rest.work)
            if ready or (rests and rest is not None and rest.heats and facts.spare_s(unit.id) < 3600):
                yield more_kw, unit

    def _can_wait(self, facts: Facts, unit: Unit) -> bool:
        if facts.waiting_s(unit.id) >= 60 * self.set("longest_min"):
            return False
        soon_ns = facts.now_ns + round(60 * self.set("slack_min") * NS)
        orders = [facts.work.orders[lot.order] for lot in facts.coming(unit.id)]
        return all(o.priority > self.set("urgent") and o.due_ns > soon_ns for o in orders)
