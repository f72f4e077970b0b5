"""Is a problem well formed, and can anything satisfy it at all? Asked before every search; answers name what clashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from zhongshu.decide.scheduling.conflicts import explain
from zhongshu.decide.scheduling.conflicts.fault import Fault
from zhongshu.decide.scheduling.problem import Problem
from zhongshu.decide.scheduling.validate.bounds import bounds
from zhongshu.decide.scheduling.validate.cycles import cycles
from zhongshu.decide.scheduling.validate.form_plant import plant_form
from zhongshu.decide.scheduling.validate.form_work import settled_form, work_form
from zhongshu.decide.scheduling.validate.lags import lags
from zhongshu.decide.scheduling.validate.occupied import occupied
from zhongshu.decide.scheduling.validate.pinned_times import pinned_times
from zhongshu.decide.scheduling.validate.room import room

__all__ = ["FAULTS_MAX", "Fault", "explain", "problems_of"]

#: More faults than this help nobody.
FAULTS_MAX = 50
#: Each stage takes for granted that the stages before it found nothing.
_STAGES: tuple[tuple[Callable[[Problem], Iterator[Fault]], ...], ...] = (
    (plant_form,),
    (work_form,),
    (settled_form,),
    (cycles, lags),
    (room, pinned_times, occupied),
    (bounds,),
)


def problems_of(problem: Problem) -> tuple[Fault, ...]:
    """Everything that simple tests find wrong with a problem, FAULTS_MAX at most.

    Empty: the problem is well formed, and an engine must find a solution or prove that there is none.
    """
    for stage in _STAGES:
        found = tuple(islice((fault for test in stage for fault in test(problem)), FAULTS_MAX))
        if found:
            return found
    return ()
