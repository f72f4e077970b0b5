"""Dispatch by the plan in force: its units, its sequence; what it does not know of yet goes first come, first served."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

from zhongshu.decide.first_come import Choice, FirstCome, Start
from zhongshu.decide.roads import Roads
from zhongshu.decide.work import Lot, LotStatus, Order, Work, closed
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Unit

#: A lot without a place in the plan comes after all that have one.
UNPLANNED = 2**62
#: So long (plant time) a unit that could begin something waits for the lot that is next in its sequence; and for one that is
#: on its way already.
PATIENCE_NS, PATIENCE_ON_ITS_WAY_NS = 180 * NS, 600 * NS


class PlanInForce:
    """The released schedule as dispatch needs it: for each task its unit and start, for each unit its sequence."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        tasks, origin = document["tasks"], int(document["origin_ns"])
        units = [unit["id"] for unit in document["units"]]
        self.version = int(document["version"])
        self._of: dict[str, tuple[str, int]] = {}
        lines: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._span: dict[str, int] = {}
        for name, unit, start, end in zip(
            tasks["id"], tasks["unit"], tasks["start"], tasks["end"], strict=True
        ):
            begin = origin + start * NS
            self._of[name], self._span[name] = (units[unit], begin), (end - start) * NS
            lines[units[unit]].append((begin, name))
        self._starts = {unit: sorted(line) for unit, line in lines.items()}
        self._lines = {unit: deque(line) for unit, line in self._starts.items()}
        self._first: dict[str, int] = {}
        for name, order in zip(tasks["id"], tasks["order"], strict=True):
            key = document["orders"][order]["id"]
            self._first[key] = min(self._first.get(key, UNPLANNED), self._of[name][1])

    def unit(self, lot: int, step: int) -> str:
        """Where the step is planned, empty if it is not."""
        return self._of.get(f"{lot}:{step}", ("", 0))[0]

    def start_ns(self, lot: int, step: int) -> int:
        """When the step is planned to begin."""
        return self._of.get(f"{lot}:{step}", ("", UNPLANNED))[1]

    def span_ns(self, lot: int, step: int) -> int:
        """How long the step is planned to last."""
        return self._span.get(f"{lot}:{step}", UNPLANNED)

    def order_start_ns(self, order: str) -> int:
        """When the first task of the order is planned to begin."""
        return self._first.get(order, UNPLANNED)

    def next_start_ns(self, work: Work, unit: str, now_ns: int) -> int:
        """When the unit is planned to begin something next that has not begun; ``UNPLANNED`` where nothing is.

        Lots that are not on the floor yet count while their time lies ahead; what is overdue counts as now.
        """
        for begin, name in self._starts.get(unit, ()):
            number, _, step = name.partition(":")
            lot = work.lots.get(int(number))
            if lot is None and begin <= now_ns:
                continue  # over and forgotten, or not let onto the floor
            if lot is None or not (closed(lot) or _begun(lot, int(step))):
                return max(begin, now_ns)
        return UNPLANNED

    def turn(self, work: Work, unit: str) -> tuple[int, str]:
        """(planned start, task) of what is next on the unit, of all that is on the floor; drops what has begun or is gone."""
        line = self._lines.get(unit)
        while line:
            begin, name = line[0]
            number, _, step = name.partition(":")
            lot = work.lots.get(int(number))
            if lot is None or closed(lot) or _begun(lot, int(step)):  # not released yet, over, or under way
                line.popleft()
                continue
            return begin, name
        return UNPLANNED, ""

    def coming_first(self, work: Work, unit: str, lot: int, step: int) -> Iterator[Lot]:
        """Lots that come to the unit before this one, by its sequence, and have no place there yet: they wait for this operation
        or are in the one before."""
        own = self._of.get(f"{lot}:{step}", ("", UNPLANNED))[1]
        for begin, name in self._lines.get(unit, ()):
            if begin >= own:
                break
            number, _, k = name.partition(":")
            other = work.lots.get(int(number))
            if other is not None and other.target != unit and _comes_next(other, int(k)):
                yield other


def _comes_next(lot: Lot, step: int) -> bool:
    at_work = lot.status is LotStatus.RUNNING
    on_floor = bool(lot.place) and lot.status in (LotStatus.WAITING, LotStatus.MOVING, LotStatus.RUNNING)
    return on_floor and lot.next_step == step - at_work


def _begun(lot: Lot, step: int) -> bool:
    working = lot.next_step == step and lot.status in (LotStatus.RUNNING, LotStatus.STARTING)
    return lot.next_step > step or working or lot.status in (LotStatus.HELD, LotStatus.LEFT)


