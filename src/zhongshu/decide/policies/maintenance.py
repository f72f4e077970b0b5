"""Wear and a gap in the plan → maintenance now, before the machine goes for it when it is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar

from zhongshu.decide.policies.advice import Ask
from zhongshu.decide.policies.facts import Facts
from zhongshu.decide.policies.policy import Policy, Setting
from zhongshu.model import roles
from zhongshu.model.plant import Unit
from zhongshu.model.states import UnitMode


class Maintenance(Policy):
    """A worn machine stops for maintenance by itself as soon as it is idle for a moment, whoever waits. Early maintenance
    costs life that was left in the parts; it is worth it in a gap that is longer than the maintenance.

    The most worn go first, ``at_once`` at most, and never the last of its type that works.
    """

    name: ClassVar[str] = "maintenance"
    SETTINGS: ClassVar[Mapping[str, Setting]] = {
        "worn_percent": Setting(80.0, 1.0, "from this wear on a machine is worth it"),
        "spare_min": Setting(15.0, 0.0, "so much longer than the maintenance is the gap"),
        "unknown_min": Setting(15.0, 0.0, "without work for so long, and nothing planned: a gap"),
        "at_once": Setting(3.0, 1.0, "machines in maintenance at the same time"),
    }

    def advise(self, facts: Facts) -> Iterator[Ask]:
        """Ask the most worn."""
        away = [u for u in facts.plant.machines if self._away(facts, u)]
        working = Counter(u.type for u in facts.plant.machines if facts.work.commandable(u.id))
        free = int(self.set("at_once")) - len(away)
        for _, unit, point in sorted(self._worn(facts), key=lambda found: (-found[0], found[1].id)):
            if free > 0 and working[unit.type] > 1:
                free -= 1
                working[unit.type] -= 1
                yield Ask(unit.id, point, 1.0, "maintenance_in_gap")

    def _worn(self, facts: Facts) -> Iterator[tuple[float, Unit, str]]:
        for unit in facts.plant.machines:
            service = facts.plant.type_of[unit.type].service
            if service is None or facts.value(unit.id, service.point) != 0.0:
                continue
            wear = self._wear(facts, unit, service.point)
            if wear < self.set("worn_percent") or not facts.idle(unit.id):
                continue
            spare_s = facts.spare_s(unit.id)
            known = spare_s < float("inf")
            long_enough = spare_s >= service.takes_s + 60 * self.set("spare_min")
            if long_enough if known else facts.idle_s(unit.id) >= 60 * self.set("unknown_min"):
                yield wear, unit, service.point

    @staticmethod
    def _wear(facts: Facts, unit: Unit, service: str) -> float:
        """Percent; 0 where nobody knows. What was measured before the last maintenance ended is the old parts' wear."""
        point = facts.plant.role(unit, roles.WEAR)
        wear = None if point is None else facts.value(unit.id, point.name)
        if point is None or wear is None:
            return 0.0
        return wear if facts.time_ns(unit.id, point.name) >= facts.time_ns(unit.id, service) else 0.0

    @staticmethod
    def _away(facts: Facts, unit: Unit) -> bool:
        """Asked already, or in maintenance whoever sent it there."""
        service = facts.plant.type_of[unit.type].service
        asked = service is not None and facts.value(unit.id, service.point) == 1.0
        return asked or facts.work.states.get(unit.id, ("", ""))[1] == UnitMode.MAINTENANCE.name
