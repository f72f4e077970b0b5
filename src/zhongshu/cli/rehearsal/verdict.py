"""What a rehearsed day was worth, counted on the twin's side: pieces in the warehouse, meters, vehicles; order by order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from zhongshu.decide.planning.calendar import prices
from zhongshu.kernel.clock import NS
from zhongshu.model.commands import Verb
from zhongshu.model.messages import Event, OrderProgressed, Proposed, SchedulePublished
from zhongshu.model.plant import Plant
from zhongshu.model.worktime import Days
from zhongshu.twin.customer import Wish
from zhongshu.twin.twin import Twin

#: Plant seconds between two looks at meters and lots.
LOOK_S = 60
#: Power is paid by the mean of a quarter of an hour.
QUARTER_NS = 900 * NS


@dataclass(slots=True)
class Verdict:
    """Collected while the rehearsal runs. Times are plant time in ns."""

    plant: Plant
    twin: Twin
    begun_ns: int
    wishes: dict[str, Wish] = field(default_factory=dict)
    done_ns: dict[str, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    plans: int = 0
    energy_cost: float = 0.0
    short: dict[str, int] = field(default_factory=dict)
    _kwh: float = 0.0
    _first_kwh: float = 0.0
    _quarters: list[tuple[int, float]] = field(default_factory=list)
    _lots: list[int] = field(default_factory=list)
    _prices: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        self._prices = prices(self.plant.tariff, Days(self.plant.timezone, self.begun_ns, 7 * 86_400))

    def happened(self, kind: str, t_ns: int, fields: Mapping[str, Any]) -> None:
        """The twin's book of events."""
        self.counts[kind] += 1
        if kind == "stored":
            self.counts["pieces"] += int(fields["pieces"])

    def heard(self, event: Event) -> None:
        """What the brain says; an order is over when its last piece is in the warehouse."""
        if isinstance(event, OrderProgressed) and event.status == "done":
            self.done_ns[event.order] = event.t_ns
            self.short[event.order] = max(0, event.quantity - event.done)
        elif isinstance(event, Proposed) and event.verb == Verb.SET_PARAMETER.name:
            self.asked[event.decision] += 1
        elif isinstance(event, SchedulePublished) and event.status == "live":
            self.plans += 1
            self.moved += event.moved

    def look(self, now_ns: int) -> None:
        """Read the meters."""
        for machine in self.twin.floor.machines.values():
            machine.settle()
        kwh = sum(machine.energy_kwh for machine in self.twin.floor.machines.values())
        if self._lots:
            self.energy_cost += (kwh - self._kwh) * self._price(now_ns)
        else:
            self._first_kwh = kwh
        if not self._quarters or now_ns // QUARTER_NS > self._quarters[-1][0] // QUARTER_NS:
            self._quarters.append((now_ns, kwh))
        self._kwh = kwh
        self._lots.append(len(self.twin.floor.shop.stock.lots))

    def _price(self, now_ns: int) -> float:
        """Of a kWh in the plant's currency."""
        tick = (now_ns - self.begun_ns) // NS
        found = [price for since, price in self._prices if since <= tick]
        return found[-1] * 3600 / 1e6 if found else 0.0

    def figures(self, now_ns: int) -> dict[str, Any]:
        """All figures; orders that are not done count as late, to the horizon at least."""
        hours = (now_ns - self.begun_ns) / (3600 * NS)
        late_s = {
            name: max(0.0, (self.done_ns.get(name, now_ns) - wish.due_ns) / NS)
            for name, wish in self.wishes.items()
        }
        on_time = sum(name in self.done_ns and late_s[name] == 0 for name in self.wishes)
        weight = self.plant.planning.weight
        empty_m = sum(v.driven_m[False] for v in self.twin.floor.vehicles.values())
        return {
            "orders": len(self.wishes),
            "orders_done": len(self.done_ns),
            "on_time_share": round(on_time / max(1, len(self.wishes)), 4),
            "weighted_tardiness": round(
                sum(weight(w.priority) * late_s[name] for name, w in self.wishes.items()) / 3600, 2
            ),
            "throughput": round(self.counts["pieces"] / max(1e-9, hours), 2),
            "wip_mean": round(sum(self._lots) / max(1, len(self._lots)), 1),
            "changeovers": self.counts["setup"],
            "breakdowns": self.counts["breakdown"],
            "vehicle_faults": self.counts["vehicle_fault"],
            "energy_cost": round(self.energy_cost, 1),
            "energy_kwh": round(self._kwh - self._first_kwh),
            "peak_kw": round(max((_mean_kw(a, b) for a, b in pairwise(self._quarters)), default=0.0)),
            "cold_starts": self.counts["unready"],
            "maintenances": self.counts["maintained"],
            "pieces_short": sum(self.short.values()),
            "asked": dict(sorted(self.asked.items())),
            "empty_travel_m": round(empty_m),
            "plans": self.plans,
            "tasks_moved": self.moved,
        }


def _mean_kw(begun: tuple[int, float], ended: tuple[int, float]) -> float:
    """Between two readings (plant time in ns, kWh)."""
    return (ended[1] - begun[1]) * 3600 * NS / (ended[0] - begun[0])