class Follow(FirstCome):
    """One pass over the open lots by the plan. Without a plan it is first come, first served."""

    def __init__(self, work: Work, roads: Roads, now_ns: int, plan: PlanInForce | None) -> None:
        self._plan = plan
        self._waited_for: set[str] = set()
        super().__init__(work, roads, now_ns)

    def _reserve(self, lot: Lot) -> None:
        """Nobody overtakes: where one waits for places, whoever comes later by the plan waits as well. Else an urgent order would
        wait for hours for the moment at which all its places are free at once."""
        super()._reserve(lot)
        if self._plan is not None and self._may_reserve(lot) and not lot.build_at:
            wanted = (self._plan.unit(lot.number, k) for k, _ in self._assemblies(lot))
            self._waited_for |= {unit for unit in wanted if unit}

    def choices(self) -> Iterator[Choice]:
        """As without a plan, but places are given away by due dates. The plan, which knows nothing of them, takes as long as
        nothing is late whatever order is cheapest; who holds places for hours then is in the way of whoever gets late."""
        for lot in sorted(self._open, key=self._due) if self._plan is not None else ():
            self._reserve(lot)
        yield from super().choices()

    def _due(self, lot: Lot) -> tuple[int, int]:
        return self._work.orders[lot.order].due_ns, lot.number

    def _may_be_reserved(self, unit: str) -> bool:
        return unit not in self._waited_for

    def _in_order(self) -> Iterator[Lot]:
        if self._plan is None:
            yield from self._work.in_order()
            return
        first_come = list(self._work.in_order())
        yield from sorted(first_come, key=self._planned_start)

    def release_rank(self, order: Order) -> tuple[float, ...]:
        """By the plan; what it does not know as without one."""
        planned_ns = self._plan.order_start_ns(order.id) if self._plan is not None else UNPLANNED
        return planned_ns, *super().release_rank(order)

    def _planned_start(self, lot: Lot) -> int:
        """Of its next task."""
        assert self._plan is not None  # only called with one
        return self._plan.start_ns(*self._work.next_task(lot))

    def _preferred(self, lot: Lot, step: int, fitting: list[Unit]) -> Unit | None:
        """The planned unit if it is among those that fit."""
        wanted = self._plan.unit(lot.number, step) if self._plan is not None else ""
        return next((u for u in fitting if u.id == wanted), None)

    def _room_for(self, lot: Lot, unit: Unit) -> bool:
        """Places in front of the unit are kept for those that come first by its sequence: who came early would shut them out."""
        if self._plan is None or not lot.place or self._plan.unit(lot.number, lot.next_step) != unit.id:
            return True
        first = self._plan.coming_first(self._work, unit.id, lot.number, lot.next_step)
        kept = sum(1 + self._left_free(other) for other in first)
        return not kept or self._fits(unit, 1 + self._left_free(lot) + kept)

    def _may_wait_for(self, lot: Lot, step: int) -> bool:
        """The plan has a unit for it that can work: rather wait for that than go elsewhere."""
        wanted = self._plan.unit(lot.number, step) if self._plan is not None else ""
        return bool(wanted) and self._work.commandable(wanted)

    def _wanted_ahead(self, lot: Lot) -> bool:
        """Its time has come by the plan, which may have parts made long before there is room for all of them."""
        return self._plan is not None and self._plan.start_ns(lot.number, lot.next_step) <= self._now_ns

    def _start(self, lot: Lot) -> Iterator[Start]:
        for start in super()._start(lot):
            if self._its_turn(lot, start.unit):
                self._work.idle_since.pop(start.unit, None)
                yield start
            else:
                self._working[start.unit] -= 1

    def _its_turn(self, lot: Lot, unit: str) -> bool:
        """Next in the unit's sequence, or not planned there; done before the next one is due; or that one does not come."""
        if self._plan is None:
            return True
        begin, name = self._plan.turn(self._work, unit)
        own = self._plan.start_ns(lot.number, lot.next_step)
        if name in ("", f"{lot.number}:{lot.next_step}") or own == UNPLANNED:
            return True
        before = self._work.lots.get(int(name.partition(":")[0]))
        if before is not None and before.place == unit and not before.at_output:
            return own <= begin or not self._has_room(unit, -self._left_free(before))
        if self._now_ns + self._plan.span_ns(lot.number, lot.next_step) <= begin:
            return True
        comes = before is not None and before.target == unit and bool(before.place)
        since = self._work.idle_since.setdefault(unit, self._now_ns)
        return self._now_ns - since >= (PATIENCE_ON_ITS_WAY_NS if comes else PATIENCE_NS)
