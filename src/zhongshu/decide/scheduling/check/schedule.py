"""A solution laid out for looking at: times as lists, what shares an oven as blocks, each unit's sequence, who was moved."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from zhongshu.decide.scheduling.problem import AT_HAND, Closed, Mode, Problem
from zhongshu.decide.scheduling.solution import Solution


@dataclass(frozen=True, slots=True)
class Block:
    """What occupies a unit at once: one task, or the members of one batch. ``left``: when the last lot is out."""

    unit: int
    members: tuple[int, ...]
    start: int
    end: int
    left: int
    family: int
    started: bool


class Calendar:
    """Closed time of one unit, summed up from its beginning."""

    def __init__(self, closed: Sequence[Closed]) -> None:
        self.closed = closed
        self._starts = [c.start for c in closed]
        self._sums = [0, *accumulate(c.end - c.start for c in closed)]

    def first_after(self, tick: int) -> int:
        """Index of the first closed interval that starts after a tick."""
        return bisect_right(self._starts, tick)

    def closed_before(self, tick: int) -> int:
        """Closed ticks before a tick."""
        index = bisect_right(self._starts, tick)
        if index == 0:
            return 0
        return self._sums[index] - max(0, self.closed[index - 1].end - tick)

    def overlapping(self, start: int, end: int) -> Sequence[Closed]:
        """The closed intervals that share a tick with [start, end)."""
        if not self.closed or start >= end:
            return ()
        index = self.first_after(start)
        if index and self.closed[index - 1].end > start:
            index -= 1
        last = index
        while last < len(self.closed) and self.closed[last].start < end:
            last += 1
        return self.closed[index:last]


def shown(problem: Problem, solution: Solution) -> Schedule:
    """A solution laid out. The last few are kept: whoever makes a plan has it checked, weighed and written down, one after the
    other, and laying it out is much of the work of each."""
    for view in tuple(_SHOWN):
        if view.problem is problem and view.solution is solution:
            return view
    view = Schedule(problem, solution)
    _SHOWN.append(view)
    return view


class Schedule:
    """A problem and a solution of the right shape, seen as the rules speak of them; every list is by task."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem = problem
        self.solution = solution
        placed = solution.placed
        self.start = [p.start for p in placed]
        self.end = [p.end for p in placed]
        self.left = [p.left for p in placed]
        self.batch = [p.batch for p in placed]
        self.mode: list[Mode] = [t.modes[p.mode] for t, p in zip(problem.tasks, placed, strict=True)]
        self.unit = [mode.unit for mode in self.mode]
        self.started = [False] * len(placed)
        for pin in problem.pins:
            if pin.started:
                self.started[pin.task] = True
        self._calendars = [Calendar(unit.closed) for unit in problem.units]

    def calendar(self, unit: int) -> Calendar:
        """The closed time of a unit."""
        return self._calendars[unit]

    def open_ticks(self, unit: int, start: int, end: int) -> int:
        """Ticks of [start, end) in which the unit works; 0 for an empty interval."""
        if end <= start:
            return 0
        calendar = self._calendars[unit]
        if not calendar.closed:
            return end - start
        return end - start - (calendar.closed_before(end) - calendar.closed_before(start))

    @cached_property
    def live_moves(self) -> tuple[int, ...]:
        """The arcs along which a lot has to go: all that move, but for those into a started task."""
        arcs = self.problem.arcs
        return tuple(i for i, arc in enumerate(arcs) if arc.moves and not self.started[arc.after])

    def origin(self, arc: int) -> int:
        """The unit from which an arc's lot comes; -1 where none is said."""
        found = self.problem.arcs[arc]
        return found.origin if found.before == AT_HAND else self.unit[found.before]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Everything that occupies a unit. Members of a batch that disagree on their times give the hull of them."""
        ovens: dict[tuple[int, int], list[int]] = {}
        found = []
        for task, unit in enumerate(self.unit):
            if self.problem.units[unit].capacity > 0:
                ovens.setdefault((unit, self.batch[task]), []).append(task)
            else:
                found.append(self._alone(task))
        found += [self._together(unit, members) for (unit, _), members in ovens.items()]
        return tuple(found)

    def _alone(self, task: int) -> Block:
        return Block(
            self.unit[task],
            (task,),
            self.start[task],
            self.end[task],
            self.left[task],
            self.problem.tasks[task].family,
            self.started[task],
        )

    def _together(self, unit: int, members: list[int]) -> Block:
        return Block(
            unit,
            tuple(members),
            min(self.start[task] for task in members),
            max(self.end[task] for task in members),
            max(self.left[task] for task in members),
            self.problem.tasks[members[0]].family,
            any(self.started[task] for task in members),
        )

    @cached_property
    def sequences(self) -> tuple[tuple[Block, ...], ...]:
        """For each unit its blocks by start; those of one start by when they are left, then by their first task."""
        found: list[list[Block]] = [[] for _ in self.problem.units]
        for block in self.blocks:
            found[block.unit].append(block)
        for blocks in found:
            blocks.sort(key=lambda b: (b.start, b.left, b.members[0]))
        return tuple(map(tuple, found))

    @cached_property
    def setups(self) -> tuple[tuple[Block | None, Block, int], ...]:
        """(what the unit did before, what it does next, open ticks of set-up between) wherever a set-up is asked for.

        None before: the unit starts from the family it is set up for at 0. Nothing is asked for before a started task.
        """
        found: list[tuple[Block | None, Block, int]] = []
        for unit, blocks in zip(self.problem.units, self.sequences, strict=True):
            if unit.setups < 0 or not blocks:
                continue
            matrix = self.problem.setups[unit.setups]
            first = blocks[0]
            if not first.started and unit.family >= 0:
                found.append((None, first, matrix[unit.family][first.family]))
            found += [(a, b, matrix[a.family][b.family]) for a, b in pairwise(blocks) if not b.started]
        return tuple(found)

    @cached_property
    def moved_tasks(self) -> tuple[int, ...]:
        """Tasks that differ from the plan in force by their unit, or by more ticks than are tolerated."""
        tolerance = self.problem.moved_tolerance
        return tuple(
            before.task
            for before in self.problem.previous
            if not self.started[before.task]
            and (
                self.unit[before.task] != before.unit
                or abs(self.start[before.task] - before.start) > tolerance
            )
        )


#: Those laid out last; problems and solutions never change.
_SHOWN: deque[Schedule] = deque(maxlen=3)
