"""A solution, indexed once: who runs where in which order; windows and hints look it up, the search hands it in."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import cached_property

from zhongshu.decide.scheduling.cp.facts import Facts, facts_of
from zhongshu.decide.scheduling.objective import kpis
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


@dataclass(frozen=True, slots=True)
class Block:
    """What occupies a unit at once: one task or one batch, from ``start`` until the last lot has ``left`` (ticks)."""

    start: int
    left: int
    end: int
    members: tuple[int, ...]
    started: bool


class Incumbent:
    """A valid solution with its sequences. Lists by task, unit or vehicle index; built in time ~ tasks + moves."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem = problem
        self.solution = solution
        self.facts: Facts = facts_of(problem)
        self.moved: dict[int, Moved] = dict(solution.moved)
        self.unit = [problem.tasks[p.task].modes[p.mode].unit for p in solution.placed]
        # Behind these units there is room without end: lots leave at once, which is what the models say too.
        roomy = [unit.buffer_out is None for unit in problem.units]
        self.placed: tuple[Placed, ...] = tuple(
            replace(p, left=p.end) if p.left != p.end and roomy[self.unit[p.task]] else p
            for p in solution.placed
        )
        self.blocks: list[list[Block]] = self._blocks()
        self.place: dict[int, int] = {
            task: position
            for blocks in self.blocks
            for position, block in enumerate(blocks)
            for task in block.members
        }
        #: Filled by those who ask first: what blocks draw from each pool, what tasks take from and give to materials.
        self.drawn: dict[int, list[tuple[int, int, int, int]]] | None = None
        self.flows: dict[int, list[tuple[int, int, bool]]] | None = None
        self.rides: list[list[int]] = self._rides()
        self.ride_place = {k: n for rides in self.rides for n, k in enumerate(rides)}

    def _blocks(self) -> list[list[Block]]:
        together: dict[tuple[int, int, int], list[int]] = {}
        for p in self.placed:
            alone = p.task if p.batch < 0 else -1
            together.setdefault((self.unit[p.task], p.batch, alone), []).append(p.task)
        found: list[list[Block]] = [[] for _ in self.problem.units]
        for (unit, _, _), tasks in together.items():
            first = self.placed[tasks[0]]
            left = max(self.placed[t].left for t in tasks)
            found[unit].append(
                Block(first.start, left, first.end, tuple(tasks), self.facts.started[tasks[0]])
            )
        for blocks in found:
            blocks.sort(key=lambda b: (not b.started, b.start, b.left))
        return found

    def _rides(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.problem.vehicles]
        for k, moved in self.moved.items():
            if moved.vehicle >= 0:
                found[moved.vehicle].append(k)
        for rides in found:
            rides.sort(key=lambda k: (self.moved[k].pickup, self.moved[k].drop))
        return found

    def block(self, task: int) -> Block:
        """What the task occupies its unit with."""
        return self.blocks[self.unit[task]][self.place[task]]

    def beside(self, unit: int, tick: int) -> Block | None:
        """The block that a unit is at, or was at last, at a tick."""
        at = bisect_right(self.blocks[unit], tick, key=lambda b: b.start)
        return self.blocks[unit][at - 1] if at else None

    def leader(self, task: int) -> int:
        """The lowest task of the batch it is in; itself where it is alone."""
        return min(self.block(task).members)

    @cached_property
    def lots_behind(self) -> dict[int, list[int]]:
        """By unit, the carried arcs whose lot leaves it."""
        found: dict[int, list[int]] = {}
        for k in self.facts.carried:
            arc = self.problem.arcs[k]
            found.setdefault(arc.origin if arc.before < 0 else self.unit[arc.before], []).append(k)
        return found

    @cached_property
    def lots_before(self) -> dict[int, list[int]]:
        """By unit, the carried arcs whose lot comes to it."""
        found: dict[int, list[int]] = {}
        for k in self.facts.carried:
            found.setdefault(self.unit[self.problem.arcs[k].after], []).append(k)
        return found

    @cached_property
    def job_end(self) -> list[int]:
        """By job, the end of its last task."""
        return [
            max((self.placed[t].end for t in tasks), default=job.release)
            for tasks, job in zip(self.problem.tasks_of, self.problem.jobs, strict=True)
        ]

    @cached_property
    def objective(self) -> float:
        """The objective of the solution."""
        return kpis(self.problem, self.solution).objective
