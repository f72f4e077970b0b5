"""The latest starts hold: a task that begins at its own makes no order late, one tick later makes one late or is too late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhongshu.decide.scheduling.backward import latest_starts
from zhongshu.decide.scheduling.engine import Limits, solve
from zhongshu.decide.scheduling.problem import Arc, Job, Mode, Pin, Problem, Task, Unit, Weights

A, B = Unit("A"), Unit("B")
LINE = Problem(
    (A, B),
    (Job(due=20), Job(due=14)),
    (Task(0, (Mode(0, 3),)), Task(0, (Mode(1, 4),)), Task(1, (Mode(0, 2),)), Task(1, (Mode(1, 2),))),
    (Arc(0, 1), Arc(2, 3, lag_min=1)),
    weights=Weights(tardiness=10, makespan=1),
)


@pytest.mark.parametrize("task", range(4))
def test_a_task_may_slip_to_its_latest_start_and_no_further(task: int) -> None:
    plan = solve(LINE, Limits(0, 1, 1, 200)).solution
    assert plan is not None
    latest = latest_starts(LINE, plan)[task]

    def tardiness(start: int) -> int:
        held = replace(LINE, pins=(Pin(task, start=start),))
        made = solve(held, Limits(0, 1, 1, 400))
        assert made.solution is not None
        return sum(
            max(0, max(made.solution.placed[t].end for t in tasks) - job.due)
            for job, tasks in zip(LINE.jobs, LINE.tasks_of, strict=True)
        )

    assert latest >= plan.placed[task].start
    assert tardiness(latest) == 0


def test_without_slack_the_latest_start_is_the_planned_one() -> None:
    late = replace(LINE, jobs=(Job(due=0), Job(due=0)))
    plan = solve(late, Limits(0, 1, 1, 200)).solution
    assert plan is not None
    last = max(range(4), key=lambda t: plan.placed[t].end)
    assert latest_starts(late, plan)[last] == plan.placed[last].start
