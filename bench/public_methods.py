"""The ways to solve a public instance that bench/public.py sets side by side: a problem and a limit in, a solution out.

CP-SAT and PyJobShop may build their models before their limit begins to count; ours counts everything after `warm`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ortools.sat.python import cp_model
from pyjobshop import Model, ScheduledTask
from pyjobshop import Solution as PyJobShopSolution

from zhongshu.decide.jobshop.solve import solve_jobshop
from zhongshu.decide.scheduling.problem import Problem, Task
from zhongshu.decide.scheduling.solution import Placed, Solution

OURS = "zhongshu"
#: What everybody gets.
WORKERS = 2
#: CP-SAT, hinted: with more modes than this its presolve eats seconds that the search then lacks.
PRESOLVE_MOST_MODES = 1_500

#: Problem, first schedule (a hint), seconds, seed → a solution, or None where none was found.
Method = Callable[[Problem, Solution, float, int], Solution | None]


def ours(problem: Problem, _hint: Solution, seconds: float, seed: int) -> Solution:
    return solve_jobshop(problem, seconds=seconds, workers=WORKERS, seed=seed)


def cp_sat(problem: Problem, _hint: Solution, seconds: float, seed: int) -> Solution | None:
    return _cp_sat(problem, None, seconds, seed, presolve=True)


def cp_sat_hinted(problem: Problem, hint: Solution, seconds: float, seed: int) -> Solution | None:
    modes = sum(len(task.modes) for task in problem.tasks)
    return _cp_sat(problem, hint, seconds, seed, presolve=modes <= PRESOLVE_MOST_MODES)


def _cp_sat(
    problem: Problem, hint: Solution | None, seconds: float, seed: int, *, presolve: bool
) -> Solution | None:
    """Intervals, one optional interval a mode, no-overlap a unit; hints for starts and chosen modes."""
    drawn = _Drawn(problem)
    if hint is not None:
        drawn.hint(hint)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = WORKERS
    solver.parameters.random_seed = seed
    solver.parameters.cp_model_presolve = presolve
    if solver.solve(drawn.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    placed = []
    for index, task in enumerate(problem.tasks):
        mode = next((k for k, literal in enumerate(drawn.chosen[index]) if solver.value(literal)), 0)
        start = solver.value(drawn.starts[index])
        end = start + task.modes[mode].duration
        placed.append(Placed(index, mode, start, end, end))
    return Solution(tuple(placed))


class _Drawn:
    """The usual model: an interval a task, an optional one a mode where there is a choice."""

    def __init__(self, problem: Problem) -> None:
        self.model = cp_model.CpModel()
        self.horizon = sum(max(mode.duration for mode in task.modes) for task in problem.tasks)
        self.makespan = self.model.new_int_var(0, self.horizon, "makespan")
        self.starts: list[Any] = []
        self.ends: list[Any] = []
        self.chosen: list[list[Any]] = []
        self._on: list[list[Any]] = [[] for _ in problem.units]
        for task in problem.tasks:
            self._task(task)
        for arc in problem.arcs:
            self.model.add(self.starts[arc.after] >= self.ends[arc.before])
        for end in self.ends:
            self.model.add(self.makespan >= end)
        for intervals in self._on:
            self.model.add_no_overlap(intervals)
        self.model.minimize(self.makespan)

    def _task(self, task: Task) -> None:
        start = self.model.new_int_var(0, self.horizon, "")
        end: Any
        literals = []
        if len(task.modes) == 1:
            (mode,) = task.modes
            self._on[mode.unit].append(self.model.new_fixed_size_interval_var(start, mode.duration, ""))
            end = start + mode.duration
        else:
            end = self.model.new_int_var(0, self.horizon, "")
            literals = [self.model.new_bool_var("") for _ in task.modes]
            self.model.add_exactly_one(literals)
            for mode, literal in zip(task.modes, literals, strict=True):
                interval = self.model.new_optional_interval_var(start, mode.duration, end, literal, "")
                self._on[mode.unit].append(interval)
        self.starts.append(start)
        self.ends.append(end)
        self.chosen.append(literals)

    def hint(self, hint: Solution) -> None:
        """Starts, ends and modes of a schedule as hints."""
        self.model.add_hint(self.makespan, max(place.end for place in hint.placed))
        for place in hint.placed:
            self.model.add_hint(self.starts[place.task], place.start)
            if self.chosen[place.task]:
                self.model.add_hint(self.ends[place.task], place.end)
            for k, literal in enumerate(self.chosen[place.task]):
                self.model.add_hint(literal, k == place.mode)


def pyjobshop_hinted(problem: Problem, hint: Solution, seconds: float, seed: int) -> Solution | None:
    model = Model()
    machines = [model.add_machine() for _ in problem.units]
    jobs = [model.add_job() for _ in problem.jobs]
    tasks = [model.add_task(job=jobs[task.job]) for task in problem.tasks]
    offsets = []
    modes = 0
    for made, task in zip(tasks, problem.tasks, strict=True):
        offsets.append(modes)
        for mode in task.modes:
            model.add_mode(made, machines[mode.unit], mode.duration)
            modes += 1
    for arc in problem.arcs:
        model.add_end_before_start(tasks[arc.before], tasks[arc.after])
    initial = PyJobShopSolution(
        model.data(),
        [
            ScheduledTask(
                offsets[place.task] + place.mode,
                [problem.tasks[place.task].modes[place.mode].unit],
                place.start,
                place.end,
            )
            for place in hint.placed
        ],
    )
    result = model.solve(
        time_limit=seconds,
        num_workers=WORKERS,
        display=False,
        initial_solution=initial,
        random_seed=seed,
    )
    if not result.best.tasks:
        return None
    return Solution(
        tuple(
            Placed(index, place.mode - offsets[index], place.start, place.end, place.end)
            for index, place in enumerate(result.best.tasks)
        )
    )


METHODS: dict[str, Method] = {
    OURS: ours,
    "CP-SAT": cp_sat,
    "CP-SAT, hinted": cp_sat_hinted,
    "PyJobShop, hinted": pyjobshop_hinted,
}
