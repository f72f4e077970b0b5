"""Decisions as the pages show them: read from the store once a second, in a thread, by one reader for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from zhongshu.kernel.clock import Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import decisions
from zhongshu.kernel.store.tables import Decision
from zhongshu.model.messages import DecisionMade, DemoStaged, Event
from zhongshu.web.board import Board

PERIOD_WALL_S = 1.0
#: Decisions that every page gets; the Act page asks for more.
SHOWN = 6
#: Of one decision in a list: orders, and units that took over jobs.
ORDERS, UNITS = 4, 6
MS = 1_000_000
#: A plan that only the search found to be better; and answers to the state word of a unit.
IMPROVED, MEASURED = "improved", ("breakdown", "vehicle", "mode")

Row = dict[str, Any]


class DecisionBoard(Board):
    """``newest`` are answers to facts, ``measured`` the last of them to a state word, ``improved`` the last that only the search
    found, ``staged`` faults that the demo arranged.
    """

    def __init__(self, plant: str, store: Store, clock: Clock) -> None:
        empty: Row = {"newest": [], "measured": None, "improved": None, "staged": []}
        super().__init__("decisions", PERIOD_WALL_S, empty)
        self._plant, self._store, self._clock = plant, store, clock
        self._staged: deque[Row] = deque(maxlen=4)

    def take(self, event: Event) -> None:
        """A decision was made: look at once. A fault that the demo arranged is told with the decisions; nobody decides by it."""
        if isinstance(event, DecisionMade):
            self.poke()
        elif isinstance(event, DemoStaged):
            self._staged.append({"t_ms": event.t_ns // MS, "kind": event.kind, "unit": event.unit})
            self.poke()

    def _completed(self, found: Row) -> Row:
        return found | {"staged": list(self._staged)}

    def _read(self) -> dict[str, Any]:
        with self._store.read() as session:
            newest = decisions(session, self._plant, without=IMPROVED, limit=SHOWN)
            measured = decisions(session, self._plant, rules=MEASURED, limit=1)
            improved = decisions(session, self._plant, rules=(IMPROVED,), limit=1)
            return {
                "newest": [brief(row) for row in newest],
                "measured": brief(measured[0]) if measured else None,
                "improved": brief(improved[0]) if improved else None,
            }


def brief(row: Decision) -> Row:
    """A decision in a list; times in ms, ``hops`` in ms since the first of them."""
    facts = row.facts
    moved = facts.get("moved", {})
    orders = sorted(facts.get("orders", ()), key=_worst_first)
    chosen: Row = next((option for option in facts.get("options", ()) if option.get("chosen")), {})
    return {
        "id": row.id,
        "t_ms": row.t_ns // MS,
        "rule": row.rule,
        "subject": row.subject,
        "version": facts.get("version", 0),
        "of": facts.get("of", ""),
        "trigger": in_ms(facts.get("trigger", {})),
        "improved": _improved(facts.get("options", ())),
        "chosen": {part: chosen.get(part) for part in ("name", "late", "weighted_tardiness_s", "tasks")},
        "jobs": moved.get("jobs", 0),
        "in_time": moved.get("in_time", 0),
        "to": dict(sorted(moved.get("to", {}).items(), key=lambda to: (-to[1], to[0]))[:UNITS]),
        "orders": [in_ms(order) for order in orders[:ORDERS]],
        "orders_concerned": facts.get("orders_concerned", len(orders)),
        "orders_late": sum(_late(order) for order in orders),
        "orders_turned_late": sum(_turned_late(order) for order in orders),
        "gave_way": len(facts.get("gave_way", ())),
        "hops": since_first(facts.get("hops", {})),
        "follows": _command(facts.get("follows"), facts.get("hops", {})),
        "first": _command(facts.get("first"), facts.get("hops", {})),
        "actual": facts.get("actual"),
        "open": facts.get("open", False),
    }


def whole(row: Decision) -> Row:
    """One decision with everything on record."""
    facts = row.facts
    moved = facts.get("moved", {})
    jobs = [in_ms(job) for job in moved.get("list", ())]
    return brief(row) | {
        "options": facts.get("options", []),
        "from": moved.get("from", {}),
        "to": moved.get("to", {}),
        "moved": jobs,
        "orders": [in_ms(order) for order in sorted(facts.get("orders", ()), key=_worst_first)],
        "gave_way": facts.get("gave_way", []),
        "expected": facts.get("expected", {}),
        "by": facts.get("by", ""),
    }


def _improved(options: Iterable[Mapping[str, Any]]) -> Row | None:
    """What the search made of the answer a moment later, if it did."""
    found = next((option for option in options if option.get("became")), None)
    return {name: found[name] for name in ("became", "moved", "seconds")} if found is not None else None


def _late(order: Mapping[str, Any]) -> bool:
    return bool(order["expected_ns"] > order["due_ns"])


def _turned_late(order: Mapping[str, Any]) -> bool:
    """It was expected on time before; a new order, of which nothing was expected, has not turned late."""
    return _late(order) and order["was_ns"] is not None and order["was_ns"] <= order["due_ns"]


def _worst_first(order: Mapping[str, Any]) -> tuple[bool, int]:
    """Whoever turns late, then whoever ends latest after its due date."""
    return not _turned_late(order), order["due_ns"] - order["expected_ns"]


def since_first(hops: Mapping[str, int]) -> dict[str, float]:
    """Wall ms from the first hop on record to each."""
    first = min(hops.values(), default=0)
    return {hop: round((at_ns - first) / 1e6, 1) for hop, at_ns in hops.items()}


def in_ms(values: Mapping[str, Any]) -> Row:
    """Every ``…_ns`` as ``…_ms``."""
    return {
        f"{name[:-3]}_ms" if name.endswith("_ns") else name: value // MS
        if name.endswith("_ns") and isinstance(value, int)
        else value
        for name, value in values.items()
    }


def _command(about: Mapping[str, Any] | None, hops: Mapping[str, int]) -> Row | None:
    """The command that followed, its steps in ms since the decision's first hop."""
    if not about:
        return None
    first = min(hops.values(), default=0)
    steps = {hop: round((at_ns - first) / 1e6, 1) for hop, at_ns in about["hops"].items()}
    return {**about, "hops": steps}
