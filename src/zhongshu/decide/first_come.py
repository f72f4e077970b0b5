"""First-come dispatch: the oldest lot takes the first free capable unit, idle vehicles are shared out; pure choices, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from zhongshu.decide.roads import Roads
from zhongshu.decide.vehicles import (
    PATIENCE_S,
    Charge,
    Recall,
    charges,
    matched,
    ready_to_drive,
    recalls,
    soon_free,
)
from zhongshu.decide.work import Lot, LotStatus, Order, Work
from zhongshu.kernel.clock import NS
from zhongshu.model.plant import Step, Unit
from zhongshu.model.states import UnitState

#: Not counted in front of a unit by themselves: on it, counted with their parent, or not there at all.
_NOT_IN_FRONT = (LotStatus.RUNNING, LotStatus.FINISHED)


@dataclass(frozen=True, slots=True)
class Start:
    """Start the lot's next operation on the unit where it lies."""

    lot: Lot
    unit: str


@dataclass(frozen=True, slots=True)
class Move:
    """Bring a lot to a unit. ``on_board``: the vehicle carries it already."""

    lot: Lot
    vehicle: str
    from_unit: str
    to_unit: str
    on_board: bool = False


Choice = Start | Move | Charge | Recall


class FirstCome:
    """One pass over the open lots."""

    def __init__(self, work: Work, roads: Roads, now_ns: int) -> None:
        self._work, self._roads, self._now_ns = work, roads, now_ns
        self._open = list(self._in_order())
        self._parts: dict[int, list[Lot]] = {}
        for lot in self._open:
            if lot.parent and lot.status is not LotStatus.LEFT:
                self._parts.setdefault(lot.parent, []).append(lot)
        self._working = Counter(
            lot.target for lot in self._open if lot.status in (LotStatus.RUNNING, LotStatus.STARTING)
        )
        self._outgoing = Counter(lot.place for lot in self._open if lot.place and lot.at_output)
        self._incoming: Counter[str] = Counter()
        for lot in self._open:
            self._count(lot)

    def _in_order(self) -> Iterator[Lot]:
        """Open lots: who chooses first."""
        yield from self._work.in_order()

    def _preferred(self, lot: Lot, step: int, fitting: list[Unit]) -> Unit | None:
        """A unit that is to be taken if it fits; first come, first served has no wishes."""
        return None

    def _may_wait_for(self, lot: Lot, step: int) -> bool:
        """Rather wait than take another unit than the preferred one."""
        return False

    def _room_for(self, lot: Lot, unit: Unit) -> bool:
        """No place in front of the unit has to be kept for others than this lot."""
        return True

    def _wanted_ahead(self, lot: Lot) -> bool:
        """A part that is to be made although there are no places yet where it will be built in."""
        return False

    def release_rank(self, order: Order) -> tuple[float, ...]:
        """Whose order goes onto the floor first."""
        return order.priority, order.created_ns

    def choices(self) -> Iterator[Choice]:
        """What to do now; the units chosen are written into the lots as they are chosen."""
        for lot in self._open:
            self._reserve(lot)
            self._assign(lot)
        for lot in self._open:
            if lot.not_before_ns <= self._now_ns:
                yield from self._start(lot)
        yield from self._moves()
        yield from charges(self._work, self._roads, self._now_ns)

    def _count(self, lot: Lot) -> None:
        """Places taken in front of units: reserved for what will be built together, or for one lot on its own.

        Pieces left over lie on the unit's shelf and take no place.
        """
        step = self._work.step(lot)
        for operation, unit in lot.build_at.items():
            if lot.status is LotStatus.RUNNING and step is not None and step.operation == operation:
                continue
            self._incoming[unit] += self._places(lot, operation)
        if lot.target and lot.status not in _NOT_IN_FRONT and step and step.operation not in lot.build_at:
            self._incoming[lot.target] += 1

    def _places(self, lot: Lot, operation: int) -> int:
        """The parts that enter, and the lot itself unless it is made there."""
        first = self._work.product(lot).routing[0].operation == operation
        return len(self._work.needed(lot, operation)) + (not first)

    def _reserve(self, lot: Lot) -> None:
        """Choose at once, for every operation at which parts enter, the unit where that will be, and places for all.

        A part that is begun before is one ahead (``_is_ahead``). Every other finished part can leave its unit, outputs always
        drain, and lots can't wait for one another in a circle.
        """
        if lot.build_at or not self._may_reserve(lot):
            return
        chosen: dict[int, str] = {}
        for index, step in self._assemblies(lot):
            places = self._places(lot, step.operation)
            fitting = [
                u
                for u in self._capable(step.capability)
                if self._fits(u, places) and self._may_be_reserved(u.id)
            ]
            wanted = self._preferred(lot, index, fitting)
            if not fitting or (wanted is None and self._may_wait_for(lot, index)):
                return
            best = wanted or min(fitting, key=lambda u: (self._incoming[u.id], u.id))
            chosen[step.operation] = best.id
        if chosen:
            lot.build_at = chosen
            self._work.touch(lot)
            for operation, unit in chosen.items():
                self._incoming[unit] += self._places(lot, operation)

    def _assemblies(self, lot: Lot) -> Iterator[tuple[int, Step]]:
        """The steps of its routing at which parts enter that are made here, with their indexes."""
        for index, step in enumerate(self._work.product(lot).routing):
            if self._work.needed(lot, step.operation):
                yield index, step

    def _may_reserve(self, lot: Lot) -> bool:
        return lot.status is LotStatus.PLANNED and self._parent_ready(lot)

    def _may_be_reserved(self, unit: str) -> bool:
        """Nobody else waits for places in front of it."""
        return True

    def _is_ahead(self, lot: Lot) -> bool:
        """A part of parts nothing, without a place yet where it will be built in: it leaves one place free in every buffer, so
        that all others get through as if it were not there (see ``_reserve``)."""
        return not self._parent_ready(lot) and lot.product not in self._work.plant.assembled

    def _left_free(self, lot: Lot) -> int:
        """Places in a buffer that the lot leaves to others."""
        return int(self._is_ahead(lot))

    def _parent_ready(self, lot: Lot) -> bool:
        return not lot.parent or self._work.enters_at(lot) in self._work.lots[lot.parent].build_at

    def _assign(self, lot: Lot) -> None:
        """Choose the unit for the lot's next operation."""
        if lot.status is LotStatus.FINISHED and not lot.target and self._parent_ready(lot):
            lot.target = self._work.lots[lot.parent].build_at[self._work.enters_at(lot)]
            self._work.touch(lot)
        step = self._work.step(lot)
        if step is None or lot.status not in (LotStatus.PLANNED, LotStatus.WAITING):
            return
        builds = bool(self._work.needed(lot, step.operation))
        if not builds and self._to_lost_unit(lot):
            self._incoming[lot.target] -= 1
            lot.target = ""
            self._work.touch(lot)
        if lot.target:
            return
        if builds:
            lot.target = lot.build_at.get(step.operation, "")
        elif self._may_go_on(lot) and (lot.place or lot.not_before_ns <= self._now_ns):
            lot.target = self._free_unit(lot, step.capability)
            self._incoming[lot.target] += 1
        if lot.target:
            self._work.touch(lot)
            if lot.status is LotStatus.PLANNED and not builds:
                lot.place = lot.target  # the first operation makes the lot out of the store

    def _may_go_on(self, lot: Lot) -> bool:
        """There is a place where it will be built in; or it is one ahead, and wanted or begun."""
        if self._parent_ready(lot):
            return True
        return self._is_ahead(lot) and (lot.status is LotStatus.WAITING or self._wanted_ahead(lot))

    def _to_lost_unit(self, lot: Lot) -> bool:
        """The lot still lies elsewhere, and the unit chosen for it may not be commanded any more."""
        return bool(lot.target) and lot.at_output and not self._work.commandable(lot.target)

    def _free_unit(self, lot: Lot, capability: str) -> str:
        """The least busy unit with room, near to the lot; at most one lot waits behind the one at work.

        A lot of which nothing exists yet waits nowhere: it takes the first unit that can begin at once, so that none
        overtakes it through another unit's shorter queue.
        """
        left = self._left_free(lot)
        able = [u for u in self._capable(capability) if self._fits(u, 1 + left) and self._room_for(lot, u)]
        fitting = [u for u in able if self._busy(u) < 2]
        if not lot.place:
            fitting = [u for u in fitting if not self._busy(u) and self._can_begin(u.id, -left)]
        wanted = self._preferred(lot, lot.next_step, able)
        if wanted is not None and (lot.place or self._can_begin(wanted.id, -left)):
            return wanted.id
        if not fitting or self._may_wait_for(lot, lot.next_step):
            return ""
        start = self._work.plant.unit_of[lot.place].station if lot.place else ""
        return min(fitting, key=lambda u: self._unit_rank(lot, u, start)).id

    def _unit_rank(self, lot: Lot, unit: Unit, start: str) -> tuple[float, float, str]:
        """Of units that fit, the one with the least is taken."""
        return self._busy(unit), self._seconds(start, unit.station), unit.id

    def _busy(self, unit: Unit) -> int:
        return self._incoming[unit.id] + self._working[unit.id]

    def _seconds(self, start: str, end: str) -> float:
        return self._roads.seconds(start, end) if start else 0.0

    def _capable(self, capability: str) -> Iterator[Unit]:
        return (unit for unit in self._work.plant.able.get(capability, ()) if self._work.commandable(unit.id))

    def _fits(self, unit: Unit, places: int) -> bool:
        return self._incoming[unit.id] + places <= self._work.plant.type_of[unit.type].buffer_in

    def _start(self, lot: Lot) -> Iterator[Start]:
        step = self._work.step(lot)
        if lot.status not in (LotStatus.PLANNED, LotStatus.WAITING) or not lot.target or step is None:
            return
        if lot.status is LotStatus.WAITING and lot.place != lot.target:
            return
        if self._work.advised_on(lot.number):
            return
        if not self._parts_there(lot, step.operation):
            return
        unit = self._work.plant.unit_of[lot.target]
        own = int(lot.at_output and lot.place == lot.target)
        if not self._can_begin(unit.id, own - self._left_free(lot)):
            return
        self._working[unit.id] += 1
        yield Start(lot, unit.id)

    def _can_begin(self, unit: str, own: int) -> bool:
        """Idle, nothing given to it yet, and a free place behind it; ``own`` lots there make room by beginning, below 0 so
        many places more have to be free."""
        if self._working[unit] or unit in self._work.advised:
            return False
        if not self._has_room(unit, own):
            return False
        return self._work.commandable(unit) and self._work.states[unit][0] == UnitState.IDLE.name

    def _has_room(self, unit: str, own: int) -> bool:
        """A free place behind it."""
        plant = self._work.plant
        return self._outgoing[unit] - own < plant.type_of[plant.unit_of[unit].type].buffer_out

    def _parts_there(self, lot: Lot, operation: int) -> bool:
        """All parts that enter lie in front of the unit."""
        needed = self._work.needed(lot, operation)
        entering = [p for p in self._parts.get(lot.number, ()) if p.product in needed]
        return all(
            p.status is LotStatus.FINISHED and p.place == lot.target and not p.at_output for p in entering
        )

    def _moves(self) -> Iterator[Move | Recall]:
        idle = ready_to_drive(self._work, self._now_ns)
        for name, vehicle in list(idle.items()):
            if vehicle.load:
                del idle[name]
                lot = self._work.lots.get(vehicle.load)
                if lot is not None and lot.target and lot.place == name:
                    yield Move(lot, name, "", lot.target, on_board=True)
        waiting = [lot for lot in self._open if self._to_move(lot)]
        known = self._work.waits_since
        self._work.waits_since = {n: known.get(n, self._now_ns) for n in (lot.number for lot in waiting)}
        starts = [(self._work.plant.unit_of[lot.place].station, self._impatient(lot)) for lot in waiting]
        pairs = list(matched(idle, soon_free(self._work, self._roads), starts, self._roads))
        for index, name in pairs:
            del idle[name]
            yield Move(waiting[index], name, waiting[index].place, waiting[index].target)
        taken = {index for index, _ in pairs}
        left = [lot for index, lot in enumerate(waiting) if index not in taken]
        yield from recalls(self._work, self._roads, idle, left)

    def _impatient(self, lot: Lot) -> bool:
        """It has waited for a vehicle for long."""
        return self._now_ns - self._work.waits_since[lot.number] > PATIENCE_S * NS

    def _to_move(self, lot: Lot) -> bool:
        if lot.not_before_ns > self._now_ns or not lot.target or not lot.place or lot.place == lot.target:
            return False
        if lot.place in self._work.vehicles:
            return False
        if any(map(self._work.stopped, (lot.place, lot.target))) or self._work.advised_on(lot.number):
            return False
        return lot.status in (LotStatus.WAITING, LotStatus.FINISHED) and lot.at_output
