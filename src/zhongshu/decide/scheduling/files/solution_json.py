"""Solutions as JSON: the schedule that ``zhongshu solve`` writes, machines and tasks counted from 0, and back."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.scheduling.files.error import ProblemFileError
from zhongshu.decide.scheduling.files.kinds import Whole, wrong
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.solution import Moved, Placed, Solution


def solution_to_json(problem: Problem, solution: Solution) -> dict[str, Any]:
    """``tasks``: job, task (its place in the job), machine, start, end, mode; ``left`` where the lot left later than it was
    done, ``batch`` in ovens. ``moves``: arc, vehicle, pickup, drop."""
    place = {task: i for tasks in problem.tasks_of for i, task in enumerate(tasks)}
    tasks = []
    for placed in solution.placed:
        task = problem.tasks[placed.task]
        entry = {
            "job": task.job,
            "task": place[placed.task],
            "machine": task.modes[placed.mode].unit,
            "start": int(placed.start),
            "end": int(placed.end),
            "mode": int(placed.mode),
        }
        if placed.left != placed.end:
            entry["left"] = int(placed.left)
        if placed.batch >= 0:
            entry["batch"] = int(placed.batch)
        tasks.append(entry)
    written: dict[str, Any] = {"tasks": tasks}
    if solution.moved:
        written["moves"] = [
            {"arc": int(m.arc), "vehicle": int(m.vehicle), "pickup": int(m.pickup), "drop": int(m.drop)}
            for _, m in sorted(solution.moved.items())
        ]
    return written


def solution_from_json(problem: Problem, value: Any) -> Solution:
    """The solution that such a value stands for; raises ProblemFileError. Where ``mode`` is not said, the machine and the
    length tell it. Other keys are passed over."""
    if not isinstance(value, dict) or not isinstance(value.get("tasks"), list):
        raise ProblemFileError("", 0, "json-missing", at="the solution", key="tasks")
    placed: dict[int, Placed] = {}
    for index, entry in enumerate(value["tasks"]):
        one = _placed(problem, entry, f"tasks[{index}]")
        if one.task in placed:
            raise ProblemFileError("", 0, "json-twice", at=f"tasks[{index}]")
        placed[one.task] = one
    missing = set(range(len(problem.tasks))) - set(placed)
    if missing:
        raise ProblemFileError("", 0, "json-unplaced", task=min(missing))
    moves = value.get("moves", [])
    if not isinstance(moves, list):
        raise wrong("moves", "list", moves)
    moved = [_moved(entry, f"moves[{i}]") for i, entry in enumerate(moves)]
    return Solution(tuple(placed[task] for task in range(len(placed))), {move.arc: move for move in moved})


def _placed(problem: Problem, entry: Any, at: str) -> Placed:
    job = _whole(entry, "job", at)
    if not 0 <= job < len(problem.jobs):
        raise ProblemFileError("", 0, "json-index", at=f"{at}.job", value=job, count=len(problem.jobs))
    place = _whole(entry, "task", at)
    if not 0 <= place < len(problem.tasks_of[job]):
        count = len(problem.tasks_of[job])
        raise ProblemFileError("", 0, "json-index", at=f"{at}.task", value=place, count=count)
    task = problem.tasks_of[job][place]
    start, end = _whole(entry, "start", at), _whole(entry, "end", at)
    mode = _mode(problem, task, entry, at)
    left = _whole(entry, "left", at) if "left" in entry else end
    batch = _whole(entry, "batch", at) if "batch" in entry else -1
    return Placed(task, mode, start, end, left, batch)


def _mode(problem: Problem, task: int, entry: Any, at: str) -> int:
    modes, machine = problem.tasks[task].modes, _whole(entry, "machine", at)
    if "mode" in entry:
        mode = _whole(entry, "mode", at)
        if not 0 <= mode < len(modes) or modes[mode].unit != machine:
            raise ProblemFileError("", 0, "json-mode", at=at, machine=machine)
        return mode
    fitting = [i for i, mode in enumerate(modes) if mode.unit == machine]
    if not fitting:
        raise ProblemFileError("", 0, "json-mode", at=at, machine=machine)
    length = _whole(entry, "end", at) - _whole(entry, "start", at)
    return next((i for i in fitting if modes[i].duration == length), fitting[0])


def _moved(entry: Any, at: str) -> Moved:
    arc, vehicle, pickup, drop = (_whole(entry, key, at) for key in ("arc", "vehicle", "pickup", "drop"))
    return Moved(arc, vehicle, pickup, drop)


def _whole(entry: Any, key: str, at: str) -> int:
    if not isinstance(entry, dict):
        raise wrong(at, "object", entry)
    if key not in entry:
        raise ProblemFileError("", 0, "json-missing", at=at, key=key)
    return Whole().read(entry[key], f"{at}.{key}", {})
