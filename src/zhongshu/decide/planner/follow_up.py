"""What becomes of a decision: dispatch and commands on the bus → the hops after it came into force, its orders' real ends → its row."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select

from zhongshu.decide.planner.record import Decided
from zhongshu.kernel.clock import NS, Clock
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.decisions import change_decision, decisions
from zhongshu.kernel.store.tables import Lot, WorkOrder
from zhongshu.model.commands import CommandStatus
from zhongshu.model.decisions import HOPS, plan_of
from zhongshu.model.messages import CommandChanged, Event, OrderProgressed, PlanTaken, Proposed

#: Decisions whose hops are followed, and for how long (wall): where nothing is to be done, no command follows.
FOLLOWED, PATIENCE_WALL_NS = 64, 600 * NS
#: Decisions of before a restart whose orders are still waited for, and those that reactions are told of.
OPEN, REACTIONS = 400, 100
ENDED = ("done", "cancelled")
#: Decisions that answer a measured state word at once; what the reaction of the brain is measured by.
MEASURED = ("breakdown", "vehicle", "mode")
_HOP_OF = {CommandStatus.SENT: "sent", CommandStatus.ACCEPTED: "accepted", CommandStatus.PROVEN: "proven"}


@dataclass(slots=True)
class _Followed:
    """``first``: the first command by this plan or a later one; ``moved``: the first for a job that was re-routed; each
    holds wall ns by hop."""

    id: str
    rule: str
    version: int
    in_force_ns: int
    hops: dict[str, int]
    tasks: Mapping[str, str]
    first: dict[str, Any] = field(default_factory=dict)
    moved: dict[str, Any] = field(default_factory=dict)


class FollowUp:
    """Belongs to one loop: ``took_effect``, ``take`` and ``due`` touch no store; what ``due`` gives, ``write`` writes, blocking."""

    def __init__(self, plant: str, store: Store, clock: Clock) -> None:
        self._plant, self._store, self._clock = plant, store, clock
        self._followed: deque[_Followed] = deque(maxlen=FOLLOWED)
        self._waiting: dict[str, set[str]] = {}  # order → decisions that expect something of it
        self._orders: dict[str, dict[str, dict[str, Any]]] = {}  # decision → order → its row
        self._dirty: set[str] = set()
        self._ended: list[tuple[str, str, int]] = []
        self._news: OrderedDict[str, _Followed] = OrderedDict()
        self._reactions: OrderedDict[str, Mapping[str, int]] = OrderedDict()

    def took_effect(self, decided: Decided, version: int, wall_ns: int) -> None:
        """It is in force since this wall time."""
        hops = {**decided.facts["hops"], "in_force": wall_ns}
        tasks = {row["task"]: row["to"] for row in decided.facts["moved"]["list"]}
        one = _Followed(decided.id, decided.rule, version, wall_ns, hops, tasks)
        self._followed.append(one)
        self._news[one.id] = one
        self._expect(decided.id, decided.facts["orders"])

    def take(self, event: Event) -> bool:
        """Follow one event; True where something is ``due``."""
        match event:
            case PlanTaken():
                for one in self._lately():
                    if one.version <= event.version and "taken" not in one.hops:
                        one.hops |= {"published": event.heard_ns, "taken": event.taken_ns}
                        self._news[one.id] = one
            case Proposed():
                self._proposed(event)
            case CommandChanged():
                self._stepped(event)
            case OrderProgressed() if event.status in ENDED and event.order in self._waiting:
                self._ended.append((event.order, event.status, event.t_ns))
        return bool(self._news or self._ended)

    def _lately(self) -> Iterator[_Followed]:
        oldest_ns = self._clock.wall_ns() - PATIENCE_WALL_NS
        return (one for one in self._followed if one.in_force_ns >= oldest_ns)

    def _proposed(self, event: Proposed) -> None:
        version = plan_of(event.decision)
        if not version:
            return
        about = {"proposal": event.proposal, "unit": event.unit, "verb": event.verb}
        kind, _, rest = event.proposal.partition(".")
        lot, _, more = rest.partition(".")
        unit = "" if kind not in ("job", "move") else f"{lot}:{more.partition('.')[0]}"
        for one in self._lately():
            if one.version > version or "taken" not in one.hops:
                continue
            at_ns = max(self._clock.to_wall_ns(event.t_ns), one.hops["taken"])
            if not one.first:
                one.first = {**about, "version": version, "hops": {"proposed": at_ns}}
                one.hops["proposed"] = at_ns
                self._news[one.id] = one
            if not one.moved and one.tasks.get(unit) and (kind == "move" or one.tasks[unit] == event.unit):
                one.moved = {**about, "task": unit, "version": version, "hops": {"proposed": at_ns}}
                self._news[one.id] = one

    def _stepped(self, event: CommandChanged) -> None:
        hop = _HOP_OF.get(CommandStatus(event.status))
        for one in self._lately():
            for of in (one.first, one.moved):
                if of.get("proposal") != event.proposal:
                    continue
                of |= {"command": event.command, "status": event.status}
                if hop is not None and hop not in of["hops"]:
                    of["hops"][hop] = self._clock.to_wall_ns(event.t_ns)
                    if of is one.first:
                        one.hops[hop] = of["hops"][hop]
                self._news[one.id] = one

    def _expect(self, decision: str, orders: Sequence[Mapping[str, Any]]) -> None:
        rows = {row["id"]: dict(row) for row in orders}
        self._orders[decision] = rows
        for order, row in rows.items():
            if row["status"] == "open":
                self._waiting.setdefault(order, set()).add(decision)
        if not rows:
            self._dirty.add(decision)

    # --- the store

    def load(self) -> None:
        """Take up what an earlier life of this process was waiting for; blocking."""
        with self._store.read() as session:
            for row in reversed(decisions(session, self._plant, limit=OPEN)):
                if row.facts.get("open"):
                    self._expect(row.id, row.facts.get("orders", ()))
                if row.rule in MEASURED:
                    self._react(row.id, row.facts.get("hops", {}))
            mine = select(WorkOrder.id, WorkOrder.status, func.max(Lot.updated_ns)).join(
                Lot, (Lot.plant == WorkOrder.plant) & (Lot.order_id == WorkOrder.id), isouter=True
            )
            ended = mine.where(WorkOrder.plant == self._plant, WorkOrder.status.in_(ENDED))
            for order, status, t_ns in session.execute(ended.group_by(WorkOrder.id, WorkOrder.status)):
                if order in self._waiting:
                    self._ended.append((order, status, t_ns or 0))

    def due(self) -> dict[str, dict[str, Any]]:
        """What was learnt since the last call, as changes by decision."""
        news, self._news = self._news, OrderedDict()
        ended, self._ended = self._ended, []
        for order, status, t_ns in ended:
            for decision in self._waiting.pop(order, ()):
                self._orders[decision][order] |= {"status": status, "actual_ns": t_ns}
                self._dirty.add(decision)
        dirty, self._dirty = self._dirty, set()
        changes: dict[str, dict[str, Any]] = {}
        for one in news.values():
            changes[one.id] = {
                "hops": dict(one.hops),
                "first": _plain(one.first),
                "follows": _plain(one.moved),
            }
            if one.rule in MEASURED:
                self._react(one.id, one.hops)
        for decision in dirty:
            changes[decision] = changes.get(decision, {}) | self._settled(decision)
        return changes

    def write(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Bring the rows up to date, all in one transaction; blocking."""
        if changes:
            with self._store.begin() as session:
                for decision, change in changes.items():
                    change_decision(session, self._plant, decision, change)

    def _settled(self, decision: str) -> dict[str, Any]:
        """What the orders came to so far; a decision of which nothing is open any more is let go."""
        rows = list(self._orders[decision].values())
        done = [row for row in rows if row["status"] == "done"]
        open_ = any(row["status"] == "open" for row in rows)
        if not open_:
            del self._orders[decision]
        late = sum(row["actual_ns"] > row["due_ns"] for row in done)
        expected_late = sum(row["expected_ns"] > row["due_ns"] for row in done)
        later_s = sum(row["actual_ns"] - row["expected_ns"] for row in done) // max(1, len(done)) // NS
        actual = {"done": len(done), "of": len(rows), "late": late, "expected_late": expected_late}
        return {"orders": rows, "open": open_, "actual": {**actual, "later_s": later_s} if done else None}

    # --- figures

    def _react(self, decision: str, hops: Mapping[str, int]) -> None:
        if "measured" in hops and "in_force" in hops:
            self._reactions[decision] = dict(hops)
            while len(self._reactions) > REACTIONS:
                self._reactions.popitem(last=False)

    def figures(self) -> dict[str, Any]:
        """Wall ms from the state word to each hop, and of each hop alone, over the last breakdowns: p50, p95 and how many."""
        all_ = list(self._reactions.values())
        since = {h: [r[h] - r["measured"] for r in all_ if h in r] for h in HOPS[1:]}
        alone = {
            after: [r[after] - r[before] for r in all_ if before in r and after in r]
            for before, after in pairwise(HOPS)
        }
        return {
            "decisions": len(all_),
            "since_measured_ms": {hop: _spread(values) for hop, values in since.items()},
            "hop_ms": {hop: _spread(values) for hop, values in alone.items()},
        }


def _plain(about: Mapping[str, Any]) -> dict[str, Any] | None:
    """As it is now: what is written must not change under the writer's hand."""
    return {**about, "hops": dict(about["hops"])} if about else None


def _spread(values: Sequence[int]) -> dict[str, float | int | None]:
    """p95 is the value that so many do not exceed; null where nothing was measured."""
    of = sorted(values)
    if not of:
        return {"p50": None, "p95": None, "n": 0}
    high = -(-95 * len(of) // 100) - 1
    return {"p50": round(of[(len(of) - 1) // 2] / 1e6, 1), "p95": round(of[high] / 1e6, 1), "n": len(of)}
